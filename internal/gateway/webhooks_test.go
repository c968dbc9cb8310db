package gateway_test

import (
	"encoding/json"
	"strings"
	"sync"
	"testing"
	"time"

	"qun/internal/chat"
	"qun/internal/gateway"
)

// signIn is a peer that came in with a member's token, that member, and the token.
func (h *house) signIn(t *testing.T, name string) (*peer, *chat.User, string) {
	t.Helper()
	user, err := h.chat.CreateMember(t.Context(), chat.NewMember{Username: name})
	if err != nil {
		t.Fatal(err)
	}
	token, err := h.auth.SignIn(t.Context(), user.ID, "test")
	if err != nil {
		t.Fatal(err)
	}
	return h.dialAs(t, token), user, token
}

func TestWebhooksAreKeptOverASocket(t *testing.T) {
	h := open(t, gateway.Config{})
	owner := h.member(t, "owner")
	member := h.member(t, "member")
	group, _ := owner.enter("hall", "")
	member.enter("hall", "")
	made := owner.ask("createWebhook", map[string]any{"groupId": group, "kind": "incoming", "name": "CI"})
	var w struct {
		Webhook      struct{ WebhookID chat.WebhookID }
		Secret, Path string
	}
	if err := json.Unmarshal([]byte(made), &w); err != nil || w.Secret == "" || !strings.HasSuffix(w.Path, w.Secret) {
		t.Fatalf("got %s", made)
	}
	if _, err := h.chat.SendByWebhook(t.Context(), w.Webhook.WebhookID, w.Secret, chat.HookMessage{Text: "it builds"}); err != nil {
		t.Fatal(err)
	}
	member.hears(1, "message ", "it builds", `"nickName":"CI"`)
	list := owner.ask("webhooks", map[string]any{"groupId": group})
	if !strings.Contains(list, string(w.Webhook.WebhookID)) || strings.Contains(list, w.Secret) {
		t.Errorf("the list is %s", list)
	}
	in := map[string]any{"groupId": group, "webhookId": w.Webhook.WebhookID, "name": "builds"}
	if got := owner.ask("updateWebhook", in); !strings.Contains(got, `"name":"builds"`) {
		t.Errorf("got %s", got)
	}
	if got := owner.ask("rotateWebhook", in); !strings.Contains(got, `"secret":`) || strings.Contains(got, w.Secret) {
		t.Errorf("got %s", got)
	}
	for _, request := range []string{"webhooks", "createWebhook", "updateWebhook", "rotateWebhook", "deleteWebhook", "testWebhook"} {
		in["kind"] = "incoming"
		if got := member.ask(request, in); !strings.Contains(got, "FORBIDDEN") {
			t.Errorf("a member asks %s: %s", request, got)
		}
	}
	if got := owner.ask("testWebhook", in); !strings.Contains(got, "NOT_FOUND") { // it is no outgoing one
		t.Errorf("got %s", got)
	}
	if got := owner.ask("deleteWebhook", in); got != `{"ok":true}` {
		t.Errorf("got %s", got)
	}
	member.hears(1, "change ", `"state":"left"`, `"bot":true`)
}

func TestUserWhoHasTheChatInSightIsNotCalled(t *testing.T) {
	clock := &movedClock{now: time.Unix(1_700_000_000, 0)}
	h := open(t, gateway.Config{Now: clock.Now})
	p, user, _ := h.signIn(t, "alice")
	p.ask("getUser", map[string]any{"userId": user.ID}) // from here on the gateway knows whose socket it is
	if h.hub.Watching("nobody") || !h.hub.Watching(user.ID) {
		t.Error("who just came does not watch, or nobody does")
	}
	p.ask("visible", map[string]bool{"on": false})
	if h.hub.Watching(user.ID) {
		t.Error("an app that is hidden has the chat in sight")
	}
	p.ask("visible", map[string]bool{"on": true})
	clock.move(time.Hour)
	if !h.hub.Watching(user.ID) {
		t.Error("an app that is visible, with nothing going on, does not have the chat in sight")
	}
	silent, other, _ := h.signIn(t, "bob")
	silent.ask("getUser", map[string]string{})
	clock.move(59 * time.Second)
	if !h.hub.Watching(other.ID) {
		t.Error("a client that does not say so counts as away at once")
	}
	clock.move(2 * time.Second)
	if h.hub.Watching(other.ID) {
		t.Error("a client that does not say so counts as there for ever")
	}
}

func TestBrowserSubscribesWithItsSession(t *testing.T) {
	h := open(t, gateway.Config{})
	p, user, token := h.signIn(t, "alice")
	if got := p.ask("pushKey", nil); !strings.Contains(got, `"key":`) {
		t.Errorf("got %s", got)
	}
	keys := map[string]string{
		"p256dh": "BCVxsr7N_eNgVRqvHtD0zTZsEc6-VV-JvLexhqUzORcxaOzi6-AYWXvTBHm4bjyPjs7Vd8pZGH6SRpkNtoIAiw4", "auth": "BTBZMqHH6r4Tts7J_aSIgg",
	}
	subscription := map[string]any{"endpoint": "https://push.example.org/1", "expirationTime": nil, "keys": keys}
	if got := p.ask("subscribePush", map[string]any{"subscription": subscription}); got != `{"ok":true}` {
		t.Fatalf("got %s", got)
	}
	group, _ := p.enter("hall", "")
	friend := h.member(t, "bob")
	friend.enter("hall", "")
	friend.ask("sendMessage", map[string]any{"groupId": group, "message": "hello"})
	callees := func() (n int) {
		t.Helper()
		err := h.store.View(t.Context(), func(r chat.Reader) error {
			list, err := r.Callees(group, chat.TimeOf(time.Now()))
			n = len(list)
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
		return n
	}
	if n := callees(); n != 1 {
		t.Errorf("%d devices are to be called, want 1", n)
	}
	if err := h.auth.SignOut(t.Context(), token); err != nil {
		t.Fatal(err)
	}
	if n := callees(); n != 0 {
		t.Errorf("%d devices of %s are to be called after its session ended", n, user.ID)
	}
	if got := friend.ask("unsubscribePush", map[string]any{"endpoint": "https://push.example.org/1"}); got != `{"ok":true}` {
		t.Errorf("got %s", got)
	}
}

// movedClock is a clock that the test moves.
type movedClock struct {
	mu  sync.Mutex // guards below
	now time.Time
}

func (c *movedClock) Now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.now
}

func (c *movedClock) move(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.now = c.now.Add(d)
}
