package main

import (
	"encoding/json"
	"fmt"
	"io"
	"strings"
)

// goEvent is a line of `go test -json` (go doc test2json).
type goEvent struct {
	Action  string
	Package string
	Test    string
	Output  string
	Elapsed float64
}

// goReader keeps each test's output until it is known whether anybody wants to see it.
type goReader struct {
	output map[string][]string // by package and test
}

// line reports whether text was an event; if so it has been counted.
func (g *goReader) line(text string, n *count, out io.Writer) bool {
	if !strings.HasPrefix(text, `{"`) {
		return false
	}
	var e goEvent
	if json.Unmarshal([]byte(text), &e) != nil || e.Action == "" {
		return false
	}
	key := e.Package + " " + e.Test
	switch e.Action {
	case "output":
		g.output[key] = append(g.output[key], e.Output)
	case "build-output":
		fmt.Fprint(out, e.Output)
	case "pass", "fail", "skip":
		if e.Test == "" {
			g.endPackage(e, n, out)
		} else {
			g.endTest(e, n, out)
		}
		delete(g.output, key)
	}
	return true
}

func (g *goReader) endTest(e goEvent, n *count, out io.Writer) {
	output := g.output[e.Package+" "+e.Test]
	switch e.Action {
	case "pass":
		n.passed++
	case "fail":
		n.fail(e.Package+" "+e.Test, said(output))
		fmt.Fprintf(out, "%s\n%s", e.Package, strings.Join(output, ""))
	case "skip":
		n.skip(e.Test + ": " + reason(output))
	}
}

// endPackage prints a line per package that ran. A package that failed without a failing test (it did not compile, it
// panicked, it left goroutines) shows what it said.
func (g *goReader) endPackage(e goEvent, n *count, out io.Writer) {
	switch e.Action {
	case "pass":
		fmt.Fprintf(out, "  ok    %s %.1fs\n", e.Package, e.Elapsed)
	case "fail":
		fmt.Fprintf(out, "  FAIL  %s %.1fs\n%s", e.Package, e.Elapsed, strings.Join(g.output[e.Package+" "], ""))
		g.failUnfinished(e.Package, n, out)
	}
}

// failUnfinished counts and shows the tests that a dying package took along.
func (g *goReader) failUnfinished(pkg string, n *count, out io.Writer) {
	for key, output := range g.output {
		if strings.HasPrefix(key, pkg+" ") && key != pkg+" " {
			n.fail(key, said(output))
			fmt.Fprint(out, strings.Join(output, ""))
			delete(g.output, key)
		}
	}
}

// reason finds what t.Skip was given: the last line of its output that is not the runner's own.
func reason(output []string) string {
	lines := said(output)
	if len(lines) == 0 {
		return "no reason given"
	}
	last := lines[len(lines)-1]
	if _, why, found := strings.Cut(last, ": "); found {
		return why
	}
	return last
}

// said is what a test said itself: its output without the runner's lines.
func said(output []string) (lines []string) {
	for _, text := range output {
		text = strings.TrimSpace(text)
		if text != "" && !strings.HasPrefix(text, "---") && !strings.HasPrefix(text, "===") {
			lines = append(lines, text)
		}
	}
	return lines
}
