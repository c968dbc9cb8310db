package chat_test

import (
	"reflect"
	"testing"
	"testing/synctest"
	"time"

	"qun/internal/chat"
)

// lastChange is the last message whose change a group heard of.
func (h *house) lastChange(g chat.GroupID) *chat.Message {
	h.t.Helper()
	events := h.events(g, "")
	last := events[len(events)-1]
	if last.Change == nil || last.Change.Message == nil || last.Number != last.Change.Message.Rev {
		h.t.Fatalf("the last event is %+v", last)
	}
	return last.Change.Message
}

func TestAnEditIsOneNumberAndAgainNone(t *testing.T) {
	h := newHouse(t, noLimits())
	alice, bob := h.member("alice"), h.member("bob")
	g := h.enter(alice, "lobby")
	h.enter(bob, "lobby")
	m := h.send(alice, g, "helo")
	h.send(bob, g, "later")
	head := h.head(g)
	edited, err := h.EditMessage(h.ctx, alice, chat.Edit{Group: g, Seq: m.Seq, Text: "hello"})
	h.must(err)
	if edited.Text != "hello" || edited.Seq != m.Seq || edited.Rev != head+1 || edited.EditedAt == 0 || edited.SentAt != m.SentAt {
		t.Errorf("got %+v", edited)
	}
	if told := h.lastChange(g); !reflect.DeepEqual(told, edited) {
		t.Errorf("told %+v, want %+v", told, edited)
	}
	again, err := h.EditMessage(h.ctx, alice, chat.Edit{Group: g, Seq: m.Seq, Text: "hello"})
	if err != nil || !reflect.DeepEqual(again, edited) || h.head(g) != head+1 {
		t.Errorf("the same again: %+v, %v, head %d", again, err, h.head(g))
	}
	for name, c := range map[string]struct {
		by   *chat.User
		in   chat.Edit
		want chat.Code
	}{
		"somebody else's": {bob, chat.Edit{Seq: m.Seq, Text: "x"}, chat.CodeForbidden},
		"nothing":         {alice, chat.Edit{Seq: m.Seq, Text: ""}, chat.CodeInvalid},
		"no message":      {alice, chat.Edit{Seq: 99, Text: "x"}, chat.CodeNotFound},
		"a join line":     {bob, chat.Edit{Seq: m.Seq - 1, Text: "x"}, chat.CodeInvalid},
		"a stranger":      {h.member("carol"), chat.Edit{Seq: m.Seq, Text: "x"}, chat.CodeNotInRoom},
		"a silent guest":  {h.guest("guest"), chat.Edit{Seq: m.Seq, Text: "x"}, chat.CodeForbidden},
	} {
		c.in.Group = g
		if _, err := h.EditMessage(h.ctx, c.by, c.in); code(err) != c.want {
			t.Errorf("%s: got %v, want %s", name, err, c.want)
		}
	}
	if _, err := h.EditMessage(h.ctx, alice, chat.Edit{Group: "nowhere", Seq: 1, Text: "x"}); code(err) != chat.CodeNotFound {
		t.Errorf("no group: got %v", err)
	}
	h.setGroup(g, func(g *chat.Group) { g.MutedAll = true })
	if _, err := h.EditMessage(h.ctx, bob, chat.Edit{Group: g, Seq: m.Seq + 1, Text: "x"}); code(err) != chat.CodeMuted {
		t.Errorf("muted: got %v", err)
	}
}

func TestEditsAndRecallsHaveTheirTime(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		cfg := noLimits()
		cfg.Limits.EditWithin, cfg.Limits.RecallWithin = time.Minute, 10*time.Second
		h := newHouse(t, cfg)
		alice, bob := h.member("alice"), h.member("bob")
		g := h.enter(alice, "lobby")
		h.enter(bob, "lobby")
		first, second := h.send(bob, g, "one"), h.send(bob, g, "two")
		time.Sleep(10 * time.Second)
		if _, err := h.RecallMessage(h.ctx, bob, g, first.Seq); err != nil {
			t.Errorf("in time: %v", err)
		}
		time.Sleep(time.Millisecond)
		if _, err := h.RecallMessage(h.ctx, bob, g, second.Seq); code(err) != chat.CodeForbidden {
			t.Errorf("recalled too late: %v", err)
		}
		time.Sleep(50*time.Second - time.Millisecond)
		if _, err := h.EditMessage(h.ctx, bob, chat.Edit{Group: g, Seq: second.Seq, Text: "2"}); err != nil {
			t.Errorf("edited in time: %v", err)
		}
		time.Sleep(time.Millisecond)
		if _, err := h.EditMessage(h.ctx, bob, chat.Edit{Group: g, Seq: second.Seq, Text: "3"}); code(err) != chat.CodeForbidden {
			t.Errorf("edited too late: %v", err)
		}
		if _, err := h.RecallMessage(h.ctx, alice, g, second.Seq); err != nil {
			t.Errorf("the owner recalls at any time: %v", err)
		}
		h.close()
		h.cfg.Limits.EditWithin, h.cfg.Limits.RecallWithin = 0, 0
		h.open()
		third := h.send(bob, g, "three")
		time.Sleep(365 * 24 * time.Hour)
		if _, err := h.EditMessage(h.ctx, bob, chat.Edit{Group: g, Seq: third.Seq, Text: "3"}); err != nil {
			t.Errorf("without a limit: %v", err)
		}
		if _, err := h.RecallMessage(h.ctx, bob, g, third.Seq); err != nil {
			t.Errorf("without a limit: %v", err)
		}
	})
}
