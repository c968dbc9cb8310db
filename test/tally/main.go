// Command tally runs test commands one after the other and ends with what was skipped, what failed and why, and how
// many tests passed.
//
//	tally 'go test -json ./...' 'npm --prefix test/conformance test'
//
// It reads the events of `go test -json` and the TAP of `node --test`; of any other command it counts the exit status as one
// test. Every command runs, whatever the one before it said.
//
// With QUN_REQUIRE_ALL=1 a skipped test is a failed one: where everything is installed, nothing may hide. Only a reason that
// begins with "impossible here: " is let pass, for what no installing would change: root may write everywhere, say.
package main

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strings"
	"time"
)

func main() {
	if len(os.Args) == 1 {
		fmt.Fprintln(os.Stderr, "usage: tally 'command'…")
		os.Exit(2)
	}
	var total count
	for _, command := range os.Args[1:] {
		total.add(run(command, os.Stdout))
	}
	if !report(os.Stdout, total, os.Getenv("QUN_REQUIRE_ALL") == "1") {
		os.Exit(1)
	}
}

// run has the shell execute one command and counts its tests, writing to out what a reader needs: failures whole, success in a
// line.
func run(command string, out io.Writer) count {
	fmt.Fprintf(out, "\n$ %s\n", command)
	cmd := exec.CommandContext(context.Background(), "sh", "-c", command)
	cmd.Env = append(os.Environ(), "NODE_OPTIONS="+strings.TrimSpace(os.Getenv("NODE_OPTIONS")+" --test-reporter=tap"))
	cmd.Stderr = os.Stderr
	stdout, err := cmd.StdoutPipe()
	if err != nil {
		fmt.Fprintln(out, err)
		return count{failed: 1}
	}
	begin := time.Now()
	if err := cmd.Start(); err != nil {
		fmt.Fprintln(out, err)
		return count{failed: 1}
	}
	n := read(stdout, out)
	err = cmd.Wait()
	n.settle(err)
	fmt.Fprintf(out, "  %d passed, %d failed, %d skipped in %.1fs\n", n.passed, n.failed, len(n.skipped), time.Since(begin).Seconds())
	return n
}

// read understands the output line by line. A line of neither kind passes through.
func read(in io.Reader, out io.Writer) count {
	lines := bufio.NewReader(in)
	var (
		n   count
		tap tapReader
		gt  = goReader{output: map[string][]string{}}
	)
	for {
		line, err := lines.ReadString('\n')
		if text := strings.TrimRight(line, "\r\n"); line != "" && !gt.line(text, &n, out) && !tap.line(text, &n, out) {
			fmt.Fprintln(out, text)
		}
		if err != nil {
			tap.settle(&n, out)
			return n
		}
	}
}

// report writes the last lines and says whether all is well.
func report(out io.Writer, n count, requireAll bool) bool {
	fmt.Fprintln(out)
	for _, s := range n.skipped {
		fmt.Fprintf(out, "skipped: %s\n", s)
	}
	for _, c := range n.complaints {
		fmt.Fprintln(out, c)
	}
	if requireAll && n.failSkipped() {
		fmt.Fprintln(out, "QUN_REQUIRE_ALL=1: what was skipped counts as failed")
	}
	fmt.Fprintf(out, "%d passed, %d failed, %d skipped\n", n.passed, n.failed, len(n.skipped))
	return n.failed == 0
}
