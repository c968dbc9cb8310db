package storetest

import (
	"errors"
	"reflect"
	"slices"
	"testing"

	"qun/internal/chat"
)

// upload is a file of u, not stored yet.
func (w *world) upload(u *chat.User, name string) *chat.Upload {
	up := &chat.Upload{By: u.ID, Hash: [32]byte{1, 2, 255}, MadeAt: w.now, IdleAt: w.now}
	up.ID, up.Name, up.Type, up.Size = chat.FileID(w.id()), name, "image/png", 1000
	up.Complete(false)
	return up
}

// uploaded is a file of u.
func (w *world) uploaded(u *chat.User, name string) *chat.Upload {
	w.t.Helper()
	up := w.upload(u, name)
	w.must(w.store.AddUpload(w.ctx, up, 0, 0))
	return up
}

// sendFile sends a file of anybody.
func (w *world) sendFile(g chat.GroupID, u *chat.User, up *chat.Upload) *chat.Message {
	w.t.Helper()
	p := w.posting(g, u, "see", "")
	p.Message.Files = []chat.File{up.File, up.File}
	sent, err := w.store.AppendMessage(w.ctx, p)
	w.must(err)
	return sent.Message
}

// recall empties a message.
func (w *world) recall(g chat.GroupID, seq chat.Seq) {
	w.t.Helper()
	w.must(w.store.Change(w.ctx, g, func(tx chat.GroupTx) error {
		m, err := tx.Message(seq)
		if err != nil {
			return err
		}
		m.Text, m.Files, m.RecalledAt = "", nil, w.now
		return tx.PutMessage(m)
	}))
}

func (w *world) uses(up *chat.Upload, u *chat.User) (uses []chat.FileUse) {
	w.t.Helper()
	w.view(func(r chat.Reader) (err error) { uses, err = r.FileUses(up.ID, u.ID, 10); return err })
	return uses
}

func (w *world) stored(u *chat.User) (own, all int64) {
	w.t.Helper()
	w.view(func(r chat.Reader) (err error) { own, all, err = r.Stored(u.ID); return err })
	return own, all
}

func testUploadsAreFoundAgain(t *testing.T, w *world) {
	alice, guest := w.member("alice"), w.guest("小明")
	plain, picture := w.upload(alice, "a b.txt"), w.upload(guest, "猫.png")
	picture.Key, picture.Width, picture.Height = "once", 640, 480
	picture.Complete(true)
	w.must(w.store.AddUpload(w.ctx, plain, 0, 0))
	w.must(w.store.AddUpload(w.ctx, picture, 0, 0))
	again := w.upload(guest, "other")
	again.Key = "once"
	if err := w.store.AddUpload(w.ctx, again, 0, 0); !errors.Is(err, chat.ErrKeyUsed) {
		t.Errorf("the key again: got %v, want %v", err, chat.ErrKeyUsed)
	}
	same := w.upload(alice, "of another user")
	same.Key = "once"
	w.must(w.store.AddUpload(w.ctx, same, 0, 0))
	w.restart()
	w.view(func(r chat.Reader) error {
		for _, want := range []*chat.Upload{plain, picture} {
			if got, err := r.Upload(want.ID); err != nil || !reflect.DeepEqual(got, want) {
				t.Errorf("got %+v, %v, want %+v", got, err, want)
			}
		}
		if got, err := r.UploadByKey(guest.ID, "once"); err != nil || got.ID != picture.ID {
			t.Errorf("by key: got %+v, %v", got, err)
		}
		for _, err := range []error{second(r.Upload(again.ID)), second(r.Upload("nothing")), second(r.UploadByKey(guest.ID, "x")), second(r.UploadByKey("nobody", "once"))} {
			if !errors.Is(err, chat.ErrNotFound) {
				t.Errorf("what is not there: %v", err)
			}
		}
		return nil
	})
}

func second[T any](_ T, err error) error { return err }

func testUploadsCountAgainstQuotas(t *testing.T, w *world) {
	alice, bob := w.member("alice"), w.member("bob")
	w.must(w.store.AddUpload(w.ctx, w.upload(alice, "1"), 2000, 3000))
	w.must(w.store.AddUpload(w.ctx, w.upload(alice, "2"), 2000, 3000))
	refused := w.upload(alice, "3")
	if err := w.store.AddUpload(w.ctx, refused, 2999, 0); !errors.Is(err, chat.ErrQuota) {
		t.Errorf("got %v, want %v", err, chat.ErrQuota)
	}
	if err := w.store.AddUpload(w.ctx, w.upload(bob, "4"), 0, 2999); !errors.Is(err, chat.ErrFull) {
		t.Errorf("got %v, want %v", err, chat.ErrFull)
	}
	if own, all := w.stored(alice); own != 2000 || all != 2000 {
		t.Errorf("after two refusals: %d and %d, want 2000 and 2000", own, all)
	}
	if own, _ := w.stored(bob); own != 0 {
		t.Errorf("bob, whose upload was refused, has %d", own)
	}
	w.view(func(r chat.Reader) error {
		if _, err := r.Upload(refused.ID); !errors.Is(err, chat.ErrNotFound) {
			t.Errorf("a refused upload is there: %v", err)
		}
		return nil
	})
}

func testFilesAreSeenWhereTheyWereSent(t *testing.T, w *world) {
	alice, bob, guest := w.member("alice"), w.member("bob"), w.guest("小明")
	open, closed := w.room("open", alice), w.room("closed", alice, bob)
	w.must(w.store.Change(w.ctx, closed, func(tx chat.GroupTx) error {
		g := tx.Group()
		g.Visibility = chat.VisibilityPrivate
		return tx.PutGroup(g)
	}))
	up := w.uploaded(alice, "cat.png")
	if uses := w.uses(up, bob); len(uses) != 0 {
		t.Errorf("before it is sent: %v", uses)
	}
	first := w.sendFile(closed, alice, up)
	second := w.sendFile(closed, bob, up)
	if first.Files[0] != up.File {
		t.Errorf("the message carries %+v", first.Files)
	}
	if uses := w.uses(up, bob); len(uses) != 1 || uses[0] != (chat.FileUse{File: up.ID, Group: closed, Seq: second.Seq}) {
		t.Errorf("bob: got %v, want the newest of the group", uses)
	}
	if uses := w.uses(up, guest); len(uses) != 0 {
		t.Errorf("a stranger: %v", uses)
	}
	w.put(closed, bob, chat.MemberKicked)
	if uses := w.uses(up, bob); len(uses) != 0 {
		t.Errorf("who was kicked: %v", uses)
	}
	system := &chat.Message{ID: chat.MessageID(w.id()), UserID: alice.ID, NickName: "alice", Kind: chat.MessageFile, Files: []chat.File{up.File}, SentAt: w.now}
	w.must(w.store.Change(w.ctx, open, func(tx chat.GroupTx) error { m := *system; return tx.AddMessage(&m) }))
	if uses := w.uses(up, guest); len(uses) != 1 || uses[0].Group != open {
		t.Errorf("in an open group a stranger sees %v", uses)
	}
	w.recall(closed, first.Seq)
	w.recall(closed, second.Seq)
	if uses := w.uses(up, alice); len(uses) != 1 || uses[0].Group != open {
		t.Errorf("recalled: %v", uses)
	}
}

func testIdleFilesAreForgotten(t *testing.T, w *world) {
	alice := w.member("alice")
	g := w.room("one", alice)
	unsent, sent, recalled := w.uploaded(alice, "unsent"), w.uploaded(alice, "sent"), w.uploaded(alice, "recalled")
	w.sendFile(g, alice, sent)
	w.recall(g, w.sendFile(g, alice, recalled).Seq)

	later := w.now + 1000
	var ended []chat.FileUse
	w.view(func(r chat.Reader) (err error) { ended, err = r.EndedFileUses(10); return err })
	if len(ended) != 1 || ended[0].File != recalled.ID {
		t.Fatalf("ended are %v", ended)
	}
	w.must(w.store.EndFileUses(w.ctx, ended, later))
	w.view(func(r chat.Reader) (err error) { ended, err = r.EndedFileUses(10); return err })
	if len(ended) != 0 {
		t.Errorf("ended a second time are %v", ended)
	}
	for _, step := range []struct {
		before chat.Time
		want   []chat.FileID
	}{
		{w.now, nil},
		{later, []chat.FileID{unsent.ID}},
		{later + 1, []chat.FileID{recalled.ID}},
		{later + 1_000_000, nil},
	} {
		ids, err := w.store.ForgetIdle(w.ctx, step.before, 10)
		w.must(err)
		if !slices.Equal(ids, step.want) {
			t.Errorf("idle before %d: got %v, want %v", step.before, ids, step.want)
		}
	}
	if own, all := w.stored(alice); own != 1000 || all != 1000 {
		t.Errorf("what is left takes %d of %d", own, all)
	}
	w.setFloor(g, 100)
	w.view(func(r chat.Reader) (err error) { ended, err = r.EndedFileUses(10); return err })
	if len(ended) != 1 || ended[0].File != sent.ID {
		t.Errorf("below the floor ended %v", ended)
	}
}

func (w *world) setFloor(g chat.GroupID, floor chat.Seq) {
	w.t.Helper()
	w.must(w.store.Change(w.ctx, g, func(tx chat.GroupTx) error {
		row := tx.Group()
		row.Floor = floor
		return tx.PutGroup(row)
	}))
}

func testAvatarsInUseAreListed(t *testing.T, w *world) {
	alice := w.member("alice")
	g := w.room("one", alice)
	w.must(w.store.ChangeUser(w.ctx, alice.ID, func(tx chat.UserTx) error {
		u := tx.User()
		u.Avatar = "/avatars/a"
		return tx.PutUser(u, []string{"alice"})
	}))
	w.must(w.store.Change(w.ctx, g, func(tx chat.GroupTx) error {
		row := tx.Group()
		row.Avatar = "/avatars/g"
		return tx.PutGroup(row)
	}))
	var borne []string
	w.view(func(r chat.Reader) (err error) { borne, err = r.AvatarsInUse(); return err })
	slices.Sort(borne)
	if !slices.Equal(borne, []string{"/avatars/a", "/avatars/g"}) {
		t.Errorf("got %v", borne)
	}
}
