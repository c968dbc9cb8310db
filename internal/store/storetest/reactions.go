package storetest

import (
	"errors"
	"fmt"
	"reflect"
	"slices"
	"testing"

	"qun/internal/chat"
)

func testReactionsAreASetInOrder(t *testing.T, w *world) {
	alice, bob, carol := w.member("alice"), w.member("bob"), w.member("carol")
	g, other := w.room("one", alice, bob, carol), w.room("two", alice)
	m := w.say(g, alice, "hello")
	w.say(other, alice, "elsewhere")
	set := func(u *chat.User, emoji string, on bool) (changed bool) {
		t.Helper()
		w.must(w.store.Change(w.ctx, g, func(tx chat.GroupTx) (err error) {
			if changed, err = tx.SetReaction(m.Seq, u.ID, emoji, on); err != nil || !changed {
				return err
			}
			row, err := tx.Message(m.Seq)
			if err != nil {
				return err
			}
			row.Reactions = append(row.Reactions, chat.Reaction{Emoji: emoji, Count: 1, UserIDs: []chat.UserID{u.ID}})
			return tx.PutMessage(row)
		}))
		return changed
	}
	for _, c := range []struct {
		by    *chat.User
		emoji string
		on    bool
		want  bool
	}{
		{carol, "👍", true, true}, {alice, "👍", true, true}, {alice, "👍", true, false}, {alice, "❤️", true, true},
		{bob, "👍", true, true}, {bob, "❤️", false, false}, {carol, "👍", false, true}, {carol, "👍", true, true},
	} {
		if got := set(c.by, c.emoji, c.on); got != c.want {
			t.Errorf("%s %s %t: changed %t, want %t", c.by.NickName, c.emoji, c.on, got, c.want)
		}
	}
	w.must(w.store.Change(w.ctx, g, func(tx chat.GroupTx) error {
		all, err := tx.Reactors(m.Seq, "👍", 10)
		if want := []chat.UserID{alice.ID, bob.ID, carol.ID}; err != nil || !slices.Equal(all, want) {
			t.Errorf("reacted %v, %v; want %v", all, err, want)
		}
		if two, err := tx.Reactors(m.Seq, "👍", 2); err != nil || !slices.Equal(two, all[:2]) {
			t.Errorf("the first two are %v, %v", two, err)
		}
		mine, err := tx.MyReactions(m.Seq, alice.ID)
		slices.Sort(mine)
		if err != nil || !slices.Equal(mine, []string{"❤️", "👍"}) {
			t.Errorf("alice's are %q, %v", mine, err)
		}
		return nil
	}))
	if row := w.history(g)[0]; len(row.Reactions) != 6 || !reflect.DeepEqual(row.Reactions[0].UserIDs, []chat.UserID{carol.ID}) {
		t.Errorf("the row says %+v", row.Reactions)
	}
	mineOf := func(u chat.UserID, first, last chat.Seq) (mine map[chat.Seq][]string) {
		w.view(func(r chat.Reader) (err error) { mine, err = r.MyReactions(g, u, first, last); return err })
		return mine
	}
	if mine := mineOf(bob.ID, 1, 100); len(mine) != 1 || !slices.Equal(mine[m.Seq], []string{"👍"}) {
		t.Errorf("bob's are %v", mine)
	}
	if mine := mineOf(bob.ID, m.Seq+1, 100); len(mine) != 0 {
		t.Errorf("bob's after it are %v", mine)
	}
	if mine := mineOf("nobody", 1, 100); len(mine) != 0 {
		t.Errorf("nobody's are %v", mine)
	}
	w.must(w.store.Change(w.ctx, g, func(tx chat.GroupTx) error {
		row, err := tx.Message(m.Seq)
		if err != nil {
			return err
		}
		row.Text, row.Reactions, row.RecalledAt = "", nil, w.now
		return tx.PutMessage(row)
	}))
	if mine := mineOf(alice.ID, 1, 100); len(mine) != 0 || len(w.history(g)[0].Reactions) != 0 {
		t.Errorf("under a recalled message there are %v", mine)
	}
	w.checkDense()
}

func testPinnedComeLatestFirst(t *testing.T, w *world) {
	alice := w.member("alice")
	g := w.room("one", alice)
	var rows []*chat.Message
	for i := range 4 {
		rows = append(rows, w.say(g, alice, fmt.Sprint(i)))
	}
	pin := func(m *chat.Message, at chat.Time) {
		m.PinnedAt = at
		w.must(w.store.Change(w.ctx, g, func(tx chat.GroupTx) error { return tx.PutMessage(m) }))
	}
	pin(rows[2], w.now)
	pin(rows[0], w.now+1)
	pin(rows[1], w.now+2)
	pin(rows[0], 0)
	w.view(func(r chat.Reader) error {
		pinned, err := r.Pinned(g, 10)
		if got := texts(pinned); err != nil || !slices.Equal(got, []string{"1", "2"}) {
			t.Errorf("got %v, %v", got, err)
		}
		one, err := r.Pinned(g, 1)
		if got := texts(one); err != nil || !slices.Equal(got, []string{"1"}) {
			t.Errorf("got %v, %v", got, err)
		}
		return nil
	})
	w.must(w.store.Change(w.ctx, g, func(tx chat.GroupTx) error {
		if n, err := tx.CountPinned(); n != 2 || err != nil {
			t.Errorf("counted %d, %v", n, err)
		}
		return nil
	}))
}

// testHistoryBeginsWithTheMembership looks at where memberships begin, and at the newest message of who may not read it.
func testHistoryBeginsWithTheMembership(t *testing.T, w *world) {
	alice, bob := w.member("alice"), w.member("bob")
	g := w.room("one", alice)
	w.must(w.store.Change(w.ctx, g, func(tx chat.GroupTx) error {
		row := tx.Group()
		row.History = chat.ExtentJoined
		return tx.PutGroup(row)
	}))
	m := w.say(g, alice, "before")
	w.join(g, bob)
	began := w.membership(g, bob)
	if began.FromSeq != m.Seq+1 || began.FromSeq != began.Rev {
		t.Errorf("bob's history begins at %d, his membership at %d", began.FromSeq, began.Rev)
	}
	w.join(g, bob) // again: it began before
	if now := w.membership(g, bob); now.FromSeq != began.FromSeq {
		t.Errorf("bob's history begins at %d now", now.FromSeq)
	}
	w.must(w.store.Change(w.ctx, g, func(tx chat.GroupTx) error { return tx.PutMessage(m) }))
	heard := w.heard(g)
	if e := heard[len(heard)-1]; e.Change == nil || e.Change.Message != nil || e.Change.Seq != m.Seq || e.Number != m.Rev {
		t.Errorf("told %+v", e.Change)
	}
	w.view(func(r chat.Reader) error {
		row, err := r.Message(g, m.Seq)
		if err != nil || row.Text != "before" || row.Rev != m.Rev {
			t.Errorf("got %+v, %v", row, err)
		}
		if _, err := r.Message(g, 99); !errors.Is(err, chat.ErrNotFound) {
			t.Errorf("no message: %v", err)
		}
		return nil
	})
}
