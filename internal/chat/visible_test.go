package chat_test

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"qun/internal/chat"
)

// TestNothingBeforeOnesJoiningIsRead asks in every way there is for what was said before bob came.
func TestNothingBeforeOnesJoiningIsRead(t *testing.T) {
	h := newHouse(t, noLimits())
	alice, bob := h.member("alice"), h.member("bob")
	g, other := h.enter(alice, "lobby"), h.enter(bob, "other")
	h.setGroup(g, func(g *chat.Group) { g.History = chat.ExtentJoined })
	secret := h.send(alice, g, "secret one")
	h.send(alice, g, "secret two")
	_, err := h.Pin(h.ctx, alice, g, secret.Seq, true)
	h.must(err)
	before := h.head(g)
	h.enter(bob, "lobby")
	seen := h.send(alice, g, "public")
	_, err = h.SendMessage(h.ctx, alice, chat.NewMessage{Group: g, Text: "about it", ReplyTo: secret.Seq})
	h.must(err)
	_, err = h.React(h.ctx, alice, g, secret.Seq, "👍", true) // old rows with new numbers
	h.must(err)
	edited, err := h.EditMessage(h.ctx, alice, chat.Edit{Group: g, Seq: secret.Seq + 1, Text: "secret still"})
	h.must(err)

	group, err := h.Group(h.ctx, bob, g)
	h.must(err)
	if group.Me.FromSeq != before+1 {
		t.Errorf("bob's history begins at %d, want %d", group.Me.FromSeq, before+1)
	}
	heads := func(n chat.Seq) map[chat.GroupID]chat.Seq { return map[chat.GroupID]chat.Seq{g: n} }
	for name, ask := range map[string]func(*chat.User) (any, error){
		"snapshot": func(u *chat.User) (any, error) { return h.Snapshot(h.ctx, u, g) },
		"overview": func(u *chat.User) (any, error) { return h.Overview(h.ctx, u) },
		"newest":   func(u *chat.User) (any, error) { return h.History(h.ctx, u, chat.HistoryQuery{Group: g}) },
		"before": func(u *chat.User) (any, error) {
			return h.History(h.ctx, u, chat.HistoryQuery{Group: g, Before: &seen.Seq})
		},
		"after": func(u *chat.User) (any, error) {
			return h.History(h.ctx, u, chat.HistoryQuery{Group: g, After: new(chat.Seq)})
		},
		"around": func(u *chat.User) (any, error) {
			return h.History(h.ctx, u, chat.HistoryQuery{Group: g, Around: &secret.Seq})
		},
		"sync": func(u *chat.User) (any, error) {
			return h.Sync(h.ctx, u, chat.SyncQuery{Epoch: h.Epoch(), Heads: heads(0)})
		},
		"sync later": func(u *chat.User) (any, error) {
			return h.Sync(h.ctx, u, chat.SyncQuery{Epoch: h.Epoch(), Heads: heads(seen.Seq)})
		},
		"sync anew": func(u *chat.User) (any, error) { return h.Sync(h.ctx, u, chat.SyncQuery{Heads: heads(0)}) },
		"pins":      func(u *chat.User) (any, error) { return h.Pins(h.ctx, u, g) },
		"react":     func(u *chat.User) (any, error) { return h.React(h.ctx, u, g, secret.Seq, "👍", true) },
		"edit": func(u *chat.User) (any, error) {
			return h.EditMessage(h.ctx, u, chat.Edit{Group: g, Seq: secret.Seq, Text: "x"})
		},
		"recall": func(u *chat.User) (any, error) { return h.RecallMessage(h.ctx, u, g, secret.Seq) },
		"forward": func(u *chat.User) (any, error) {
			return h.Forward(h.ctx, u, chat.Forward{Group: g, Seq: secret.Seq, To: other})
		},
		"pin":         func(u *chat.User) (any, error) { return h.Pin(h.ctx, u, g, secret.Seq, true) },
		"no question": func(*chat.User) (any, error) { return nil, nil },
	} {
		answer, err := ask(bob)
		text, _ := json.Marshal(answer)
		if strings.Contains(string(text), "secret") {
			t.Errorf("%s: bob reads %s", name, text)
		}
		if err != nil && code(err) != chat.CodeNotFound && name != "pin" { // which his role forbids anyway
			t.Errorf("%s: got %v", name, err)
		}
	}
	page, err := h.History(h.ctx, bob, chat.HistoryQuery{Group: g})
	h.must(err)
	if page.Before || len(page.Messages) != 3 || page.Messages[1].Seq != seen.Seq {
		t.Errorf("bob's page is %+v", page)
	}
	answer, err := h.Sync(h.ctx, bob, chat.SyncQuery{Epoch: h.Epoch(), Heads: heads(0)})
	h.must(err)
	if part := answer.Groups[g]; part.Head != h.head(g) || part.More || part.Reset {
		t.Errorf("bob's sync is %+v", part)
	}
	events := h.events(g, "")
	last := events[len(events)-1]
	if last.Change.Message != nil || last.Change.Seq != edited.Seq || last.Number != edited.Rev || last.Change.Kind != "" {
		t.Errorf("the change tells everybody %+v", last.Change)
	}
	text, err := json.Marshal(last.Change)
	if want := fmt.Sprintf(`{"groupId":"%s","head":%d,"seq":%d}`, g, edited.Rev, edited.Seq); err != nil || string(text) != want {
		t.Errorf("the change is %s, want %s", text, want)
	}
	h.setState(g, bob, chat.MemberLeft)
	h.enter(bob, "lobby")
	if page, err = h.History(h.ctx, bob, chat.HistoryQuery{Group: g}); err != nil || len(page.Messages) != 1 {
		t.Errorf("after he left and came back bob reads %+v, %v", page, err)
	}
	h.setGroup(g, func(g *chat.Group) { g.History = chat.ExtentAll })
	if page, err = h.History(h.ctx, bob, chat.HistoryQuery{Group: g}); err != nil || len(page.Messages) != 7 {
		t.Errorf("opened to all bob reads %+v, %v", page, err)
	}
}

func TestASilentGuestReadsNothingOfAHiddenHistory(t *testing.T) {
	h := newHouse(t, noLimits())
	alice := h.member("alice")
	g := h.enter(alice, "lobby")
	h.setGroup(g, func(g *chat.Group) { g.History = chat.ExtentJoined })
	h.send(alice, g, "secret")
	guest := h.guest("guest")
	h.enter(guest, "lobby")
	snap, err := h.Snapshot(h.ctx, guest, g)
	h.must(err)
	if len(snap.Messages) != 0 || snap.Before {
		t.Errorf("got %+v", snap)
	}
	h.send(guest, g, "hello")
	if snap, err = h.Snapshot(h.ctx, guest, g); err != nil || len(snap.Messages) != 1 {
		t.Errorf("as a member: %+v, %v", snap, err)
	}
}

func TestAMissedChangeOfAHiddenHistoryHasNoRowEither(t *testing.T) {
	h := newHouse(t, noLimits())
	alice := h.member("alice")
	g := h.enter(alice, "lobby")
	h.setGroup(g, func(g *chat.Group) { g.History = chat.ExtentJoined })
	m := h.send(alice, g, "secret")
	h.must(h.Service.Close(h.ctx))
	h.Service = chat.New(leaky{h.store, 2}, h, noLimits())
	h.send(alice, g, "more") // the announcer knows where it is
	edited, err := h.EditMessage(h.ctx, alice, chat.Edit{Group: g, Seq: m.Seq, Text: "secret too"})
	h.must(err)
	h.send(alice, g, "and more")
	for _, e := range h.events(g, "") {
		if e.Number == edited.Rev && (e.Change == nil || e.Change.Message != nil || e.Change.Seq != m.Seq) {
			t.Errorf("told %+v", e.Change)
		}
	}
	if !h.await(g, edited.Rev+1) || edited.Rev != m.Seq+2 {
		t.Errorf("the edit is number %d", edited.Rev)
	}
}
