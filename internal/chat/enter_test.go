package chat_test

import (
	"fmt"
	"strings"
	"sync"
	"testing"

	"qun/internal/chat"
)

func TestGuestMakesAnOpenRoomByEntering(t *testing.T) {
	h := newHouse(t, noLimits())
	ming := h.guest("小明")
	entered, err := h.Enter(h.ctx, ming, chat.Entry{Room: "我的 房间 🏠", Plain: true})
	h.must(err)
	g, line := entered.Group, entered.JoinLine
	if g.Room != "我的 房间 🏠" || g.Visibility != chat.VisibilityOpen || g.MemberCount != 0 || g.Me == nil {
		t.Errorf("group is %+v", g)
	}
	if line == nil || line.Text != "小明 加入了 我的 房间 🏠 房间" || line.Kind != chat.MessageJoin || line.Seq != 0 || line.NickName != "小明" || line.Room != g.Room {
		t.Errorf("join line is %+v", line)
	}
	snap, err := h.Snapshot(h.ctx, ming, g.ID)
	h.must(err)
	if len(snap.Messages) != 0 || snap.Head != 1 || snap.Epoch != h.Epoch() {
		t.Errorf("snapshot is %+v", snap)
	}
	if _, err := h.User(h.ctx, ming.ID); code(err) != chat.CodeNotFound {
		t.Errorf("a guest that never spoke left a row: %v", err)
	}
}

func TestRoomsMeetWhateverTheirSpelling(t *testing.T) {
	h := newHouse(t, noLimits())
	first := h.enter(h.guest(""), "Lobby")
	for _, spelling := range []string{" lobby", "ＬＯＢＢＹ", "lob\u200bby"} {
		entered, err := h.Enter(h.ctx, h.guest(""), chat.Entry{Room: spelling})
		h.must(err)
		if entered.Group.ID != first || entered.Group.Room != "Lobby" {
			t.Errorf("%q leads to %+v", spelling, entered.Group)
		}
	}
}

func TestManyWhoEnterAtOnceMeet(t *testing.T) {
	h := newHouse(t, noLimits())
	var users []*chat.User
	for i := range 8 {
		users = append(users, h.guest(""), h.member(fmt.Sprintf("user%c", 'a'+i)))
	}
	groups := make(chan chat.GroupID, len(users))
	var wait sync.WaitGroup
	for _, u := range users {
		wait.Go(func() {
			entered, err := h.Enter(h.ctx, u, chat.Entry{Room: "lobby"})
			if err != nil {
				t.Error(err)
				return
			}
			groups <- entered.Group.ID
		})
	}
	wait.Wait()
	close(groups)
	first := <-groups
	for g := range groups {
		if g != first {
			t.Fatalf("entered %s and %s", first, g)
		}
	}
	if g, err := h.Group(h.ctx, users[1], first); err != nil || g.MemberCount != 8 {
		t.Errorf("%+v, %v; want 8 members", g, err)
	}
}

func TestMembershipBeginsOnceWithAStoredLine(t *testing.T) {
	h := newHouse(t, noLimits())
	alice, bob := h.member("alice"), h.member("bob")
	g := h.enter(alice, "lobby")
	for range 3 {
		entered, err := h.Enter(h.ctx, bob, chat.Entry{Group: g})
		h.must(err)
		if entered.JoinLine != nil || entered.Group.Me.Role != chat.RoleMember {
			t.Errorf("entered %+v", entered)
		}
	}
	snap, err := h.Snapshot(h.ctx, alice, g)
	h.must(err)
	if len(snap.Messages) != 2 || snap.Messages[1].Text != "bob 加入了 lobby 房间" || snap.Messages[1].Kind != chat.MessageJoin || snap.Messages[1].Seq == 0 {
		t.Errorf("messages are %+v", snap.Messages)
	}
	if snap.Group.Me.Role != chat.RoleOwner || snap.Group.Me.Unread != 0 || snap.Group.MemberCount != 2 {
		t.Errorf("group is %+v, me %+v", snap.Group, snap.Group.Me)
	}
	mine := h.events("", bob.ID)
	if len(mine) != 1 || mine[0].Me.Group == nil || mine[0].Me.Group.GroupID != g || mine[0].Number != 2 {
		t.Errorf("bob's devices heard %+v", mine)
	}
}

func TestJoinLineOfAGuestIsToldOncePerGroupUnlessPlain(t *testing.T) {
	h := newHouse(t, noLimits())
	token, plain := h.guest("token"), h.guest("plain")
	for i := range 3 {
		for _, c := range []struct {
			who  *chat.User
			room string
			want bool
		}{{token, "one", i == 0}, {token, "two", i == 0}, {plain, "one", true}} {
			entered, err := h.Enter(h.ctx, c.who, chat.Entry{Room: c.room, Plain: c.who == plain})
			h.must(err)
			if told := entered.JoinLine != nil; told != c.want {
				t.Errorf("entry %d of %s to %s: told %v, want %v", i, c.who.NickName, c.room, told, c.want)
			}
		}
	}
	spoken := h.guest("spoken")
	g := h.enter(spoken, "one")
	h.send(spoken, g, "hello")
	h.close()
	h.open()
	entered, err := h.Enter(h.ctx, spoken, chat.Entry{Room: "one"})
	h.must(err)
	if entered.JoinLine != nil {
		t.Error("a guest who is a member is told again after a restart")
	}
}

func TestGuestPolicyHolds(t *testing.T) {
	for policy, want := range map[chat.GuestPolicy][3]chat.Code{ // enter a new room, an old one, speak in it
		chat.GuestsOpen: {"", "", ""},
		chat.GuestsJoin: {chat.CodeNotFound, "", ""},
		chat.GuestsOff:  {chat.CodeForbidden, chat.CodeForbidden, chat.CodeForbidden},
	} {
		cfg := noLimits()
		cfg.Guests = policy
		h := newHouse(t, cfg)
		g := h.enter(h.member("alice"), "old")
		guest := h.guest("guest")
		_, fresh := h.Enter(h.ctx, guest, chat.Entry{Room: "new"})
		_, old := h.Enter(h.ctx, guest, chat.Entry{Room: "old"})
		_, speak := h.SendMessage(h.ctx, guest, chat.NewMessage{Group: g, Entered: true, Text: "hello"})
		if got := [3]chat.Code{code(fresh), code(old), code(speak)}; got != want {
			t.Errorf("guests=%s: got %v, want %v", policy, got, want)
		}
		h.enter(h.member("bob"), "a member's")
		if policy != chat.GuestsOff {
			h.close()
			h.cfg.Guests = chat.GuestsOff
			h.open()
			_, read := h.Snapshot(h.ctx, guest, g)
			_, speak := h.SendMessage(h.ctx, guest, chat.NewMessage{Group: g, Entered: true, Text: "hello"})
			if code(read) != chat.CodeForbidden || code(speak) != chat.CodeForbidden {
				t.Errorf("a guest from before, with guests off: reads %v, speaks %v", read, speak)
			}
		}
	}
}

func TestWhoMayNotEnterIsRefusedAlike(t *testing.T) {
	h := newHouse(t, noLimits())
	alice, bob, guest := h.member("alice"), h.member("bob"), h.guest("guest")
	private, public, invite := h.enter(alice, "private"), h.enter(alice, "public"), h.enter(alice, "invite")
	h.setGroup(private, func(g *chat.Group) { g.Visibility = chat.VisibilityPrivate })
	h.setGroup(public, func(g *chat.Group) { g.Visibility = chat.VisibilityPublic })
	h.setGroup(invite, func(g *chat.Group) { g.Joining = chat.JoiningInvite })
	for _, c := range []struct {
		who  *chat.User
		g    chat.GroupID
		want chat.Code
	}{
		{bob, "nowhere", chat.CodeNotFound}, {bob, private, chat.CodeNotFound}, {guest, private, chat.CodeNotFound},
		{guest, public, chat.CodeNotFound}, {bob, invite, chat.CodeForbidden}, {bob, public, ""}, {alice, private, ""},
	} {
		if _, err := h.Enter(h.ctx, c.who, chat.Entry{Group: c.g}); code(err) != c.want {
			t.Errorf("%s enters %s: got %v, want %q", c.who.NickName, c.g, err, c.want)
		}
		if c.want == chat.CodeForbidden || c.want == "" {
			continue
		}
		_, history := h.History(h.ctx, c.who, chat.HistoryQuery{Group: c.g})
		_, group := h.Group(h.ctx, c.who, c.g)
		_, read := h.ReadUpTo(h.ctx, c.who, c.g, 1)
		_, send := h.SendMessage(h.ctx, c.who, chat.NewMessage{Group: c.g, Entered: true, Text: "x"})
		for act, err := range map[string]error{"history": history, "group": group, "read": read, "send": send} {
			if code(err) != chat.CodeNotFound {
				t.Errorf("%s, %s of %s: got %v, want %s", c.who.NickName, act, c.g, err, chat.CodeNotFound)
			}
		}
	}
}

func TestRemovedStayOut(t *testing.T) {
	h := newHouse(t, noLimits())
	alice, bob, guest := h.member("alice"), h.member("bob"), h.guest("guest")
	g := h.enter(alice, "lobby")
	h.enter(bob, "lobby")
	h.send(guest, g, "hello")
	h.setState(g, bob, chat.MemberBanned)
	h.change(g, func(tx chat.GroupTx) error {
		m, err := tx.Membership(guest.ID)
		if err != nil {
			return err
		}
		m.State, m.OutUntil = chat.MemberKicked, chat.Forever
		return tx.PutMembership(m)
	})
	for _, who := range []*chat.User{bob, guest} {
		if _, err := h.Enter(h.ctx, who, chat.Entry{Room: "lobby"}); code(err) != chat.CodeForbidden {
			t.Errorf("%s enters: got %v", who.NickName, err)
		}
		if _, err := h.Snapshot(h.ctx, who, g); code(err) != chat.CodeForbidden {
			t.Errorf("%s reads: got %v", who.NickName, err)
		}
		if _, err := h.SendMessage(h.ctx, who, chat.NewMessage{Group: g, Entered: true, Text: "x"}); code(err) != chat.CodeForbidden {
			t.Errorf("%s speaks: got %v", who.NickName, err)
		}
	}
}

func TestLimitsOfGroupsHold(t *testing.T) {
	cfg := noLimits()
	cfg.Limits.GroupsPerUser, cfg.Limits.MembersPerGroup = 2, 2
	h := newHouse(t, cfg)
	alice, bob, carol := h.member("alice"), h.member("bob"), h.member("carol")
	g := h.enter(alice, "one")
	h.enter(alice, "two")
	if _, err := h.Enter(h.ctx, alice, chat.Entry{Room: "three"}); code(err) != chat.CodeForbidden {
		t.Errorf("a third group: got %v", err)
	}
	h.enter(bob, "one")
	if _, err := h.Enter(h.ctx, carol, chat.Entry{Room: "one"}); code(err) != chat.CodeForbidden {
		t.Errorf("a third member: got %v", err)
	}
	if _, err := h.SendMessage(h.ctx, h.guest(""), chat.NewMessage{Group: g, Entered: true, Text: "x"}); code(err) != chat.CodeForbidden {
		t.Errorf("a guest speaks in a full group: got %v", err)
	}
	h.enter(alice, "one")
}

func TestEnteringTooFastIsSilentAndMakesNoRooms(t *testing.T) {
	h := newHouse(t, chat.Config{})
	guest := h.guest("guest")
	h.enter(guest, "lobby")
	told := 0
	for range 30 {
		entered, err := h.Enter(h.ctx, guest, chat.Entry{Room: "lobby", Plain: true})
		h.must(err)
		if entered.JoinLine != nil {
			told++
		}
	}
	if told == 0 || told > 12 {
		t.Errorf("told %d times of 30", told)
	}
	if _, err := h.Enter(h.ctx, guest, chat.Entry{Room: "one more"}); code(err) != chat.CodeRateLimited {
		t.Errorf("a new room: got %v, want %s", err, chat.CodeRateLimited)
	}
}

func TestBadRoomNamesAreRefused(t *testing.T) {
	h := newHouse(t, noLimits())
	for _, room := range []string{"", "  ", "\u200b", "a\u202eb", "a\x00b", strings.Repeat("群", 65)} {
		if _, err := h.Enter(h.ctx, h.guest(""), chat.Entry{Room: room}); code(err) != chat.CodeInvalid {
			t.Errorf("%q: got %v", room, err)
		}
	}
}
