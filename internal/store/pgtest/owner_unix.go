//go:build unix

package pgtest

import (
	"fmt"
	"os"
	"os/exec"
	"os/user"
	"strconv"
	"syscall"
)

// owner is who runs a server in the place of root.
type owner struct{ uid, gid int }

// findOwner is nil for who is not root.
func findOwner() (*owner, error) {
	if os.Geteuid() != 0 {
		return nil, nil
	}
	for _, name := range []string{"postgres", "nobody"} {
		found, err := user.Lookup(name)
		if err != nil {
			continue
		}
		uid, errUID := strconv.Atoi(found.Uid)
		gid, errGID := strconv.Atoi(found.Gid)
		if errUID == nil && errGID == nil {
			return &owner{uid, gid}, nil
		}
	}
	return nil, fmt.Errorf("PostgreSQL refuses to be run by root, and there is no user postgres or nobody")
}

// give makes a folder the owner's.
func (o *owner) give(dir string) error {
	if o == nil {
		return nil
	}
	return os.Chown(dir, o.uid, o.gid)
}

// run lets a command be the owner's.
func (o *owner) run(command *exec.Cmd) {
	if o != nil {
		command.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: uint32(o.uid), Gid: uint32(o.gid)}}
	}
}
