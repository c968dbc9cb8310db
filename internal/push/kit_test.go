package push_test

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net/http"
	"os"
	"slices"
	"strings"
	"sync"
	"testing"

	"qun/internal/chat"
	"qun/internal/push"
	"qun/internal/store"
	"qun/internal/store/fresh"
)

// delivery is a request as the world got it.
type delivery struct {
	url    string
	header http.Header
	body   string
}

// world is everybody outside: an http.RoundTripper that answers by itself.
type world struct {
	mu     sync.Mutex // guards below; not held while answering
	got    []delivery
	answer func(d delivery) (status int, header http.Header, err error) // nil: 200
}

func (w *world) RoundTrip(r *http.Request) (*http.Response, error) {
	body, err := io.ReadAll(r.Body)
	if err != nil {
		return nil, err
	}
	d := delivery{r.URL.String(), r.Header, string(body)}
	w.mu.Lock()
	w.got = append(w.got, d)
	answer := w.answer
	w.mu.Unlock()
	if err := r.Context().Err(); err != nil {
		return nil, err
	}
	status, header := http.StatusOK, http.Header(nil)
	if answer != nil {
		if status, header, err = answer(d); err != nil {
			return nil, err
		}
	}
	return &http.Response{StatusCode: status, Header: header, Body: io.NopCloser(bytes.NewReader(nil)), Request: r}, nil
}

// answers sets what the world says from now on.
func (w *world) answers(answer func(d delivery) (int, http.Header, error)) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.answer = answer
}

// takes are what was sent so far; it is forgotten.
func (w *world) takes() []delivery {
	w.mu.Lock()
	defer w.mu.Unlock()
	got := w.got
	w.got = nil
	return got
}

func always(status int) func(delivery) (int, http.Header, error) {
	return func(delivery) (int, http.Header, error) { return status, nil, nil }
}

var errClosed = errors.New("connection refused")

func unreachable(delivery) (int, http.Header, error) { return 0, nil, errClosed }

// house is a chat on a store of its own, whose courier reaches only the world of the test.
type house struct {
	*chat.Service
	t       *testing.T
	ctx     context.Context
	store   *store.Store
	courier *push.Courier
	world   *world

	mu       sync.Mutex // guards below
	watching map[chat.UserID]bool
}

func newHouse(t *testing.T) *house {
	t.Helper()
	h := &house{t: t, ctx: context.Background(), world: &world{}, watching: map[chat.UserID]bool{}}
	data, err := store.Open(h.ctx, store.Config{Dir: quickDir(t)})
	h.must(err)
	h.store = data
	h.open()
	t.Cleanup(func() {
		h.close()
		h.must(h.store.Close())
	})
	return h
}

// quickDir is a folder in memory, where there is one.
func quickDir(t *testing.T) string {
	t.Helper()
	dir, err := os.MkdirTemp("/dev/shm", "qun-push-")
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

// open starts the chat with a courier.
func (h *house) open() {
	h.t.Helper()
	h.courier = h.newCourier()
	limits := chat.DefaultLimits()
	limits.MessagesPerSecond = 0
	h.Service = chat.New(h.store, h.courier, chat.Config{Limits: limits, Courier: h.courier})
	h.courier.Start()
}

func (h *house) newCourier() *push.Courier {
	h.t.Helper()
	courier, err := push.New(h.ctx, h.store, push.Config{
		Client: &http.Client{Transport: h.world}, Watching: h.watches, Contact: "mailto:admin@example.org",
	})
	h.must(err)
	return courier
}

// close stops both, as a crash does if the world is not heard: what is being told is broken off.
func (h *house) close() {
	h.t.Helper()
	h.courier.Close()
	h.must(h.Service.Close(h.ctx))
}

func (h *house) watches(u chat.UserID) bool {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.watching[u]
}

func (h *house) watch(u *chat.User, on bool) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.watching[u.ID] = on
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

// room makes a group with its owner and others in it.
func (h *house) room(name string, people ...*chat.User) (g chat.GroupID) {
	h.t.Helper()
	for _, u := range people {
		entered, err := h.Enter(h.ctx, u, chat.Entry{Room: name})
		h.must(err)
		g = entered.Group.ID
	}
	return g
}

func (h *house) send(u *chat.User, g chat.GroupID, text string, mentions ...chat.UserID) *chat.Message {
	h.t.Helper()
	sent, err := h.SendMessage(h.ctx, u, chat.NewMessage{Group: g, Text: text, Mentions: mentions})
	h.must(err)
	return sent.Message
}

// hook makes an outgoing webhook.
func (h *house) hook(u *chat.User, g chat.GroupID, url string, events ...chat.WebhookEvent) *chat.WebhookSecret {
	h.t.Helper()
	hook, err := h.CreateWebhook(h.ctx, u, chat.NewWebhook{GroupID: g, Kind: chat.WebhookOutgoing, Name: "hook", URL: url, Events: events})
	h.must(err)
	return hook
}

func (h *house) hookNow(u *chat.User, hook *chat.WebhookSecret) *chat.Webhook {
	h.t.Helper()
	hooks, err := h.Webhooks(h.ctx, u, hook.GroupID)
	h.must(err)
	at := slices.IndexFunc(hooks, func(w *chat.Webhook) bool { return w.ID == hook.ID })
	if at < 0 {
		h.t.Fatal("the webhook is gone")
	}
	return hooks[at]
}

// texts are the words between `"message":"` and `"` of each delivery.
func texts(got []delivery) (list []string) {
	for _, d := range got {
		_, rest, _ := strings.Cut(d.body, `"message":"`)
		text, _, _ := strings.Cut(rest, `"`)
		list = append(list, text)
	}
	return list
}

func (h *house) wantTexts(what string, want ...string) []delivery {
	h.t.Helper()
	got := h.world.takes()
	if !slices.Equal(texts(got), want) {
		h.t.Errorf("%s: told %q, want %q", what, texts(got), want)
	}
	return got
}
