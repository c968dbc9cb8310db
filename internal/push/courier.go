package push

import (
	"context"
	"fmt"
	"log/slog"
	"net/http"
	"sync"
	"time"

	"qun/internal/chat"
)

// Store is what a Courier reads and keeps.
type Store interface {
	chat.OutboxStore
	chat.WebPushStore
	// View and Setting are chat.Store's and auth.Store's.
	View(ctx context.Context, read func(chat.Reader) error) error
	Setting(ctx context.Context, name string, initial []byte) ([]byte, error)
}

// Observer counts. Its methods are called concurrently and must not block.
type Observer interface {
	// Told is what came of a delivery: kind is "webhook" or "webpush", outcome "ok", "refused", "unreachable" or "gone".
	Told(kind, outcome string)
}

// Config says how a Courier behaves. The zero value reaches public addresses only.
type Config struct {
	// Client reaches the world; nil: NewClient(&Dialer{}).
	Client *http.Client
	// Watching says whether a user has the chat in sight, so that no device needs to be called. It must not block. Nil:
	// nobody ever has.
	Watching func(chat.UserID) bool
	// Contact is where the makers of browsers can reach who runs this server: a mailto: or https: address. Theirs may
	// refuse a server that says none.
	Contact  string
	Observer Observer         // nil: nobody
	Now      func() time.Time // nil: time.Now
	Logger   *slog.Logger     // nil: discards. Ids and reasons alone: no texts, no addresses
}

func (c Config) withDefaults() Config {
	if c.Client == nil {
		c.Client = NewClient(&Dialer{})
	}
	if c.Watching == nil {
		c.Watching = func(chat.UserID) bool { return false }
	}
	if c.Observer == nil {
		c.Observer = nobody{}
	}
	if c.Now == nil {
		c.Now = time.Now
	}
	if c.Logger == nil {
		c.Logger = slog.New(slog.DiscardHandler)
	}
	return c
}

type nobody struct{}

func (nobody) Told(string, string) {}

// Courier tells the world outside what its store holds, from Start to Close. It is the chat's Courier, and one of its
// Notifiers.
type Courier struct {
	cfg   Config
	vapid *vapid

	tellers *tellers
	callers *callers
	end     context.CancelFunc
	working sync.WaitGroup
}

var (
	_ chat.Courier  = (*Courier)(nil)
	_ chat.Notifier = (*Courier)(nil)
)

// New makes a Courier; the key by which it calls browsers is kept in the store.
func New(ctx context.Context, store Store, cfg Config) (*Courier, error) {
	cfg = cfg.withDefaults()
	key, err := loadVAPID(ctx, store, cfg.Contact)
	if err != nil {
		return nil, fmt.Errorf("read the key of Web Push: %w", err)
	}
	return &Courier{cfg: cfg, vapid: key, tellers: newTellers(store, cfg), callers: newCallers(store, key, cfg)}, nil
}

// Start begins to tell: what was left over from before, too.
func (c *Courier) Start() {
	ctx, cancel := context.WithCancel(context.Background())
	c.end = cancel
	c.working.Go(func() { c.tellers.run(ctx) })
	c.working.Go(func() { c.callers.run(ctx) })
}

// Close breaks off what is being told and waits for its end; it is told again after the next start. The store must still
// be open.
func (c *Courier) Close() {
	if c.end != nil {
		c.end()
	}
	c.working.Wait()
	c.cfg.Client.CloseIdleConnections()
}

// Notify hears that there is something to tell.
func (c *Courier) Notify(e chat.Event) {
	if e.Group == "" {
		return
	}
	c.tellers.hint(e.Group)
	if e.Message != nil && e.Message.Kind.Countable() {
		c.callers.hint(e.Group)
	}
}

// WebhooksChanged looks at the webhooks again.
func (c *Courier) WebhooksChanged(chat.GroupID) { c.tellers.changed() }

// SubscriptionsChanged looks at the devices again.
func (c *Courier) SubscriptionsChanged() { c.callers.changed() }

// Ping tells a webhook a line, now and once.
func (c *Courier) Ping(ctx context.Context, w *chat.Webhook, line *chat.Message) error {
	ctx, cancel := context.WithTimeout(ctx, pingTime)
	defer cancel()
	return c.tellers.send(ctx, w, "ping", string(line.ID), line)
}

// Key is the public key by which browsers know this server.
func (c *Courier) Key() string { return c.vapid.public }

// pingTime is less than clients wait for an answer.
const pingTime = 8 * time.Second

// sweep is how often everything is looked at, whatever was hinted: what other nodes wrote, what became due.
const sweep = 30 * time.Second
