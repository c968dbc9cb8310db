package storetest

import (
	"errors"
	"testing"

	"qun/internal/chat"
)

func testReportsAreKeptUntilResolved(t *testing.T, w *world) {
	alice, bob, carol := w.member("alice"), w.member("bob"), w.member("carol")
	one, two := w.room("one", alice, bob, carol), w.room("two", alice)
	head := w.groupRow(one).Head
	report := func(g chat.GroupID, seq chat.Seq, by *chat.User, reason string) error {
		return w.store.Change(w.ctx, g, func(tx chat.GroupTx) error {
			return tx.PutReport(&chat.Report{GroupID: g, Seq: seq, By: by.ID, Reason: reason, CreatedAt: w.now, Author: alice.ID, NickName: "A", Text: "spam"})
		})
	}
	w.must(report(one, 7, bob, "first"))
	w.must(report(one, 7, bob, "again"))
	w.must(report(one, 7, carol, "me too"))
	w.must(report(two, 7, alice, "elsewhere"))
	if err := report(one, 7, w.guest("guest"), "x"); !errors.Is(err, chat.ErrNotFound) {
		t.Errorf("of who has no row: %v", err)
	}
	if now := w.groupRow(one).Head; now != head {
		t.Errorf("reports took numbers %d to %d", head+1, now)
	}
	open := func(g chat.GroupID, limit int) (reasons []string) {
		w.view(func(r chat.Reader) error {
			list, err := r.Reports(g, limit)
			for _, one := range list {
				reasons = append(reasons, one.Reason)
				if one.Author != alice.ID || one.NickName != "A" || one.Text != "spam" || one.Seq != 7 || one.CreatedAt != w.now {
					t.Errorf("got %+v", one)
				}
			}
			return err
		})
		return reasons
	}
	wantTexts(t, "of one group", open(one, 9), "me too", "first")
	wantTexts(t, "of all", open("", 9), "elsewhere", "me too", "first")
	wantTexts(t, "the newest two", open("", 2), "elsewhere", "me too")
	resolve := func() (n int) {
		w.must(w.store.Change(w.ctx, one, func(tx chat.GroupTx) (err error) {
			n, err = tx.ResolveReports(7, alice.ID, w.now)
			return err
		}))
		return n
	}
	if first, second := resolve(), resolve(); first != 2 || second != 0 {
		t.Errorf("%d, then %d were resolved; want 2, 0", first, second)
	}
	wantTexts(t, "after that", open("", 9), "elsewhere")
}

func wantTexts(t *testing.T, what string, got []string, want ...string) {
	t.Helper()
	if len(got) != len(want) {
		t.Errorf("%s: got %q, want %q", what, got, want)
		return
	}
	for i := range want {
		if got[i] != want[i] {
			t.Errorf("%s: got %q, want %q", what, got, want)
			return
		}
	}
}
