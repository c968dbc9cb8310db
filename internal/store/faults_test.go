package store_test

import (
	"bufio"
	"context"
	"database/sql"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"qun/internal/chat"
	"qun/internal/store"
	"qun/internal/store/fresh"
)

// kinds are the databases a fault is tried on.
var kinds = map[string]*kind{
	"SQLite": {
		place: func(t *testing.T) store.Config { return store.Config{Dir: fresh.Dir(t)} },
		tamper: func(t *testing.T, at store.Config, statements string) {
			db, err := sql.Open("sqlite", filepath.Join(at.Dir, "qun.db"))
			if err != nil {
				t.Fatal(err)
			}
			_, err = db.Exec(statements)
			if err := errors.Join(err, db.Close()); err != nil {
				t.Fatal(err)
			}
		},
		poison: `CREATE TRIGGER poison BEFORE INSERT ON messages WHEN NEW.text = 'poison'
			BEGIN SELECT RAISE(ABORT, 'poisoned'); END`,
		lateAcid: `CREATE TABLE acid (of INTEGER REFERENCES users (key) DEFERRABLE INITIALLY DEFERRED);
			CREATE TRIGGER acid AFTER INSERT ON messages WHEN NEW.text = 'acid' BEGIN INSERT INTO acid VALUES (-1); END`,
	},
	"PostgreSQL": {
		place:  func(t *testing.T) store.Config { return store.Config{URL: database(t)} },
		tamper: func(t *testing.T, at store.Config, statements string) { ask(t, at.URL, statements) },
		poison: `CREATE FUNCTION poison() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE EXCEPTION 'poisoned'; END $$;
			CREATE TRIGGER poison BEFORE INSERT ON messages FOR EACH ROW WHEN (NEW.text = 'poison') EXECUTE FUNCTION poison()`,
		lateAcid: `CREATE FUNCTION acid() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE EXCEPTION 'dissolved'; END $$;
			CREATE CONSTRAINT TRIGGER acid AFTER INSERT ON messages DEFERRABLE INITIALLY DEFERRED
			FOR EACH ROW WHEN (NEW.text = 'acid') EXECUTE FUNCTION acid()`,
	},
}

type kind struct {
	place    func(*testing.T) store.Config
	tamper   func(t *testing.T, at store.Config, statements string)
	poison   string // lets the insert of the text "poison" fail
	lateAcid string // lets the commit of the text "acid" fail
}

// each runs a test on each kind.
func each(t *testing.T, test func(t *testing.T, k *kind)) {
	for name, k := range kinds {
		t.Run(name, func(t *testing.T) { test(t, k) })
	}
}

// lobby is a room on a store, somebody in it, and everything announced.
type lobby struct {
	t       *testing.T
	store   *store.Store
	service *chat.Service
	guest   *chat.User
	group   chat.GroupID

	mu    sync.Mutex // guards below
	heard map[chat.GroupID][]chat.Seq
}

func newLobby(t *testing.T, at store.Config) *lobby {
	t.Helper()
	s, err := store.Open(t.Context(), at)
	if err != nil {
		t.Fatal(err)
	}
	l := &lobby{t: t, store: s, heard: map[chat.GroupID][]chat.Seq{}}
	l.service = chat.New(s, l, chat.Config{Limits: chat.Limits{Room: 64}})
	t.Cleanup(func() {
		if err := errors.Join(l.service.Close(context.Background()), s.Close()); err != nil {
			t.Error(err)
		}
	})
	l.guest, l.group = l.enter()
	return l
}

// enter lets one more guest in.
func (l *lobby) enter() (*chat.User, chat.GroupID) {
	l.t.Helper()
	guest, err := l.service.NewGuest(l.t.Context(), "guest", false)
	if err != nil {
		l.t.Fatal(err)
	}
	entered, err := l.service.Enter(l.t.Context(), guest, chat.Entry{Room: "lobby"})
	if err != nil {
		l.t.Fatal(err)
	}
	return guest, entered.Group.ID
}

func (l *lobby) Notify(e chat.Event) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.heard[e.Group] = append(l.heard[e.Group], e.Number)
}

func (l *lobby) say(by *chat.User, text string) (*chat.Sent, error) {
	return l.service.SendMessage(context.Background(), by, chat.NewMessage{Group: l.group, Entered: true, Text: text, ClientID: text})
}

// check fails unless what must be there is, once, nothing is there that must not, and all that is there was told in order.
func (l *lobby) check(must, mustNot map[string]bool) {
	l.t.Helper()
	checkAcknowledged(l.t, l.store, must)
	var head chat.Seq
	err := l.store.View(context.Background(), func(r chat.Reader) error {
		group, err := r.Group(l.group)
		if err != nil {
			return err
		}
		head = group.Head
		stored, err := r.Oldest(l.group, 0, 1<<30)
		for _, m := range stored {
			if mustNot[m.Text] {
				l.t.Errorf("%s was refused, and is there", m.Text)
			}
		}
		return err
	})
	if err != nil {
		l.t.Fatal(err)
	}
	l.awaitTold(head)
}

// awaitTold waits until everything is announced and looks whether it came dense and in order.
func (l *lobby) awaitTold(head chat.Seq) {
	l.t.Helper()
	for range 30_000 {
		l.mu.Lock()
		heard := l.heard[l.group]
		l.mu.Unlock()
		if len(heard) > 0 && heard[len(heard)-1] >= head {
			for i, number := range heard {
				if number != heard[0]+chat.Seq(i) {
					l.t.Errorf("number %d was told as the %dth from %d", number, i, heard[0])
				}
			}
			return
		}
		time.Sleep(time.Millisecond) // the announcer has a goroutine of its own, which nobody else can wait for
	}
	l.t.Errorf("number %d was never told", head)
}

// TestAccidentOfOneIsNotTheOthers makes the database itself fail for one text.
func TestAccidentOfOneIsNotTheOthers(t *testing.T) {
	each(t, func(t *testing.T, k *kind) {
		at := k.place(t)
		l := newLobby(t, at)
		k.tamper(t, at, k.poison)
		must := map[string]bool{}
		var senders sync.WaitGroup
		for i := range 60 {
			text := fmt.Sprint("good ", i)
			if i%6 == 0 {
				text = "poison"
			} else {
				must[text] = true
			}
			senders.Go(func() {
				if _, err := l.say(l.guest, text); (err != nil) != (text == "poison") {
					t.Errorf("%s: %v", text, err)
				}
			})
		}
		senders.Wait()
		l.check(must, map[string]bool{"poison": true})
	})
}

// TestFailedCommitLeavesNothing makes the commit itself fail, with whoever shares it.
func TestFailedCommitLeavesNothing(t *testing.T) {
	each(t, func(t *testing.T, k *kind) {
		at := k.place(t)
		l := newLobby(t, at)
		k.tamper(t, at, k.lateAcid)
		var mu sync.Mutex
		must, mustNot := map[string]bool{}, map[string]bool{"acid": true}
		for round := range 10 {
			var senders sync.WaitGroup
			for i := range 6 {
				text := fmt.Sprint("good ", round, " ", i)
				if i == 3 {
					text = "acid"
				}
				senders.Go(func() {
					_, err := l.say(l.guest, text)
					if err == nil && text == "acid" {
						t.Error("a commit that failed was acknowledged")
					}
					mu.Lock()
					defer mu.Unlock()
					if err == nil {
						must[text] = true
					} else {
						mustNot[text] = true
					}
				})
			}
			senders.Wait()
		}
		if _, err := l.say(l.guest, "and on"); err != nil {
			t.Fatal(err)
		}
		must["and on"] = true
		l.check(must, mustNot)
	})
}

// TestFullDiskAsksToComeAgain lets the file of the chat grow no more for a while.
func TestFullDiskAsksToComeAgain(t *testing.T) {
	l := newLobby(t, kinds["SQLite"].place(t))
	must, mustNot := map[string]bool{}, map[string]bool{}
	for n := 0; len(mustNot) < 3; n++ {
		if n == 3 {
			if err := l.store.Fill(1); err != nil {
				t.Fatal(err)
			}
		}
		text := fmt.Sprint(strings.Repeat("long ", 1000), n)
		switch _, err := l.append(l.guest, text); {
		case err == nil:
			must[text] = true
		case errors.Is(err, chat.ErrBusy):
			mustNot[text] = true
		default:
			t.Fatalf("got %v, want %v", err, chat.ErrBusy)
		}
	}
	if err := l.store.Fill(1 << 30); err != nil {
		t.Fatal(err)
	}
	if _, err := l.append(l.guest, "and on"); err != nil {
		t.Error(err)
	}
	must["and on"] = true
	l.check(must, mustNot)
}

// TestKilledProcessLosesNothingAcknowledged kills a process that writes, several times on the same data, and looks for
// everything it had acknowledged.
func TestKilledProcessLosesNothingAcknowledged(t *testing.T) {
	if at := os.Getenv("QUN_TEST_WRITE_UNTIL_KILLED"); at != "" {
		writeUntilKilled(t, at)
	}
	each(t, func(t *testing.T, k *kind) {
		at := k.place(t)
		acknowledged := map[string]bool{}
		for range 4 {
			runAndKill(t, at, acknowledged)
			s, err := store.Open(t.Context(), at)
			if err != nil {
				t.Fatal(err)
			}
			checkAcknowledged(t, s, acknowledged)
			if err := s.Close(); err != nil {
				t.Error(err)
			}
		}
		if len(acknowledged) < 100 {
			t.Errorf("only %d messages were acknowledged: this shows little", len(acknowledged))
		}
	})
}

// runAndKill runs this test's binary as a writer, notes what it acknowledges and kills it in the middle.
func runAndKill(t *testing.T, at store.Config, acknowledged map[string]bool) {
	t.Helper()
	command := exec.Command(os.Args[0], "-test.run=^TestKilledProcessLosesNothingAcknowledged$")
	command.Env = append(os.Environ(), "QUN_TEST_WRITE_UNTIL_KILLED="+at.Dir+at.URL)
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
func writeUntilKilled(t *testing.T, place string) {
	at := store.Config{Dir: place}
	if strings.Contains(place, "://") {
		at = store.Config{URL: place}
	}
	l := newLobby(t, at)
	var out sync.Mutex
	for range 20 {
		guest, _ := l.enter()
		go func() {
			for n := 0; ; n++ {
				id := fmt.Sprintf("%s/%d", guest.ID, n)
				if _, err := l.say(guest, id); err != nil {
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
	err := s.View(context.Background(), func(r chat.Reader) error {
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
