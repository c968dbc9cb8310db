package main

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
)

// membersTool is no peer, but built as they are.
var membersTool = &peer{name: "members", build: []string{"./peers/members"}}

// forgetMembers removes the data that another build made: its tables may be others.
func (b *bench) forgetMembers() error {
	old, err := filepath.Glob(filepath.Join(b.results, "members-*"))
	for _, folder := range old {
		err = errors.Join(err, os.RemoveAll(folder))
	}
	return err
}

// membersIn is a chat's data with n members, each in 20 groups of 100, and the tokens by which they are signed in. What was
// made in an earlier round is used again.
func (b *bench) membersIn(n int) (folder string, tokens []string, err error) {
	folder = filepath.Join(b.results, fmt.Sprintf("members-%d", n))
	kept := filepath.Join(folder, "tokens")
	if _, err := os.Stat(kept); err != nil {
		if err := b.makeMembers(folder, n); err != nil {
			return "", nil, err
		}
	}
	data, err := os.ReadFile(kept)
	return folder, strings.Fields(string(data)), err
}

func (b *bench) makeMembers(folder string, n int) error {
	if err := os.RemoveAll(folder); err != nil {
		return err
	}
	if err := os.MkdirAll(folder, 0o700); err != nil {
		return err
	}
	return b.do(b.binary("members"), folder, fmt.Sprint(n))
}
