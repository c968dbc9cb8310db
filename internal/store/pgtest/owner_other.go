//go:build !unix

package pgtest

import "os/exec"

// owner is who runs a server in the place of root: nobody needs one here.
type owner struct{}

func findOwner() (*owner, error)     { return nil, nil }
func (*owner) give(dir string) error { return nil }
func (*owner) run(*exec.Cmd)         {}
