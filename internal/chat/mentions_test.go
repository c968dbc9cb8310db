package chat_test

import (
	"slices"
	"testing"

	"qun/internal/chat"
)

// mentioned is what the group says to u.
func (h *house) mentioned(u *chat.User, g chat.GroupID) int64 {
	h.t.Helper()
	group, err := h.Group(h.ctx, u, g)
	h.must(err)
	return group.Me.Mentioned
}

func (h *house) mention(by *chat.User, g chat.GroupID, who ...chat.UserID) *chat.Message {
	h.t.Helper()
	sent, err := h.SendMessage(h.ctx, by, chat.NewMessage{Group: g, Text: "hey", Mentions: who})
	h.must(err)
	return sent.Message
}

func TestMentionsCountUntilTheyAreRead(t *testing.T) {
	h := newHouse(t, noLimits())
	alice, bob, carol := h.member("alice"), h.member("bob"), h.member("carol")
	g := h.enter(alice, "lobby")
	h.enter(bob, "lobby")
	h.enter(carol, "lobby")
	want := func(what string, forBob, forCarol, forAlice int64) {
		t.Helper()
		got := [3]int64{h.mentioned(bob, g), h.mentioned(carol, g), h.mentioned(alice, g)}
		if got != [3]int64{forBob, forCarol, forAlice} {
			t.Errorf("%s: got %v, want %v", what, got, [3]int64{forBob, forCarol, forAlice})
		}
		for i, u := range []*chat.User{bob, carol, alice} {
			all, err := h.Overview(h.ctx, u)
			h.must(err)
			if n := all.Groups[0].Me.Mentioned; n != got[i] {
				t.Errorf("%s: the overview of %s says %d, the group %d", what, u.NickName, n, got[i])
			}
		}
	}
	first := h.mention(alice, g, bob.ID, bob.ID, alice.ID)
	want("one mentioned, and the sender itself", 1, 0, 0)
	if !slices.Equal(first.Mentions, []chat.UserID{bob.ID, alice.ID}) {
		t.Errorf("the message mentions %v", first.Mentions)
	}
	all := h.mention(alice, g, chat.MentionAll, bob.ID)
	want("everybody, and one of them by name", 2, 1, 0)
	h.mention(carol, g, bob.ID)
	want("once more", 3, 1, 0)
	_, err := h.ReadUpTo(h.ctx, bob, g, first.Seq)
	h.must(err)
	want("the first is read", 2, 1, 0)
	_, err = h.RecallMessage(h.ctx, alice, g, all.Seq)
	h.must(err)
	want("everybody's is recalled", 1, 0, 0)
	state, err := h.ReadUpTo(h.ctx, bob, g, 1000)
	h.must(err)
	if state.Mentioned != 0 || state.Unread != 0 {
		t.Errorf("all read: %+v", state)
	}
	want("all is read", 0, 0, 0)
	h.close()
	h.open()
	want("after a restart", 0, 0, 0)
}

func TestAMentionIsToldToWhomItCalls(t *testing.T) {
	h := newHouse(t, noLimits())
	alice, bob, carol := h.member("alice"), h.member("bob"), h.member("carol")
	g := h.enter(alice, "lobby")
	h.enter(bob, "lobby")
	h.enter(carol, "lobby")
	flush := func() {
		t.Helper()
		h.must(h.Service.Close(h.ctx))
		h.Service = chat.New(h.store, h, h.cfg)
	}
	flush()
	before := len(h.events("", carol.ID))
	m := h.mention(alice, g, bob.ID, "nobody", h.member("stranger").ID)
	if !slices.Equal(m.Mentions, []chat.UserID{bob.ID}) {
		t.Errorf("who is no member is mentioned: %v", m.Mentions)
	}
	told := func() *chat.GroupMe {
		t.Helper()
		flush()
		events := h.events("", bob.ID)
		return events[len(events)-1].Me.Group.Me
	}
	if me := told(); me.Mentioned != 1 || me.Unread != 1 {
		t.Errorf("bob heard %+v", me)
	}
	_, err := h.EditMessage(h.ctx, alice, chat.Edit{Group: g, Seq: m.Seq, Text: "hey, you"})
	h.must(err)
	if me := told(); me.Mentioned != 0 || me.Unread != 1 {
		t.Errorf("after the edit took it back bob heard %+v", me)
	}
	_, err = h.EditMessage(h.ctx, alice, chat.Edit{Group: g, Seq: m.Seq, Text: "hey, you", Mentions: []chat.UserID{bob.ID, "nobody"}})
	h.must(err)
	if me := told(); me.Mentioned != 1 {
		t.Errorf("after the edit called again bob heard %+v", me)
	}
	_, err = h.RecallMessage(h.ctx, alice, g, m.Seq)
	h.must(err)
	if me := told(); me.Mentioned != 0 || me.Unread != 1 {
		t.Errorf("after the recall bob heard %+v", me)
	}
	if n := len(h.events("", carol.ID)); n != before {
		t.Errorf("carol heard %d times of it", n-before)
	}
	since := h.events("", bob.ID)[0].Number
	missed, err := h.Sync(h.ctx, bob, chat.SyncQuery{Epoch: h.Epoch(), Me: &since})
	h.must(err)
	if len(missed.Me.Groups) != 1 || missed.Me.Groups[0].Me.Mentioned != 0 {
		t.Errorf("sync of me: %+v", missed.Me)
	}
}

func TestOnlyOwnersAndAdminsCallEverybody(t *testing.T) {
	h := newHouse(t, noLimits())
	alice, bob := h.member("alice"), h.member("bob")
	g := h.enter(alice, "lobby")
	h.enter(bob, "lobby")
	all := []chat.UserID{chat.MentionAll}
	if _, err := h.SendMessage(h.ctx, bob, chat.NewMessage{Group: g, Text: "x", Mentions: all}); code(err) != chat.CodeForbidden {
		t.Errorf("a member: got %v", err)
	}
	if _, err := h.SendMessage(h.ctx, h.guest("guest"), chat.NewMessage{Group: g, Entered: true, Text: "x", Mentions: all}); code(err) != chat.CodeForbidden {
		t.Errorf("a guest's first words: got %v", err)
	}
	m := h.send(bob, g, "x")
	if _, err := h.EditMessage(h.ctx, bob, chat.Edit{Group: g, Seq: m.Seq, Text: "y", Mentions: all}); code(err) != chat.CodeForbidden {
		t.Errorf("a member by an edit: got %v", err)
	}
	if _, err := h.SendMessage(h.ctx, bob, chat.NewMessage{Group: g, Text: "x", Mentions: make([]chat.UserID, 51)}); code(err) != chat.CodeTooLarge {
		t.Errorf("too many: got %v", err)
	}
	h.mention(alice, g, chat.MentionAll)
	if n := h.mentioned(bob, g); n != 1 {
		t.Errorf("bob has %d mentions", n)
	}
}

func TestWhoIsBlockedMarksNobody(t *testing.T) {
	h := newHouse(t, noLimits())
	alice, bob, carol := h.member("alice"), h.member("bob"), h.member("carol")
	g := h.enter(alice, "lobby")
	h.enter(bob, "lobby")
	h.enter(carol, "lobby")
	h.must(h.Block(h.ctx, bob, alice.ID, true))
	m := h.mention(alice, g, bob.ID, carol.ID)
	if !slices.Equal(m.Mentions, []chat.UserID{carol.ID}) || h.mentioned(bob, g) != 0 || h.mentioned(carol, g) != 1 {
		t.Errorf("mentions %v; bob has %d, carol %d", m.Mentions, h.mentioned(bob, g), h.mentioned(carol, g))
	}
	edited, err := h.EditMessage(h.ctx, alice, chat.Edit{Group: g, Seq: m.Seq, Text: "again", Mentions: []chat.UserID{bob.ID}})
	h.must(err)
	if len(edited.Mentions) != 0 || h.mentioned(bob, g) != 0 {
		t.Errorf("by an edit: mentions %v", edited.Mentions)
	}
	h.must(h.Block(h.ctx, bob, alice.ID, false))
	h.mention(alice, g, bob.ID)
	if n := h.mentioned(bob, g); n != 1 {
		t.Errorf("no longer blocked: %d", n)
	}
}

func TestRetentionTakesMarksAlong(t *testing.T) {
	a := newAging(t, 30)
	alice, bob := a.member("alice"), a.member("bob")
	g := a.enter(alice, "lobby")
	a.enter(bob, "lobby")
	old := a.mention(alice, g, bob.ID)
	_, err := a.React(a.ctx, bob, g, old.Seq, "👍", true)
	a.must(err)
	a.pass(31)
	a.mention(alice, g, bob.ID)
	a.must(a.Expire(a.ctx))
	if n := a.mentioned(bob, g); n != 1 {
		t.Errorf("bob has %d mentions, want that of the message that is left", n)
	}
	if _, err := a.React(a.ctx, bob, g, old.Seq, "👍", false); code(err) != chat.CodeNotFound {
		t.Errorf("what is erased: got %v", err)
	}
}
