// Package fresh gives tests a data folder in which the tables are made already. Making them takes SQLite, under the race
// detector, longer than most tests take.
package fresh

import (
	"context"
	"database/sql"
	"errors"
	"os"
	"path/filepath"
	"sync"
	"testing"

	"qun/internal/store"
)

const database = "qun.db"

// made is an empty database that was never started: whoever opens it gives it an epoch of its own.
var made = sync.OnceValues(func() (content []byte, err error) {
	dir, err := os.MkdirTemp("", "qun-fresh-")
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(dir)) }()
	ctx := context.Background()
	s, err := store.Open(ctx, store.Config{Dir: dir})
	if err != nil {
		return nil, err
	}
	if err := s.Close(); err != nil {
		return nil, err
	}
	path := filepath.Join(dir, database)
	db, err := sql.Open("sqlite", path)
	if err != nil {
		return nil, err
	}
	_, err = db.ExecContext(ctx, `DELETE FROM settings`)
	if err := errors.Join(err, db.Close()); err != nil {
		return nil, err
	}
	return os.ReadFile(path)
})

// Dir is a folder of the test's own that a store may be opened in.
func Dir(t testing.TB) string {
	t.Helper()
	dir := t.TempDir()
	Fill(t, dir)
	return dir
}

// Fill makes the tables in a folder, unless they are there.
func Fill(t testing.TB, dir string) {
	t.Helper()
	path := filepath.Join(dir, database)
	if _, err := os.Stat(path); err == nil {
		return
	}
	content, err := made()
	if err == nil {
		err = os.WriteFile(path, content, 0o600)
	}
	if err != nil {
		t.Fatal(err)
	}
}
