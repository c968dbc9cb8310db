package socketio

import (
	"context"
	"slices"
	"sync"
	"time"
)

// A turnContext is the context of a handler: a deadline, and a mark that says whose turn it is. Most handlers never wait
// for it, and of those that do only a channel is made: the time is watched for all of them together.
type turnContext struct {
	conn     *conn
	deadline time.Time

	mu    sync.Mutex    // guards below
	done  chan struct{} // nil until somebody waits
	err   error         // set when it has ended
	after []*func()     // what AfterFunc was given

	// Guarded by waits.mu.
	waiting    bool
	next, prev *turnContext
}

// turnKey finds the connection whose turn a context belongs to.
type turnKey struct{}

// begin sets the deadline.
func (t *turnContext) begin(c *conn) {
	t.conn, t.deadline = c, time.Now().Add(c.server.cfg.HandlerTimeout)
}

// inTurnOf says whether ctx is that of a handler of the connection, or was derived from it.
func inTurnOf(ctx context.Context, c *conn) bool {
	holder, _ := ctx.Value(turnKey{}).(*conn)
	return holder == c
}

func (t *turnContext) Deadline() (time.Time, bool) { return t.deadline, true }

func (t *turnContext) Done() <-chan struct{} {
	t.mu.Lock()
	if t.done == nil {
		t.done = make(chan struct{})
		if t.err != nil {
			close(t.done)
		}
		t.watch()
	}
	done := t.done
	t.mu.Unlock()
	t.endWithServer()
	return done
}

func (t *turnContext) Err() error {
	t.endWithServer()
	if !time.Now().Before(t.deadline) {
		t.cancel(context.DeadlineExceeded)
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.err
}

func (t *turnContext) Value(key any) any {
	if key == (turnKey{}) {
		return t.conn
	}
	return nil
}

// AfterFunc has f called when the context has ended, in a goroutine of its own. Package context asks for it instead of
// waiting for Done in one, when it derives a context.
func (t *turnContext) AfterFunc(f func()) (stop func() bool) {
	defer t.endWithServer()
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.err != nil {
		go f()
		return func() bool { return false }
	}
	t.after = append(t.after, &f)
	t.watch()
	return func() bool {
		t.mu.Lock()
		defer t.mu.Unlock()
		i := slices.Index(t.after, &f)
		if i < 0 {
			return false
		}
		t.after = slices.Delete(t.after, i, i+1)
		return true
	}
}

// end is called when the handler has returned.
func (t *turnContext) end() { t.cancel(context.Canceled) }

// cancel ends the context, unless that has happened already.
func (t *turnContext) cancel(err error) {
	t.mu.Lock()
	if t.err != nil {
		t.mu.Unlock()
		return
	}
	t.err = err
	if t.done != nil {
		close(t.done)
	}
	after := t.after
	t.after = nil
	t.mu.Unlock()
	for _, f := range after {
		go (*f)()
	}
	t.conn.server.waits.remove(t)
}

// watch has the context end in time, and with the server. It is called under the lock.
func (t *turnContext) watch() {
	if t.err == nil {
		t.conn.server.waits.add(t)
	}
}

// endWithServer ends the context if the server is gone: those that are watched later are not told.
func (t *turnContext) endWithServer() {
	if err := t.conn.server.ctx.Err(); err != nil {
		t.cancel(err)
	}
}

// waits are the contexts of the handlers that wait for them, in the order of their deadlines. All have the same time, so a new
// one belongs to the end, or close to it; and one timer is enough.
type waits struct {
	mu          sync.Mutex // guards below; held for a moment, with nothing called
	first, last *turnContext
	timer       *time.Timer
	alarm       time.Time // when the timer fires; zero if it is not set
}

// add does nothing if the context is there already.
func (w *waits) add(t *turnContext) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if t.waiting {
		return
	}
	t.waiting = true
	before := w.last
	for before != nil && before.deadline.After(t.deadline) {
		before = before.prev
	}
	w.link(before, t)
	w.arm()
}

// link puts t behind another one, or in front.
func (w *waits) link(before, t *turnContext) {
	t.prev = before
	if before == nil {
		t.next, w.first = w.first, t
	} else {
		t.next, before.next = before.next, t
	}
	if t.next == nil {
		w.last = t
	} else {
		t.next.prev = t
	}
}

func (w *waits) remove(t *turnContext) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if t.waiting {
		w.unlink(t)
	}
}

func (w *waits) unlink(t *turnContext) {
	if t.prev == nil {
		w.first = t.next
	} else {
		t.prev.next = t.next
	}
	if t.next == nil {
		w.last = t.prev
	} else {
		t.next.prev = t.prev
	}
	t.next, t.prev, t.waiting = nil, nil, false
}

// arm sets the timer for the first, unless it fires before. It is called under the lock.
func (w *waits) arm() {
	if w.first == nil || !w.alarm.IsZero() && !w.alarm.After(w.first.deadline) {
		return
	}
	w.alarm = w.first.deadline
	if d := time.Until(w.alarm); w.timer == nil {
		w.timer = time.AfterFunc(d, w.expire)
	} else {
		w.timer.Reset(d)
	}
}

// expire ends those whose time has come.
func (w *waits) expire() {
	for {
		w.mu.Lock()
		t := w.first
		if t == nil || time.Now().Before(t.deadline) {
			w.alarm = time.Time{}
			w.arm()
			w.mu.Unlock()
			return
		}
		w.unlink(t)
		w.mu.Unlock()
		t.cancel(context.DeadlineExceeded)
	}
}

// end ends all of them, because the server is gone.
func (w *waits) end(err error) {
	for {
		w.mu.Lock()
		t := w.first
		if t == nil {
			w.mu.Unlock()
			return
		}
		w.unlink(t)
		w.mu.Unlock()
		t.cancel(err)
	}
}
