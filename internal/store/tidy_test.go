package store_test

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"path/filepath"
	"testing"
	"time"

	"qun/internal/chat"
	"qun/internal/store"
	"qun/internal/store/fresh"
)

// indexed is a chat with a guest in a room, whose index is looked into from outside.
type indexed struct {
	*testing.T
	store   *store.Store
	service *chat.Service
	guest   *chat.User
	room    chat.GroupID
	index   *sql.DB
}

func newIndexed(t *testing.T) *indexed {
	t.Helper()
	x := &indexed{T: t}
	dir := fresh.Dir(t)
	var err error
	if x.store, err = store.Open(t.Context(), store.Config{Dir: dir}); err != nil {
		t.Fatal(err)
	}
	x.service = chat.New(x.store, deaf{}, chat.Config{Limits: chat.Limits{MessageLength: 8000}})
	t.Cleanup(func() {
		if err := errors.Join(x.service.Close(context.Background()), x.store.Close()); err != nil {
			t.Error(err)
		}
	})
	if x.guest, err = x.service.NewGuest(t.Context(), "", false); err != nil {
		t.Fatal(err)
	}
	entered, err := x.service.Enter(t.Context(), x.guest, chat.Entry{Room: "room"})
	if err != nil {
		t.Fatal(err)
	}
	x.room = entered.Group.ID
	if x.index, err = sql.Open("sqlite", filepath.Join(dir, "search.index")); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { x.index.Close() })
	return x
}

// say sends a text and waits until it is indexed.
func (x *indexed) say(text string) *chat.Message {
	x.Helper()
	sent, err := x.service.SendMessage(x.Context(), x.guest, chat.NewMessage{Group: x.room, Entered: true, Text: text})
	if err == nil {
		err = x.store.SettleIndex(x.Context())
	}
	if err != nil {
		x.Fatal(err)
	}
	return sent.Message
}

// await asks the index until a number is small enough.
func (x *indexed) await(most int, query string, args ...any) {
	x.Helper()
	n := 0
	for deadline := time.Now().Add(20 * time.Second); ; <-time.After(20 * time.Millisecond) {
		if err := x.index.QueryRowContext(x.Context(), query, args...).Scan(&n); err != nil {
			x.Fatal(err)
		}
		if n <= most {
			return
		}
		if time.Now().After(deadline) {
			x.Fatalf("%s: still %d, want %d at most", query, n, most)
		}
	}
}

func (x *indexed) find(text string, want int) {
	x.Helper()
	found, err := x.service.Search(x.Context(), x.guest, chat.SearchQuery{Text: text, Group: x.room})
	if err != nil || len(found.Hits) != want {
		x.Errorf("found %s %d times (%v), want %d", text, len(found.Hits), err, want)
	}
}

// What was indexed bit by bit lies in many small trees, and a search looks into all of them. When nobody writes any more
// they are merged, and the same is found.
func TestAQuietIndexIsMerged(t *testing.T) {
	x := newIndexed(t)
	const said = 7 // fewer than FTS5 merges by itself
	for i := range said {
		x.say(fmt.Sprint("hello ", i))
	}
	x.await(3, `SELECT COUNT(DISTINCT segid) FROM words_idx`) // of 4, of 2, and of 1
	x.find("hello", said)
}

// Words of a message that was recalled stay nowhere, and are found again when somebody else says them.
func TestWordsThatNobodyHasAnyMoreAreForgotten(t *testing.T) {
	x := newIndexed(t)
	x.say("we meet in the orchard")
	m := x.say("the password is swordfish")
	x.find("swordf", 1)
	if _, err := x.service.RecallMessage(x.Context(), x.guest, x.room, m.Seq); err != nil {
		t.Fatal(err)
	}
	if err := x.store.SettleIndex(t.Context()); err != nil {
		t.Fatal(err)
	}
	x.await(0, `SELECT COUNT(*) FROM vocabulary WHERE word = 'swordfish'`)
	x.find("swordf", 0)
	x.find("orch", 1)
	x.say("swordfish for dinner")
	x.find("swordf", 1)
}
