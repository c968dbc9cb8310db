package socketio

import (
	"context"
	"fmt"
	"time"
)

// A watch is how far an adapter's Watch of a room has come. Guarded by the stripe.
type watch struct {
	want, have bool
	busy       bool          // a goroutine works at making have what is wanted
	err        error         // of the last Watch
	changed    chan struct{} // closed when have, or busy, has changed; nil if nobody waits
}

const watchTimeout = time.Second

// want notes whether the room shall be watched, and starts the goroutine that sees to it.
func (d *directory) want(st *stripe, p *presence, name Room, wanted bool) {
	if p.watch == nil {
		p.watch = &watch{}
	}
	w := p.watch
	w.want = wanted
	if w.want != w.have && !w.busy {
		w.busy = true
		d.watchers.Go(func() { d.follow(st, p, name) })
	}
}

// follow calls Watch and Unwatch, one at a time, until what is watched is what is wanted, or Watch has failed; the next
// Join tries again.
func (d *directory) follow(st *stripe, p *presence, name Room) {
	st.mu.Lock()
	defer st.mu.Unlock()
	w := p.watch
	for err := error(nil); err == nil && w.want != w.have; {
		wanted := w.want
		st.mu.Unlock()
		err = d.tell(name, wanted)
		st.mu.Lock()
		if w.err = err; err == nil {
			w.have = wanted
		}
	}
	w.busy = false
	if w.changed != nil {
		close(w.changed)
		w.changed = nil
	}
	if !w.want && !w.have {
		delete(st.rooms, name)
	}
}

func (d *directory) tell(name Room, wanted bool) error {
	if !wanted {
		d.adapter.Unwatch(d.namespace, name)
		return nil
	}
	ctx, cancel := context.WithTimeout(context.Background(), watchTimeout)
	defer cancel()
	err := d.adapter.Watch(ctx, d.namespace, name)
	if err != nil {
		d.failed(name, err)
	}
	return err
}

// await waits until a room that was added is watched, at most until the context ends.
func (d *directory) await(ctx context.Context, name Room) error {
	st := d.stripe(name)
	for {
		st.mu.Lock()
		p := st.rooms[name]
		if p == nil || p.watch == nil || p.watch.have {
			st.mu.Unlock()
			return nil
		}
		w := p.watch
		if !w.busy {
			err := w.err
			st.mu.Unlock()
			return err
		}
		if w.changed == nil {
			w.changed = make(chan struct{})
		}
		changed := w.changed
		st.mu.Unlock()
		select {
		case <-changed:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

// awaitWatch waits until the adapter watches the rooms, if it wants to, at most watchTimeout.
func (n *Namespace) awaitWatch(rooms []Room) error {
	if n.directory.adapter == nil {
		return nil
	}
	ctx, cancel := context.WithTimeout(context.Background(), watchTimeout)
	defer cancel()
	for _, name := range rooms {
		if err := n.directory.await(ctx, name); err != nil {
			return fmt.Errorf("watch room: %w", err)
		}
	}
	return nil
}
