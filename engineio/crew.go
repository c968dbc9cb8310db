package engineio

import (
	"runtime"
	"sync"
)

// A crew are the goroutines that call the Handler for the sessions of a shard. They stay when there is nothing to do, a
// few of them, because a new one would have to grow its stack again; and they come one at a time: who takes a session
// while others wait sends for one more, so a Handler that blocks holds nobody up, and Handlers that do not are all called
// by the same goroutine.
type crew struct {
	shard *Shard
	bell  chan struct{} // rings for who rests

	mu      sync.Mutex // guards below; held for a moment only
	waiting []*Session // from head on, in the order in which they came
	head    int
	resting int
	coming  bool // somebody was sent for and has not arrived
	over    bool
}

const (
	maxResting = 32 // of a crew
	maxRounds  = 8  // of a member, before it lets the shards write
	maxServed  = 64 // sessions in a round
)

func newCrew(sh *Shard) *crew {
	return &crew{shard: sh, bell: make(chan struct{}, maxResting)}
}

// serve has the session's Handler called, soon.
func (c *crew) serve(s *Session) {
	c.mu.Lock()
	c.waiting = append(c.waiting, s)
	send := c.sendFor()
	c.mu.Unlock()
	send(c)
}

// sendFor returns how to get one more member if one is needed. It is called under the lock, the result is not.
func (c *crew) sendFor() func(*crew) {
	if c.coming || c.head == len(c.waiting) {
		return (*crew).nobody
	}
	c.coming = true
	if c.resting > 0 {
		c.resting--
		return (*crew).wake
	}
	return (*crew).hire
}

func (c *crew) nobody() {}
func (c *crew) wake()   { c.bell <- struct{}{} } // never waits: there is room for all who rest
func (c *crew) hire()   { c.shard.server.workers.Go(c.work) }

// work is the life of a member. Before it rests it yields: what is ready to run may bring more, and then all of it leaves
// in the same writes.
func (c *crew) work() {
	c.arrive()
	for {
		worked := false
		for range maxRounds {
			if !c.round() {
				break
			}
			worked = true
			runtime.Gosched() // the poller looks again
		}
		if worked {
			c.shard.server.turnShards()
		}
		if !c.rest() {
			return
		}
	}
}

// round serves who waits, and reports whether anybody did.
func (c *crew) round() (any bool) {
	for range maxServed {
		s := c.take()
		if s == nil {
			return any
		}
		any = true
		s.takeTurn()
	}
	return any
}

func (c *crew) take() *Session {
	c.mu.Lock()
	if c.head == len(c.waiting) {
		c.mu.Unlock()
		return nil
	}
	s := c.waiting[c.head]
	c.waiting[c.head] = nil
	if c.head++; c.head == len(c.waiting) {
		c.waiting, c.head = c.waiting[:0], 0
	}
	send := c.sendFor()
	c.mu.Unlock()
	send(c)
	return s
}

// rest waits for the bell. It returns false if the member is not needed any more.
func (c *crew) rest() bool {
	c.mu.Lock()
	switch {
	case c.head < len(c.waiting):
		c.mu.Unlock()
		return true
	case c.over || c.resting == maxResting:
		c.mu.Unlock()
		return false
	}
	c.resting++
	c.mu.Unlock()
	<-c.bell
	return c.arrive()
}

// arrive is called by who was sent for. It returns false if that was to be told that all is over.
func (c *crew) arrive() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.coming = false
	return !c.over || c.head < len(c.waiting)
}

// dismiss ends the crew. No session needs it any more.
func (c *crew) dismiss() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.over = true
	for ; c.resting > 0; c.resting-- {
		c.bell <- struct{}{} // never waits: there is room for all who rest
	}
}
