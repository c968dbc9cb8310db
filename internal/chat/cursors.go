package chat

import (
	"context"
	"log/slog"
	"sync"
	"time"
)

// cursors holds how far users have read until it is written: at the latest after wait, all together. Reading costs no
// commit of its own; what a crash loses is a few seconds of "read".
type cursors struct {
	// Set once.
	store Store
	wait  time.Duration
	log   *slog.Logger

	writing sync.Mutex // held while cursors are written, so that close can wait

	mu      sync.Mutex // guards below; taken after writing
	pending map[UserID]map[GroupID]Seq
	taken   map[UserID]map[GroupID]Seq // being written; still true until they are
	timer   *time.Timer                // nil while nothing is pending
	closed  bool
}

func newCursors(store Store, wait time.Duration, log *slog.Logger) *cursors {
	return &cursors{store: store, wait: wait, log: log, pending: map[UserID]map[GroupID]Seq{}}
}

// move notes that a user has read up to seq. The greatest wins.
func (c *cursors) move(u UserID, g GroupID, seq Seq) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.note(u, g, seq)
}

func (c *cursors) note(u UserID, g GroupID, seq Seq) {
	mine := c.pending[u]
	if mine == nil {
		mine = map[GroupID]Seq{}
		c.pending[u] = mine
	}
	mine[g] = max(mine[g], seq)
	if c.timer == nil && !c.closed {
		c.timer = time.AfterFunc(c.wait, c.tick)
	}
}

// at is how far a user has read, as far as it is not written yet; 0 if it is.
func (c *cursors) at(u UserID, g GroupID) Seq {
	c.mu.Lock()
	defer c.mu.Unlock()
	return max(c.pending[u][g], c.taken[u][g])
}

// hasten writes what is pending soon.
func (c *cursors) hasten() {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.timer != nil {
		c.timer.Reset(0)
	}
}

// corrected is a Notifier of users who may be told of a cursor that has moved since: its place is written at once then, and told.
type corrected struct {
	Notifier
	cursors *cursors
}

func (c corrected) Notify(e Event) {
	if e.Me != nil && e.Me.Group != nil && c.cursors.at(e.User, e.Me.Group.GroupID) > e.Me.Group.Me.ReadSeq {
		c.cursors.hasten()
	}
	c.Notifier.Notify(e)
}

// tick writes what is pending, on the timer's goroutine.
func (c *cursors) tick() {
	c.writing.Lock()
	defer c.writing.Unlock()
	c.mu.Lock()
	c.timer = nil
	c.mu.Unlock()
	if err := c.write(context.Background(), c.take("")); err != nil {
		c.log.Error("write read cursors", "error", err)
	}
}

// flush writes now what is pending of one user.
func (c *cursors) flush(ctx context.Context, u UserID) error {
	c.writing.Lock()
	defer c.writing.Unlock()
	return c.write(ctx, c.take(u))
}

// close writes everything. Nothing may be moved any more.
func (c *cursors) close(ctx context.Context) error {
	c.mu.Lock()
	c.closed = true
	if c.timer != nil {
		c.timer.Stop()
		c.timer = nil
	}
	c.mu.Unlock()
	c.writing.Lock() // a tick under way ends first
	defer c.writing.Unlock()
	return c.write(ctx, c.take(""))
}

// take takes the pending cursors of one user, or of all if u is empty.
func (c *cursors) take(u UserID) (list []Cursor) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if u == "" {
		c.taken, c.pending = c.pending, map[UserID]map[GroupID]Seq{}
	} else {
		c.taken = map[UserID]map[GroupID]Seq{u: c.pending[u]}
		delete(c.pending, u)
	}
	for user, groups := range c.taken {
		for group, seq := range groups {
			list = append(list, Cursor{Group: group, User: user, Read: seq})
		}
	}
	return list
}

// write writes what was taken; what cannot be written waits for the next time.
func (c *cursors) write(ctx context.Context, list []Cursor) (err error) {
	if len(list) > 0 {
		err = c.store.MoveCursors(ctx, list)
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.taken = nil
	if err != nil {
		for _, cursor := range list {
			c.note(cursor.User, cursor.Group, cursor.Read)
		}
	}
	return err
}
