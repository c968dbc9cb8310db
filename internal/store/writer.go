package store

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"

	"qun/internal/chat"
)

const (
	// maxWaiting bounds what waits to be written; more is chat.ErrBusy.
	maxWaiting = 8192
	// maxBatch bounds what shares a transaction, so that nobody waits long for others.
	maxBatch = 512
)

// writer is the group commit: one goroutine puts everything that waits into one transaction.
type writer struct {
	// Set once.
	session *session
	dialect *dialect
	hear    func([]chat.Event) // set before the first write
	wrote   func()             // called after each commit
	bell    chan struct{}      // capacity 1: something waits
	done    chan struct{}      // closed when run has ended

	// Owned by run.
	userKeys map[chat.UserID]int64 // committed ones; keys never change

	mu     sync.Mutex // guards below
	queue  []*op
	closed bool
}

// op is something to be written.
type op struct {
	ctx context.Context
	do  func(*tx) error // may run more than once, each time on a new transaction
	// posting is the hot path: ops with it share rows read and written.
	posting *chat.Posting

	// Set by the writer, read once done is closed.
	sent *chat.Sent
	err  error
	done chan struct{}
}

func startWriter(s *session, d *dialect, wrote func()) *writer {
	w := &writer{
		session: s, dialect: d, wrote: wrote, hear: func([]chat.Event) {}, bell: make(chan struct{}, 1), done: make(chan struct{}),
		userKeys: map[chat.UserID]int64{},
	}
	go w.run()
	return w
}

// write queues o and waits until it is durable, or refused. When o's context ends while it waits in the queue it is taken
// out; once it is being written its end is waited for, which is soon, and nobody is left in doubt.
func (w *writer) write(o *op) error {
	o.done = make(chan struct{})
	if err := w.enqueue(o); err != nil {
		return err
	}
	select {
	case <-o.done:
	case <-o.ctx.Done():
		if w.withdraw(o) {
			return context.Cause(o.ctx)
		}
		<-o.done
	}
	return o.err
}

// withdraw takes o out of the queue and reports whether it was still there.
func (w *writer) withdraw(o *op) bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	at := slices.Index(w.queue, o)
	if at >= 0 {
		w.queue = slices.Concat(w.queue[:at], w.queue[at+1:]) // the array may be a batch's: it is not moved within
	}
	return at >= 0
}

func (w *writer) enqueue(o *op) error {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.closed {
		return chat.ErrClosed
	}
	if len(w.queue) >= maxWaiting {
		return chat.ErrBusy
	}
	w.queue = append(w.queue, o)
	w.ring()
	return nil
}

func (w *writer) ring() {
	select {
	case w.bell <- struct{}{}:
	default:
	}
}

// close writes what waits and ends the writer.
func (w *writer) close() {
	w.mu.Lock()
	w.closed = true
	w.ring()
	w.mu.Unlock()
	<-w.done
}

// run is the only one who writes; close waits for it.
func (w *writer) run() {
	defer close(w.done)
	for range w.bell {
		for {
			batch, closed := w.take()
			if len(batch) > 0 {
				w.handle(batch)
				continue
			}
			if closed {
				return
			}
			break
		}
	}
}

func (w *writer) take() (batch []*op, closed bool) {
	w.mu.Lock()
	defer w.mu.Unlock()
	n := min(len(w.queue), maxBatch)
	batch, w.queue = w.queue[:n:n], w.queue[n:]
	if len(w.queue) == 0 {
		w.queue = nil // the array goes with the batch
	}
	return batch, w.closed
}

// handle writes a batch, tells what it caused, and wakes who asked. When an accident (not a refusal) spoils the whole
// transaction each op gets one of its own, so that none suffers for another; a failed commit fails all in it.
func (w *writer) handle(batch []*op) {
	err := w.commit(batch)
	var failed *commitError
	if err != nil && len(batch) > 1 && !errors.As(err, &failed) {
		for _, o := range batch {
			w.handle([]*op{o})
		}
		return
	}
	for _, o := range batch {
		if err != nil {
			o.sent, o.err = nil, err
		}
		close(o.done)
	}
}

// commitError is what a commit itself failed with.
type commitError struct{ err error }

func (e *commitError) Error() string { return "commit: " + e.err.Error() }
func (e *commitError) Unwrap() error { return e.err }

// commit runs a batch in one transaction. The error is of all; what concerns one op is in it.
func (w *writer) commit(batch []*op) (err error) {
	t := newTx(w.session, w.dialect, w.userKeys)
	if err := t.begin(); err != nil {
		return err
	}
	defer func() {
		if err != nil {
			err = errors.Join(err, t.rollback())
		}
	}()
	for _, o := range batch {
		if err := w.apply(t, o); err != nil {
			return err
		}
	}
	if err := t.flush(); err != nil {
		return err
	}
	if _, err := t.exec(sqlCommit); err != nil {
		return &commitError{err}
	}
	w.remember(t.newUserKeys)
	w.wrote()
	w.hear(t.events)
	return nil
}

// apply runs one op in the transaction. The error is an accident; refusals are o's own.
func (w *writer) apply(t *tx, o *op) error {
	if o.err = context.Cause(o.ctx); o.err != nil {
		return nil // nobody waits any more
	}
	if o.posting == nil {
		return t.isolated(o)
	}
	o.sent, o.err = t.append(o.posting)
	if accident(o.err) {
		return fmt.Errorf("append a message: %w", o.err)
	}
	return nil
}

// maxUserKeys bounds the keys remembered; past it all are forgotten and read again.
const maxUserKeys = 1 << 16

func (w *writer) remember(keys map[chat.UserID]int64) {
	if len(w.userKeys)+len(keys) > maxUserKeys {
		clear(w.userKeys)
	}
	for id, key := range keys {
		w.userKeys[id] = key
	}
}

// accident reports whether err is neither a refusal nor a fact a caller tests for: then the transaction is spoilt.
func accident(err error) bool {
	var refused *chat.Error
	return err != nil && !errors.As(err, &refused) && !errors.Is(err, chat.ErrNotFound) &&
		!errors.Is(err, chat.ErrNameTaken) && !errors.Is(err, chat.ErrClientIDUsed) && !errors.Is(err, chat.ErrNoReply)
}
