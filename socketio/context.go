package socketio

import (
	"context"
	"sync"
	"time"
)

// A turnContext is the context of a handler: a deadline, and a mark that says whose turn it is. Most handlers never wait
// for it, so the timer behind it is made only when somebody asks.
type turnContext struct {
	parent   context.Context
	deadline time.Time
	conn     *conn

	mu     sync.Mutex
	inner  context.Context // nil until somebody waits
	cancel context.CancelFunc
	ended  bool
}

// turnKey finds the connection whose turn a context belongs to.
type turnKey struct{}

func newTurnContext(c *conn) *turnContext {
	s := c.server
	return &turnContext{parent: s.ctx, deadline: time.Now().Add(s.cfg.HandlerTimeout), conn: c}
}

// inTurnOf says whether ctx is that of a handler of the connection, or was derived from it.
func inTurnOf(ctx context.Context, c *conn) bool {
	holder, _ := ctx.Value(turnKey{}).(*conn)
	return holder == c
}

func (t *turnContext) Deadline() (time.Time, bool) { return t.deadline, true }

func (t *turnContext) Done() <-chan struct{} { return t.wait().Done() }

func (t *turnContext) Err() error {
	t.mu.Lock()
	idle := t.inner == nil && !t.ended
	t.mu.Unlock()
	if idle && t.parent.Err() == nil && time.Now().Before(t.deadline) {
		return nil
	}
	return t.wait().Err()
}

func (t *turnContext) Value(key any) any {
	if key == (turnKey{}) {
		return t.conn
	}
	t.mu.Lock()
	inner := t.inner
	t.mu.Unlock()
	if inner == nil {
		return t.parent.Value(key)
	}
	return inner.Value(key)
}

// wait returns the context with the timer.
func (t *turnContext) wait() context.Context {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.inner == nil {
		t.inner, t.cancel = context.WithDeadline(t.parent, t.deadline)
		if t.ended {
			t.cancel()
		}
	}
	return t.inner
}

// end is called when the handler has returned.
func (t *turnContext) end() {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.ended = true
	if t.cancel != nil {
		t.cancel()
	}
}
