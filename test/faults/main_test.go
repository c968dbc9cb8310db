// Package faults_test hurts the real program and looks at what is left: kill -9 under load, lost answers, lost connections, ten
// thousand sockets that come and go.
//
// A house is three nodes behind proxies, a town is who lives in it, a fault is what happens to them; the table is in matrix_test.go.
// Residents speak at a pace, listen, and come back as the protocol says; their books note what they were promised (acks), what they
// were told (pushes) and what they show, and compare it with what is kept. QUN_FAULTS=full lets each fault last as long as in life.
package faults_test

import (
	"fmt"
	"os"
	"runtime"
	"testing"
	"time"
)

// scratch holds the built program.
var scratch string

func TestMain(m *testing.M) { os.Exit(run(m)) }

func run(m *testing.M) int {
	var err error
	if scratch, err = os.MkdirTemp("", "qun-faults-"); err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	defer os.RemoveAll(scratch)
	before := runtime.NumGoroutine()
	if code := m.Run(); code != 0 {
		return code
	}
	return leftBehind(before)
}

// leftBehind complains about goroutines that outlive the tests.
func leftBehind(before int) int {
	for range 100 {
		if runtime.NumGoroutine() <= before {
			return 0
		}
		pause(10 * time.Millisecond)
	}
	stacks := make([]byte, 1<<20)
	fmt.Fprintf(os.Stderr, "%d goroutines were left behind:\n%s\n", runtime.NumGoroutine()-before, stacks[:runtime.Stack(stacks, true)])
	return 1
}
