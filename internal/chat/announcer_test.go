package chat_test

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"testing"
	"time"

	"qun/internal/chat"
)

// gate is a Notifier that lets nothing through until it is opened.
type gate struct {
	open chan struct{}

	mu    sync.Mutex // guards below
	heard []chat.Event
}

func (g *gate) Notify(e chat.Event) {
	<-g.open
	g.mu.Lock()
	defer g.mu.Unlock()
	g.heard = append(g.heard, e)
}

// checkDense fails unless the numbers of each counter came one after the other, from first on.
func checkDense(t *testing.T, events []chat.Event) {
	t.Helper()
	type counter struct {
		group chat.GroupID
		user  chat.UserID
	}
	last := map[counter]chat.Seq{}
	for _, e := range events {
		c := counter{e.Group, e.User}
		if before, ok := last[c]; ok && e.Number != before+1 {
			t.Fatalf("%v: %d came after %d", c, e.Number, before)
		}
		last[c] = e.Number
	}
}

// TestSlowNotifierDelaysNobodysCommitAndMissesNothing stops the announcer while far more is written than it may hold.
func TestSlowNotifierDelaysNobodysCommitAndMissesNothing(t *testing.T) {
	h := newHouse(t, noLimits())
	h.must(h.Service.Close(h.ctx))
	g := &gate{open: make(chan struct{})}
	h.Service = chat.New(h.store, g, noLimits())
	guest := h.guest("guest")
	entering := make(chan chat.GroupID)
	go func() { entering <- h.enter(guest, "lobby") }() // it waits for its announcement
	var room *chat.Group
	for room == nil {
		h.store.View(h.ctx, func(r chat.Reader) (err error) { room, err = r.GroupByRoom("lobby"); return err })
	}
	const messages = 4500 // and every tenth twice: more than may wait
	h.change(room.ID, func(tx chat.GroupTx) error {
		if err := tx.PutGroup(tx.Group()); err != nil {
			return err
		}
		for i := range messages {
			m := &chat.Message{ID: chat.MessageID(fmt.Sprint(i)), Kind: chat.MessageSystem, Text: fmt.Sprint(i)}
			if err := tx.AddMessage(m); err != nil {
				return err
			}
			if i%10 == 0 {
				if err := tx.PutMessage(m); err != nil {
					return err
				}
			}
		}
		return nil
	})
	var head chat.Seq
	h.must(h.store.View(h.ctx, func(r chat.Reader) error {
		row, err := r.Group(room.ID)
		head = row.Head
		return err
	}))
	close(g.open)
	<-entering
	h.send(guest, room.ID, "after")
	h.must(h.Service.Close(h.ctx))
	var told []chat.Event
	for _, e := range g.heard {
		if e.Group == room.ID {
			told = append(told, e)
		}
	}
	checkDense(t, told)
	if told[0].Number != 1 || told[len(told)-1].Number != head+2 || len(told) != int(head)+2 {
		t.Errorf("%d events from %d to %d, want 1 to %d", len(told), told[0].Number, told[len(told)-1].Number, head+2)
	}
	rows := map[chat.MessageID]string{}
	for _, e := range told {
		for _, m := range []*chat.Message{e.Message, changed(e)} {
			if m != nil {
				rows[m.ID] = m.Text
			}
		}
	}
	if len(rows) != messages+1 {
		t.Errorf("%d messages were told of, want %d", len(rows), messages+1)
	}
}

func changed(e chat.Event) *chat.Message {
	if e.Change == nil {
		return nil
	}
	return e.Change.Message
}

// leaky is a store that loses events on their way to the announcer.
type leaky struct {
	chat.Store
	every int
}

func (l leaky) Hear(hear func([]chat.Event)) {
	n := 0
	l.Store.Hear(func(events []chat.Event) {
		var kept []chat.Event
		for _, e := range events {
			if n++; n%l.every != 0 {
				kept = append(kept, e)
			}
		}
		hear(kept)
	})
}

func TestMissingNumbersAreReadFromTheStore(t *testing.T) {
	h := newHouse(t, noLimits())
	h.must(h.Service.Close(h.ctx))
	h.Service = chat.New(leaky{h.store, 3}, h, noLimits())
	alice := h.member("alice")
	var groups []chat.GroupID
	for i := range 4 {
		groups = append(groups, h.enter(alice, fmt.Sprint("room ", i)))
	}
	for i := range 60 {
		h.send(h.guest("guest"), groups[i%4], fmt.Sprint(i))
	}
	for _, g := range groups { // two in a row: at least one is heard, and brings what came before
		h.send(alice, g, "end")
		h.send(alice, g, "end")
	}
	h.must(h.Service.Close(h.ctx))
	checkDense(t, h.heard)
	told := map[chat.MessageID]bool{}
	for _, e := range h.heard {
		if e.Message != nil {
			told[e.Message.ID] = true
		}
	}
	if len(told) < 4+60+4 {
		t.Errorf("%d messages were told of, want at least %d", len(told), 4+60+4)
	}
}

func TestMissingPrivateRowsAreReadFromTheStore(t *testing.T) {
	for _, lost := range []string{"user", "settings"} {
		h := newHouse(t, noLimits())
		h.must(h.Service.Close(h.ctx))
		h.Service = chat.New(leaky{h.store, 2}, h, noLimits())
		alice := h.member("alice")
		for n := range 3 { // numbers 2 to 4, of which 3 is lost
			h.must(h.store.ChangeUser(h.ctx, alice.ID, func(tx chat.UserTx) error {
				if (n == 1) == (lost == "user") {
					return tx.PutUser(tx.User(), []string{"alice"})
				}
				return tx.PutSettings([]byte(`{"theme":"dark"}`))
			}))
		}
		h.must(h.Service.Close(h.ctx))
		told := h.events("", alice.ID)
		if len(told) != 3 || (told[1].Me.User != nil) != (lost == "user") || (told[1].Me.Settings != nil) != (lost == "settings") {
			t.Errorf("lost %s: told %+v", lost, told)
		}
	}
}

func TestSenderWhoGivesUpDoesNotStopTheOthers(t *testing.T) {
	h := newHouse(t, noLimits())
	guest := h.guest("guest")
	g := h.enter(guest, "lobby")
	ctx, cancel := context.WithCancelCause(h.ctx)
	cancel(errors.New("gave up"))
	if _, err := h.SendMessage(ctx, guest, chat.NewMessage{Group: g, Entered: true, Text: "x", ClientID: "c"}); err == nil {
		t.Error("a request that was given up is acknowledged")
	}
	ended, stop := context.WithTimeout(h.ctx, time.Minute)
	defer stop()
	if _, err := h.SendMessage(ended, guest, chat.NewMessage{Group: g, Entered: true, Text: "x", ClientID: "c"}); err != nil {
		t.Errorf("the same again: %v", err)
	}
	if page, err := h.History(h.ctx, guest, chat.HistoryQuery{Group: g}); err != nil || len(page.Messages) != 1 {
		t.Errorf("%d messages, %v; want 1", len(page.Messages), err)
	}
}
