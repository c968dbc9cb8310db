package qun_test

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// What docs/conformance.md claims is tried by tests that exist, and what is there is tried.
func TestConformanceNamesItsTests(t *testing.T) {
	text, err := os.ReadFile("docs/conformance.md")
	if err != nil {
		t.Fatal(err)
	}
	tests := testsOfEngines(t)
	names, rows := regexp.MustCompile("`([^`]+)`"), 0
	for line := range strings.Lines(string(text)) {
		cells := strings.Split(strings.TrimSpace(line), "|")
		if len(cells) != 7 || strings.HasPrefix(cells[1], "---") || strings.Contains(cells[5], "tried by") {
			continue
		}
		rows++
		found := names.FindAllStringSubmatch(cells[5], -1)
		if strings.HasPrefix(strings.TrimSpace(cells[2]), "✓") && len(found) == 0 {
			t.Errorf("nothing tries:%s", cells[1])
		}
		for _, name := range found {
			if !tests(name[1]) {
				t.Errorf("%s does not exist, and is said to try:%s", name[1], cells[1])
			}
		}
	}
	if rows < 50 {
		t.Errorf("got %d rows of features, want all of them", rows)
	}
}

// testsOfEngines says which tests exist: functions of the engines, and files of the conformance suite.
func testsOfEngines(t *testing.T) func(name string) bool {
	t.Helper()
	var all strings.Builder
	for _, dir := range []string{"engineio", "socketio", "socketio/redisadapter"} {
		files, err := filepath.Glob(dir + "/*_test.go")
		if err != nil {
			t.Fatal(err)
		}
		for _, file := range files {
			source, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			all.Write(source)
		}
	}
	return func(name string) bool {
		if strings.HasPrefix(name, "Test") {
			return strings.Contains(all.String(), "\nfunc "+name+"(")
		}
		_, err := os.Stat("test/conformance/" + name + ".test.mjs")
		return err == nil
	}
}

// What docs/webapp.md promises is held by tests that exist, and each of the nineteen points by one at least.
func TestWebAppNamesItsTests(t *testing.T) {
	text, err := os.ReadFile("docs/webapp.md")
	if err != nil {
		t.Fatal(err)
	}
	var all strings.Builder
	for _, pattern := range []string{"test/e2e/*.test.mjs", "web/test/*.test.ts"} {
		files, err := filepath.Glob(pattern)
		if err != nil {
			t.Fatal(err)
		}
		for _, file := range files {
			source, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			all.Write(source)
		}
	}
	names, points := regexp.MustCompile("`([^`]+)`"), 0
	for line := range strings.Lines(string(text)) {
		cells := strings.Split(strings.TrimSpace(line), "|")
		if len(cells) != 5 || strings.HasPrefix(cells[1], "---") || strings.Contains(cells[3], "held by") {
			continue
		}
		if strings.TrimSpace(cells[1]) != "" {
			points++
		}
		found := names.FindAllStringSubmatch(cells[3], -1)
		if len(found) == 0 {
			t.Errorf("nothing holds:%s", cells[2])
		}
		for _, name := range found {
			if !strings.Contains(all.String(), "'"+name[1]+"'") && !strings.Contains(all.String(), "`"+name[1]+"`") {
				t.Errorf("the test %q does not exist, and is said to hold:%s", name[1], cells[2])
			}
		}
	}
	if points != 19 {
		t.Errorf("got %d points, want 19", points)
	}
}
