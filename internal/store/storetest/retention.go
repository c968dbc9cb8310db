package storetest

import (
	"errors"
	"slices"
	"testing"

	"qun/internal/chat"
	"qun/internal/words"
)

func testErasingIsBoundedByTheFloor(t *testing.T, w *world) {
	alice, bob := w.member("alice"), w.member("bob")
	g, other := w.room("one", alice, bob), w.room("two", alice)
	w.say(other, alice, "theirs")
	var said []*chat.Message
	for range 10 {
		said = append(said, w.say(g, alice, "a word"))
	}
	w.must(w.store.SettleIndex(w.ctx))
	for _, m := range []*chat.Message{said[1], said[8]} { // one that goes, and one that stays
		w.must(w.store.Change(w.ctx, g, func(tx chat.GroupTx) error {
			if _, err := tx.SetReaction(m.Seq, bob.ID, "👍", true); err != nil {
				return err
			}
			row, err := tx.Message(m.Seq)
			if err != nil {
				return err
			}
			row.Mentions, row.Reactions = []chat.UserID{bob.ID}, []chat.Reaction{{Emoji: "👍", Count: 1, UserIDs: []chat.UserID{bob.ID}}}
			return tx.PutMessage(row)
		}))
	}
	marks := func(mentions int64, reactions int) {
		t.Helper()
		w.view(func(r chat.Reader) error {
			n, err := r.CountMentions(g, bob.ID, 0)
			mine, err2 := r.MyReactions(g, bob.ID, 0, 100)
			if n != mentions || len(mine) != reactions {
				t.Errorf("%d mentions and %d reactions are left, want %d and %d", n, len(mine), mentions, reactions)
			}
			return errors.Join(err, err2)
		})
	}
	erase := func(want int) {
		t.Helper()
		if n, err := w.store.Erase(w.ctx, g, 4); n != want || err != nil {
			t.Errorf("erased %d, %v, want %d", n, err, want)
		}
	}
	erase(0)
	var behind []chat.Cursor
	for _, u := range []*chat.User{alice, bob} {
		behind = append(behind, chat.Cursor{Group: g, User: u.ID, Read: said[7].Seq - 1})
	}
	w.must(w.store.MoveCursors(w.ctx, behind))
	w.must(w.store.Change(w.ctx, g, func(tx chat.GroupTx) error {
		row := tx.Group()
		row.Floor = said[7].Seq
		return tx.PutGroup(row)
	}))
	marks(2, 2)
	for _, n := range []int{4, 3, 0} {
		erase(n)
	}
	marks(1, 1)
	if left := seqs(w.history(g)); !slices.Equal(left, seqs(said[7:])) {
		t.Errorf("left is %v", left)
	}
	if got := w.findWords(g, "word"); len(got) != 3 {
		t.Errorf("found %q", got)
	}
	w.must(w.store.SettleIndex(w.ctx))
	if got := seqs(w.find(chat.Search{Where: []chat.Searched{{Group: g}}, Words: words.Parse("word"), Limit: 50})); len(got) != 3 || got[2] != said[7].Seq {
		t.Errorf("found %v", got)
	}
	if len(w.history(other)) != 1 {
		t.Error("another group lost messages")
	}
	w.view(func(r chat.Reader) error {
		for i, m := range said { // the counts are as if nothing was gone
			counted, _, err := r.CountUpTo(g, m.Seq, bob.ID, 0)
			if want := int64(max(i+1, 7)); err != nil || counted != want {
				t.Errorf("counted up to %d: %d, %v, want %d", m.Seq, counted, err, want)
			}
		}
		return nil
	})
	if _, err := w.store.Erase(w.ctx, "none", 1); err == nil {
		t.Error("a group that is not there was erased")
	}
}

func testGroupsThatKeepTooMuchAreFound(t *testing.T, w *world) {
	alice, bob := w.member("alice"), w.member("bob")
	one, two := w.room("one", alice, bob), w.room("two", alice)
	var said []*chat.Message
	for range 5 {
		said = append(said, w.say(one, alice, "x"))
		w.now += 1000
	}
	w.view(func(r chat.Reader) error {
		var ids []chat.GroupID
		for last := chat.GroupID(""); ; last = ids[len(ids)-1] {
			page, err := r.GroupsAfter(last, 1)
			w.must(err)
			if len(page) == 0 {
				break
			}
			ids = append(ids, page[0].ID)
		}
		if !slices.Equal(ids, []chat.GroupID{one, two}) {
			t.Errorf("groups are %v", ids)
		}
		for at, want := range map[chat.Time]chat.Seq{
			said[0].SentAt: 0, said[0].SentAt + 1: said[0].Seq, said[3].SentAt: said[2].Seq, w.now + 1: said[4].Seq,
		} {
			if end, err := r.SentBefore(one, at); err != nil || end != want {
				t.Errorf("sent before %d: up to %d, %v, want %d", at, end, err, want)
			}
		}
		if end, err := r.SentBefore(two, w.now); err != nil || end != 0 {
			t.Errorf("in a group without messages: up to %d, %v", end, err)
		}
		behind, err := r.CursorsBefore(one, said[2].Seq)
		if err != nil || !slices.Equal(behind, []chat.UserID{bob.ID}) {
			t.Errorf("behind are %v, %v", behind, err)
		}
		return nil
	})
}
