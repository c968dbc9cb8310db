package chat_test

import (
	"fmt"
	"reflect"
	"testing"

	"qun/internal/chat"
)

func TestARecallEmptiesAndStaysCounted(t *testing.T) {
	h := newHouse(t, noLimits())
	alice, bob, carol := h.member("alice"), h.member("bob"), h.member("carol")
	g := h.enter(alice, "lobby")
	h.enter(bob, "lobby")
	h.enter(carol, "lobby")
	sent, err := h.SendMessage(h.ctx, bob, chat.NewMessage{Group: g, Text: "oops", ClientID: "1", Mentions: []chat.UserID{carol.ID}, ReplyTo: 3})
	h.must(err)
	m := sent.Message
	_, err = h.React(h.ctx, carol, g, m.Seq, "👍", true)
	h.must(err)
	_, err = h.Pin(h.ctx, alice, g, m.Seq, true)
	h.must(err)
	head := h.head(g)

	recalled, err := h.RecallMessage(h.ctx, bob, g, m.Seq)
	h.must(err)
	r := recalled.Message
	if r.Text != "" || r.Mentions != nil || r.Reactions != nil || r.PinnedAt != 0 || r.RecalledAt == 0 || r.Seq != m.Seq || r.Rev != head+1 {
		t.Errorf("got %+v", r)
	}
	if want := (&chat.Words{Text: "oops", Mentions: []chat.UserID{carol.ID}, ReplyTo: 3}); !reflect.DeepEqual(recalled.Before, want) {
		t.Errorf("its author is told %+v, want %+v", recalled.Before, want)
	}
	if told := h.lastChange(g); !reflect.DeepEqual(told, r) {
		t.Errorf("told %+v, want %+v", told, r)
	}
	again, err := h.RecallMessage(h.ctx, bob, g, m.Seq)
	if err != nil || !reflect.DeepEqual(again.Message, r) || again.Before != nil || h.head(g) != head+1 {
		t.Errorf("again: %+v, %v", again, err)
	}
	dup, err := h.SendMessage(h.ctx, bob, chat.NewMessage{Group: g, Text: "oops", ClientID: "1", ReplyTo: 3})
	if err != nil || !dup.Duplicate || dup.Message.Text != "" || dup.Message.RecalledAt == 0 {
		t.Errorf("sent again: %+v, %v", dup, err)
	}
	group, err := h.Group(h.ctx, carol, g)
	h.must(err)
	if group.Me.Unread != 1 || group.Me.Mentioned != 0 {
		t.Errorf("carol has %+v", group.Me)
	}
	for name, act := range map[string]func() error{
		"edited": func() error {
			_, err := h.EditMessage(h.ctx, bob, chat.Edit{Group: g, Seq: m.Seq, Text: "x"})
			return err
		},
		"pinned":    func() error { _, err := h.Pin(h.ctx, alice, g, m.Seq, true); return err },
		"reacted":   func() error { _, err := h.React(h.ctx, carol, g, m.Seq, "👍", true); return err },
		"forwarded": func() error { _, err := h.Forward(h.ctx, bob, chat.Forward{Group: g, Seq: m.Seq, To: g}); return err },
	} {
		if code(act()) != chat.CodeConflict {
			t.Errorf("it can be %s: %v", name, act())
		}
	}
}

func TestWhoMayRecall(t *testing.T) {
	h := newHouse(t, noLimits())
	alice, bob, carol := h.member("alice"), h.member("bob"), h.member("carol")
	g := h.enter(alice, "lobby")
	h.enter(bob, "lobby")
	h.enter(carol, "lobby")
	m := h.send(bob, g, "x")
	if _, err := h.RecallMessage(h.ctx, carol, g, m.Seq); code(err) != chat.CodeForbidden {
		t.Errorf("another member: %v", err)
	}
	if _, err := h.RecallMessage(h.ctx, alice, g, m.Seq-1); code(err) != chat.CodeInvalid {
		t.Errorf("a join line: %v", err)
	}
	recalled, err := h.RecallMessage(h.ctx, alice, g, m.Seq)
	if err != nil || recalled.Message.RecalledAt == 0 || recalled.Before != nil {
		t.Errorf("the owner: %+v, %v; what it said is its author's", recalled, err)
	}
}

func TestRecallingWhatOthersSaidIsInTheAudit(t *testing.T) {
	h := newHouse(t, noLimits())
	alice, bob := h.member("alice"), h.member("bob")
	g := h.enter(alice, "lobby")
	h.enter(bob, "lobby")
	his, hers := h.send(bob, g, "x"), h.send(alice, g, "y")
	for _, m := range []*chat.Message{his, hers} {
		_, err := h.RecallMessage(h.ctx, alice, g, m.Seq)
		h.must(err)
	}
	page, err := h.Audit(h.ctx, alice, chat.AuditQuery{Group: g})
	h.must(err)
	if len(page.Entries) != 1 || page.Entries[0].Act != "recall" || page.Entries[0].Target != bob.ID || page.Entries[0].Value != fmt.Sprint(his.Seq) {
		t.Errorf("got %+v", page.Entries)
	}
}

func TestInAGroupOfTwoOnlyTheAuthorRecalls(t *testing.T) {
	h := newHouse(t, noLimits())
	alice, bob := h.member("alice"), h.member("bob")
	direct, err := h.OpenDirect(h.ctx, alice, bob.ID)
	h.must(err)
	m := h.send(alice, direct.ID, "x")
	if _, err := h.RecallMessage(h.ctx, bob, direct.ID, m.Seq); code(err) != chat.CodeForbidden {
		t.Errorf("the other: got %v", err)
	}
	if pinned, err := h.Pin(h.ctx, bob, direct.ID, m.Seq, true); err != nil || pinned.PinnedAt == 0 {
		t.Errorf("the other pins: %+v, %v", pinned, err)
	}
	h.must(h.Block(h.ctx, bob, alice.ID, true))
	if _, err := h.EditMessage(h.ctx, alice, chat.Edit{Group: direct.ID, Seq: m.Seq, Text: "y"}); code(err) != chat.CodeForbidden {
		t.Errorf("who is blocked edits: got %v", err)
	}
	if _, err := h.React(h.ctx, alice, direct.ID, m.Seq, "👍", true); code(err) != chat.CodeForbidden {
		t.Errorf("who is blocked reacts: got %v", err)
	}
	if _, err := h.RecallMessage(h.ctx, alice, direct.ID, m.Seq); err != nil {
		t.Errorf("who is blocked takes its own words back: %v", err)
	}
}
