package store_test

import (
	"bufio"
	"bytes"
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io/fs"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"testing"
	"time"

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

// TestKilledProcessLosesNothingAcknowledged kills a process that writes, several times on the same data, and looks for
// everything it had acknowledged.
func TestKilledProcessLosesNothingAcknowledged(t *testing.T) {
	if dir := os.Getenv("QUN_TEST_WRITE_UNTIL_KILLED"); dir != "" {
		writeUntilKilled(t, dir)
	}
	dir := t.TempDir()
	acknowledged := map[string]bool{}
	for range 4 {
		runAndKill(t, dir, acknowledged)
		s := open(t, dir)
		checkAcknowledged(t, s, acknowledged)
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	}
	if len(acknowledged) < 100 {
		t.Errorf("only %d messages were acknowledged: this shows little", len(acknowledged))
	}
}

// runAndKill runs this test's binary as a writer, notes what it acknowledges and kills it in the middle.
func runAndKill(t *testing.T, dir string, acknowledged map[string]bool) {
	t.Helper()
	command := exec.Command(os.Args[0], "-test.run=^TestKilledProcessLosesNothingAcknowledged$")
	command.Env = append(os.Environ(), "QUN_TEST_WRITE_UNTIL_KILLED="+dir)
	output, err := command.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := command.Start(); err != nil {
		t.Fatal(err)
	}
	lines := bufio.NewScanner(output)
	last := 50 + rand.IntN(300)
	for n := 0; lines.Scan(); n++ {
		if id, ok := strings.CutPrefix(lines.Text(), "ack "); ok {
			acknowledged[id] = true
		}
		if n == last {
			if err := command.Process.Kill(); err != nil {
				t.Error(err)
			}
		}
	}
	command.Wait() // it was killed
}

// writeUntilKilled sends with many senders and prints what was acknowledged.
func writeUntilKilled(t *testing.T, dir string) {
	s := open(t, dir)
	service := chat.New(s, deaf{}, chat.Config{Limits: chat.Limits{Room: 64}})
	var out sync.Mutex
	for range 20 {
		guest, err := service.NewGuest(t.Context(), "guest", false)
		if err != nil {
			t.Fatal(err)
		}
		entered, err := service.Enter(t.Context(), guest, chat.Entry{Room: "lobby"})
		if err != nil {
			t.Fatal(err)
		}
		go func() {
			for n := 0; ; n++ {
				id := fmt.Sprintf("%s/%d", guest.ID, n)
				in := chat.NewMessage{Group: entered.Group.ID, Entered: true, Text: id, ClientID: fmt.Sprint(n)}
				if _, err := service.SendMessage(context.Background(), guest, in); err != nil {
					panic(err)
				}
				out.Lock()
				os.Stdout.WriteString("ack " + id + "\n")
				out.Unlock()
			}
		}()
	}
	time.Sleep(time.Minute) // a fuse: the test kills this process much sooner
	os.Exit(1)
}

// checkAcknowledged fails unless everything acknowledged is there, once, under numbers that leave no hole.
func checkAcknowledged(t *testing.T, s *store.Store, acknowledged map[string]bool) {
	t.Helper()
	err := s.View(t.Context(), func(r chat.Reader) error {
		lobby, err := r.GroupByRoom("lobby")
		if err != nil {
			return err
		}
		stored, err := r.Oldest(lobby.ID, 0, 1<<30)
		if err != nil {
			return err
		}
		members, err := r.MembersAfter(lobby.ID, 0, 1<<30)
		if err != nil {
			return err
		}
		seen := map[string]int{}
		for _, m := range stored {
			seen[m.Text]++
		}
		for id := range acknowledged {
			if seen[id] != 1 {
				t.Errorf("%s was acknowledged and is there %d times", id, seen[id])
			}
		}
		if rows := 1 + len(stored) + len(members); int(lobby.Head) != rows || int(lobby.Counted) != len(stored) {
			t.Errorf("head is %d with %d rows, counted %d with %d messages", lobby.Head, rows, lobby.Counted, len(stored))
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}

// TestAccidentOfOneIsNotTheOthers makes the database itself fail for one text.
func TestAccidentOfOneIsNotTheOthers(t *testing.T) {
	dir := t.TempDir()
	s := open(t, dir)
	service := chat.New(s, deaf{}, chat.Config{Limits: chat.Limits{Room: 64}})
	defer service.Close(t.Context())
	guest, err := service.NewGuest(t.Context(), "guest", false)
	if err != nil {
		t.Fatal(err)
	}
	entered, err := service.Enter(t.Context(), guest, chat.Entry{Room: "lobby"})
	if err != nil {
		t.Fatal(err)
	}
	db, err := sql.Open("sqlite", filepath.Join(dir, "qun.db"))
	if err != nil {
		t.Fatal(err)
	}
	_, err = db.Exec(`CREATE TRIGGER poison BEFORE INSERT ON messages WHEN NEW.text = 'poison'
		BEGIN SELECT RAISE(ABORT, 'poisoned'); END`)
	if err := errors.Join(err, db.Close()); err != nil {
		t.Fatal(err)
	}
	var senders sync.WaitGroup
	for i := range 60 {
		senders.Go(func() {
			text := "good"
			if i%6 == 0 {
				text = "poison"
			}
			_, err := service.SendMessage(t.Context(), guest, chat.NewMessage{Group: entered.Group.ID, Entered: true, Text: text})
			if (err != nil) != (text == "poison") {
				t.Errorf("%s: %v", text, err)
			}
		})
	}
	senders.Wait()
	checkAcknowledged(t, s, nil)
}
