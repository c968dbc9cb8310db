package adaptertest

import (
	"context"
	"errors"
	"slices"
	"sync"

	"qun/socketio"
)

// A Bus joins servers within one process. The zero Bus is ready.
type Bus struct {
	mu       sync.Mutex // guards below
	adapters []*Adapter // those that are open
}

// An Adapter is one server's place at a Bus.
type Adapter struct {
	bus *Bus

	// Set by Open.
	self    socketio.ServerID
	deliver func(*socketio.Command)

	done chan struct{} // closed when the goroutine that delivers has ended

	mu      sync.Mutex // guards below
	open    bool
	queue   []*socketio.Command
	bell    chan struct{}
	dropped int
	watched map[place]bool // nil: everything is of interest
}

// A place is a room of a namespace, or with room "" the namespace itself.
type place struct {
	namespace string
	room      socketio.Room
}

// queueSize is how many commands wait for one server; what comes then is dropped.
const queueSize = 4096

// Errors that Publish returns.
var (
	ErrClosed = errors.New("adapter is not open")
	ErrFull   = errors.New("a server's queue is full")
)

// Adapter returns a new place at the bus. It hears everything.
func (b *Bus) Adapter() *Adapter { return &Adapter{bus: b} }

// Interested returns a new place at the bus that hears only what it has asked for: it is an Interest.
func (b *Bus) Interested() *Interested {
	a := b.Adapter()
	a.watched = make(map[place]bool)
	return &Interested{a}
}

// Open takes the place.
func (a *Adapter) Open(_ context.Context, self socketio.ServerID, deliver func(*socketio.Command)) error {
	a.self, a.deliver = self, deliver
	a.bell, a.done = make(chan struct{}, 1), make(chan struct{})
	a.open = true
	a.bus.mu.Lock()
	defer a.bus.mu.Unlock()
	a.bus.adapters = append(a.bus.adapters, a)
	go a.work() // Close waits for it
	return nil
}

// work delivers what is queued until the adapter is closed.
func (a *Adapter) work() {
	defer close(a.done)
	for range a.bell {
		for {
			a.mu.Lock()
			batch, open := a.queue, a.open
			a.queue = nil
			a.mu.Unlock()
			if !open {
				return
			}
			if len(batch) == 0 {
				break
			}
			for _, c := range batch {
				a.deliver(c)
			}
		}
	}
}

func (a *Adapter) ring() {
	select {
	case a.bell <- struct{}{}:
	default:
	}
}

// Publish queues the command for the other servers.
func (a *Adapter) Publish(c *socketio.Command) error {
	a.bus.mu.Lock()
	defer a.bus.mu.Unlock()
	if !slices.Contains(a.bus.adapters, a) {
		return ErrClosed
	}
	var err error
	for _, other := range a.bus.adapters {
		if other == a || (c.To != "" && c.To != other.self) {
			continue
		}
		if pushErr := other.push(c); pushErr != nil {
			err = pushErr
		}
	}
	return err
}

func (a *Adapter) push(c *socketio.Command) error {
	a.mu.Lock()
	defer a.mu.Unlock()
	switch {
	case !a.interestedIn(c):
		return nil
	case len(a.queue) >= queueSize:
		a.dropped++
		return ErrFull
	}
	a.queue = append(a.queue, c)
	a.ring()
	return nil
}

// interestedIn says whether anything that the command is meant for is watched. a.mu is held.
func (a *Adapter) interestedIn(c *socketio.Command) bool {
	if a.watched == nil || c.To != "" {
		return true
	}
	if !a.watched[place{c.Namespace, ""}] {
		return false
	}
	return c.Kind != socketio.KindBroadcast || c.ID != "" || len(c.Rooms) == 0 || slices.ContainsFunc(c.Rooms, func(r socketio.Room) bool {
		return a.watched[place{c.Namespace, r}] || len(r) == socketIDSize
	})
}

// socketIDSize is the length of a socket's id, which is a room that nobody watches.
const socketIDSize = 20

// Dropped is how many commands this server missed because its queue was full.
func (a *Adapter) Dropped() int {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.dropped
}

// Servers is the number of open places whose servers take the namespace's commands.
func (a *Adapter) Servers(_ context.Context, namespace string) (int, error) {
	a.bus.mu.Lock()
	defer a.bus.mu.Unlock()
	n := 0
	for _, other := range a.bus.adapters {
		if other == a || other.watches(namespace) {
			n++
		}
	}
	return n, nil
}

func (a *Adapter) watches(namespace string) bool {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.watched == nil || a.watched[place{namespace, ""}]
}

// Close leaves the place.
func (a *Adapter) Close() error {
	a.bus.mu.Lock()
	a.bus.adapters = slices.DeleteFunc(a.bus.adapters, func(other *Adapter) bool { return other == a })
	a.bus.mu.Unlock()
	a.mu.Lock()
	wasOpen := a.open
	a.open = false
	a.mu.Unlock()
	if wasOpen {
		a.ring()
		<-a.done
	}
	return nil
}

// Interested is an Adapter that hears only what it has asked for.
type Interested struct{ *Adapter }

var (
	_ socketio.Adapter  = (*Adapter)(nil)
	_ socketio.Interest = (*Interested)(nil)
)

// Watch asks for a room, or for a namespace.
func (a *Interested) Watch(_ context.Context, namespace string, room socketio.Room) error {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.watched[place{namespace, room}] = true
	return nil
}

// Unwatch asks for it no more.
func (a *Interested) Unwatch(namespace string, room socketio.Room) {
	a.mu.Lock()
	defer a.mu.Unlock()
	delete(a.watched, place{namespace, room})
}

// Watched is the number of rooms and namespaces that are asked for.
func (a *Interested) Watched() int {
	a.mu.Lock()
	defer a.mu.Unlock()
	return len(a.watched)
}

// Deaf returns an adapter that joins the cluster as a does, is counted, and can publish, but whose server never hears
// anything: what a server is to others while its network is half broken.
func Deaf(a socketio.Adapter) socketio.Adapter { return withInterest(deaf{a}, a) }

// withInterest makes an Interest of wrapped if that is what the adapter inside is.
func withInterest(wrapped, inside socketio.Adapter) socketio.Adapter {
	interest, ok := inside.(socketio.Interest)
	if !ok {
		return wrapped
	}
	return struct {
		socketio.Adapter
		socketio.Interest
	}{wrapped, interest}
}

type deaf struct{ socketio.Adapter }

func (d deaf) Open(ctx context.Context, self socketio.ServerID, _ func(*socketio.Command)) error {
	return d.Adapter.Open(ctx, self, func(*socketio.Command) {})
}
