package main

import (
	"errors"
	"io"
	"strings"
	"testing"
)

const goStream = `{"Action":"start","Package":"p"}
{"Action":"run","Package":"p","Test":"TestA"}
{"Action":"output","Package":"p","Test":"TestA","Output":"=== RUN   TestA\n"}
{"Action":"pass","Package":"p","Test":"TestA","Elapsed":0}
{"Action":"run","Package":"p","Test":"TestB"}
{"Action":"output","Package":"p","Test":"TestB","Output":"    b_test.go:7: no chromium: install it\n"}
{"Action":"output","Package":"p","Test":"TestB","Output":"--- SKIP: TestB (0.00s)\n"}
{"Action":"skip","Package":"p","Test":"TestB","Elapsed":0}
{"Action":"run","Package":"p","Test":"TestC"}
{"Action":"output","Package":"p","Test":"TestC","Output":"    c_test.go:9: got 1, want 2\n"}
{"Action":"fail","Package":"p","Test":"TestC","Elapsed":0}
{"Action":"fail","Package":"p","Elapsed":0.1}
`

const tapStream = `
> test
> node --test

TAP version 13
# Subtest: outer
    # Subtest: inner
    ok 1 - inner
      ---
      duration_ms: 0.3
      ...
    # Subtest: in a browser
    ok 2 - in a browser # SKIP no chromium: install it
      ---
      duration_ms: 0.1
      ...
    1..2
not ok 1 - outer
  ---
  duration_ms: 1
  type: 'suite'
  ...
# Subtest: broken
not ok 2 - broken
  ---
  duration_ms: 1
  error: 'got 1, want 2'
  ...
1..2
# tests 3
# pass 1
# duration_ms 12.5
`

func TestStreamsAreCounted(t *testing.T) {
	for name, stream := range map[string]string{"go": goStream, "tap": tapStream} {
		t.Run(name, func(t *testing.T) {
			var out strings.Builder
			n := read(strings.NewReader(stream), &out)
			if n.passed != 1 || n.failed != 1 || len(n.skipped) != 1 {
				t.Errorf("got %+v, want one of each", n)
			}
			if len(n.skipped) == 1 && !strings.HasSuffix(n.skipped[0], ": no chromium: install it") {
				t.Errorf("got skip %q, want its reason", n.skipped[0])
			}
			if !strings.Contains(out.String(), "got 1, want 2") {
				t.Errorf("the failure is not shown:\n%s", out.String())
			}
			out.Reset()
			report(&out, n, false)
			if !strings.Contains(out.String(), "got 1, want 2") {
				t.Errorf("the failure is not shown once more at the end:\n%s", out.String())
			}
		})
	}
}

func TestSkippedSuiteIsASkippedTest(t *testing.T) {
	stream := "TAP version 13\nok 1 - qun serve # SKIP make build\n  ---\n  type: 'suite'\n  ...\n# duration_ms 1\n"
	n := read(strings.NewReader(stream), io.Discard)
	if len(n.skipped) != 1 || n.skipped[0] != "qun serve: make build" {
		t.Errorf("got %q, want the suite and why", n.skipped)
	}
}

func TestPackageThatDiesTakesItsTestsAlong(t *testing.T) {
	stream := `{"Action":"run","Package":"p","Test":"TestA"}
{"Action":"output","Package":"p","Test":"TestA","Output":"panic: boom\n"}
{"Action":"fail","Package":"p","Elapsed":0.1}
`
	var out strings.Builder
	n := read(strings.NewReader(stream), &out)
	if n.failed != 1 || !strings.Contains(out.String(), "boom") {
		t.Errorf("got %+v and %q, want one failure that shows the panic", n, out.String())
	}
}

func TestCommandThatFailsSilentlyHasFailed(t *testing.T) {
	n := count{passed: 3}
	n.settle(errors.New("exit status 1"))
	if n.failed != 1 {
		t.Errorf("got %+v, want one failure", n)
	}
}

func TestCommandWithoutTestsCountsByItsExit(t *testing.T) {
	if n := run("true", io.Discard); n.passed != 1 || n.failed != 0 {
		t.Errorf("got %+v, want one pass", n)
	}
	if n := run("false", io.Discard); n.failed != 1 {
		t.Errorf("got %+v, want one failure", n)
	}
}

func TestSkipsFailWhereEverythingIsRequired(t *testing.T) {
	n := count{passed: 2, skipped: []string{"TestB: no chromium"}}
	var out strings.Builder
	if report(&out, n, true) {
		t.Error("a skipped test passed although everything was required")
	}
	if want := "2 passed, 1 failed, 0 skipped\n"; !strings.HasSuffix(out.String(), want) {
		t.Errorf("got %q, want it to end with %q", out.String(), want)
	}
	if !report(io.Discard, n, false) {
		t.Error("a skipped test failed although skipping was allowed")
	}
	impossible := count{passed: 2, skipped: []string{"TestC: impossible here: root may write everywhere"}}
	if !report(io.Discard, impossible, true) {
		t.Error("an impossible test failed")
	}
}
