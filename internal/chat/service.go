package chat

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"time"

	"qun/internal/rates"
)

// Config says how a Service behaves. The zero value is a good start: guests may open rooms, limits are the defaults.
type Config struct {
	Guests    GuestPolicy      // "": GuestsOpen
	Limits    Limits           // all zero: DefaultLimits; in any other, a 0 lifts that limit, for whoever
	Now       func() time.Time // nil: time.Now
	Logger    *slog.Logger     // nil: discards. Accidents alone; never a text or a name
	Courier   Courier          // tells the world outside; nil: nobody does
	Retention int              // days that groups keep messages at most; 0: for ever
	ReadWait  time.Duration    // how long read cursors may stay in memory; 0: 2 s
	Files     Files            // nil: messages carry no files
	Previews  bool             // messages get a preview of their first link, by whoever claims links
	Name      string           // what the server is called; "": by its address
	// Registration says who may make an account; "": nobody. Name, Guests, Registration, Retention and some limits are
	// what the server begins with: an administrator may change them while it runs, but those that Fixed names.
	Registration Registration
	Fixed        map[string]string // by name of a setting: what fixes it, in words for an administrator
	URL          string            // what addresses begin with in texts, for example https://chat.example.org; "": with /
	Cluster      *Cluster          // nil: nobody else uses the store
}

// GuestPolicy says what guests may do.
type GuestPolicy string

const (
	GuestsOpen GuestPolicy = "open" // enter open groups, and make them by entering
	GuestsJoin GuestPolicy = "join" // enter the open groups there are
	GuestsOff  GuestPolicy = "off"  // nothing
)

// withDefaults fills what was left out.
func (c Config) withDefaults() Config {
	if c.Guests == "" {
		c.Guests = GuestsOpen
	}
	if c.Limits == (Limits{}) {
		c.Limits = DefaultLimits()
	}
	if c.Now == nil {
		c.Now = time.Now
	}
	if c.Logger == nil {
		c.Logger = slog.New(slog.DiscardHandler)
	}
	if c.Courier == nil {
		c.Courier = noCourier{}
	}
	if c.ReadWait == 0 {
		c.ReadWait = 2 * time.Second
	}
	return c
}

// Service is the chat: every rule, no wire. Its methods take who acts, and answer with rows or a refusal (*Error).
// They never notify: what became durable is told by the announcer, and a method that wrote returns after that.
type Service struct {
	// Set once.
	store     Store
	cfg       Config
	words     *wordList
	settings  *serverSettings
	announcer *announcer
	relay     *relay // nil: nobody else uses the store
	teller    *teller
	cursors   *cursors
	messages  *rates.Rates[UserID] // of messages
	entries   *rates.Rates[UserID] // of entries that others see
	seen      *entrances           // join lines already told
	arrivals  arrivals             // of uploads
	searches  *rates.Rates[UserID]
	lookups   *rates.Rates[UserID] // of looks at what anybody may see
	incoming  *rates.Rates[UserID] // of uploads
	pictures  *rates.Rates[UserID] // of avatars
	links     *rates.Rates[UserID] // of links to be looked at
	bars      *bars
	greetings greetings

	life   sync.RWMutex // held for reading by every write; guards below
	closed bool
}

// New starts a chat on a store; notifier hears of everything that becomes durable. Close stops it; the store is the
// caller's to close, afterwards.
func New(store Store, notifier Notifier, cfg Config) *Service {
	cfg = cfg.withDefaults()
	s := &Service{store: store, cfg: cfg, seen: newEntrances(), bars: newBars()}
	s.greetings = newGreetings(s)
	for _, r := range []**rates.Rates[UserID]{&s.messages, &s.entries, &s.searches, &s.lookups, &s.incoming, &s.pictures, &s.links} {
		*r = rates.New[UserID](0, 0, cfg.Now)
	}
	s.settings = newServerSettings(cfg)
	s.allow()
	s.cursors = newCursors(store, cfg.ReadWait, cfg.Logger)
	s.words = &wordList{store: store, now: cfg.Now, also: s.settings.read, done: s.allow}
	s.announce(notifier)
	s.teller = startTeller(s)
	return s
}

// allow gives everybody the allowances of the limits in force.
func (s *Service) allow() {
	l := s.Limits()
	for _, r := range []*rates.Rates[UserID]{s.messages, s.entries, s.searches, s.lookups} {
		r.Set(l.MessagesPerSecond, l.MessageBurst)
	}
	s.incoming.Set(fileRate(l, uploadsPerSecond), uploadBurst)
	s.pictures.Set(fileRate(l, avatarsPerSecond), avatarBurst)
	s.links.Set(fileRate(l, linksPerSecond), linkBurst)
}

// announce starts to tell what becomes durable, here and, of several nodes, on the others.
func (s *Service) announce(notifier Notifier) {
	notifier = corrected{notifier, s.cursors}
	if s.cfg.Cluster == nil {
		s.announcer = startAnnouncer(notifier, s.missed, nil, s.cfg.Logger)
		s.store.Hear(s.announcer.hear)
		return
	}
	s.announcer = startAnnouncer(notifier, s.missed, s.cfg.Cluster.present, s.cfg.Logger)
	s.relay = startRelay(s)
	s.cfg.Courier = sharedCourier{s.cfg.Courier, s.relay}
	s.store.Hear(func(events []Event) {
		s.announcer.hear(events)
		s.relay.tell(events)
	})
}

// Close writes what is in memory, waits until all that is durable is announced, and refuses everything that writes from
// then on.
func (s *Service) Close(ctx context.Context) error {
	s.life.Lock()
	already := s.closed
	s.closed = true
	s.life.Unlock()
	if already {
		return nil
	}
	s.teller.close()
	err := s.cursors.close(ctx)
	if s.relay != nil {
		s.relay.close()
	}
	s.announcer.close()
	if err != nil {
		return fmt.Errorf("write read cursors: %w", err)
	}
	return nil
}

// Epoch names the history of numbers that clients hold.
func (s *Service) Epoch() string { return s.store.Epoch() }

// Limits are the limits in force.
func (s *Service) Limits() Limits { return s.settings.now.Load().limits }

// Guests is the policy in force.
func (s *Service) Guests() GuestPolicy { return s.settings.now.Load().guests }

func (s *Service) retention() int { return s.settings.now.Load().retention }

func (s *Service) now() Time { return TimeOf(s.cfg.Now()) }

// begin lets a write begin, unless the service is closed; end it with s.life.RUnlock.
func (s *Service) begin() error {
	s.life.RLock()
	if s.closed {
		s.life.RUnlock()
		return refuseClosing()
	}
	return nil
}

// refusal turns what a store reports into what a user may see; other errors are wrapped with the act.
func refusal(err error, act string) error {
	var refused *Error
	switch {
	case err == nil:
		return nil
	case errors.As(err, &refused):
		return refused
	case errors.Is(err, ErrBusy), errors.Is(err, context.DeadlineExceeded):
		return refuseBusy()
	case errors.Is(err, ErrClosed):
		return refuseClosing()
	case errors.Is(err, ErrClientIDUsed):
		return refuseConflict()
	case errors.Is(err, ErrNoReply):
		return refuseReply()
	case errors.Is(err, ErrLastAdmin):
		return refuseLastAdmin()
	}
	return fmt.Errorf("%s: %w", act, err)
}
