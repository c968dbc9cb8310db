package gateway_test

import (
	"context"
	"encoding/json"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"qun/internal/auth"
	"qun/internal/chat"
	"qun/internal/gateway"
	"qun/internal/store"
	"qun/internal/store/fresh"
	"qun/socketio"
	"qun/test/sioclient"
)

// patience is for how long a test waits for what has to come: a busy machine may take its time.
const patience = 30 * time.Second

// house is a gateway on a real store and a real server.
type house struct {
	url     string
	hub     *gateway.Hub
	gateway *gateway.Gateway
	chat    *chat.Service
	auth    *auth.Service
	store   *store.Store
}

func open(t *testing.T, cfg gateway.Config) *house {
	t.Helper()
	return openWith(t, cfg, chat.Config{Limits: chat.Limits{MessageLength: 100, NickName: 32, Room: 64, GroupsPerUser: 5}})
}

func openWith(t *testing.T, cfg gateway.Config, rules chat.Config) *house {
	t.Helper()
	return openOn(t, cfg, rules, func(s chat.Store) chat.Store { return s })
}

// openOn is openWith on what is made of the store.
func openOn(t *testing.T, cfg gateway.Config, rules chat.Config, on func(chat.Store) chat.Store) *house {
	t.Helper()
	data, err := store.Open(t.Context(), store.Config{Dir: fresh.Dir(t)})
	if err != nil {
		t.Fatal(err)
	}
	who, err := auth.New(t.Context(), data, auth.Config{})
	if err != nil {
		t.Fatal(err)
	}
	sockets := socketio.New(socketio.Config{})
	h := &house{hub: gateway.NewHub(sockets.Of("/")), auth: who, store: data}
	h.chat = chat.New(on(data), h.hub, rules)
	h.gateway = gateway.Serve(sockets.Of("/"), h.hub, h.chat, who, cfg)
	server := httptest.NewServer(sockets)
	h.url = server.URL
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), patience)
		defer cancel()
		for _, err := range []error{sockets.Shutdown(ctx), h.chat.Close(ctx), data.Close()} {
			if err != nil {
				t.Error(err)
			}
		}
		server.Close()
		h.gateway.Close()
	})
	return h
}

// peer remembers what it heard, as "name body".
type peer struct {
	*sioclient.Client
	t *testing.T

	mu    sync.Mutex // guards below
	heard []string
	more  chan struct{}
}

func (h *house) dial(t *testing.T) *peer {
	t.Helper()
	return h.dialAs(t, "")
}

// member signs somebody up, and dials as a full client of it.
func (h *house) member(t *testing.T, name string) *peer {
	t.Helper()
	token, _ := h.signUp(t, name)
	p := h.dialAs(t, token)
	p.ask("hello", map[string]int{"protocol": 1})
	return p
}

// signUp makes a member and signs it in.
func (h *house) signUp(t *testing.T, name string) (token string, id chat.UserID) {
	t.Helper()
	user, err := h.chat.CreateMember(t.Context(), chat.NewMember{Username: name})
	if err != nil {
		t.Fatal(err)
	}
	if token, err = h.auth.SignIn(t.Context(), user.ID, "test"); err != nil {
		t.Fatal(err)
	}
	return token, user.ID
}

// change makes a group what no request makes it.
func (h *house) change(t *testing.T, g chat.GroupID, set func(*chat.Group)) {
	t.Helper()
	err := h.store.Change(t.Context(), g, func(tx chat.GroupTx) error {
		row := tx.Group()
		set(row)
		return tx.PutGroup(row)
	})
	if err != nil {
		t.Fatal(err)
	}
}

// dialAs connects with a token; "" is nobody's.
func (h *house) dialAs(t *testing.T, token string) *peer {
	t.Helper()
	p := &peer{t: t, more: make(chan struct{})}
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	var err error
	p.Client, err = sioclient.Dial(ctx, sioclient.Config{URL: h.url, Auth: map[string]string{"token": token}, OnEvent: func(name string, args []json.RawMessage) {
		p.mu.Lock()
		defer p.mu.Unlock()
		p.heard = append(p.heard, name+" "+string(args[0]))
		close(p.more)
		p.more = make(chan struct{})
	}})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(p.Close)
	return p
}

// ask returns the ack as text.
func (p *peer) ask(event string, payload any) string {
	p.t.Helper()
	ctx, cancel := context.WithTimeout(p.t.Context(), patience)
	defer cancel()
	args, err := p.Call(ctx, event, payload)
	if err != nil {
		p.t.Fatalf("%s: %v", event, err)
	}
	return string(args[0])
}

// enter joins a room and returns the group and who the peer is in it.
func (p *peer) enter(room, nickName string) (chat.GroupID, chat.UserID) {
	p.t.Helper()
	answer := p.ask("joinRoom", map[string]string{"roomName": room, "nickName": nickName})
	var in struct {
		Group struct{ GroupID chat.GroupID }
		Me    struct{ UserID chat.UserID }
	}
	if err := json.Unmarshal([]byte(answer), &in); err != nil || in.Group.GroupID == "" {
		p.t.Fatalf("got %s", answer)
	}
	return in.Group.GroupID, in.Me.UserID
}

// count is how many events so far hold all words.
func (p *peer) count(words ...string) (n int, more <-chan struct{}) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, e := range p.heard {
		if containsAll(e, words) {
			n++
		}
	}
	return n, p.more
}

func containsAll(text string, words []string) bool {
	for _, word := range words {
		if !strings.Contains(text, word) {
			return false
		}
	}
	return true
}

// hears waits until n events hold all words.
func (p *peer) hears(n int, words ...string) {
	p.t.Helper()
	deadline := time.After(patience)
	for {
		got, more := p.count(words...)
		if got >= n {
			return
		}
		select {
		case <-more:
		case <-deadline:
			p.t.Fatalf("heard %d of %d events with %q: %q", got, n, words, p.heard)
		}
	}
}

// hasHeard wants exactly n events with all words, now that everything pushed so far has arrived.
func (p *peer) hasHeard(n int, words ...string) {
	p.t.Helper()
	p.ask("getUser", map[string]string{})
	if got, _ := p.count(words...); got != n {
		p.t.Errorf("heard %d events with %q, want %d: %q", got, words, n, p.heard)
	}
}

// tally counts what an Observer hears.
type tally struct {
	mu     sync.Mutex // guards below
	counts map[string]int
}

func (c *tally) add(what string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.counts == nil {
		c.counts = map[string]int{}
	}
	c.counts[what]++
}

func (c *tally) of(what string) int {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.counts[what]
}

func (c *tally) Requested(name, outcome string, _ time.Duration) { c.add(name + " " + outcome) }
func (c *tally) Pushed(event string)                             { c.add("pushed " + event) }
