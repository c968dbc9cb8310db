package store_test

import (
	"bytes"
	"database/sql"
	"errors"
	"io/fs"
	"math/rand/v2"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"

	"qun/internal/chat"
	"qun/internal/store"
)

func open(t *testing.T, dir string) *store.Store {
	t.Helper()
	s, err := store.Open(t.Context(), store.Config{Dir: dir})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Close() })
	return s
}

func TestFolderBelongsToOneInstance(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "made", "by us")
	first := open(t, dir)
	if _, err := store.Open(t.Context(), store.Config{Dir: dir}); !errors.Is(err, store.ErrLocked) || !strings.Contains(err.Error(), dir) {
		t.Errorf("a second instance: got %v, want %v of %s", err, store.ErrLocked, dir)
	}
	if err := first.Close(); err != nil {
		t.Fatal(err)
	}
	open(t, dir)
}

func TestDataIsForItsOwnerAlone(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "data")
	open(t, dir)
	for name, want := range map[string]fs.FileMode{"": 0o700, "qun.db": 0o600, "qun.db-wal": 0o600, "qun.lock": 0o600} {
		info, err := os.Stat(filepath.Join(dir, name))
		if err != nil {
			t.Fatal(err)
		}
		if got := info.Mode().Perm(); got != want && runtime.GOOS != "windows" {
			t.Errorf("%q has mode %o, want %o", name, got, want)
		}
	}
}

func TestUnwritableFolderIsSaid(t *testing.T) {
	file := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := store.Open(t.Context(), store.Config{Dir: filepath.Join(file, "data")}); !errors.Is(err, store.ErrUnwritable) {
		t.Errorf("a folder in a file: got %v, want %v", err, store.ErrUnwritable)
	}
	readOnly := t.TempDir()
	if err := os.Chmod(readOnly, 0o500); err != nil {
		t.Fatal(err)
	}
	if os.WriteFile(filepath.Join(readOnly, "probe"), nil, 0o600) == nil {
		t.Skip("impossible here: this user may write everywhere")
	}
	_, err := store.Open(t.Context(), store.Config{Dir: readOnly})
	if !errors.Is(err, store.ErrUnwritable) || !errors.Is(err, fs.ErrPermission) {
		t.Errorf("a read-only folder: got %v, want %v", err, store.ErrUnwritable)
	}
}

// fill makes a database of some pages.
func fill(t *testing.T, dir string) {
	t.Helper()
	s := open(t, dir)
	service := chat.New(s, deaf{}, chat.Config{Limits: chat.Limits{Room: 64}})
	guest, err := service.NewGuest(t.Context(), "guest", false)
	if err != nil {
		t.Fatal(err)
	}
	entered, err := service.Enter(t.Context(), guest, chat.Entry{Room: "lobby"})
	if err != nil {
		t.Fatal(err)
	}
	for range 100 {
		in := chat.NewMessage{Group: entered.Group.ID, Entered: true, Text: strings.Repeat("text ", 100)}
		if _, err := service.SendMessage(t.Context(), guest, in); err != nil {
			t.Fatal(err)
		}
	}
	if err := errors.Join(service.Close(t.Context()), s.Close()); err != nil {
		t.Fatal(err)
	}
}

func TestDamagedDatabaseIsSaid(t *testing.T) {
	healthy := t.TempDir()
	fill(t, healthy)
	image, err := os.ReadFile(filepath.Join(healthy, "qun.db"))
	if err != nil {
		t.Fatal(err)
	}
	noise := make([]byte, 4096)
	for i := range noise {
		noise[i] = byte(rand.Uint32())
	}
	for name, damaged := range map[string][]byte{
		"garbage":          bytes.Repeat([]byte("garbage "), 1000),
		"a few bytes":      []byte("x"),
		"a broken header":  append([]byte("SQLite format 4\x00"), image[16:]...),
		"a broken schema":  append(append(bytes.Clone(image[:100]), noise[:3000]...), image[3100:]...),
		"a lost end":       image[:len(image)/2],
		"a scrambled page": append(append(bytes.Clone(image[:len(image)-3*4096]), noise...), image[len(image)-2*4096:]...),
	} {
		dir := t.TempDir()
		if err := os.WriteFile(filepath.Join(dir, "qun.db"), damaged, 0o600); err != nil {
			t.Fatal(err)
		}
		if s, err := store.Open(t.Context(), store.Config{Dir: dir}); !errors.Is(err, store.ErrDamaged) {
			t.Errorf("%s: got %v, want %v", name, err, store.ErrDamaged)
			if err == nil {
				s.Close()
			}
		}
		if after, err := os.ReadFile(filepath.Join(dir, "qun.db")); err != nil || !bytes.Equal(after, damaged) {
			t.Errorf("%s: the file was touched (%v)", name, err)
		}
	}
}

func TestDatabaseOfANewerVersionIsSaid(t *testing.T) {
	dir := t.TempDir()
	fill(t, dir)
	db, err := sql.Open("sqlite", filepath.Join(dir, "qun.db"))
	if err != nil {
		t.Fatal(err)
	}
	_, err = db.Exec(`INSERT INTO goose_db_version (version_id, is_applied) VALUES (99999, 1)`)
	if err := errors.Join(err, db.Close()); err != nil {
		t.Fatal(err)
	}
	if _, err := store.Open(t.Context(), store.Config{Dir: dir}); !errors.Is(err, store.ErrNewer) {
		t.Errorf("got %v, want %v", err, store.ErrNewer)
	}
}

func TestClosedDatabaseIsOneFile(t *testing.T) {
	dir := t.TempDir()
	fill(t, dir)
	if _, err := os.Stat(filepath.Join(dir, "qun.db-wal")); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("the journal is still there after Close (%v)", err)
	}
}
