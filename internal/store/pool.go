package store

import (
	"context"
	"database/sql"
	"errors"
	"sync"
	"sync/atomic"
	"time"

	"qun/internal/chat"
)

// pool lends reading sessions, each to one goroutine at a time; they are made when they are needed.
type pool struct {
	// Set once.
	dialect *dialect
	db      *sql.DB
	places  chan struct{} // a token for each session that may be in use
	ended   chan struct{} // closed by close

	asked atomic.Int64 // statements run

	mu     sync.Mutex // guards below
	idle   []*session // the warmest last
	closed bool
}

func newPool(d *dialect, db *sql.DB, size int) *pool {
	return &pool{dialect: d, db: db, places: make(chan struct{}, size), ended: make(chan struct{})}
}

// use runs read on a session of its own, waiting for one if all are in use.
func (p *pool) use(ctx context.Context, read func(*session) error) error {
	select {
	case p.places <- struct{}{}:
	case <-ctx.Done():
		return context.Cause(ctx)
	case <-p.ended:
		return chat.ErrClosed
	}
	defer func() { <-p.places }()
	for {
		stale, err := p.lend(ctx, read)
		if !stale {
			return p.dialect.explain(err)
		}
	}
}

// lend runs read on a session. stale says that the session had been lost while it was idle: nothing came of it.
func (p *pool) lend(ctx context.Context, read func(*session) error) (stale bool, err error) {
	s, idle, err := p.take()
	if idle && !s.lives() {
		s.close() // what it says is of no use to anybody
		p.drop()
		return true, nil
	}
	if err == nil && !idle {
		s, err = newReadingSession(ctx, p.dialect, p.db)
	}
	if err != nil {
		return false, err
	}
	defer p.put(s)
	s.worked, s.asked = false, 0
	err = read(s)
	p.asked.Add(s.asked)
	if err != nil && p.dialect.lost(s.conn) {
		s.broken, err = true, &lostError{err}
	}
	return idle && s.broken && !s.worked, err
}

// take takes an idle session, if there is one.
func (p *pool) take() (s *session, idle bool, err error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.closed {
		return nil, false, chat.ErrClosed
	}
	if last := len(p.idle) - 1; last >= 0 {
		s = p.idle[last]
		p.idle = p.idle[:last]
		return s, true, nil
	}
	return nil, false, nil
}

// drop closes the idle sessions: one that had lain with them was lost, and each of them would be found out as slowly.
func (p *pool) drop() {
	p.mu.Lock()
	idle := p.idle
	p.idle = nil
	p.mu.Unlock()
	for _, s := range idle {
		s.close() // as above
	}
}

func (p *pool) put(s *session) {
	s.rested = time.Now()
	if s.broken {
		s.close() // what it says is of no use to anybody
		return
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	p.idle = append(p.idle, s)
}

// close waits for those who read, and closes all sessions.
func (p *pool) close() error {
	p.mu.Lock()
	p.closed = true
	p.mu.Unlock()
	close(p.ended)
	for range cap(p.places) {
		p.places <- struct{}{}
	}
	var errs []error
	for _, s := range p.idle {
		errs = append(errs, s.close())
	}
	return errors.Join(errs...)
}
