// Package leaktest sees to it that tests leave no goroutine behind.
package leaktest

import (
	"fmt"
	"os"
	"runtime"
	"testing"
	"time"
)

// Main runs the tests of a package and then what they shared, done, and ends the program: with a failure if that fails, or
// if a goroutine is left. It is what a TestMain does.
func Main(m *testing.M, done ...func() error) {
	before := runtime.NumGoroutine()
	code := m.Run()
	for _, end := range done {
		if err := end(); err != nil {
			fmt.Fprintln(os.Stderr, err)
			code = 1
		}
	}
	if code == 0 && !fallsTo(before) {
		stacks := make([]byte, 1<<20)
		fmt.Fprintf(os.Stderr, "goroutines left behind:\n%s\n", stacks[:runtime.Stack(stacks, true)])
		code = 1
	}
	os.Exit(code)
}

// fallsTo waits a while for goroutines that were told to end.
func fallsTo(want int) bool {
	for range 100 {
		if runtime.NumGoroutine() <= want {
			return true
		}
		time.Sleep(10 * time.Millisecond)
	}
	return false
}
