package gateway

import (
	"context"
	"sync"
)

// turnstiles let people into a room one after the other, in the order in which they came: whoever came first is in the
// room when the line about the next is told, even if the first had to wait for the room to be made.
type turnstiles struct {
	mu    sync.Mutex // guards below; held for moments only
	rooms map[string]*turnstile
}

// turnstile is one room's. A channel serves who waits for it in order.
type turnstile struct {
	free  chan struct{}
	users int
}

// enter waits for the room's turnstile; leave lets the next one in. It fails only when ctx ends.
func (t *turnstiles) enter(ctx context.Context, room string) (leave func(), err error) {
	stile := t.take(room)
	select {
	case <-stile.free:
		return func() {
			stile.free <- struct{}{}
			t.drop(room, stile)
		}, nil
	case <-ctx.Done():
		t.drop(room, stile)
		return nil, ctx.Err()
	}
}

func (t *turnstiles) take(room string) *turnstile {
	t.mu.Lock()
	defer t.mu.Unlock()
	stile := t.rooms[room]
	if stile == nil {
		stile = &turnstile{free: make(chan struct{}, 1)}
		stile.free <- struct{}{}
		if t.rooms == nil {
			t.rooms = map[string]*turnstile{}
		}
		t.rooms[room] = stile
	}
	stile.users++
	return stile
}

func (t *turnstiles) drop(room string, stile *turnstile) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if stile.users--; stile.users == 0 {
		delete(t.rooms, room)
	}
}
