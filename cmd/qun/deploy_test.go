package main

import (
	"io"
	"maps"
	"net/http/httptest"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/alecthomas/kong"
	"gopkg.in/yaml.v3"

	"qun/engineio"
	"qun/internal/metrics"
)

const root = "../.."

// deployed are the files of deploy/ by name.
func deployed(t *testing.T) map[string]string {
	t.Helper()
	files := map[string]string{}
	for _, pattern := range []string{"deploy/*", "deploy/proxy/*"} {
		found, err := filepath.Glob(filepath.Join(root, pattern))
		if err != nil {
			t.Fatal(err)
		}
		for _, name := range found {
			if info, err := os.Stat(name); err != nil || info.IsDir() {
				continue
			}
			files[filepath.Base(name)] = read(t, name)
		}
	}
	if len(files) < 10 {
		t.Fatalf("found %v", slices.Sorted(maps.Keys(files)))
	}
	return files
}

func read(t *testing.T, name string) string {
	t.Helper()
	text, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// Variables in files that nobody runs here are those that the program reads.
func TestDeployedVariablesAreSettings(t *testing.T) {
	parser, err := kong.New(new(cli))
	if err != nil {
		t.Fatal(err)
	}
	known := []string{"QUN_CONFIG", "QUN_DOMAIN", "QUN_PASSWORD"} // the last two are of the compose files
	for _, name := range settingNames(parser.Model) {
		known = append(known, variable(name))
	}
	for name, text := range deployed(t) {
		for _, found := range regexp.MustCompile(`QUN_[A-Z_]+[A-Z]`).FindAllString(text, -1) {
			if !slices.Contains(known, found) {
				t.Errorf("%s: there is no setting %s", name, found)
			}
		}
	}
}

// Command lines that people copy are such that the program takes.
func TestWrittenCommandLinesAreTaken(t *testing.T) {
	pages := deployed(t)
	for _, page := range []string{"README.md", "README.zh-CN.md", "docs/configuration.md", "docs/operating.md"} {
		pages[page] = read(t, filepath.Join(root, page))
	}
	line := regexp.MustCompile("(?:^|[\\s(`/])qun (serve|check|export|backup|restore|migrate|health|user)((?: +[^`\\s|>)]+)*)")
	tried := 0
	for name, text := range pages {
		for _, found := range line.FindAllStringSubmatch(text, -1) {
			args := append([]string{found[1]}, commandArgs(found[2])...)
			if strings.Contains(found[2], "…") || strings.ContainsAny(found[2], "[]") || !strings.Contains(found[2], "--") {
				continue // prose, or a form
			}
			tried++
			m := Machine{Stdout: io.Discard, Stderr: io.Discard, LookupEnv: func(string) (string, bool) { return "", false }}
			if _, _, err := parse(args, m); err != nil {
				t.Errorf("%s: %s: %v", name, strings.TrimSpace(found[0]), err)
			}
		}
	}
	if tried < 10 {
		t.Errorf("tried %d command lines", tried)
	}
}

// commandArgs splits a command line as a shell does, up to a comment, a variable or punctuation of the sentence around it.
func commandArgs(text string) (args []string) {
	for _, word := range strings.Fields(text) {
		if strings.HasPrefix(word, "#") || word == "\\" {
			break
		}
		args = append(args, strings.Trim(strings.TrimRight(word, ".,;:"), `"`))
	}
	return args
}

// What dashboards and alerts ask for is counted.
func TestDeployedQueriesAskForWhatIsCounted(t *testing.T) {
	m := metrics.New("v1")
	m.Watch(func() engineio.Stats { return engineio.Stats{} })
	m.SessionOpened("websocket")
	m.SessionClosed("websocket", engineio.ErrPingTimeout)
	m.Refused(engineio.RefusedForbidden)
	m.Requested("sendMessage", "ok", time.Millisecond)
	m.Pushed("message")
	m.Told("webhook", "ok")
	m.WatchBus(func() metrics.Bus { return metrics.Bus{} })
	m.WatchBridge(func() metrics.Bridge { return metrics.Bridge{} })
	w := httptest.NewRecorder()
	m.Handler().ServeHTTP(w, httptest.NewRequest("GET", "/metrics", nil))
	files := deployed(t)
	names := regexp.MustCompile(`\b(?:qun|process|go)_[a-z_]+\b`)
	for _, file := range []string{"grafana.json", "alerts.yaml"} {
		asked := names.FindAllString(files[file], -1)
		if len(asked) < 8 {
			t.Errorf("%s asks for %d counts", file, len(asked))
		}
		for _, name := range asked {
			if !strings.Contains(w.Body.String(), "\n"+name+"{") && !strings.Contains(w.Body.String(), "\n"+name+" ") {
				t.Errorf("%s: %s is not counted", file, name)
			}
		}
	}
}

// The image can be built from what is in the tree, and what it starts is not root.
func TestImageIsMadeOfWhatIsThere(t *testing.T) {
	text := deployed(t)["Dockerfile"]
	var last string
	stages := map[string]bool{}
	said := map[string]string{} // by instruction, of the last stage
	for line := range strings.Lines(text) {
		words := strings.Fields(line)
		if len(words) < 2 || words[0] == "#" {
			continue
		}
		said[words[0]] = strings.Join(words[1:], " ")
		switch words[0] {
		case "FROM":
			last, said = words[1], map[string]string{}
			if len(words) == 4 {
				stages[words[3]] = true
			}
		case "COPY":
			copied(t, words[1:], stages)
		}
	}
	if last != "scratch" || said["USER"] != "65532:65532" || said["ENTRYPOINT"] != `["/qun"]` || said["CMD"] != `["serve"]` {
		t.Errorf("got FROM %s, %v", last, said)
	}
	if !strings.Contains(said["ENV"], "QUN_LISTEN=:"+said["EXPOSE"]) || !strings.Contains(said["ENV"], "QUN_DATA="+said["VOLUME"]) {
		t.Errorf("got %v", said)
	}
	version := regexp.MustCompile(`(?m)^go (1\.\d+)`).FindStringSubmatch(read(t, filepath.Join(root, "go.mod")))[1]
	if !strings.Contains(text, "golang:"+version+"-") {
		t.Errorf("the image is built with another Go than %s", version)
	}
}

// copied wants what is copied to be in the tree, or in a stage of before.
func copied(t *testing.T, words []string, stages map[string]bool) {
	t.Helper()
	fromTree := true
	for _, word := range words[:len(words)-1] {
		switch stage, isFrom := strings.CutPrefix(word, "--from="); {
		case isFrom:
			fromTree = false
			if !stages[stage] {
				t.Errorf("COPY %v: there is no stage %s", words, stage)
			}
		case strings.HasPrefix(word, "--"):
		case fromTree:
			if _, err := os.Stat(filepath.Join(root, word)); err != nil {
				t.Errorf("COPY %v: %v", words, err)
			}
		}
	}
}

// compose is what is looked at of a compose file.
type compose struct {
	Services map[string]struct {
		Image string
		Build struct{ Context, Dockerfile string }
		Ports []string
		//nolint:tagliatelle // the format's own word
		DependsOn map[string]any `yaml:"depends_on"`
		Volumes   []string
	}
	Volumes map[string]any
}

func TestComposeFilesNameWhatIsThere(t *testing.T) {
	files, seen := deployed(t), 0
	services, volumes := map[string]bool{}, map[string]bool{}
	for _, name := range slices.Sorted(maps.Keys(files)) {
		if !strings.HasPrefix(name, "compose") {
			continue
		}
		seen++
		var c compose
		if err := yaml.Unmarshal([]byte(files[name]), &c); err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		for volume := range c.Volumes {
			volumes[volume] = true
		}
		for service := range c.Services {
			services[service] = true
		}
		for service, s := range c.Services {
			for _, mount := range s.Volumes {
				if volume, _, _ := strings.Cut(mount, ":"); !volumes[volume] {
					t.Errorf("%s: %s: there is no volume %s", name, service, volume)
				}
			}
			for other := range s.DependsOn {
				if !services[other] {
					t.Errorf("%s: %s: there is no service %s", name, service, other)
				}
			}
			if s.Build.Dockerfile == "" {
				continue
			}
			if _, err := os.Stat(filepath.Join(root, "deploy", s.Build.Context, s.Build.Dockerfile)); err != nil {
				t.Errorf("%s: %s: %v", name, service, err)
			}
		}
	}
	if seen != 3 || !services["qun"] {
		t.Errorf("saw %d files with %v", seen, services)
	}
}
