package storetest

import (
	"errors"
	"slices"
	"testing"

	"qun/internal/chat"
)

func testNamesInAGroupHaveOwners(t *testing.T, w *world) {
	alice, bob := w.member("alice"), w.member("bob")
	g, other := w.room("one", alice, bob), w.room("two", bob)
	head := w.groupRow(g).Head
	in := func(g chat.GroupID, act func(tx chat.GroupTx) error) {
		t.Helper()
		w.must(w.store.Change(w.ctx, g, act))
	}
	owner := func(g chat.GroupID, skeleton string, want chat.UserID) {
		t.Helper()
		in(g, func(tx chat.GroupTx) error {
			id, err := tx.NickOwner(skeleton)
			if id != want || (want == "") != errors.Is(err, chat.ErrNotFound) {
				t.Errorf("%q is %s's, %v; want %s", skeleton, id, err, want)
			}
			return nil
		})
	}
	owner(g, "", "")
	in(g, func(tx chat.GroupTx) error { return tx.SetNickSkeleton(alice.ID, "wang") })
	owner(g, "wang", alice.ID)
	owner(other, "wang", "")
	w.put(g, alice, chat.MemberActive) // any other change keeps it
	owner(g, "wang", alice.ID)
	w.put(g, alice, chat.MemberLeft)
	owner(g, "wang", "")
	in(g, func(tx chat.GroupTx) error { return tx.SetNickSkeleton(bob.ID, "wang") })
	owner(g, "wang", bob.ID)
	in(g, func(tx chat.GroupTx) error { return tx.SetNickSkeleton(bob.ID, "") })
	owner(g, "wang", "")
	if now := w.groupRow(g).Head; now != head+2 {
		t.Errorf("the head went from %d to %d, by two changes of a membership", head, now)
	}
}

// testSpeaksUnderTheNameInTheGroup sends as somebody who has one.
func testSpeaksUnderTheNameInTheGroup(t *testing.T, w *world) {
	alice := w.member("alice")
	g, other := w.room("one", alice), w.room("two", alice)
	w.must(w.store.Change(w.ctx, g, func(tx chat.GroupTx) error {
		m, err := tx.Membership(alice.ID)
		if err != nil {
			return err
		}
		m.GroupNick = "老王"
		return tx.PutMembership(m)
	}))
	here, there := w.say(g, alice, "x"), w.say(other, alice, "x")
	if here.NickName != "老王" || there.NickName != "alice" || w.history(g)[0].NickName != "老王" {
		t.Errorf("speaks as %q and as %q", here.NickName, there.NickName)
	}
}

func testTheRollHasEverybodyOnce(t *testing.T, w *world) {
	var users []*chat.User
	for _, name := range []string{"dora", "alice", "bob", "carol"} {
		users = append(users, w.member(name))
	}
	g := w.room("one", users...)
	w.room("two", users[0])
	m := w.say(g, users[1], "x")
	w.put(g, users[2], chat.MemberLeft)
	var called []chat.UserID
	w.view(func(r chat.Reader) error {
		after := chat.UserID("")
		for range 4 {
			page, err := r.Roll(g, after, 3)
			if err != nil || len(page) == 0 {
				return err
			}
			for _, one := range page {
				called, after = append(called, one.UserID), one.UserID
				if one.UserID == users[1].ID && one.ReadSeq != m.Seq || (one.UserID == users[2].ID) == one.Active() {
					t.Errorf("%+v", one)
				}
			}
		}
		return nil
	})
	if len(called) != 4 {
		t.Errorf("called %v", called)
	}
	for _, u := range users {
		if !slices.Contains(called, u.ID) {
			t.Errorf("%s was not called", u.NickName)
		}
	}
}
