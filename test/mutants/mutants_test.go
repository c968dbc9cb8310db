package main

import (
	"go/parser"
	"go/token"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// root is that of the module: the files are named from there.
const root = "../.."

// The table must keep up with the code: each guard is there, each mutant can be parsed, each test exists.
func TestTableFitsTheCode(t *testing.T) {
	for _, m := range slices.Concat(engineGuards, socketGuards, fileGuards, accountGuards, previewGuards, redisGuards) {
		source, err := m.mutated(root)
		if err != nil {
			t.Error(err)
			continue
		}
		if _, err := parser.ParseFile(token.NewFileSet(), m.file, source, 0); err != nil {
			t.Errorf("%s without %q: %v", m.file, m.guard, err)
		}
		tests := testsOf(t, filepath.Join(root, filepath.Dir(m.file)))
		for name := range strings.SplitSeq(m.tests, "|") {
			if !strings.Contains(tests, "\nfunc "+name+"(") {
				t.Errorf("%s: %q is said to be noticed by %s, which is not there", m.file, m.guard, name)
			}
		}
	}
}

// testsOf is the text of all tests of a package.
func testsOf(t *testing.T, dir string) string {
	t.Helper()
	files, err := filepath.Glob(filepath.Join(dir, "*_test.go"))
	if err != nil {
		t.Fatal(err)
	}
	var all strings.Builder
	for _, file := range files {
		source, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		all.Write(source)
	}
	return all.String()
}
