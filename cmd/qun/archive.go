package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"

	"qun/internal/config"
	"qun/internal/store"
)

// openArchive opens the data to look at it; a server may be running on it.
func openArchive(ctx context.Context, at *config.Storage) (*store.Archive, error) {
	if err := at.Check(); err != nil {
		return nil, err
	}
	a, err := store.OpenArchive(ctx, store.Config{Dir: at.Data, URL: at.Database})
	return a, explainArchive(at, err)
}

// explainArchive says what to do.
func explainArchive(at *config.Storage, err error) error {
	where := "the folder " + at.Data
	if at.Database != "" {
		where = "the database"
	}
	switch {
	case errors.Is(err, store.ErrAbsent), errors.Is(err, fs.ErrNotExist):
		return fmt.Errorf("there is no chat in %s: name the right one with --data or --database", where)
	case errors.Is(err, store.ErrOlder):
		return fmt.Errorf("the data in %s was written by an older Qun: bring it up to date with qun migrate", where)
	case at.Database != "":
		return explainDatabase("--database", err)
	}
	return explainStore(at.Data, err)
}
