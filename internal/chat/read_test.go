package chat_test

import (
	"fmt"
	"testing"
	"testing/synctest"
	"time"

	"qun/internal/chat"
)

func TestReadingIsAnsweredAtOnceAndWrittenALittleLater(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newHouse(t, noLimits())
		alice, bob := h.member("alice"), h.member("bob")
		g := h.enter(alice, "lobby")
		h.enter(bob, "lobby")
		for range 5 {
			h.send(bob, g, "hello")
		}
		head := h.send(bob, g, "last").Seq
		before := len(h.events("", alice.ID))
		for _, c := range []struct {
			seq, want chat.Seq
			unread    int64
		}{{head - 2, head - 2, 2}, {1, head - 2, 2}, {head - 1, head - 1, 1}, {head + 9, head, 0}, {-1, head, 0}} {
			state, err := h.ReadUpTo(h.ctx, alice, g, c.seq)
			h.must(err)
			if state.ReadSeq != c.want || state.Unread != c.unread {
				t.Errorf("read up to %d: %+v, want %d and %d unread", c.seq, state, c.want, c.unread)
			}
			if seen, err := h.Group(h.ctx, alice, g); err != nil || seen.Me.Unread != c.unread || seen.Me.ReadSeq != c.want {
				t.Errorf("read up to %d: the group says %+v, %v", c.seq, seen.Me, err)
			}
		}
		if n := len(h.events("", alice.ID)); n != before {
			t.Errorf("%d events before anything is written", n-before)
		}
		time.Sleep(2 * time.Second)
		synctest.Wait()
		mine := h.events("", alice.ID)[before:]
		if len(mine) != 1 || mine[0].Me.Group.Me.ReadSeq != head || mine[0].Me.Group.Me.Unread != 0 {
			t.Errorf("other devices heard %+v", mine)
		}
	})
}

// What is told of a membership between a reading and its writing has the place of before: the right one follows at once.
func TestACursorOfBeforeIsPutRightAtOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newHouse(t, noLimits())
		alice, bob := h.member("alice"), h.member("bob")
		g := h.enter(alice, "lobby")
		h.enter(bob, "lobby")
		read := h.send(bob, g, "one").Seq
		_, err := h.ReadUpTo(h.ctx, alice, g, read)
		h.must(err)
		before := len(h.events("", alice.ID))
		_, err = h.SendMessage(h.ctx, bob, chat.NewMessage{Group: g, Entered: true, Text: "alice!", Mentions: []chat.UserID{alice.ID}})
		h.must(err)
		time.Sleep(time.Millisecond)
		synctest.Wait()
		mine := h.events("", alice.ID)[before:]
		if len(mine) != 2 {
			t.Fatalf("heard of %d changes, want the mention and the place", len(mine))
		}
		if me := mine[1].Me.Group.Me; me.ReadSeq != read || me.Unread != 1 || me.Mentioned != 1 {
			t.Errorf("got %+v, want %d, and the mention unread", me, read)
		}
	})
}

// A guest's own counter begins with its first word: with itself, and then with the membership.
func TestAGuestIsToldOfItselfFromItsFirstNumberOn(t *testing.T) {
	h := newHouse(t, noLimits())
	guest := h.guest("Gus")
	g := h.enter(guest, "lobby")
	h.send(guest, g, "hello")
	h.close()
	mine := h.events("", guest.ID)
	h.open()
	if len(mine) != 2 || mine[0].Number != 1 || mine[0].Me.User == nil || mine[0].Me.User.ID != guest.ID || mine[1].Number != 2 || mine[1].Me.Group == nil {
		t.Errorf("heard %+v", mine)
	}
}

func TestReadingIsKeptOverARestart(t *testing.T) {
	h := newHouse(t, noLimits())
	alice, bob := h.member("alice"), h.member("bob")
	g := h.enter(alice, "lobby")
	h.enter(bob, "lobby")
	h.send(bob, g, "one")
	seq := h.send(bob, g, "two").Seq
	_, err := h.ReadUpTo(h.ctx, alice, g, seq-1)
	h.must(err)
	h.close()
	h.open()
	seen, err := h.Group(h.ctx, alice, g)
	h.must(err)
	if seen.Me.ReadSeq != seq-1 || seen.Me.Unread != 1 {
		t.Errorf("after the restart: %+v", seen.Me)
	}
}

func TestOwnMessagesNeverCount(t *testing.T) {
	h := newHouse(t, noLimits())
	alice, bob := h.member("alice"), h.member("bob")
	g := h.enter(alice, "lobby")
	h.enter(bob, "lobby")
	unread := func(u *chat.User) int64 {
		t.Helper()
		all, err := h.Overview(h.ctx, u)
		h.must(err)
		return all.Groups[0].Me.Unread
	}
	h.send(alice, g, "mine, nothing unread before: it moves my cursor")
	first := h.send(bob, g, "yours").Seq
	h.send(alice, g, "mine, among the unread")
	h.send(bob, g, "yours")
	if a, b := unread(alice), unread(bob); a != 2 || b != 2 {
		t.Errorf("alice has %d unread, bob %d; want 2, 2", a, b)
	}
	state, err := h.ReadUpTo(h.ctx, alice, g, first)
	h.must(err)
	if state.Unread != 1 || unread(alice) != 1 {
		t.Errorf("after reading the first: %+v, %d", state, unread(alice))
	}
}

func TestGuestThatNeverSpokeHasNothingUnreadAndLeavesNothing(t *testing.T) {
	h := newHouse(t, noLimits())
	alice, guest := h.member("alice"), h.guest("guest")
	g := h.enter(alice, "lobby")
	h.send(alice, g, "hello")
	h.enter(guest, "lobby")
	state, err := h.ReadUpTo(h.ctx, guest, g, 2)
	if err != nil || state.Unread != 0 {
		t.Errorf("got %+v, %v", state, err)
	}
	all, err := h.Overview(h.ctx, guest)
	if err != nil || len(all.Groups) != 0 || all.Groups == nil || all.Head != 0 {
		t.Errorf("overview is %+v, %v", all, err)
	}
	h.must(h.Service.Close(h.ctx))
	if _, err := h.User(h.ctx, guest.ID); code(err) != chat.CodeNotFound {
		t.Errorf("the guest is known: %v", err)
	}
}

func TestOverviewIsOrderedAndComplete(t *testing.T) {
	h := newHouse(t, noLimits())
	alice, bob := h.member("alice"), h.member("bob")
	var groups []chat.GroupID
	for i := range 5 {
		g := h.enter(alice, fmt.Sprint("room ", i))
		h.enter(bob, fmt.Sprint("room ", i))
		groups = append(groups, g)
	}
	time.Sleep(2 * time.Millisecond) // the order is by the millisecond
	h.send(bob, groups[1], "the newest of all")
	h.change(groups[3], func(tx chat.GroupTx) error {
		m, err := tx.Membership(alice.ID)
		if err != nil {
			return err
		}
		m.Pinned, m.Draft = true, "half a"
		return tx.PutMembership(m)
	})
	h.setState(groups[0], alice, chat.MemberLeft)
	all, err := h.Overview(h.ctx, alice)
	h.must(err)
	if len(all.Groups) != 4 || all.Groups[0].ID != groups[3] || all.Groups[0].Draft != "half a" || all.Groups[1].ID != groups[1] ||
		all.Groups[1].LastMessage.Text != "the newest of all" || all.Groups[1].Me.Unread != 1 {
		t.Errorf("overview is %+v", all.Groups)
	}
	mine, err := h.MyGroups(h.ctx, alice)
	if err != nil || len(mine) != 4 {
		t.Errorf("my groups are %v, %v", mine, err)
	}
	var ids []chat.GroupID
	for _, g := range mine {
		ids = append(ids, g.ID)
	}
	heads, err := h.Heads(h.ctx, ids)
	if err != nil || heads[groups[1]] != all.Groups[1].Head || len(heads) != 4 {
		t.Errorf("heads are %v, %v", heads, err)
	}
}

func TestTidyDropsRoomsNobodyEverSpokeIn(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newHouse(t, noLimits())
		guest := h.guest("guest")
		silent, spoken, members := h.enter(guest, "silent"), h.enter(guest, "spoken"), h.enter(h.member("alice"), "members")
		h.send(guest, spoken, "hello")
		time.Sleep(25 * time.Hour)
		young := h.enter(guest, "young")
		h.must(h.Tidy(h.ctx))
		heads, err := h.Heads(h.ctx, []chat.GroupID{silent, spoken, members, young})
		if _, there := heads[silent]; err != nil || there || len(heads) != 3 {
			t.Errorf("left are %v, %v", heads, err)
		}
	})
}
