package chat_test

import (
	"strings"
	"testing"

	"qun/internal/chat"
)

func ptr[T any](v T) *T { return &v }

func TestWhatIsPrivateOfAMembershipTakesTheUsersNumberAlone(t *testing.T) {
	h := newHouse(t, noLimits())
	alice, bob := h.member("alice"), h.member("bob")
	g := h.enter(alice, "lobby")
	h.enter(bob, "lobby")
	h.mention(alice, g, bob.ID)
	head := h.head(g)
	update := func(in chat.MembershipUpdate) *chat.GroupState {
		t.Helper()
		in.Group = g
		state, err := h.UpdateMembership(h.ctx, bob, in)
		h.must(err)
		return state
	}
	state := update(chat.MembershipUpdate{Notify: ptr(chat.NotifyMentions), Pinned: ptr(true), Draft: ptr("half a sen")})
	if state.Me.Notify != chat.NotifyMentions || !state.Me.Pinned || state.Draft != "half a sen" || state.Me.Mentioned != 1 || state.Me.Unread != 1 {
		t.Errorf("got %+v, %+v", state, state.Me)
	}
	events := h.events("", bob.ID)
	last := events[len(events)-1].Me.Group
	if last.Draft != "half a sen" || last.Me.Notify != chat.NotifyMentions || last.Me.Mentioned != 1 {
		t.Errorf("other devices heard %+v, %+v", last, last.Me)
	}
	again := update(chat.MembershipUpdate{Notify: ptr(chat.NotifyMentions), Draft: ptr("half a sen")})
	if n := len(h.events("", bob.ID)); n != len(events) || again.Draft != "half a sen" {
		t.Errorf("the same again was told %d times: %+v", n-len(events), again)
	}
	if now := h.head(g); now != head {
		t.Errorf("the group's head went from %d to %d", head, now)
	}
	if state := update(chat.MembershipUpdate{Draft: ptr("")}); state.Draft != "" || !state.Me.Pinned {
		t.Errorf("without a draft: %+v", state)
	}
	all, err := h.Overview(h.ctx, bob)
	h.must(err)
	if c := all.Groups[0]; c.Me.Notify != chat.NotifyMentions || c.Draft != "" {
		t.Errorf("the overview has %+v", c)
	}
	for name, in := range map[string]chat.MembershipUpdate{
		"notify": {Notify: ptr(chat.Notify("loud"))},
		"long":   {Draft: ptr(strings.Repeat("群", 8001))},
		"text":   {Draft: ptr("\x00")},
	} {
		in.Group = g
		if _, err := h.UpdateMembership(h.ctx, bob, in); code(err) != chat.CodeInvalid && code(err) != chat.CodeTooLarge {
			t.Errorf("%s: got %v", name, err)
		}
	}
	in := chat.MembershipUpdate{Group: g, Draft: ptr("x")}
	if _, err := h.UpdateMembership(h.ctx, h.member("carol"), in); code(err) != chat.CodeNotInRoom {
		t.Errorf("a stranger: got %v", err)
	}
	if _, err := h.UpdateMembership(h.ctx, h.guest("guest"), in); code(err) != chat.CodeForbidden {
		t.Errorf("a silent guest: got %v", err)
	}
}

func TestANameInTheGroupIsSharedAndOnesOwn(t *testing.T) {
	h := newHouse(t, noLimits())
	alice, bob := h.member("alice"), h.member("bob")
	g := h.enter(alice, "lobby")
	h.enter(bob, "lobby")
	nick := func(u *chat.User, name string) (*chat.GroupState, error) {
		return h.UpdateMembership(h.ctx, u, chat.MembershipUpdate{Group: g, GroupNick: &name})
	}
	head := h.head(g)
	state, err := nick(bob, "  老王 ")
	if err != nil || state.Me.GroupNick != "老王" || h.head(g) != head+1 {
		t.Fatalf("got %+v, %v, head %d", state, err, h.head(g))
	}
	events := h.events(g, "")
	if m := events[len(events)-1].Change.Member; m == nil || m.GroupNick != "老王" || m.Rev != head+1 {
		t.Errorf("told %+v", m)
	}
	if _, err := nick(bob, "老王"); err != nil || h.head(g) != head+1 {
		t.Errorf("the same again: %v, head %d", err, h.head(g))
	}
	if m := h.send(bob, g, "hello"); m.NickName != "老王" {
		t.Errorf("speaks as %q", m.NickName)
	}
	for name, want := range map[string]chat.Code{
		"老王": chat.CodeNameTaken, "bob": chat.CodeNameTaken, "B0B": chat.CodeNameTaken, "系统": chat.CodeInvalid,
		"x（访客）": chat.CodeInvalid, strings.Repeat("x", 33): chat.CodeInvalid, "a\u202eb": chat.CodeInvalid, "alice": "", "": "",
	} {
		if _, err := nick(alice, name); code(err) != want {
			t.Errorf("%q: got %v, want %q", name, err, want)
		}
	}
	if _, err := nick(bob, ""); err != nil {
		t.Errorf("given up: %v", err)
	}
	if m := h.send(bob, g, "hello"); m.NickName != "bob" {
		t.Errorf("speaks as %q", m.NickName)
	}
	if _, err := nick(alice, "老王"); err != nil {
		t.Errorf("free again: %v", err)
	}
	h.setState(g, alice, chat.MemberLeft)
	if _, err := nick(bob, "老王"); err != nil {
		t.Errorf("of one who left: %v", err)
	}
	guest := h.guest("guest")
	h.send(guest, g, "hi")
	if _, err := nick(guest, "admin"); code(err) != chat.CodeForbidden {
		t.Errorf("a guest: got %v", err)
	}
}
