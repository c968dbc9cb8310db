package chat_test

import (
	"slices"
	"testing"

	"qun/internal/chat"
)

func TestForwardSaysItElsewhereOnce(t *testing.T) {
	h := newHouse(t, noLimits())
	alice, bob := h.member("alice"), h.member("bob")
	from, to := h.enter(alice, "from"), h.enter(bob, "to")
	h.enter(bob, "from")
	sent, err := h.SendMessage(h.ctx, alice, chat.NewMessage{Group: from, Text: "news", Mentions: []chat.UserID{bob.ID}})
	h.must(err)
	in := chat.Forward{Group: from, Seq: sent.Message.Seq, To: to, ClientID: "1"}
	first, err := h.Forward(h.ctx, bob, in)
	h.must(err)
	m := first.Message
	if m.Text != "news" || m.UserID != bob.ID || m.GroupID != to || len(m.Mentions) != 0 || m.ReplyTo != 0 {
		t.Errorf("got %+v", m)
	}
	_, err = h.RecallMessage(h.ctx, alice, from, sent.Message.Seq)
	h.must(err)
	again, err := h.Forward(h.ctx, bob, in)
	if err != nil || !again.Duplicate || again.Message.Seq != m.Seq || again.Message.Text != "news" {
		t.Errorf("again, though the source is gone: %+v, %v", again, err)
	}
	in.ClientID = "2"
	if _, err := h.Forward(h.ctx, bob, in); code(err) != chat.CodeConflict {
		t.Errorf("a recalled one: got %v", err)
	}
	in.ClientID = "1"
	in.Seq++
	if _, err := h.Forward(h.ctx, bob, in); code(err) != chat.CodeConflict {
		t.Errorf("another request under the clientId: got %v", err)
	}
	if _, err := h.SendMessage(h.ctx, bob, chat.NewMessage{Group: to, Text: "news", ClientID: "1"}); code(err) != chat.CodeConflict {
		t.Errorf("a message under the clientId: got %v", err)
	}
}

func TestForwardNeedsBothGroups(t *testing.T) {
	h := newHouse(t, noLimits())
	alice, bob, carol := h.member("alice"), h.member("bob"), h.member("carol")
	from, to := h.enter(alice, "from"), h.enter(bob, "to")
	h.enter(carol, "to")
	h.enter(bob, "from")
	m := h.send(alice, from, "secret")
	if _, err := h.Forward(h.ctx, carol, chat.Forward{Group: from, Seq: m.Seq, To: to}); code(err) != chat.CodeNotInRoom {
		t.Errorf("who cannot read it: got %v", err)
	}
	if _, err := h.Forward(h.ctx, alice, chat.Forward{Group: from, Seq: m.Seq, To: to}); code(err) != chat.CodeNotInRoom {
		t.Errorf("who is not there: got %v", err)
	}
	if _, err := h.Forward(h.ctx, bob, chat.Forward{Group: from, Seq: 1, To: to}); code(err) != chat.CodeNotFound {
		t.Errorf("no message: got %v", err)
	}
	if _, err := h.Forward(h.ctx, bob, chat.Forward{Group: from, Seq: m.Seq - 1, To: to}); code(err) != chat.CodeInvalid {
		t.Errorf("a join line: got %v", err)
	}
}

func TestForwardTakesFilesAlong(t *testing.T) {
	h, _ := withFiles(t, nil)
	alice, bob, carol := h.member("alice"), h.member("bob"), h.member("carol")
	from, to := h.enter(alice, "from"), h.enter(bob, "to")
	h.enter(bob, "from")
	h.enter(carol, "to")
	for _, g := range []chat.GroupID{from, to} {
		h.setGroup(g, func(row *chat.Group) { row.Visibility = chat.VisibilityPrivate })
	}
	cat := h.upload(alice, "cat.png", "image of a cat")
	sent, err := h.SendMessage(h.ctx, alice, chat.NewMessage{Group: from, Files: []chat.FileID{cat.ID}})
	h.must(err)
	if h.sees(carol, cat) {
		t.Error("carol sees it before")
	}
	got, err := h.Forward(h.ctx, bob, chat.Forward{Group: from, Seq: sent.Message.Seq, To: to})
	h.must(err)
	if m := got.Message; m.Kind != chat.MessageFile || m.Text != sent.Message.Text || !slices.Equal(m.Files, []chat.File{*cat}) {
		t.Errorf("got %+v", m)
	}
	if !h.sees(carol, cat) {
		t.Error("carol does not see what was forwarded to her")
	}
}
