package chat_test

import (
	"context"
	"testing"

	"qun/internal/chat"
)

// uploads is what one user uploaded.
type uploads struct {
	of    chat.UserID
	files map[chat.FileID]chat.File
}

func (u *uploads) Uploads(_ context.Context, by chat.UserID, ids []chat.FileID) (list []chat.File, err error) {
	for _, id := range ids {
		f, ok := u.files[id]
		if !ok || by != u.of {
			return nil, chat.ErrNotFound
		}
		list = append(list, f)
	}
	return list, nil
}

func TestAMessageCarriesTheSendersUploads(t *testing.T) {
	kept := &uploads{files: map[chat.FileID]chat.File{
		"cat": {ID: "cat", Name: "cat.png", Type: "image/png", URL: "https://x/files/cat"},
		"doc": {ID: "doc", Name: "doc.pdf", Type: "application/pdf", URL: "https://x/files/doc"},
	}}
	cfg := noLimits()
	cfg.Files = kept
	h := newHouse(t, cfg)
	alice, bob := h.member("alice"), h.member("bob")
	kept.of = alice.ID
	g := h.enter(alice, "hall")
	h.enter(bob, "hall")

	sent, err := h.SendMessage(h.ctx, alice, chat.NewMessage{Group: g, Files: []chat.FileID{"doc", "cat"}, ClientID: "1"})
	if err != nil {
		t.Fatal(err)
	}
	m := sent.Message
	if m.Kind != chat.MessageFile || len(m.Files) != 2 || m.Files[0].ID != "doc" || m.Files[1] != kept.files["cat"] {
		t.Errorf("got %+v", m)
	}
	if want := "[文件] doc.pdf https://x/files/doc\n[图片] cat.png https://x/files/cat"; m.Text != want {
		t.Errorf("plain clients read %q, want %q", m.Text, want)
	}
	sent, err = h.SendMessage(h.ctx, alice, chat.NewMessage{Group: g, Text: "my cat", Files: []chat.FileID{"cat"}})
	if err != nil || sent.Message.Kind != chat.MessageText || sent.Message.Text != "my cat" || len(sent.Message.Files) != 1 {
		t.Errorf("got %+v, %v", sent, err)
	}
	for _, c := range []struct {
		by   *chat.User
		in   chat.NewMessage
		want chat.Code
	}{
		{alice, chat.NewMessage{Files: []chat.FileID{"dog"}}, chat.CodeInvalid},
		{alice, chat.NewMessage{Files: []chat.FileID{"cat"}, ClientID: "1"}, chat.CodeConflict},
		{alice, chat.NewMessage{Files: make([]chat.FileID, 10)}, chat.CodeTooLarge},
		{bob, chat.NewMessage{Files: []chat.FileID{"cat"}}, chat.CodeInvalid},
	} {
		c.in.Group = g
		if _, err := h.SendMessage(h.ctx, c.by, c.in); code(err) != c.want {
			t.Errorf("%s, %v: got %v, want %s", c.by.NickName, c.in.Files, err, c.want)
		}
	}

	delete(kept.files, "doc") // gone meanwhile: what was granted is answered all the same
	again, err := h.SendMessage(h.ctx, alice, chat.NewMessage{Group: g, Files: []chat.FileID{"doc", "cat"}, ClientID: "1"})
	if err != nil || !again.Duplicate || again.Message.Seq != m.Seq {
		t.Errorf("got %+v, %v", again, err)
	}
}
