package storetest

import (
	"errors"
	"fmt"
	"reflect"
	"sync"
	"testing"

	"qun/internal/chat"
)

// webhook makes an outgoing webhook that has told everything up to now.
func (w *world) webhook(g chat.GroupID, by *chat.User) *chat.Webhook {
	w.t.Helper()
	hook := &chat.Webhook{
		ID: chat.WebhookID(w.id()), GroupID: g, Kind: chat.WebhookOutgoing, Name: "archive", URL: "https://example.org/in",
		Events: []chat.WebhookEvent{chat.WebhookChange, chat.WebhookMessage}, MadeBy: by.ID, CreatedAt: w.now, Secret: []byte("secret"),
	}
	w.must(w.store.Change(w.ctx, g, func(tx chat.GroupTx) error {
		hook.Head = tx.Group().Head
		return tx.PutWebhook(hook)
	}))
	return hook
}

// claim lends webhooks, and returns their ids.
func (w *world) claim(until chat.Time, limit int) (ids []chat.WebhookID) {
	w.t.Helper()
	lent, err := w.store.ClaimWebhooks(w.ctx, w.now, until, limit)
	w.must(err)
	for _, hook := range lent {
		ids = append(ids, hook.ID)
	}
	return ids
}

func testWebhooksAreKept(t *testing.T, w *world) {
	alice := w.member("alice")
	g, other := w.room("one", alice), w.room("two", alice)
	hook := w.webhook(g, alice)
	bot := &chat.User{ID: chat.UserID(w.id()), NickName: "CI", Bot: true, Presence: chat.PresenceOffline, CreatedAt: w.now}
	door := &chat.Webhook{ID: chat.WebhookID(w.id()), GroupID: g, Kind: chat.WebhookIncoming, Name: "CI", UserID: bot.ID,
		MadeBy: alice.ID, CreatedAt: w.now, Secret: []byte{0, 1, 255}}
	head := w.groupRow(g).Head
	w.must(w.store.Change(w.ctx, g, func(tx chat.GroupTx) error {
		return errors.Join(tx.AddBot(bot), tx.PutWebhook(door))
	}))
	hook.Name, hook.Failure, hook.Tries, hook.DueAt, hook.OffAt = "log", "it was closed", 3, w.now+5, w.now
	w.must(w.store.Change(w.ctx, g, func(tx chat.GroupTx) error { return tx.PutWebhook(hook) }))
	w.restart()
	w.view(func(r chat.Reader) error {
		all, err := r.Webhooks(g)
		if want := []*chat.Webhook{hook, door}; err != nil || !reflect.DeepEqual(all, want) {
			t.Errorf("got %+v, %v, want %+v", all, err, want)
		}
		if one, err := r.Webhook(door.ID); err != nil || !reflect.DeepEqual(one, door) {
			t.Errorf("got %+v, %v", one, err)
		}
		if none, err := r.Webhooks(other); len(none) != 0 || err != nil {
			t.Errorf("another group has %v, %v", none, err)
		}
		if u, err := r.User(bot.ID); err != nil || *u != *bot {
			t.Errorf("the bot is %+v, %v", u, err)
		}
		return nil
	})
	if now := w.groupRow(g).Head; now != head {
		t.Errorf("webhooks took numbers %d to %d", head+1, now)
	}
	w.must(w.store.Change(w.ctx, other, func(tx chat.GroupTx) error { return tx.DropWebhook(door.ID) })) // not its own
	w.must(w.store.Change(w.ctx, g, func(tx chat.GroupTx) error { return tx.DropWebhook(hook.ID) }))
	w.view(func(r chat.Reader) error {
		if _, err := r.Webhook(hook.ID); !errors.Is(err, chat.ErrNotFound) {
			t.Errorf("a deleted webhook: %v", err)
		}
		_, err := r.Webhook(door.ID)
		return err
	})
}

func testWebhooksAreLentToOne(t *testing.T, w *world) {
	alice := w.member("alice")
	hooks := map[chat.WebhookID]bool{}
	for i := range 6 {
		g := w.room(fmt.Sprint(i), alice)
		hooks[w.webhook(g, alice).ID] = true
		w.say(g, alice, "news")
	}
	quiet := w.room("quiet", alice)
	w.webhook(quiet, alice)
	var mu sync.Mutex
	lent := map[chat.WebhookID]int{}
	var wait sync.WaitGroup
	for range 8 {
		wait.Go(func() {
			some, err := w.store.ClaimWebhooks(w.ctx, w.now, w.now+1000, 2)
			if err != nil {
				t.Error(err)
			}
			mu.Lock()
			defer mu.Unlock()
			for _, hook := range some {
				lent[hook.ID]++
			}
		})
	}
	wait.Wait()
	for id := range hooks {
		if lent[id] != 1 {
			t.Errorf("a webhook with news was lent %d times", lent[id])
		}
	}
	if len(lent) != len(hooks) {
		t.Errorf("%d were lent, %d had news", len(lent), len(hooks))
	}
	w.now += 1000 // who was lent them is gone
	if again := w.claim(w.now+1000, 100); len(again) != len(hooks) {
		t.Errorf("%d were lent again, want %d", len(again), len(hooks))
	}
}

func testSettledWebhookHasComeSoFar(t *testing.T, w *world) {
	alice := w.member("alice")
	g := w.room("one", alice)
	hook := w.webhook(g, alice)
	due := func() (at chat.Time, err error) {
		w.view(func(r chat.Reader) error { at, err = r.WebhooksDue(); return nil })
		return at, err
	}
	if _, err := due(); !errors.Is(err, chat.ErrNotFound) {
		t.Errorf("nothing to tell: %v", err)
	}
	said := w.say(g, alice, "one")
	until := w.now + 1000
	if got := w.claim(until, 9); len(got) != 1 {
		t.Fatalf("lent %v", got)
	}
	if at, err := due(); at != until || err != nil {
		t.Errorf("while it is lent it is due at %d, %v, want %d", at, err, until)
	}
	p := chat.Progress{Head: said.Seq - 1, Tries: 2, TriedAt: w.now, DueAt: w.now + 50, FailingAt: w.now, Failure: "closed"}
	w.must(w.store.SettleWebhook(w.ctx, hook.ID, until+1, chat.Progress{Head: 99})) // somebody else's loan
	w.must(w.store.SettleWebhook(w.ctx, hook.ID, until, p))
	w.view(func(r chat.Reader) error {
		if got, err := r.Webhook(hook.ID); err != nil || got.Progress != p {
			t.Errorf("it has come to %+v, %v, want %+v", got.Progress, err, p)
		}
		if groups, err := r.WebhookGroups(); err != nil || len(groups) != 1 || groups[0] != g {
			t.Errorf("groups with webhooks: %v, %v", groups, err)
		}
		return nil
	})
	if at, err := due(); at != p.DueAt || err != nil || w.claim(until, 9) != nil {
		t.Errorf("due at %d, %v, want %d, and not earlier", at, err, p.DueAt)
	}
	w.now += 50
	if got := w.claim(until, 9); len(got) != 1 {
		t.Fatalf("lent %v when it was due", got)
	}
	w.must(w.store.Change(w.ctx, g, func(tx chat.GroupTx) error { return tx.PutWebhook(hook) }))
	w.must(w.store.SettleWebhook(w.ctx, hook.ID, until, chat.Progress{Head: said.Seq}))
	w.view(func(r chat.Reader) error {
		if got, err := r.Webhook(hook.ID); err != nil || got.Head != hook.Head {
			t.Errorf("one that was changed while it was lent is at %d, %v, want %d", got.Head, err, hook.Head)
		}
		return nil
	})
	w.must(w.store.Change(w.ctx, g, func(tx chat.GroupTx) error {
		row := tx.Group()
		row.DissolvedAt = w.now
		return tx.PutGroup(row)
	}))
	if got := w.claim(until, 9); got != nil {
		t.Errorf("of a dissolved group are lent %v", got)
	}
}

func testEventsAfterAreEachMessageAndEachChange(t *testing.T, w *world) {
	alice := w.member("alice")
	g := w.room("one", alice)
	start := w.groupRow(g).Head
	first, second := w.say(g, alice, "one"), w.say(g, alice, "two")
	w.must(w.store.Change(w.ctx, g, func(tx chat.GroupTx) error {
		edited := *first
		edited.Text, edited.EditedAt = "ONE", w.now
		return errors.Join(tx.PutMessage(&edited), tx.PutGroup(tx.Group()))
	}))
	w.put(g, alice, chat.MemberLeft)
	want := []string{"message one ONE", "message two two", "change ONE", "group", "member"}
	names := map[chat.Seq]string{first.Seq: "message one ", second.Seq: "message two "}
	for limit := 1; limit <= 6; limit++ {
		var got []string
		var last chat.Seq
		for after := start; ; after = last {
			var events []chat.Event
			w.view(func(r chat.Reader) (err error) { events, err = chat.EventsAfter(r, g, after, limit); return err })
			if len(events) == 0 {
				break
			}
			for _, e := range events {
				got = append(got, describe(e, names))
				if e.Number <= last {
					t.Errorf("%d came after %d", e.Number, last)
				}
				last = e.Number
			}
		}
		if !reflect.DeepEqual(got, want) || last != w.groupRow(g).Head {
			t.Errorf("by %d: got %q up to %d, want %q", limit, got, last, want)
		}
	}
}

func describe(e chat.Event, names map[chat.Seq]string) string {
	switch {
	case e.Message != nil:
		return names[e.Number] + e.Message.Text
	case e.Change.Message != nil:
		return "change " + e.Change.Message.Text
	case e.Change.Member != nil:
		return "member"
	case e.Change.Group != nil:
		return "group"
	}
	return "nothing"
}
