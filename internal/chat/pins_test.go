package chat_test

import (
	"testing"

	"qun/internal/chat"
)

func TestPinsAreTheAdminsToSet(t *testing.T) {
	h := newHouse(t, noLimits())
	alice, bob := h.member("alice"), h.member("bob")
	g := h.enter(alice, "lobby")
	h.enter(bob, "lobby")
	one, two := h.send(bob, g, "one"), h.send(bob, g, "two")
	if _, err := h.Pin(h.ctx, bob, g, one.Seq, true); code(err) != chat.CodeForbidden {
		t.Errorf("a member: got %v", err)
	}
	for _, m := range []*chat.Message{two, one} {
		pinned, err := h.Pin(h.ctx, alice, g, m.Seq, true)
		if err != nil || pinned.PinnedAt == 0 {
			t.Errorf("got %+v, %v", pinned, err)
		}
	}
	head := h.head(g)
	if _, err := h.Pin(h.ctx, alice, g, one.Seq, true); err != nil || h.head(g) != head {
		t.Errorf("again: %v, head %d, want %d", err, h.head(g), head)
	}
	pins, err := h.Pins(h.ctx, bob, g)
	if err != nil || len(pins) != 2 {
		t.Errorf("got %+v, %v", pins, err)
	}
	off, err := h.Pin(h.ctx, alice, g, one.Seq, false)
	if err != nil || off.PinnedAt != 0 || h.head(g) != head+1 {
		t.Errorf("taken off: %+v, %v", off, err)
	}
	if pins, err = h.Pins(h.ctx, bob, g); err != nil || len(pins) != 1 || pins[0].Seq != two.Seq {
		t.Errorf("got %+v, %v", pins, err)
	}
	if _, err := h.Pins(h.ctx, h.member("carol"), g); code(err) != chat.CodeNotInRoom {
		t.Errorf("a stranger: got %v", err)
	}
	for range 99 {
		_, err := h.Pin(h.ctx, alice, g, h.send(bob, g, "more").Seq, true)
		h.must(err)
	}
	if _, err := h.Pin(h.ctx, alice, g, one.Seq, true); code(err) != chat.CodeForbidden {
		t.Errorf("the 101st: got %v", err)
	}
}
