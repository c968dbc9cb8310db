package chat_test

import (
	"bytes"
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"qun/internal/chat"
)

// shelf keeps files in memory. What begins with "image" is a picture.
type shelf struct {
	mu      sync.Mutex // guards below
	kept    map[chat.FileID][]byte
	avatars map[chat.FileID]chat.FileID // of which picture
	made    map[chat.FileID]time.Time
	broken  error // what Keep answers, if not nil
	now     func() time.Time
}

var _ chat.Files = (*shelf)(nil)

func newShelf() *shelf {
	return &shelf{kept: map[chat.FileID][]byte{}, avatars: map[chat.FileID]chat.FileID{}, made: map[chat.FileID]time.Time{}, now: time.Now}
}

func (s *shelf) Keep(_ context.Context, id chat.FileID, body io.Reader, limit int64) (*chat.Content, error) {
	data, err := io.ReadAll(body)
	s.mu.Lock()
	defer s.mu.Unlock()
	switch {
	case err != nil:
		return nil, err
	case s.broken != nil:
		return nil, s.broken
	case limit > 0 && int64(len(data)) > limit:
		return nil, chat.ErrTooLarge
	}
	s.kept[id], s.made[id] = data, s.now()
	c := &chat.Content{Size: int64(len(data)), Type: "text/plain", Hash: sha256.Sum256(data)}
	if bytes.HasPrefix(data, []byte("image")) {
		c.Type, c.Width, c.Height, c.Thumb = "image/png", 2, 1, true
	}
	return c, nil
}

func (s *shelf) MakeAvatar(_ context.Context, of chat.FileID, kind string, id chat.FileID) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if kind != "image/png" {
		return chat.ErrNoPicture
	}
	s.avatars[id], s.made[id] = of, s.now()
	return nil
}

func (s *shelf) KeepDrawn(ctx context.Context, id chat.FileID, of io.ReadSeeker) (*chat.Content, error) {
	return s.Keep(ctx, id, of, 0)
}

type closer struct{ io.ReadSeeker }

func (closer) Close() error { return nil }

func (s *shelf) Open(id chat.FileID) (io.ReadSeekCloser, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	data, ok := s.kept[id]
	if !ok {
		return nil, chat.ErrNotFound
	}
	return closer{bytes.NewReader(data)}, nil
}

func (s *shelf) OpenThumb(id chat.FileID) (io.ReadSeekCloser, error) { return s.Open(id) }

func (s *shelf) OpenAvatar(id chat.FileID) (io.ReadSeekCloser, error) {
	s.mu.Lock()
	of, ok := s.avatars[id]
	s.mu.Unlock()
	if !ok {
		return nil, chat.ErrNotFound
	}
	return s.Open(of)
}

func (s *shelf) Drop(ids []chat.FileID) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, id := range ids {
		delete(s.kept, id)
	}
	return nil
}

func (s *shelf) DropAvatars(ids []chat.FileID) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, id := range ids {
		delete(s.avatars, id)
	}
	return nil
}

func (s *shelf) Kept(before time.Time) (ids []chat.FileID, err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for id := range s.kept {
		if s.made[id].Before(before) {
			ids = append(ids, id)
		}
	}
	return ids, nil
}

func (s *shelf) Avatars(before time.Time) (ids []chat.FileID, err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for id := range s.avatars {
		if s.made[id].Before(before) {
			ids = append(ids, id)
		}
	}
	return ids, nil
}

func (s *shelf) has(id chat.FileID) bool {
	_, err := s.Open(id)
	return err == nil
}

// withFiles is a house with a shelf.
func withFiles(t *testing.T, change func(*chat.Config)) (*house, *shelf) {
	t.Helper()
	cfg, kept := noLimits(), newShelf()
	cfg.Files, cfg.URL = kept, "https://x.example"
	if change != nil {
		change(&cfg)
	}
	return newHouse(t, cfg), kept
}

func (h *house) upload(u *chat.User, name, body string) *chat.File {
	h.t.Helper()
	f, err := h.Upload(h.ctx, u, chat.NewUpload{Name: name, Size: -1, Body: strings.NewReader(body)})
	h.must(err)
	return f
}

// sees reports whether who may open a file; nil is nobody.
func (h *house) sees(who *chat.User, f *chat.File) bool {
	h.t.Helper()
	opened, err := h.OpenFile(h.ctx, who, f.ID)
	if err != nil {
		if code(err) != chat.CodeNotFound {
			h.t.Errorf("open %s: %v", f.Name, err)
		}
		return false
	}
	h.must(opened.Close())
	return true
}

func TestAMessageCarriesTheSendersUploads(t *testing.T) {
	h, _ := withFiles(t, nil)
	alice, bob := h.member("alice"), h.member("bob")
	g := h.enter(alice, "hall")
	h.enter(bob, "hall")
	cat, doc := h.upload(alice, "猫 1.png", "image of a cat"), h.upload(alice, "a/doc.txt", "words")
	if cat.Type != "image/png" || cat.Width != 2 || cat.ThumbURL != "/thumbs/"+string(cat.ID) {
		t.Errorf("got %+v", cat)
	}
	if doc.Name != "doc.txt" || doc.URL != "/files/"+string(doc.ID)+"/doc.txt" || doc.ThumbURL != "" || doc.Size != 5 {
		t.Errorf("got %+v", doc)
	}

	sent, err := h.SendMessage(h.ctx, alice, chat.NewMessage{Group: g, Files: []chat.FileID{doc.ID, cat.ID}, ClientID: "1"})
	h.must(err)
	m := sent.Message
	if m.Kind != chat.MessageFile || len(m.Files) != 2 || m.Files[0] != *doc || m.Files[1] != *cat {
		t.Errorf("got %+v", m)
	}
	want := fmt.Sprintf("[文件] doc.txt https://x.example/files/%s/doc.txt\n[图片] 猫 1.png https://x.example/files/%s/%%E7%%8C%%AB%%201.png", doc.ID, cat.ID)
	if m.Text != want {
		t.Errorf("plain clients read %q, want %q", m.Text, want)
	}
	sent, err = h.SendMessage(h.ctx, alice, chat.NewMessage{Group: g, Text: "my cat", Files: []chat.FileID{cat.ID}})
	if err != nil || sent.Message.Kind != chat.MessageText || sent.Message.Text != "my cat" || len(sent.Message.Files) != 1 {
		t.Errorf("got %+v, %v", sent, err)
	}
	for _, c := range []struct {
		by   *chat.User
		in   chat.NewMessage
		want chat.Code
	}{
		{alice, chat.NewMessage{Files: []chat.FileID{"dog"}}, chat.CodeInvalid},
		{alice, chat.NewMessage{Files: []chat.FileID{cat.ID}, ClientID: "1"}, chat.CodeConflict},
		{alice, chat.NewMessage{Files: make([]chat.FileID, 10)}, chat.CodeTooLarge},
		{bob, chat.NewMessage{Files: []chat.FileID{cat.ID}}, chat.CodeInvalid},
	} {
		c.in.Group = g
		if _, err := h.SendMessage(h.ctx, c.by, c.in); code(err) != c.want {
			t.Errorf("%s, %v: got %v, want %s", c.by.NickName, c.in.Files, err, c.want)
		}
	}
}

func TestFilesAreSeenByThoseWhoSeeTheMessage(t *testing.T) {
	h, _ := withFiles(t, nil)
	alice, bob, carol, guest := h.member("alice"), h.member("bob"), h.member("carol"), h.guest("小明")
	g := h.enter(alice, "hall")
	h.enter(bob, "hall")
	h.setGroup(g, func(row *chat.Group) { row.Visibility = chat.VisibilityPrivate })
	f := h.upload(alice, "a.txt", "secret")
	sees := func(when string, want ...*chat.User) {
		t.Helper()
		for _, who := range []*chat.User{alice, bob, carol, guest, nil} {
			if got := h.sees(who, f); got != slices.Contains(want, who) {
				t.Errorf("%s: %v sees it: %v", when, who, got)
			}
		}
	}
	sees("before it is sent", alice)
	sent, err := h.SendMessage(h.ctx, alice, chat.NewMessage{Group: g, Files: []chat.FileID{f.ID}})
	h.must(err)
	sees("sent", alice, bob)
	h.setState(g, bob, chat.MemberKicked)
	sees("bob was kicked", alice)
	h.setState(g, bob, chat.MemberActive)
	h.setGroup(g, func(row *chat.Group) { row.History = chat.ExtentJoined })
	sees("bob joined after it", alice)
	h.setGroup(g, func(row *chat.Group) { row.History, row.Visibility = chat.ExtentAll, chat.VisibilityOpen })
	sees("the group is open", alice, bob, carol, guest, nil)
	h.setGroup(g, func(row *chat.Group) { row.Floor = sent.Message.Seq + 1 })
	sees("below the floor", alice)
	h.setGroup(g, func(row *chat.Group) { row.Floor = 0 })
	h.change(g, func(tx chat.GroupTx) error {
		m, err := tx.Message(sent.Message.Seq)
		if err != nil {
			return err
		}
		m.Text, m.Files = "", nil
		return tx.PutMessage(m)
	})
	sees("recalled", alice)
}

func TestUploadsAreBounded(t *testing.T) {
	h, kept := withFiles(t, func(c *chat.Config) {
		c.Limits.UploadBytes, c.Limits.UserBytes, c.Limits.AllBytes = 100, 200, 350
	})
	alice, bob, guest := h.member("alice"), h.member("bob"), h.guest("小明")
	upload := func(by *chat.User, announced int64, size int) chat.Code {
		_, err := h.Upload(h.ctx, by, chat.NewUpload{Name: "x", Size: announced, Body: strings.NewReader(strings.Repeat("x", size))})
		return code(err)
	}
	for _, c := range []struct {
		by        *chat.User
		announced int64
		size      int
		want      chat.Code
	}{
		{alice, 101, 0, chat.CodeTooLarge}, // is not even read
		{alice, -1, 101, chat.CodeTooLarge},
		{alice, 1, 101, chat.CodeTooLarge}, // announced little, brought much
		{guest, -1, 21, chat.CodeTooLarge}, // a guest has a tenth
		{guest, -1, 20, ""},
		{alice, -1, 100, ""},
		{alice, 100, 100, ""},
		{alice, 1, 1, chat.CodeTooLarge},
		{bob, -1, 100, ""},
		{bob, -1, 100, chat.CodeBusy}, // all have more than is there
		{bob, 100, 100, chat.CodeBusy},
	} {
		if got := upload(c.by, c.announced, c.size); got != c.want {
			t.Errorf("%s, %d of %d bytes: got %s, want %s", c.by.NickName, c.size, c.announced, got, c.want)
		}
	}
	if len(kept.kept) != 4 {
		t.Errorf("%d files are kept, want 4", len(kept.kept))
	}
	kept.broken = fmt.Errorf("keep: %w", chat.ErrNoSpace)
	if got := upload(bob, 1, 1); got != chat.CodeBusy {
		t.Errorf("on a full disk: got %s", got)
	}
	kept.broken = chat.ErrTooManyPixels
	if got := upload(bob, 1, 1); got != chat.CodeTooLarge {
		t.Errorf("too many pixels: got %s", got)
	}
}

func TestAQuotaIsAskedBeforeTheBodyIsRead(t *testing.T) {
	h, _ := withFiles(t, func(c *chat.Config) { c.Limits.UserBytes = 10 })
	alice := h.member("alice")
	h.upload(alice, "x", "12345")
	unread := failing{errors.New("it was read")}
	if _, err := h.Upload(h.ctx, alice, chat.NewUpload{Name: "x", Size: 6, Body: unread}); code(err) != chat.CodeTooLarge {
		t.Errorf("got %v", err)
	}
}

func TestAnUploadIsKeptOnceHoweverOftenItIsSent(t *testing.T) {
	h, kept := withFiles(t, func(c *chat.Config) { c.Limits.UserBytes = 10 })
	alice := h.member("alice")
	upload := func(name, key, body string) (*chat.File, error) {
		return h.Upload(h.ctx, alice, chat.NewUpload{Name: name, Key: key, Size: int64(len(body)), Body: strings.NewReader(body)})
	}
	first, err := upload("a", "key", "0123456789")
	h.must(err)
	again, err := upload("a", "key", "0123456789") // though there is no room for another
	if err != nil || *again != *first || len(kept.kept) != 1 {
		t.Errorf("got %+v, %v, want %+v; %d are kept", again, err, first, len(kept.kept))
	}
	for _, c := range [][2]string{{"a", "other text"}, {"b", "0123456789"}} {
		if _, err := upload(c[0], "key", c[1]); code(err) != chat.CodeConflict || len(kept.kept) != 1 {
			t.Errorf("%s: got %v; %d are kept", c, err, len(kept.kept))
		}
	}
	if _, err := upload("a", strings.Repeat("k", 65), ""); code(err) != chat.CodeInvalid {
		t.Errorf("a long key: got %v", err)
	}
}

// stalled is a body that ends when it is opened.
type stalled struct{ open chan struct{} }

func (g stalled) Read([]byte) (int, error) { <-g.open; return 0, io.EOF }

func TestOneUserDoesNotTakeAllPlaces(t *testing.T) {
	h, _ := withFiles(t, nil)
	alice, bob := h.member("alice"), h.member("bob")
	body := stalled{make(chan struct{})}
	var wait sync.WaitGroup
	started := make(chan struct{}, 4)
	for range 4 {
		wait.Go(func() {
			_, err := h.Upload(h.ctx, alice, chat.NewUpload{Name: "x", Body: io.MultiReader(signal{started}, body)})
			if err != nil {
				t.Error(err)
			}
		})
	}
	for range 4 {
		<-started
	}
	if _, err := h.Upload(h.ctx, alice, chat.NewUpload{Name: "x", Body: strings.NewReader("")}); code(err) != chat.CodeRateLimited {
		t.Errorf("a fifth: got %v", err)
	}
	h.upload(bob, "x", "")
	close(body.open)
	wait.Wait()
	h.upload(alice, "x", "")
}

// signal tells that it is read.
type signal struct{ to chan struct{} }

func (s signal) Read([]byte) (int, error) { s.to <- struct{}{}; return 0, io.EOF }

func TestWhatNobodySeesGoesADayLater(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h, kept := withFiles(t, nil)
		alice := h.member("alice")
		g := h.enter(alice, "hall")
		unsent, sent, recalled := h.upload(alice, "1", "unsent"), h.upload(alice, "2", "sent"), h.upload(alice, "3", "recalled")
		send := func(f *chat.File) (*chat.Sent, error) {
			return h.SendMessage(h.ctx, alice, chat.NewMessage{Group: g, Files: []chat.FileID{f.ID}})
		}
		_, err := send(sent)
		h.must(err)
		message, err := send(recalled)
		h.must(err)
		kept.kept["lost"], kept.made["lost"] = nil, time.Now()
		face := h.upload(alice, "4", "image")
		avatar, err := h.NewAvatar(h.ctx, alice, face.ID)
		h.must(err)
		unused, err := h.NewAvatar(h.ctx, alice, face.ID)
		h.must(err)
		h.must(h.store.ChangeUser(h.ctx, alice.ID, func(tx chat.UserTx) error {
			u := tx.User()
			u.Avatar = avatar
			return tx.PutUser(u, []string{"alice"})
		}))

		h.must(h.SweepFiles(h.ctx))
		if len(kept.kept) != 5 || len(kept.avatars) != 2 {
			t.Fatalf("a young one went: %d files, %d avatars", len(kept.kept), len(kept.avatars))
		}
		time.Sleep(23*time.Hour + time.Minute)
		if _, err := send(unsent); code(err) != chat.CodeInvalid {
			t.Errorf("a file about to go is sent: %v", err)
		}
		h.change(g, func(tx chat.GroupTx) error {
			m, err := tx.Message(message.Message.Seq)
			if err != nil {
				return err
			}
			m.Text, m.Files = "", nil
			return tx.PutMessage(m)
		})
		time.Sleep(time.Hour)
		h.must(h.SweepFiles(h.ctx))
		if kept.has(unsent.ID) || kept.has("lost") || !kept.has(sent.ID) || !kept.has(recalled.ID) {
			t.Errorf("after a day: unsent %v, lost %v, sent %v, recalled %v", kept.has(unsent.ID), kept.has("lost"), kept.has(sent.ID), kept.has(recalled.ID))
		}
		if len(kept.avatars) != 1 || kept.avatars[chat.FileID(strings.TrimPrefix(avatar, "/avatars/"))] != face.ID {
			t.Errorf("avatars are %v, want that of %s without that of %s", kept.avatars, avatar, unused)
		}
		if _, err := send(recalled); err != nil { // said again in other words
			t.Errorf("a recalled file cannot be sent again: %v", err)
		}
		time.Sleep(25 * time.Hour)
		h.must(h.SweepFiles(h.ctx))
		if !kept.has(sent.ID) || !kept.has(recalled.ID) {
			t.Error("a file that a message carries is gone")
		}
		if _, err := send(sent); err != nil {
			t.Errorf("an old file that is in use cannot be sent again: %v", err)
		}
	})
}

func TestAvatarsAreMadeOfOnesOwnPictures(t *testing.T) {
	h, kept := withFiles(t, nil)
	alice, bob := h.member("alice"), h.member("bob")
	face, text := h.upload(alice, "face.png", "image of alice"), h.upload(alice, "x.txt", "words")
	path, err := h.NewAvatar(h.ctx, alice, face.ID)
	h.must(err)
	id := chat.FileID(strings.TrimPrefix(path, "/avatars/"))
	if id == face.ID || kept.avatars[id] != face.ID {
		t.Errorf("got %s", path)
	}
	opened, err := h.OpenAvatar(id)
	h.must(err)
	h.must(opened.Close())
	for _, err := range []error{errOf(h.NewAvatar(h.ctx, bob, face.ID)), errOf(h.NewAvatar(h.ctx, alice, text.ID)), errOf(h.NewAvatar(h.ctx, alice, "x"))} {
		if code(err) != chat.CodeInvalid {
			t.Errorf("got %v, want %s", err, chat.CodeInvalid)
		}
	}
	if _, err := h.OpenAvatar(face.ID); code(err) != chat.CodeNotFound {
		t.Errorf("a file opened as an avatar: %v", err)
	}
	made, err := h.CreateGroup(h.ctx, alice, chat.NewGroup{Name: "hall", Visibility: chat.VisibilityPrivate})
	h.must(err)
	group, err := h.UpdateGroup(h.ctx, alice, chat.GroupUpdate{Group: made.Group.ID, Avatar: &face.ID})
	if err != nil || kept.avatars[chat.FileID(strings.TrimPrefix(group.Avatar, "/avatars/"))] != face.ID {
		t.Errorf("the group's is %+v, %v", group, err)
	}
	if path, err := h.NewAvatar(h.ctx, alice, ""); path != "" || err != nil {
		t.Errorf("no avatar: got %q, %v", path, err)
	}
}

// Small files and avatars take more than their bytes, which quotas count.
func TestFilesAreNotMadeWithoutEnd(t *testing.T) {
	h, _ := withFiles(t, func(c *chat.Config) { c.Limits.MessagesPerSecond = 2 })
	alice, bob := h.member("alice"), h.member("bob")
	face := h.upload(alice, "x", "image")
	for range 10 {
		if _, err := h.NewAvatar(h.ctx, alice, face.ID); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := h.NewAvatar(h.ctx, alice, face.ID); code(err) != chat.CodeRateLimited {
		t.Errorf("an eleventh avatar: got %v", err)
	}
	var err error
	for range 61 {
		if _, err = h.Upload(h.ctx, alice, chat.NewUpload{Name: "x", Body: strings.NewReader("")}); err != nil {
			break
		}
	}
	if code(err) != chat.CodeRateLimited {
		t.Errorf("a sixty-first file: got %v", err)
	}
	h.upload(bob, "x", "")
}

func errOf[T any](_ T, err error) error { return err }

func TestAnAbortedUploadLeavesNothing(t *testing.T) {
	h, kept := withFiles(t, nil)
	alice := h.member("alice")
	gone := errors.New("the connection is gone")
	_, err := h.Upload(h.ctx, alice, chat.NewUpload{Name: "x", Key: "k", Body: io.MultiReader(strings.NewReader("half"), failing{gone})})
	if !errors.Is(err, gone) || len(kept.kept) != 0 {
		t.Errorf("got %v; %d are kept", err, len(kept.kept))
	}
	_, err = h.Upload(h.ctx, alice, chat.NewUpload{Name: "x", Key: "k", Body: strings.NewReader("all of it")})
	h.must(err)
}

type failing struct{ err error }

func (f failing) Read([]byte) (int, error) { return 0, f.err }

func TestWithoutAShelfThereAreNoFiles(t *testing.T) {
	h := newHouse(t, noLimits())
	alice := h.member("alice")
	_, err := h.Upload(h.ctx, alice, chat.NewUpload{Name: "x", Body: strings.NewReader("")})
	_, sent := h.SendMessage(h.ctx, alice, chat.NewMessage{Group: h.enter(alice, "hall"), Files: []chat.FileID{"x"}})
	_, opened := h.OpenFile(h.ctx, alice, "x")
	if code(err) != chat.CodeForbidden || code(sent) != chat.CodeInvalid || code(opened) != chat.CodeNotFound || h.SweepFiles(h.ctx) != nil {
		t.Errorf("got %v, %v, %v", err, sent, opened)
	}
}
