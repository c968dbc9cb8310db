package storetest

import (
	"context"
	"errors"
	"maps"
	"testing"

	"qun/internal/chat"
)

func testHeadsOfUsersAreTheirCounters(t *testing.T, w *world) {
	alice, bob, guest := w.member("alice"), w.member("bob"), w.guest("guest")
	w.room("one", alice)
	w.room("two", alice)
	want := map[chat.UserID]chat.Seq{}
	var got map[chat.UserID]chat.Seq
	w.must(w.store.View(w.ctx, func(r chat.Reader) (err error) {
		for _, u := range []*chat.User{alice, bob} {
			if want[u.ID], _, err = r.UserCounter(u.ID); err != nil {
				return err
			}
		}
		got, err = r.UserHeads([]chat.UserID{alice.ID, bob.ID, guest.ID})
		return err
	}))
	if !maps.Equal(got, want) || want[alice.ID] != want[bob.ID]+2 {
		t.Errorf("got %v, want %v, and nothing of who has no row", got, want)
	}
}

func testNobodyElseHasWritten(t *testing.T, w *world) {
	before, err := w.store.Elsewhere(w.ctx)
	w.must(err)
	w.room("one", w.member("alice"))
	after, err := w.store.Elsewhere(w.ctx)
	w.must(err)
	if before != after {
		t.Errorf("what was written here moves the mark of the others from %q to %q", before, after)
	}
}

func testWhatIsDoneAloneIsDone(t *testing.T, w *world) {
	store := w.store.(interface {
		Exclusive(context.Context, string, func(context.Context) error) (bool, error)
	})
	failure := errors.New("it went wrong")
	for range 2 {
		if did, err := store.Exclusive(w.ctx, "test", func(context.Context) error { return failure }); !did || !errors.Is(err, failure) {
			t.Errorf("got %v, %v; want that it was done, and what it said", did, err)
		}
	}
}
