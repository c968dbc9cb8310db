package socketio

import (
	"context"
	"fmt"
	"time"
)

// A watch is how far an adapter's Watch of a room has come. Guarded by the stripe.
type watch struct {
	want, told bool
	busy       bool          // a goroutine tells the adapter
	err        error         // of the last Watch
	changed    chan struct{} // closed when the adapter was told; nil if nobody waits
}

const watchTimeout = time.Second

// want notes whether the room shall be watched, and starts the goroutine that sees to it.
func (d *directory) want(st *stripe, p *presence, name Room, wanted bool) {
	if p.watch == nil {
		p.watch = &watch{}
	}
	w := p.watch
	w.want = wanted
	if (w.want != w.told || w.want && w.err != nil) && !w.busy {
		w.busy = true
		d.watchers.Go(func() { d.follow(st, p, name) })
	}
}

// follow calls Watch and Unwatch, one at a time, until the adapter knows what is wanted. If Watch has failed, the next Join waits
// for it anew.
func (d *directory) follow(st *stripe, p *presence, name Room) {
	st.mu.Lock()
	defer st.mu.Unlock()
	w := p.watch
	for retry := w.err != nil; w.want != w.told || w.want && retry; retry = false {
		wanted, again := w.want, w.told
		w.told = wanted && again // who joins while Unwatch runs waits for the Watch behind it
		st.mu.Unlock()
		err := d.tell(name, wanted, again)
		st.mu.Lock()
		w.told, w.err = wanted, err
	}
	w.busy = false
	if w.changed != nil {
		close(w.changed)
		w.changed = nil
	}
	if !w.want {
		delete(st.rooms, name)
	}
}

func (d *directory) tell(name Room, wanted, again bool) error {
	of := roomOf{d.namespace, name}
	if !wanted {
		d.adapter.unwatch(of)
		return nil
	}
	ctx, cancel := context.WithTimeout(context.Background(), watchTimeout)
	defer cancel()
	err := d.adapter.watch(ctx, of, again)
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
		if p == nil || p.watch == nil {
			st.mu.Unlock()
			return nil
		}
		w := p.watch
		if !w.busy || w.told && w.err == nil {
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
