package main

import (
	"slices"
	"strings"
)

// count is what became of a number of tests.
type count struct {
	passed, failed int
	skipped        []string // "what: why", each once
	complaints     []string // the beginning of what each failed test said
}

func (n *count) add(m count) {
	n.passed += m.passed
	n.failed += m.failed
	for _, s := range m.skipped {
		n.skip(s)
	}
	n.complaints = append(n.complaints, m.complaints...)
}

// fail counts a failed test and keeps how its complaint begins, for the last lines: what is far up in a long log is not read, or
// has been cut away.
func (n *count) fail(test string, said []string) {
	n.failed++
	if len(said) == 0 {
		return // it failed with a part of it, which has said why
	}
	complaint := "failed: " + test
	for _, line := range said[:min(len(said), 8)] {
		complaint += "\n  " + line[:min(len(line), 300)]
	}
	n.complaints = append(n.complaints, complaint)
}

func (n *count) skip(what string) {
	if !slices.Contains(n.skipped, what) {
		n.skipped = append(n.skipped, what)
	}
}

// settle brings the count in line with how the command ended: a command that failed has failed at least once, and one
// whose output said nothing is itself the test.
func (n *count) settle(err error) {
	switch {
	case err != nil && n.failed == 0:
		n.failed = 1
	case err == nil && n.passed == 0 && n.failed == 0 && len(n.skipped) == 0:
		n.passed = 1
	}
}

// failSkipped turns skips into failures, but for the impossible, and says whether there were any.
func (n *count) failSkipped() bool {
	possible := func(s string) bool { return !strings.Contains(s, ": impossible here: ") }
	impossible := slices.DeleteFunc(slices.Clone(n.skipped), possible)
	turned := len(n.skipped) - len(impossible)
	n.failed += turned
	n.skipped = impossible
	return turned > 0
}
