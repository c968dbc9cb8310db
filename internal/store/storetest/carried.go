package storetest

import (
	"reflect"
	"testing"

	"qun/internal/chat"
)

// testMessageCarriesMentionsAndFiles sends one, finds it in every way there is, and empties it.
func testMessageCarriesMentionsAndFiles(t *testing.T, w *world) {
	alice, bob := w.member("alice"), w.member("bob")
	g := w.room("one", alice, bob)
	p := w.posting(g, alice, "look", "id")
	p.Message.Mentions = []chat.UserID{bob.ID}
	p.Message.Files = []chat.File{
		{ID: "file-1", Name: "猫 \"1\".png", Size: 12345, Type: "image/png", Width: 640, Height: 480, URL: "/files/file-1/x", ThumbURL: "/t"},
		{ID: "file-2", Name: "b.pdf", Size: 1, Type: "application/pdf", URL: "/files/file-2/b.pdf"},
	}
	sent, err := w.store.AppendMessage(w.ctx, p)
	w.must(err)
	want := sent.Message
	if !reflect.DeepEqual(want.Files, p.Message.Files) || !reflect.DeepEqual(want.Mentions, p.Message.Mentions) {
		t.Errorf("got %+v", want)
	}
	again, err := w.store.AppendMessage(w.ctx, p)
	w.must(err)
	for how, got := range map[string]*chat.Message{"history": w.history(g)[0], "again": again.Message} {
		if !reflect.DeepEqual(got, want) {
			t.Errorf("%s: got %+v, want %+v", how, got, want)
		}
	}
	w.must(w.store.Change(w.ctx, g, func(tx chat.GroupTx) error {
		m, err := tx.Message(want.Seq)
		if err != nil {
			return err
		}
		m.Text, m.Mentions, m.Files, m.RecalledAt = "", nil, nil, w.now
		return tx.PutMessage(m)
	}))
	if m := w.history(g)[0]; len(m.Mentions) != 0 || len(m.Files) != 0 || m.RecalledAt != w.now {
		t.Errorf("emptied, it is %+v", m)
	}
}
