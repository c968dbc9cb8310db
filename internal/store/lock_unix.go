//go:build unix

package store

import (
	"errors"
	"fmt"
	"os"
	"syscall"
)

// dirLock holds a folder for one process. The kernel lets go of it when the process ends, however it ends.
type dirLock struct{ file *os.File }

func lockFile(path string) (*dirLock, error) {
	file, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrUnwritable, err)
	}
	err = syscall.Flock(int(file.Fd()), syscall.LOCK_EX|syscall.LOCK_NB)
	if errors.Is(err, syscall.EWOULDBLOCK) {
		err = ErrLocked
	}
	if err != nil {
		return nil, errors.Join(err, file.Close())
	}
	return &dirLock{file}, nil
}

func (l *dirLock) release() error { return l.file.Close() }
