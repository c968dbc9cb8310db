package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"syscall"

	"qun/internal/store"
)

// dataFolder makes the folder, for this user alone, and sees to it that it can be written to.
func dataFolder(name string) (string, error) {
	folder, err := filepath.Abs(name)
	if err != nil {
		return "", fmt.Errorf("--data %s: %w", name, err)
	}
	if err := os.MkdirAll(folder, 0o700); err != nil {
		return "", explainData(folder, err)
	}
	probe, err := os.CreateTemp(folder, ".write-*")
	if err != nil {
		return "", explainData(folder, err)
	}
	probe.Close()
	if err := os.Remove(probe.Name()); err != nil {
		return "", explainData(folder, err)
	}
	return folder, nil
}

func explainData(folder string, err error) error {
	switch {
	case errors.Is(err, fs.ErrPermission), errors.Is(err, syscall.EROFS):
		return fmt.Errorf("the data folder %s cannot be written to: change its owner or rights, or choose another with --data", folder)
	case errors.Is(err, syscall.ENOTDIR), errors.Is(err, fs.ErrExist):
		return fmt.Errorf("the data folder %s is not a folder: choose another with --data", folder)
	case errors.Is(err, syscall.ENOSPC):
		return fmt.Errorf("the disk of the data folder %s is full: make room, or choose another with --data", folder)
	}
	return fmt.Errorf("make the data folder %s: %w; choose another with --data", folder, err)
}

// openData opens the chat's data: a file in the folder, or, when there is an address, that database.
func openData(ctx context.Context, at store.Config) (*store.Store, error) {
	data, err := store.Open(ctx, at)
	if at.URL == "" {
		return data, explainStore(at.Dir, err)
	}
	return data, explainDatabase("--database", err)
}

// explainStore says what to do about a folder.
func explainStore(folder string, err error) error {
	switch {
	case err == nil:
		return nil
	case errors.Is(err, store.ErrLocked):
		return fmt.Errorf("another Qun uses the data in %s: stop it, or choose another folder with --data; several servers of one chat need a PostgreSQL database (--database)", folder)
	case errors.Is(err, store.ErrDamaged):
		return fmt.Errorf("the database in %s is damaged: move the folder away and restore a backup, or choose another with --data: %w", folder, err)
	case errors.Is(err, store.ErrUnwritable), errors.Is(err, fs.ErrPermission):
		return fmt.Errorf("the database in %s cannot be written to: change its owner or rights, or choose another folder with --data", folder)
	case errors.Is(err, store.ErrMoved):
		return fmt.Errorf("the chat in %s has moved into a PostgreSQL database: name that with --database; to take back what was here before, run qun migrate --restored", folder)
	case errors.Is(err, store.ErrNewer):
		return fmt.Errorf("the data in %s was written by a newer Qun: start that version, or choose another folder with --data", folder)
	}
	return fmt.Errorf("open the data in %s: %w", folder, err)
}

// explainDatabase says what to do about a database server that a flag named. What the store says names host and database, and no password.
func explainDatabase(flag string, err error) error {
	switch {
	case err == nil:
		return nil
	case errors.Is(err, store.ErrUnreachable):
		return fmt.Errorf("%s: the server does not answer: start it, or correct host and port: %w", flag, err)
	case errors.Is(err, store.ErrRefused):
		return fmt.Errorf("%s: the server does not let Qun in: correct user, password or database, and give that user the right to make tables: %w", flag, err)
	case errors.Is(err, store.ErrUnsuited):
		return fmt.Errorf("%s: the server cannot keep the chat: %w", flag, err)
	case errors.Is(err, store.ErrNewer):
		return fmt.Errorf("%s: the data was written by a newer Qun: start that version, or choose another database", flag)
	case errors.Is(err, store.ErrAddress):
		return fmt.Errorf("%s: correct the address, for example postgres://qun@localhost/qun: %w", flag, err)
	}
	return fmt.Errorf("%s: %w", flag, err)
}
