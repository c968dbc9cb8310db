// Mutants takes the guards against hostile peers out of the engines, and those of accounts, one at a time, and looks whether
// the tests notice.
// The code itself stays as it is: the compiler is shown another file in the place of the guarded one.
//
//	mutants             all of them, some minutes
//	mutants -only text  those whose file, guard or test has the text in it
//
// It ends with 1 if a guard can be taken out unnoticed, and with 2 if the table does not fit the code.
package main

import (
	"context"
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"time"
)

// A mutant is a guard that is taken out.
type mutant struct {
	file    string // from the root of the module
	guard   string // occurs once in the file
	without string // what the compiler sees in its place
	tests   string // one of these must fail, as go test -run has it: TestThis|TestThat
}

func main() {
	only := flag.String("only", "", "take only guards whose file, text or tests contain this")
	flag.Parse()
	chosen := slices.DeleteFunc(slices.Concat(engineGuards, socketGuards, fileGuards, accountGuards, previewGuards, redisGuards), func(m mutant) bool { return !m.mentions(*only) })
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	code := run(ctx, chosen)
	stop()
	os.Exit(code)
}

func (m mutant) mentions(text string) bool {
	return strings.Contains(m.file+"\n"+m.guard+"\n"+m.tests, text)
}

// run tries all mutants, and returns the exit code.
func run(ctx context.Context, mutants []mutant) int {
	dir, err := os.MkdirTemp("", "mutants-")
	if err != nil {
		fmt.Fprintln(os.Stderr, "mutants:", err)
		return 2
	}
	defer os.RemoveAll(dir)
	count := map[fate]int{}
	for _, m := range mutants {
		begun := time.Now()
		f, said := m.try(ctx, dir)
		count[f]++
		if ctx.Err() != nil {
			return 2
		}
		fmt.Printf("%-8s %5.1fs  %s: %s\n", f, time.Since(begun).Seconds(), m.file, firstLine(m.guard))
		fmt.Println(indent(said))
	}
	fmt.Printf("%d guards: %d noticed, %d not, %d in error\n", len(mutants), count[dies], count[survives], count[breaks])
	switch {
	case count[breaks] > 0:
		return 2
	case count[survives] > 0:
		return 1
	}
	return 0
}

// A fate is what becomes of a mutant.
type fate string

const (
	dies     fate = "dies"
	survives fate = "SURVIVES"
	breaks   fate = "ERROR" // it does not compile, or there are no such tests
)

// try runs the mutant's tests against it. Said is what there is to know about it.
func (m mutant) try(ctx context.Context, dir string) (f fate, said string) {
	overlay, err := m.overlay(dir)
	if err != nil {
		return breaks, err.Error()
	}
	out, err := exec.CommandContext(ctx, "go", "test", "-overlay", overlay, "-vet=off", "-count=1", "-failfast", "-timeout=1m", "-run", "^("+m.tests+")$", m.pkg()).CombinedOutput()
	switch said = string(out); {
	case strings.Contains(said, "[build failed]"), strings.Contains(said, "[setup failed]"), strings.Contains(said, "[no tests to run]"):
		return breaks, said
	case err == nil:
		return survives, "without it pass " + m.tests
	default:
		return dies, verdict(said)
	}
}

// verdict is what a failed run says first: a complaint of a test, or a panic.
func verdict(said string) string {
	if line := complaint.FindString(said); line != "" {
		return line
	}
	return said
}

var complaint = regexp.MustCompile(`(?m)^.*_test\.go:\d+: .*$|^(panic|fatal error|goroutines): .*$`)

func (m mutant) pkg() string { return "./" + filepath.ToSlash(filepath.Dir(m.file)) }

// mutated is the file, which is below root, without its guard.
func (m mutant) mutated(root string) (string, error) {
	source, err := os.ReadFile(filepath.Join(root, m.file))
	if err != nil {
		return "", err
	}
	if n := strings.Count(string(source), m.guard); n != 1 {
		return "", fmt.Errorf("%s: the guard is there %d times, not once: %s", m.file, n, m.guard)
	}
	return strings.Replace(string(source), m.guard, m.without, 1), nil
}

// overlay writes the mutated file, and the file that tells the compiler about it.
func (m mutant) overlay(dir string) (string, error) {
	source, err := m.mutated(".")
	if err != nil {
		return "", err
	}
	original, err := filepath.Abs(m.file)
	if err != nil {
		return "", err
	}
	mutated, overlay := filepath.Join(dir, "mutated.go"), filepath.Join(dir, "overlay.json")
	if err := os.WriteFile(mutated, []byte(source), 0o600); err != nil {
		return "", err
	}
	instead, err := json.Marshal(map[string]map[string]string{"Replace": {original: mutated}})
	if err != nil {
		return "", err
	}
	return overlay, os.WriteFile(overlay, instead, 0o600)
}

func firstLine(s string) string {
	line, _, _ := strings.Cut(strings.TrimSpace(s), "\n")
	return line
}

func indent(s string) string {
	return "         " + strings.ReplaceAll(strings.TrimSpace(s), "\n", "\n         ")
}
