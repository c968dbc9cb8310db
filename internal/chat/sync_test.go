package chat_test

import (
	"encoding/json"
	"fmt"
	"reflect"
	"strings"
	"testing"

	"qun/internal/chat"
)

func (h *house) sync(u *chat.User, g chat.GroupID, from chat.Seq) *chat.GroupSync {
	h.t.Helper()
	answer, err := h.Sync(h.ctx, u, chat.SyncQuery{Epoch: h.Epoch(), Heads: map[chat.GroupID]chat.Seq{g: from}})
	h.must(err)
	return answer.Groups[g]
}

// fill says the numbers from … to-1, all at once.
func (h *house) fill(g chat.GroupID, from, to int) {
	h.t.Helper()
	h.change(g, func(tx chat.GroupTx) error {
		for i := from; i < to; i++ {
			m := &chat.Message{ID: chat.MessageID(fmt.Sprint(i)), Kind: chat.MessageText, Text: fmt.Sprint(i)}
			if err := tx.AddMessage(m); err != nil {
				return err
			}
		}
		return nil
	})
}

func TestSyncBringsWhatChangedInItsFinalState(t *testing.T) {
	h := newHouse(t, noLimits())
	alice, bob := h.member("alice"), h.member("bob")
	g := h.enter(alice, "lobby")
	old := h.send(alice, g, "old")
	head := old.Seq
	h.enter(bob, "lobby")
	h.send(bob, g, "new")
	for range 3 {
		h.change(g, func(tx chat.GroupTx) error {
			m, err := tx.Message(old.Seq)
			if err != nil {
				return err
			}
			m.Text, m.EditedAt = m.Text+"!", m.EditedAt+1
			return tx.PutMessage(m)
		})
	}
	h.setGroup(g, func(g *chat.Group) { g.Topic = "topic" })
	part := h.sync(alice, g, head)
	if len(part.Messages) != 3 || part.Messages[2].Text != "old!!!" || part.Messages[2].Seq != old.Seq || part.Messages[2].Rev != part.Head-1 {
		t.Errorf("messages are %+v", part.Messages)
	}
	if len(part.Members) != 1 || part.Members[0].UserID != bob.ID || part.Group == nil || part.Group.Topic != "topic" || part.Group.Me.Role != chat.RoleOwner {
		t.Errorf("members %+v, group %+v", part.Members, part.Group)
	}
	if part.Head != part.Latest || part.More || part.Reset || part.Gone != "" {
		t.Errorf("part is %+v", part)
	}
	if idle := h.sync(alice, g, part.Head); len(idle.Messages)+len(idle.Members) != 0 || idle.Group != nil || idle.Head != part.Head || idle.Messages == nil {
		t.Errorf("nothing changed, and yet %+v", idle)
	}
}

func TestSyncGoesOnInParts(t *testing.T) {
	h := newHouse(t, noLimits())
	guest := h.guest("guest")
	g := h.enter(guest, "lobby")
	h.send(guest, g, "0")
	h.fill(g, 1, 900)
	seen, parts := 0, 0
	for head := chat.Seq(0); ; parts++ {
		part := h.sync(guest, g, head)
		if part.Reset || len(part.Messages)+len(part.Members) > 500 || part.Latest != 902 {
			t.Fatalf("part is %+v", part)
		}
		for _, m := range part.Messages {
			if m.Text != fmt.Sprint(seen) || m.Rev <= head || m.Rev > part.Head {
				t.Fatalf("message %q of rev %d in the part from %d to %d, want %d", m.Text, m.Rev, head, part.Head, seen)
			}
			seen++
		}
		head = part.Head
		if !part.More {
			break
		}
	}
	if seen != 900 || parts != 1 {
		t.Errorf("%d messages, %d further parts; want 900, 1", seen, parts)
	}
}

func TestSyncStartsAnewWhenNumbersDoNotFit(t *testing.T) {
	h := newHouse(t, noLimits())
	guest := h.guest("guest")
	g := h.enter(guest, "lobby")
	h.send(guest, g, "0")
	h.fill(g, 1, 60)
	reset := func(why string, epoch string, from chat.Seq, want bool) {
		t.Helper()
		answer, err := h.Sync(h.ctx, guest, chat.SyncQuery{Epoch: epoch, Heads: map[chat.GroupID]chat.Seq{g: from}})
		h.must(err)
		part := answer.Groups[g]
		if part.Reset != want {
			t.Errorf("%s: reset %v, want %v", why, part.Reset, want)
		}
		if want && (len(part.Messages) != 50 || part.Messages[49].Text != fmt.Sprint(part.Latest-3) || part.Head != part.Latest || part.Group == nil || part.More) {
			t.Errorf("%s: %d messages, %+v", why, len(part.Messages), part)
		}
	}
	reset("right", h.Epoch(), 5, false)
	reset("no epoch", "", 5, true)
	reset("another epoch", "other", 62, true)
	reset("beyond the head", h.Epoch(), 63, true)
	reset("negative", h.Epoch(), -1, true)
	h.fill(g, 60, 1050)
	reset("1,000 behind", h.Epoch(), 52, false)
	reset("1,001 behind", h.Epoch(), 51, true)
}

func TestSyncOfManyNumbersOnFewRowsIsNoReset(t *testing.T) {
	h := newHouse(t, noLimits())
	alice := h.member("alice")
	g := h.enter(alice, "lobby")
	m := h.send(alice, g, "often edited")
	head := m.Seq
	h.change(g, func(tx chat.GroupTx) error {
		for range 1500 {
			if err := tx.PutMessage(m); err != nil {
				return err
			}
		}
		return nil
	})
	if part := h.sync(alice, g, head); part.Reset || len(part.Messages) != 1 || part.Head != head+1500 {
		t.Errorf("part is %+v", part)
	}
}

func TestSyncKeepsToItsSizeAndLosesNothing(t *testing.T) {
	h := newHouse(t, noLimits())
	alice := h.member("alice")
	heads := map[chat.GroupID]chat.Seq{}
	want := 0
	for i := range 6 {
		g := h.enter(alice, fmt.Sprint("room ", i))
		heads[g] = 0
		h.change(g, func(tx chat.GroupTx) error {
			for n := range 20 {
				m := &chat.Message{ID: chat.MessageID(fmt.Sprint(i, n)), Kind: chat.MessageText, Text: strings.Repeat("\"\n", 4000)}
				if err := tx.AddMessage(m); err != nil { // 16 KB each, on the wire
					return err
				}
			}
			return nil
		})
		want += 20
	}
	got, rounds := 0, 0
	for more := true; more; rounds++ {
		answer, err := h.Sync(h.ctx, alice, chat.SyncQuery{Epoch: h.Epoch(), Heads: heads})
		h.must(err)
		if data, err := json.Marshal(answer); err != nil || len(data) > 1<<20 {
			t.Errorf("round %d weighs %d bytes, %v", rounds, len(data), err)
		}
		more = false
		for g, part := range answer.Groups {
			for _, m := range part.Messages {
				if m.Kind == chat.MessageText {
					got++
				}
			}
			heads[g] = part.Head
			more = more || part.More
		}
		if rounds > 20 {
			t.Fatal("no end")
		}
	}
	if got != want || rounds < 3 {
		t.Errorf("%d messages in %d rounds, want %d", got, rounds, want)
	}
}

func TestSyncTellsWhoOnceWasThereHowItEnded(t *testing.T) {
	h := newHouse(t, noLimits())
	alice, bob, carol := h.member("alice"), h.member("bob"), h.member("carol")
	for state, want := range map[chat.MemberState]chat.Gone{
		chat.MemberLeft: chat.GoneLeft, chat.MemberKicked: chat.GoneKicked, chat.MemberBanned: chat.GoneBanned,
	} {
		g := h.enter(alice, string(state))
		h.enter(bob, string(state))
		h.setState(g, bob, state)
		h.send(alice, g, "not for bob")
		if part := h.sync(bob, g, 0); part == nil || part.Gone != want || len(part.Messages) != 0 || part.Head != 0 {
			t.Errorf("%s: got %+v", state, part)
		}
		if part := h.sync(carol, g, 0); part != nil {
			t.Errorf("to who never was there: %+v", part)
		}
	}
	g := h.enter(alice, "dissolved")
	h.setGroup(g, func(g *chat.Group) { g.DissolvedAt = 1 })
	if part := h.sync(alice, g, 0); part == nil || part.Gone != chat.GoneDissolved {
		t.Errorf("dissolved: got %+v", part)
	}
	if part := h.sync(alice, "nowhere", 0); part != nil {
		t.Errorf("nowhere: got %+v", part)
	}
}

func TestSyncOfMeBringsPrivateRows(t *testing.T) {
	h := newHouse(t, noLimits())
	alice, bob := h.member("alice"), h.member("bob")
	kept, left := h.enter(alice, "kept"), h.enter(alice, "left")
	h.enter(bob, "kept")
	h.send(bob, kept, "hello")
	h.setState(left, alice, chat.MemberLeft)
	me := func(since chat.Seq) *chat.MeSync {
		t.Helper()
		answer, err := h.Sync(h.ctx, alice, chat.SyncQuery{Epoch: h.Epoch(), Me: &since})
		h.must(err)
		return answer.Me
	}
	all := me(0)
	if all.Head != 4 || all.User == nil || all.User.ID != alice.ID || len(all.Groups) != 1 || all.Groups[0].GroupID != kept ||
		all.Groups[0].Me.Unread != 1 || len(all.Left) != 1 || all.Left[0].GroupID != left || all.Left[0].Reason != chat.GoneLeft {
		t.Errorf("me is %+v", all)
	}
	if some := me(3); some.User != nil || len(some.Groups) != 0 || len(some.Left) != 1 {
		t.Errorf("after 3: %+v", some)
	}
	if none := me(4); none.User != nil || len(none.Groups)+len(none.Left) != 0 || none.Groups == nil {
		t.Errorf("after 4: %+v", none)
	}
	if beyond := me(99); len(beyond.Groups) != 1 {
		t.Errorf("after what never was: %+v", beyond)
	}
}

func TestSettingsAreToldWhereverMyRowsAre(t *testing.T) {
	h := newHouse(t, noLimits())
	alice := h.member("alice")
	h.enter(alice, "lobby")
	me := func(since chat.Seq) *chat.MeSync {
		t.Helper()
		answer, err := h.Sync(h.ctx, alice, chat.SyncQuery{Epoch: h.Epoch(), Me: &since})
		h.must(err)
		return answer.Me
	}
	if all, none := me(0), me(1); string(all.Settings) != "{}" || none.Settings != nil {
		t.Errorf("settings that were never set: %s from the beginning, %s after", all.Settings, none.Settings)
	}
	h.must(h.store.ChangeUser(h.ctx, alice.ID, func(tx chat.UserTx) error { return tx.PutSettings([]byte(`{"theme":"dark"}`)) }))
	if some, none := me(2), me(3); string(some.Settings) != `{"theme":"dark"}` || some.User != nil || some.Head != 3 || none.Settings != nil {
		t.Errorf("changed at 3: after 2 %+v, after 3 %+v", some, none)
	}
	all, err := h.Overview(h.ctx, alice)
	h.must(err)
	if string(all.Settings) != `{"theme":"dark"}` {
		t.Errorf("the overview has %s", all.Settings)
	}
	if nobody, err := h.Overview(h.ctx, h.guest("guest")); err != nil || string(nobody.Settings) != "{}" {
		t.Errorf("a guest's overview has %+v, %v", nobody, err)
	}
}

func TestSyncOfManyGroupsIsThatOfEach(t *testing.T) {
	h := newHouse(t, noLimits())
	alice, guest := h.member("alice"), h.guest("guest")
	heads := map[chat.GroupID]chat.Seq{"nowhere": 3}
	for i := range 20 {
		g := h.enter(alice, fmt.Sprint("room ", i))
		heads[g] = 3
		switch i % 4 {
		case 0:
			h.send(guest, g, "news")
		case 1:
			h.setState(g, alice, chat.MemberLeft)
		case 2:
			heads[g] = 99
		}
	}
	for _, u := range []*chat.User{alice, guest} {
		all, err := h.Sync(h.ctx, u, chat.SyncQuery{Epoch: h.Epoch(), Heads: heads})
		h.must(err)
		for g, head := range heads {
			one, err := h.Sync(h.ctx, u, chat.SyncQuery{Epoch: h.Epoch(), Heads: map[chat.GroupID]chat.Seq{g: head}})
			h.must(err)
			if !reflect.DeepEqual(all.Groups[g], one.Groups[g]) {
				t.Errorf("%s: among many %+v, alone %+v", g, all.Groups[g], one.Groups[g])
			}
		}
	}
}

func TestTooManyHeadsAreRefused(t *testing.T) {
	h := newHouse(t, noLimits())
	heads := map[chat.GroupID]chat.Seq{}
	for i := range 1001 {
		heads[chat.GroupID(fmt.Sprint(i))] = 0
	}
	if _, err := h.Sync(h.ctx, h.guest(""), chat.SyncQuery{Heads: heads}); code(err) != chat.CodeInvalid {
		t.Errorf("got %v", err)
	}
}
