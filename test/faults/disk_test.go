package faults_test

import (
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"syscall"
	"testing"
	"time"

	"qun/internal/store/pgtest"
)

// A disk runs full under a file, and has room again.
func TestFullDiskIsBorne(t *testing.T) {
	disk := newDisk(t, fmt.Sprint(pick(16, 128), "m"))
	h := &house{nodes: []*server{startServerIn(t, filepath.Join(disk, "data"), "")}}
	h.endure(t, []fault{{
		name: "the disk is full", lasts: 10 * time.Second, short: 1500 * time.Millisecond,
		strike: func(t *testing.T, _ *house, w *town, lasts time.Duration) { fillUp(t, disk, w, lasts) },
	}})
}

// The same under PostgreSQL, which ends itself when it cannot write what it has to write, and is started again.
func TestFullDiskOfPostgresIsBorne(t *testing.T) {
	disk := newDisk(t, "200m")
	t.Setenv("TMPDIR", disk)
	database := pgtest.For(t, pgtest.Config{})
	h := &house{database: database}
	for range 3 {
		h.nodes = append(h.nodes, startServerOn(t, database.URL("postgres")))
	}
	h.endure(t, []fault{{
		name: "the disk is full", lasts: 10 * time.Second, short: 1500 * time.Millisecond,
		strike: func(t *testing.T, _ *house, w *town, lasts time.Duration) { fillUp(t, disk, w, lasts) },
	}})
}

// newDisk is a small disk of the test's own.
func newDisk(t *testing.T, size string) string {
	t.Helper()
	at, err := os.MkdirTemp("", "qun-disk-") // open to who runs PostgreSQL in the place of root, once it is mounted
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.Remove(at) })
	if said, err := exec.CommandContext(t.Context(), "mount", "-t", "tmpfs", "-o", "mode=777,size="+size, "tmpfs", at).CombinedOutput(); err != nil {
		t.Skipf("a small disk cannot be made here (root may): %v: %s", err, said)
	}
	t.Cleanup(func() {
		if said, err := exec.Command("umount", at).CombinedOutput(); err != nil { //nolint:noctx // the test's context is over
			t.Errorf("umount: %v: %s", err, said)
		}
	})
	return at
}

// fillUp takes all room of a disk for a while, in which somebody must be refused something.
func fillUp(t *testing.T, disk string, w *town, lasts time.Duration) {
	t.Helper()
	filler := filepath.Join(disk, "filler")
	file, err := os.Create(filler)
	if err != nil {
		t.Fatal(err)
	}
	nobody := func() bool { return len(w.books.refusedSoFar()) == 0 }
	// What others give back is taken, too. A database has some room of its own: it lasts until that is full.
	for began := time.Now(); time.Since(began) < lasts || nobody() && time.Since(began) < patience; pause(50 * time.Millisecond) {
		if _, err := io.CopyN(file, zeros{}, 1<<30); !errors.Is(err, syscall.ENOSPC) {
			t.Fatalf("the disk is not full: %v", err)
		}
	}
	if err := errors.Join(file.Close(), os.Remove(filler)); err != nil {
		t.Fatal(err)
	}
	if nobody() {
		t.Error("nobody was refused anything: this shows nothing")
	}
}

type zeros struct{}

func (zeros) Read(p []byte) (int, error) {
	clear(p)
	return len(p), nil
}
