package chat_test

import (
	"testing"
	"time"

	"qun/internal/chat"
)

// clocked is a house whose time the test moves.
func clocked(t *testing.T) (h *house, pass func(time.Duration)) {
	now := time.Now()
	cfg := noLimits()
	cfg.Now = func() time.Time { return now }
	return newHouse(t, cfg), func(d time.Duration) { now = now.Add(d) }
}

// owned is a group that u made.
func (h *house) owned(u *chat.User, in chat.NewGroup) chat.GroupID {
	h.t.Helper()
	g, err := h.CreateGroup(h.ctx, u, in)
	h.must(err)
	return g.Group.ID
}

func (h *house) tryEnter(u *chat.User, in chat.Entry) chat.Code {
	_, err := h.Enter(h.ctx, u, in)
	return code(err)
}

func TestKickedGuestStaysOutForTenMinutes(t *testing.T) {
	h, pass := clocked(t)
	boss, guest := h.member("boss"), h.guest("guest")
	g := h.owned(boss, chat.NewGroup{Name: "hall", Visibility: chat.VisibilityOpen})
	h.enter(guest, "hall")
	h.send(guest, g, "hello")
	kicked, err := h.Kick(h.ctx, boss, chat.Removal{Group: g, User: guest.ID, Addresses: []string{"192.0.2.1"}})
	h.must(err)
	if kicked.State != chat.MemberKicked {
		t.Errorf("kicked is %+v", kicked)
	}
	namesake, elsewhere := h.guest("guest"), h.guest("guest")
	for _, c := range []struct {
		after           time.Duration
		itself, another chat.Code
	}{{0, chat.CodeForbidden, chat.CodeForbidden}, {10*time.Minute - time.Millisecond, chat.CodeForbidden, chat.CodeForbidden}, {time.Millisecond, "", ""}} {
		pass(c.after)
		if got := h.tryEnter(guest, chat.Entry{Room: "hall"}); got != c.itself {
			t.Errorf("itself: got %q, want %q", got, c.itself)
		}
		if got := h.tryEnter(namesake, chat.Entry{Room: "hall", Address: "192.0.2.1"}); got != c.another {
			t.Errorf("one of its name from its address: got %q, want %q", got, c.another)
		}
		if got := h.tryEnter(elsewhere, chat.Entry{Room: "hall", Address: "192.0.2.2"}); got != "" {
			t.Errorf("one of its name from elsewhere: got %q", got)
		}
		_, err := h.SendMessage(h.ctx, guest, chat.NewMessage{Group: g, Entered: true, Text: "again"})
		if code(err) != c.itself {
			t.Errorf("speaks: got %v, want %q", err, c.itself)
		}
	}
	if m, err := h.Members(h.ctx, boss, chat.MemberQuery{Group: g, Search: "guest"}); err != nil || len(m.Members) != 1 {
		t.Errorf("members are %+v, %v", m, err)
	}
}

func TestBanEndsWhenItsTimeHasCome(t *testing.T) {
	h, pass := clocked(t)
	boss, bob := h.member("boss"), h.member("bob")
	g := h.owned(boss, chat.NewGroup{Name: "hall", Visibility: chat.VisibilityPublic, Members: []chat.UserID{bob.ID}})
	until := chat.TimeOf(h.cfg.Now().Add(time.Hour))
	_, err := h.Ban(h.ctx, boss, chat.Removal{Group: g, User: bob.ID, Until: until})
	h.must(err)
	head := h.group(g).Head
	_, err = h.Ban(h.ctx, boss, chat.Removal{Group: g, User: bob.ID, Until: until}) // is so
	h.must(err)
	if now := h.group(g).Head; now != head {
		t.Errorf("a ban that is so took %d numbers", now-head)
	}
	if got := h.tryEnter(bob, chat.Entry{Group: g}); got != chat.CodeForbidden {
		t.Errorf("banned: got %q", got)
	}
	pass(time.Hour)
	if got := h.tryEnter(bob, chat.Entry{Group: g}); got != "" {
		t.Errorf("after its time: got %q", got)
	}
	if _, err := h.Ban(h.ctx, boss, chat.Removal{Group: g, User: bob.ID, Until: until}); code(err) != chat.CodeInvalid {
		t.Errorf("until a time that has passed: got %v", err)
	}
	mine := h.events("", bob.ID)
	for _, e := range mine {
		if left := e.Me.Left; left != nil && (left.Reason != chat.GoneBanned || left.Until != until) {
			t.Errorf("bob was told %+v", left)
		}
	}
}

// group is the row of a group.
func (h *house) group(g chat.GroupID) (row *chat.Group) {
	h.t.Helper()
	h.must(h.store.View(h.ctx, func(r chat.Reader) (err error) { row, err = r.Group(g); return err }))
	return row
}
