// Package qun_test holds the house to its plan: which room may know which.
package qun_test

import (
	"errors"
	"fmt"
	"go/build"
	"io/fs"
	"maps"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

const module = "qun"

// room says what a package may import beside the standard library.
type room struct {
	rooms   string // packages of this module
	modules string // import paths of others, with what lies below them
	why     string
}

// rooms is the map of the house; ARCHITECTURE.md draws it. A new package gets a line here, with its reason, or the test fails.
var rooms = map[string]room{
	"engineio": {
		modules: "github.com/gobwas/ws",
		why:     "a session with a peer over any transport; public, so it knows nothing of chat, configuration or metrics",
	},
	"socketio": {
		rooms: "engineio",
		why:   "namespaces, sockets and rooms on top of sessions; public too",
	},
	"socketio/adaptertest": {
		rooms: "socketio",
		why:   "what every adapter must do, said through the public door alone",
	},
	"socketio/redisadapter": {
		rooms:   "socketio",
		modules: "github.com/redis/rueidis",
		why:     "joins servers through Redis, and speaks of commands alone; public too",
	},
	"internal/leaktest":   {why: "tests leave no goroutine behind; tests alone use it"},
	"internal/redistest":  {why: "a Redis server of a test's own; tests alone use it"},
	"internal/faultproxy": {why: "carries connections as badly as a test wants; tests alone use it"},
	"internal/names": {
		modules: "golang.org/x/text github.com/rivo/uniseg",
		why:     "what a name may look like, pure functions",
	},
	"internal/words": {
		modules: "golang.org/x/text",
		why:     "which words a text has, pure functions; an index and who reads a text through ask the same",
	},
	"internal/wordfilter": {
		why: "finds the words of a list in a text, pure functions",
	},
	"internal/rates": {
		modules: "golang.org/x/time",
		why:     "how often each of many may do something; knows nothing of who they are",
	},
	"internal/gather": {
		why: "answers those together who ask at the same time; knows nothing of what they ask",
	},
	"internal/describe": {
		why: "what Go types are on the wire, in the words of others, pure functions; knows no chat",
	},
	"internal/chat": {
		rooms: "internal/gather internal/names internal/rates internal/wordfilter internal/words",
		why:   "the domain; stores and wires know it, it knows none of them",
	},
	"internal/auth": {
		rooms:   "internal/chat internal/rates",
		modules: "golang.org/x/crypto golang.org/x/text",
		why:     "from credentials to a user of the chat",
	},
	"internal/store": {
		rooms:   "internal/chat internal/auth internal/gather internal/words",
		modules: "modernc.org/sqlite github.com/pressly/goose/v3 github.com/jackc/pgx/v5 golang.org/x/sys",
		why:     "the only room that speaks SQL; it implements what chat and auth ask for",
	},
	"internal/store/storetest": {
		rooms: "internal/chat internal/auth internal/words",
		why:   "what every store must do, said in the domain's words",
	},
	"internal/store/fresh": {
		rooms: "internal/store",
		why:   "an empty database for tests, made once; tests alone use it",
	},
	"internal/store/pgtest": {
		why: "a PostgreSQL server of a test's own; tests alone use it",
	},
	"internal/cluster": {
		modules: "github.com/jackc/pgx/v5 github.com/redis/rueidis",
		why:     "carries notes between the nodes of one database; what they say is the business of who publishes them",
	},
	"internal/cluster/clustertest": {
		rooms: "internal/cluster",
		why:   "what every bus must do, and one in memory that is as bad as a test wants",
	},
	"internal/push": {
		rooms:   "internal/chat",
		modules: "golang.org/x/net golang.org/x/text",
		why:     "tells the world outside, and looks at what links lead to; what is told and shown is the chat's, how is its own",
	},
	"internal/files": {
		rooms:   "internal/chat",
		modules: "golang.org/x/image",
		why:     "bytes on disk, and what they are; the chat says whose they are",
	},
	"internal/gateway/codec": {
		rooms: "internal/chat",
		why:   "what comes and goes for every message, by hand; without the gateway, whose tests need a store, fuzzing it is quick",
	},
	"internal/gateway": {
		rooms: "internal/gateway/codec internal/chat internal/auth internal/describe socketio",
		why:   "the one place where the words of the wire and of the chat meet",
	},
	"internal/rest": {
		rooms:   "internal/chat internal/auth internal/rates",
		modules: "github.com/danielgtaylor/huma/v2",
		why:     "the chat over plain HTTP; it knows no sockets",
	},
	"internal/metrics": {
		rooms:   "engineio",
		modules: "github.com/prometheus/client_golang",
		why:     "counts what the engines report to their Observer",
	},
	"internal/config": {
		why: "settings and what follows from them, without the rooms they configure",
	},
	"web": {
		why: "files for a browser, embedded",
	},
	"cmd/qun": {
		rooms: "engineio socketio socketio/redisadapter internal/auth internal/chat internal/cluster internal/config internal/files internal/gateway internal/metrics " +
			"internal/push internal/rest internal/store web",
		modules: "github.com/alecthomas/kong gopkg.in/yaml.v3 github.com/mdp/qrterminal/v3 github.com/redis/rueidis golang.org/x/term github.com/caddyserver/certmagic go.uber.org/zap",
		why:     "puts the rooms together and does nothing else; nobody imports it",
	},
	"examples/seed": {
		rooms: "socketio engineio",
		why:   "the engine's first example: the public packages must be enough",
	},
	"test/sioclient": {
		modules: "github.com/gobwas/ws",
		why:     "a client for tests, independent of the engines it tests",
	},
	"test/conformance/testbed": {
		rooms:   "engineio socketio socketio/redisadapter",
		modules: "github.com/redis/rueidis",
		why:     "what the official suites of the protocols are run against; the public packages must be enough",
	},
	"test/tally":              {why: "reads test output"},
	"test/conformance/member": {rooms: "internal/chat internal/store", why: "makes a member for the browser tests"},
	"test/faults":             {why: "tests only: it starts the real program"},
	"test/mutants":            {why: "reads and tests the code of others, and imports none"},
	"test/operate": {
		rooms:   "test/sioclient internal/store/pgtest",
		modules: "github.com/letsencrypt/pebble/v2 github.com/miekg/dns",
		why:     "tests only: it runs the real program as operators do, with an authority for certificates",
	},
	"test/soak": {why: "tests only: random load on the engine"},
	".":         {why: "this test only"},
}

// pkg is a package and what its files name in their imports.
type pkg struct {
	ImportPath   string
	Imports      []string
	TestImports  []string
	XTestImports []string
}

func TestRoomsImportOnlyWhatTheyMay(t *testing.T) {
	pkgs := listPackages(t)
	for _, p := range pkgs {
		for _, complaint := range inspect(p) {
			t.Error(complaint)
		}
	}
	for name := range rooms {
		if !slices.ContainsFunc(pkgs, func(p pkg) bool { return roomOf(p.ImportPath) == name }) {
			t.Errorf("%s has a line in the table and no package: remove the line", name)
		}
	}
}

// The table is worth what it refuses.
func TestTrespassersAreFound(t *testing.T) {
	for name, p := range map[string]pkg{
		"a wire in the domain":         {ImportPath: "qun/internal/chat", Imports: []string{"qun/socketio"}},
		"SQL outside the store":        {ImportPath: "qun/internal/gateway", Imports: []string{"modernc.org/sqlite"}},
		"settings in the engine":       {ImportPath: "qun/engineio", Imports: []string{"qun/internal/config"}},
		"a library nobody agreed on":   {ImportPath: "qun/engineio", Imports: []string{"github.com/gobwas/wsutil"}},
		"a package without a line":     {ImportPath: "qun/internal/utils"},
		"a test that needs the binary": {ImportPath: "qun/engineio", XTestImports: []string{"qun/cmd/qun"}},
		"an assertion framework":       {ImportPath: "qun/engineio", TestImports: []string{"github.com/stretchr/testify"}},
	} {
		if len(inspect(p)) == 0 {
			t.Errorf("%s: nobody complained", name)
		}
	}
	fine := pkg{ImportPath: "qun/socketio", Imports: []string{"encoding/json", "qun/engineio"}, XTestImports: []string{"qun/test/sioclient"}}
	if complaints := inspect(fine); len(complaints) > 0 {
		t.Errorf("complaints about what is allowed: %v", complaints)
	}
}

// inspect lists what p imports and may not. Tests may use any room but other programs, and any module that the house has already.
func inspect(p pkg) []string {
	name := roomOf(p.ImportPath)
	rule, known := rooms[name]
	if !known {
		return []string{fmt.Sprintf("%s has no line in the table: say what it may import, and why", name)}
	}
	var complaints []string
	for _, imported := range p.Imports {
		if !rule.allows(imported) {
			complaints = append(complaints, fmt.Sprintf("%s imports %s; its room: %s", name, imported, rule.why))
		}
	}
	for _, imported := range slices.Concat(p.TestImports, p.XTestImports) {
		if imported != p.ImportPath && !testsMayUse(imported) {
			complaints = append(complaints, fmt.Sprintf("the tests of %s import %s", name, imported))
		}
	}
	return complaints
}

func (r room) allows(imported string) bool {
	switch {
	case isStandard(imported):
		return true
	case isOurs(imported):
		return slices.Contains(strings.Fields(r.rooms), roomOf(imported))
	default:
		return slices.ContainsFunc(strings.Fields(r.modules), func(m string) bool { return imported == m || strings.HasPrefix(imported, m+"/") })
	}
}

func testsMayUse(imported string) bool {
	if isOurs(imported) {
		_, known := rooms[roomOf(imported)]
		return known && !strings.HasPrefix(imported, module+"/cmd/")
	}
	return isStandard(imported) || slices.ContainsFunc(slices.Collect(maps.Values(rooms)), func(r room) bool { return r.allows(imported) })
}

func roomOf(imported string) string {
	if imported == module {
		return "."
	}
	return strings.TrimPrefix(imported, module+"/")
}

func isOurs(imported string) bool {
	return imported == module || strings.HasPrefix(imported, module+"/")
}

// isStandard holds for the standard library: its import paths begin with a word without a dot.
func isStandard(imported string) bool {
	first, _, _ := strings.Cut(imported, "/")
	return !isOurs(imported) && !strings.Contains(first, ".")
}

// listPackages reads the tree itself instead of asking the go command: so the test cache sees which files the verdict stands on.
func listPackages(t *testing.T) []pkg {
	t.Helper()
	var pkgs []pkg
	err := filepath.WalkDir(".", func(dir string, entry fs.DirEntry, err error) error {
		if err != nil || !entry.IsDir() {
			return err
		}
		if dir != "." && isElsewhere(dir) {
			return fs.SkipDir
		}
		p, err := build.ImportDir(dir, 0)
		if _, none := errors.AsType[*build.NoGoError](err); none {
			return nil
		}
		pkgs = append(pkgs, pkg{path.Join(module, filepath.ToSlash(dir)), p.Imports, p.TestImports, p.XTestImports})
		return err
	})
	if err != nil {
		t.Fatalf("read the tree: %v", err)
	}
	return pkgs
}

// isElsewhere holds for folders that the go command does not count to this module.
func isElsewhere(dir string) bool {
	name := filepath.Base(dir)
	_, err := os.Stat(filepath.Join(dir, "go.mod"))
	return name == "node_modules" || name == "testdata" || name[0] == '.' || err == nil
}
