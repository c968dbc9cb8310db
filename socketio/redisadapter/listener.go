package redisadapter

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"sync"
	"time"

	"github.com/redis/rueidis"
)

// A listener keeps one connection to Redis with all subscriptions that are wanted, and makes it anew when it breaks. One
// connection, so that messages of a server are heard in the order in which it sent them, whatever their channels.
type listener struct {
	client rueidis.Client
	log    *slog.Logger
	hear   func(message)
	bell   chan struct{} // of capacity 1: there are changes

	mu        sync.Mutex // guards below
	wanted    map[subscription]*desire
	changes   []subscription // those of which Redis does not know yet what is wanted
	connected bool
	breaks    uint64
}

// A desire is how far a subscription has come.
type desire struct {
	want, have bool
	queued     bool          // it is among the changes
	settled    chan struct{} // closed when have becomes true; nil if nobody waits
}

func newListener(client rueidis.Client, log *slog.Logger, hear func(message)) *listener {
	return &listener{client: client, log: log, hear: hear, bell: make(chan struct{}, 1), wanted: make(map[subscription]*desire)}
}

// want subscribes, and waits until Redis has said so, or ctx ends. The subscriptions stay wanted in either case.
func (l *listener) want(ctx context.Context, subscriptions []subscription) error {
	for _, settled := range l.note(subscriptions) {
		select {
		case <-settled:
		case <-ctx.Done():
			return fmt.Errorf("wait for Redis: %w", ctx.Err())
		}
	}
	return nil
}

// note notes what is wanted, and returns what to wait for.
func (l *listener) note(subscriptions []subscription) (waits []chan struct{}) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, s := range subscriptions {
		d := l.wanted[s]
		if d == nil {
			d = &desire{}
			l.wanted[s] = d
		}
		l.change(s, d, true)
		if d.have {
			continue
		}
		if d.settled == nil {
			d.settled = make(chan struct{})
		}
		waits = append(waits, d.settled)
	}
	return waits
}

func (l *listener) unwant(subscriptions []subscription) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, s := range subscriptions {
		if d := l.wanted[s]; d != nil {
			l.change(s, d, false)
		}
	}
}

// change queues what Redis has to be told. l.mu is held.
func (l *listener) change(s subscription, d *desire, want bool) {
	d.want = want
	if d.want == d.have || d.queued {
		return
	}
	d.queued = true
	l.changes = append(l.changes, s)
	l.ring()
}

func (l *listener) ring() {
	select {
	case l.bell <- struct{}{}:
	default:
	}
}

func (l *listener) state() (connected bool, subscriptions int, breaks uint64) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.connected, len(l.wanted), l.breaks
}

// Times between attempts to connect.
const (
	firstPause = 50 * time.Millisecond
	maxPause   = 2 * time.Second
)

// run listens until ctx ends.
func (l *listener) run(ctx context.Context) {
	pause := firstPause
	for {
		began := time.Now()
		err := l.listen(ctx)
		l.forget()
		if ctx.Err() != nil {
			return
		}
		if time.Since(began) > 2*maxPause {
			pause = firstPause
		}
		l.log.Warn("connection to Redis lost; trying again", "error", err)
		select {
		case <-time.After(pause/2 + rand.N(pause)): // not all servers at once
		case <-ctx.Done():
			return
		}
		pause = min(2*pause, maxPause)
	}
}

// forget notes that Redis knows of no subscription any more.
func (l *listener) forget() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.connected = false
	l.breaks++
	l.changes = nil
	for s, d := range l.wanted {
		d.have, d.queued = false, false
		if !d.want {
			delete(l.wanted, s)
			continue
		}
		l.change(s, d, true)
	}
}

var errConnection = errors.New("connection was closed")

// listen serves one connection until it breaks.
func (l *listener) listen(ctx context.Context) error {
	connection, release := l.client.Dedicate()
	defer release()
	defer connection.Close()
	lost := connection.SetPubSubHooks(rueidis.PubSubHooks{OnMessage: func(m rueidis.PubSubMessage) {
		l.hear(message{m.Channel, []byte(m.Message)})
	}})
	for {
		if err := l.tell(ctx, connection); err != nil {
			return err
		}
		select {
		case <-l.bell:
		case err := <-lost:
			if err == nil {
				err = errConnection
			}
			return err
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

// tell tells Redis what has changed.
func (l *listener) tell(ctx context.Context, connection rueidis.DedicatedClient) error {
	for {
		commands, done := l.takeChanges(connection)
		if len(commands) == 0 {
			return l.greet(ctx, connection)
		}
		for _, result := range connection.DoMulti(ctx, commands...) {
			if err := result.Error(); err != nil {
				return fmt.Errorf("subscribe: %w", explained(err))
			}
		}
		done()
	}
}

// greet makes sure that a connection is one, before it counts as such.
func (l *listener) greet(ctx context.Context, connection rueidis.DedicatedClient) error {
	if l.isConnected() {
		return nil
	}
	if err := connection.Do(ctx, connection.B().Ping().Build()).Error(); err != nil {
		return err
	}
	l.mu.Lock()
	l.connected = true
	again := l.breaks > 0
	count := len(l.wanted)
	l.mu.Unlock()
	if again {
		l.log.Info("listening to Redis again", "subscriptions", count)
	}
	return nil
}

func (l *listener) isConnected() bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.connected
}

// takeChanges returns commands for the next changes, and what to call when Redis has carried them out.
func (l *listener) takeChanges(connection rueidis.DedicatedClient) (commands []rueidis.Completed, done func()) {
	l.mu.Lock()
	defer l.mu.Unlock()
	n := min(batch, len(l.changes))
	taken := l.changes[:n:n]
	l.changes = l.changes[n:]
	var subscribed, unsubscribed []subscription
	for _, s := range taken {
		d := l.wanted[s]
		d.queued = false
		switch {
		case d.want == d.have:
			if !d.want {
				delete(l.wanted, s)
			}
			continue
		case d.want:
			subscribed = append(subscribed, s)
		default:
			unsubscribed = append(unsubscribed, s)
			d.have = false // from now on it is not sure
		}
		commands = append(commands, s.command(connection, d.want))
	}
	if len(l.changes) > 0 {
		l.ring()
	}
	return commands, func() { l.carriedOut(subscribed, unsubscribed) }
}

// carriedOut notes what Redis knows now. What was wanted otherwise meanwhile is a change again.
func (l *listener) carriedOut(subscribed, unsubscribed []subscription) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, s := range subscribed {
		d := l.wanted[s]
		d.have = true
		if d.settled != nil {
			close(d.settled)
			d.settled = nil
		}
		l.change(s, d, d.want)
	}
	for _, s := range unsubscribed {
		d := l.wanted[s]
		l.change(s, d, d.want)
		if !d.want && !d.queued {
			delete(l.wanted, s)
		}
	}
}

// command subscribes to one channel, or ends that.
func (s subscription) command(connection rueidis.DedicatedClient, subscribe bool) rueidis.Completed {
	b := connection.B()
	switch {
	case s.way == exact && subscribe:
		return b.Subscribe().Channel(s.channel).Build()
	case s.way == exact:
		return b.Unsubscribe().Channel(s.channel).Build()
	case s.way == pattern && subscribe:
		return b.Psubscribe().Pattern(s.channel).Build()
	case s.way == pattern:
		return b.Punsubscribe().Pattern(s.channel).Build()
	case subscribe:
		return b.Ssubscribe().Channel(s.channel).Build()
	default:
		return b.Sunsubscribe().Channel(s.channel).Build()
	}
}
