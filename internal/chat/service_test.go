package chat_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"strings"
	"sync"
	"testing"
	"time"

	"qun/internal/chat"
	"qun/internal/store"
	"qun/internal/store/fresh"
)

// house is a chat on a store of its own, and everything its notifier heard.
type house struct {
	*chat.Service
	t     *testing.T
	ctx   context.Context
	store *store.Store
	dir   string
	cfg   chat.Config

	mu    sync.Mutex // guards below
	heard []chat.Event
	last  map[chat.GroupID]chat.Seq // the number heard last
	more  *sync.Cond                // something was heard
}

// noLimits lifts the rates, which tests of other things would run into.
func noLimits() chat.Config {
	limits := chat.DefaultLimits()
	limits.MessagesPerSecond = 0
	return chat.Config{Limits: limits}
}

func newHouse(t *testing.T, cfg chat.Config) *house {
	t.Helper()
	h := &house{t: t, ctx: t.Context(), dir: quickDir(t), cfg: cfg, last: map[chat.GroupID]chat.Seq{}}
	h.more = sync.NewCond(&h.mu)
	h.open()
	t.Cleanup(h.close)
	return h
}

// quickDir is a folder in memory, where there is one: what the disk does is tested with the store.
func quickDir(t *testing.T) string {
	t.Helper()
	dir, err := os.MkdirTemp("/dev/shm", "qun-chat-")
	if err != nil {
		return fresh.Dir(t)
	}
	t.Cleanup(func() {
		if err := os.RemoveAll(dir); err != nil {
			t.Error(err)
		}
	})
	fresh.Fill(t, dir)
	return dir
}

func (h *house) open() {
	h.t.Helper()
	s, err := store.Open(h.ctx, store.Config{Dir: h.dir})
	if err != nil {
		h.t.Fatal(err)
	}
	h.store, h.Service = s, chat.New(s, h, h.cfg)
}

func (h *house) close() {
	if err := errors.Join(h.Service.Close(context.Background()), h.store.Close()); err != nil {
		h.t.Error(err)
	}
}

func (h *house) Notify(e chat.Event) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.heard = append(h.heard, e)
	h.last[e.Group] = e.Number
	h.more.Broadcast()
}

// await waits until a group's number is heard, not for ever, and reports whether it was.
func (h *house) await(g chat.GroupID, number chat.Seq) bool {
	ctx, cancel := context.WithTimeout(h.ctx, 10*time.Second)
	defer cancel()
	defer context.AfterFunc(ctx, func() {
		h.mu.Lock()
		defer h.mu.Unlock()
		h.more.Broadcast()
	})()
	h.mu.Lock()
	defer h.mu.Unlock()
	for h.last[g] < number && ctx.Err() == nil {
		h.more.Wait()
	}
	return h.last[g] >= number
}

// events are those of one group, or of one user, so far.
func (h *house) events(group chat.GroupID, user chat.UserID) (list []chat.Event) {
	h.mu.Lock()
	defer h.mu.Unlock()
	for _, e := range h.heard {
		if e.Group == group && e.User == user {
			list = append(list, e)
		}
	}
	return list
}

func (h *house) must(err error) {
	h.t.Helper()
	if err != nil {
		h.t.Fatal(err)
	}
}

func (h *house) member(name string) *chat.User {
	h.t.Helper()
	u, err := h.CreateMember(h.ctx, chat.NewMember{Username: name})
	h.must(err)
	return u
}

func (h *house) guest(name string) *chat.User {
	h.t.Helper()
	u, err := h.NewGuest(h.ctx, name, false)
	h.must(err)
	return u
}

func (h *house) enter(u *chat.User, room string) chat.GroupID {
	h.t.Helper()
	entered, err := h.Enter(h.ctx, u, chat.Entry{Room: room})
	h.must(err)
	return entered.Group.ID
}

func (h *house) send(u *chat.User, g chat.GroupID, text string) *chat.Message {
	h.t.Helper()
	sent, err := h.SendMessage(h.ctx, u, chat.NewMessage{Group: g, Entered: true, Text: text})
	h.must(err)
	return sent.Message
}

// change makes a group what the acts of later days will make it.
func (h *house) change(g chat.GroupID, act func(tx chat.GroupTx) error) {
	h.t.Helper()
	h.must(h.store.Change(h.ctx, g, act))
}

func (h *house) setState(g chat.GroupID, u *chat.User, state chat.MemberState) {
	h.t.Helper()
	h.change(g, func(tx chat.GroupTx) error {
		m, err := tx.Membership(u.ID)
		if err != nil {
			return err
		}
		m.State = state
		return tx.PutMembership(m)
	})
}

func (h *house) setGroup(g chat.GroupID, set func(*chat.Group)) {
	h.t.Helper()
	h.change(g, func(tx chat.GroupTx) error {
		row := tx.Group()
		set(row)
		return tx.PutGroup(row)
	})
}

// code is the code of a refusal; "" for no error, "accident" for any other.
func code(err error) chat.Code {
	var refused *chat.Error
	switch {
	case err == nil:
		return ""
	case errors.As(err, &refused):
		return refused.Code
	}
	return "accident: " + chat.Code(err.Error())
}

func TestRefusalsSayWhatToDoInBothLanguages(t *testing.T) {
	h := newHouse(t, chat.Config{})
	_, err := h.Enter(h.ctx, h.guest("小明"), chat.Entry{Room: "a\nb"})
	var refused *chat.Error
	if !errors.As(err, &refused) || refused.In("en") == refused.In("zh-CN") || !strings.Contains(refused.In("zh"), "请") {
		t.Errorf("got %v: %+v", err, refused)
	}
}

func TestClosedServiceRefusesWritesAndKeepsReading(t *testing.T) {
	h := newHouse(t, noLimits())
	alice := h.member("alice")
	g := h.enter(alice, "lobby")
	h.must(h.Service.Close(h.ctx))
	if _, err := h.SendMessage(h.ctx, alice, chat.NewMessage{Group: g, Text: "late"}); code(err) != chat.CodeBusy {
		t.Errorf("send: got %v, want %s", err, chat.CodeBusy)
	}
	if _, err := h.Enter(h.ctx, alice, chat.Entry{Room: "other"}); code(err) != chat.CodeBusy {
		t.Errorf("enter: got %v, want %s", err, chat.CodeBusy)
	}
	if _, err := h.Snapshot(h.ctx, alice, g); err != nil {
		t.Errorf("snapshot: %v", err)
	}
}

func TestCloseAnnouncesEverythingDurable(t *testing.T) {
	h := newHouse(t, noLimits())
	g := h.enter(h.guest("guest"), "lobby")
	var wait sync.WaitGroup
	for i := range 50 {
		guest := h.guest(fmt.Sprint(i))
		wait.Go(func() { h.send(guest, g, "hello") })
	}
	wait.Wait()
	h.must(h.Service.Close(h.ctx))
	events := h.events(g, "")
	for i, e := range events {
		if e.Number != chat.Seq(i+1) {
			t.Fatalf("event %d has number %d", i+1, e.Number)
		}
	}
	if len(events) != 101 {
		t.Errorf("%d events, want 101: the group, 50 members, 50 messages", len(events))
	}
}
