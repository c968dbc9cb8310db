package gateway_test

import (
	"encoding/json"
	"fmt"
	"testing"

	"qun/internal/chat"
	"qun/internal/gateway"
)

// greetingTakes is how many statements hello may take, however many groups there are, and whether or not it is asked for what
// changed, if nothing did. Those that begin and end a snapshot are among them.
const greetingTakes = 9

func TestOpeningTheAppCostsTheSameForAnyNumberOfGroups(t *testing.T) {
	h := openWith(t, gateway.Config{}, chat.Config{Limits: chat.Limits{MessageLength: 100}})
	ctx := t.Context()
	must := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	alice, err := h.chat.CreateMember(ctx, chat.NewMember{Username: "alice"})
	must(err)
	bob, err := h.chat.CreateMember(ctx, chat.NewMember{Username: "bob"})
	must(err)
	for i := range 200 {
		room := chat.Entry{Room: fmt.Sprint("room ", i)}
		entered, err := h.chat.Enter(ctx, alice, room)
		must(err)
		_, err = h.chat.Enter(ctx, bob, room)
		must(err)
		_, err = h.chat.SendMessage(ctx, bob, chat.NewMessage{Group: entered.Group.ID, Text: "unread"})
		must(err)
	}
	token, err := h.auth.SignIn(ctx, alice.ID, "test")
	must(err)
	must(h.store.SettleIndex(ctx)) // which reads, too
	ask := func(most int64, payload map[string]any) (answer struct {
		Epoch  string
		Groups []struct {
			GroupID     chat.GroupID
			Head        chat.Seq
			LastMessage *chat.Message
			Me          struct{ Unread int }
		}
		Sync *chat.Sync
	}) {
		t.Helper()
		p := h.dialAs(t, token)
		before := h.store.Statements()
		must(json.Unmarshal([]byte(p.ask("hello", payload)), &answer))
		if n := h.store.Statements() - before; n > most {
			t.Errorf("%d statements were run, want at most %d", n, most)
		}
		return answer
	}
	opened := ask(greetingTakes, map[string]any{"protocol": 1})
	heads := map[chat.GroupID]chat.Seq{}
	for _, g := range opened.Groups {
		heads[g.GroupID] = g.Head
		if g.LastMessage == nil || g.Me.Unread != 1 {
			t.Fatalf("group %+v", g)
		}
	}
	if len(heads) != 200 {
		t.Fatalf("got %d groups", len(heads))
	}
	resumed := ask(greetingTakes, map[string]any{"protocol": 1, "epoch": opened.Epoch, "heads": heads})
	if resumed.Sync == nil || len(resumed.Sync.Groups) != 200 {
		t.Errorf("resumed with %+v", resumed.Sync)
	}
}
