package store

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"qun/internal/auth"
	"qun/internal/chat"
)

const (
	// maxWaiting bounds what waits to be written; more is chat.ErrBusy.
	maxWaiting = 8192
	// maxBatch bounds what shares a transaction, so that nobody waits long for others.
	maxBatch = 512
)

// stage is where the writers of a store meet.
type stage struct {
	users sync.Mutex // held from taking users' numbers until their events are told; see tx.enroll

	mu    sync.Mutex // guards below; never held while users is taken
	hear  func([]chat.Event)
	index *indexer // nil until there is one
}

// tell hands on what became durable, of one writer at a time.
func (s *stage) tell(events []chat.Event) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.hear(events)
	if s.index != nil {
		s.index.note(events)
	}
}

// writer is the group commit: one goroutine puts everything that waits into one transaction. A group has one writer, so
// its numbers are told in order.
type writer struct {
	// Set once.
	connect func(context.Context) (*session, error)
	dialect *dialect
	stage   *stage
	log     *slog.Logger
	wrote   func()        // called after each commit
	bell    chan struct{} // capacity 1: something waits
	ending  chan struct{} // closed by close: what cannot be written soon is given up
	done    chan struct{} // closed when run has ended
	settles time.Duration // for how long a database is asked what became of a commit that was cut; 0: as long as is reasonable

	name atomic.Pointer[string] // nobody else's, ever; another one after a commit that nobody can answer for

	// Owned by run.
	session  *session              // nil: lost
	batches  int64                 // transactions begun
	userKeys map[chat.UserID]int64 // committed ones; keys never change
	kept     kept                  // rows of a dialect that is alone
	last     error                 // what the batch before ended with, of the database as a whole

	mu     sync.Mutex // guards below
	queue  []*op
	closed bool
}

// op is something to be written.
type op struct {
	ctx  context.Context
	rows []place         // what it will look at, for a dialect that reads ahead; every group it touches and does not make
	do   func(*tx) error // may run more than once, each time on a new transaction
	// posting is the hot path: ops with it share rows read and written.
	posting *chat.Posting

	// Set by the writer, read once done is closed.
	sent *chat.Sent
	err  error
	done chan struct{}
}

// place is a group and, unless it is "", somebody in it.
type place struct {
	group chat.GroupID
	user  chat.UserID
}

// startWriter starts a writer; it connects when there is something to write.
func startWriter(w *writer) *writer {
	w.bell, w.ending, w.done = make(chan struct{}, 1), make(chan struct{}), make(chan struct{})
	w.userKeys = map[chat.UserID]int64{}
	w.rename()
	go w.run()
	return w
}

// rename makes a writer somebody else: what it wrote under the name of before, or what of it comes to be written yet, is
// found by who looks for what others wrote.
func (w *writer) rename() {
	name := newName()
	w.name.Store(&name)
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
func (w *writer) close() error {
	w.mu.Lock()
	w.closed = true
	w.ring()
	w.mu.Unlock()
	close(w.ending)
	<-w.done
	if w.session == nil {
		return nil
	}
	return w.session.close()
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

// maxTries bounds how often a batch is tried that others got in the way of.
const maxTries = 4

// handle writes a batch, tells what it caused, and wakes who asked. When an accident (not a refusal) spoils the whole
// transaction each op gets one of its own, so that none suffers for another; what is wrong with the database as a whole,
// and a failed commit, fails all in it.
func (w *writer) handle(batch []*op) {
	err := w.commit(batch, false)
	for range maxTries - 1 {
		again, passOver := w.dialect.again(err)
		if !again {
			break
		}
		w.log.Debug("a batch is written once more", "ops", len(batch), "error", err)
		err = w.commit(batch, passOver)
	}
	if err != nil && len(batch) > 1 && !w.general(err) {
		for _, o := range batch {
			w.handle([]*op{o})
		}
		return
	}
	w.report(err)
	for _, o := range batch {
		if err != nil {
			o.sent, o.err = nil, err
		}
		o.err = w.dialect.explain(o.err)
		close(o.done)
	}
}

// general reports whether err is not of one of a batch.
func (w *writer) general(err error) bool {
	var failed *commitError
	return errors.As(err, &failed) || errors.Is(w.dialect.explain(err), chat.ErrBusy)
}

// report logs when a database that is needed by all goes, and when it comes back: who waits is told to come again, and
// that is no accident of theirs.
func (w *writer) report(err error) {
	if err != nil && !w.general(err) {
		return
	}
	if err != nil && w.last == nil {
		w.log.Error("the database does not take what is written", "error", err)
	}
	if err == nil && w.last != nil {
		w.log.Info("the database takes what is written again")
	}
	w.last = err
}

// commitError is what a commit itself failed with.
type commitError struct{ err error }

func (e *commitError) Error() string { return "commit: " + e.err.Error() }
func (e *commitError) Unwrap() error { return e.err }

// ready sees to it that there is a connection.
func (w *writer) ready(ctx context.Context) (err error) {
	if w.session == nil {
		w.session, err = w.connect(ctx)
	}
	return err
}

// leave gives up a connection that is of no use any more.
func (w *writer) leave() {
	w.session.close() // what it says is of no use to anybody
	w.session = nil
}

// commit runs a batch in one transaction; with passOver, it does not wait for locked groups. The error is of all; what
// concerns one op is in it.
func (w *writer) commit(batch []*op, passOver bool) (err error) {
	ctx, cancel := w.dialect.patient()
	defer cancel()
	if err := w.ready(ctx); err != nil {
		return err
	}
	w.batches++
	t := newTx(ctx, w)
	t.passOver = passOver
	defer func() {
		if t.enrolled {
			w.stage.users.Unlock()
		}
	}()
	if err := w.fill(t, batch); err != nil {
		return w.undo(t, err)
	}
	if err := w.dialect.commit(t); err != nil {
		if err := w.settle(t, &commitError{err}); err != nil {
			return err
		}
	}
	w.remember(t.newUserKeys)
	if w.dialect.alone && t.sendsOnly {
		w.kept.keep(t)
	}
	w.wrote()
	w.stage.tell(t.events)
	return nil
}

// undo ends a transaction that comes to nothing because of err.
func (w *writer) undo(t *tx, err error) error {
	if w.dialect.lost(t.conn) {
		w.leave()
		return &lostError{err}
	}
	if !t.begun {
		return err
	}
	if _, back := t.exec(sqlRollback); back != nil {
		return errors.Join(err, fmt.Errorf("roll back: %w", back))
	}
	return err
}

// settle answers for a commit that returned err: nil if it happened all the same.
func (w *writer) settle(t *tx, err error) error {
	if !w.dialect.lost(t.conn) {
		return w.undo(t, err)
	}
	w.leave()
	committed, unknown := w.dialect.settle(w)
	switch {
	case unknown != nil:
		w.rename()
		return &commitError{fmt.Errorf("%w: %w (after %w)", ErrUnknown, unknown, err)}
	case !committed:
		return &lostError{err}
	}
	return nil
}

// fill begins a transaction and does all of a batch in it. Those who wait together have no order: sends come first, for
// they share what they read and write.
func (w *writer) fill(t *tx, batch []*op) error {
	if err := w.dialect.begin(t); err != nil {
		return fmt.Errorf("begin: %w", err)
	}
	if w.dialect.prepare != nil {
		if err := w.dialect.prepare(t, batch); err != nil {
			return fmt.Errorf("prepare: %w", err)
		}
	}
	for _, sends := range []bool{true, false} {
		for _, o := range batch {
			if (o.posting != nil) != sends {
				continue
			}
			if err := w.apply(t, o); err != nil {
				return err
			}
		}
	}
	return t.flush()
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

// facts are what callers test for: they leave the transaction as it was.
var facts = []error{
	chat.ErrNotFound, chat.ErrNameTaken, chat.ErrClientIDUsed, chat.ErrNoReply, chat.ErrBusy, chat.ErrKeyUsed, chat.ErrQuota,
	chat.ErrFull, auth.ErrLastAdmin,
}

// accident reports whether err is neither a refusal nor a fact: then the transaction is spoilt.
func accident(err error) bool {
	var refused *chat.Error
	return err != nil && !errors.As(err, &refused) && !slices.ContainsFunc(facts, func(fact error) bool { return errors.Is(err, fact) })
}
