package gateway

import (
	"maps"
	"slices"
	"sync"

	"qun/internal/chat"
)

// people knows which sockets are whose.
type people struct {
	mu     sync.Mutex // guards below; held for moments only
	byUser map[chat.UserID][]*client
}

// add takes a client to its user's others. Beyond bound it returns the one longest unheard, which has to go; a bound
// of 0 lifts the limit.
func (p *people) add(u chat.UserID, c *client, bound int) (tooMany *client) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.byUser == nil {
		p.byUser = map[chat.UserID][]*client{}
	}
	others := p.byUser[u]
	if slices.Contains(others, c) {
		return nil
	}
	if bound > 0 && len(others) >= bound {
		tooMany = slices.MinFunc(others, func(a, b *client) int { return a.lastHeard().Compare(b.lastHeard()) })
		others = slices.DeleteFunc(others, func(o *client) bool { return o == tooMany }) // it does not count while it goes
	}
	p.byUser[u] = append(others, c)
	return tooMany
}

func (p *people) remove(u chat.UserID, c *client) {
	p.mu.Lock()
	defer p.mu.Unlock()
	rest := slices.DeleteFunc(p.byUser[u], func(o *client) bool { return o == c })
	if len(rest) == 0 {
		delete(p.byUser, u)
		return
	}
	p.byUser[u] = rest
}

// has reports whether the user has a client here.
func (p *people) has(u chat.UserID) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	return len(p.byUser[u]) > 0
}

// all are the users with a client here.
func (p *people) all() []chat.UserID {
	p.mu.Lock()
	defer p.mu.Unlock()
	return slices.Collect(maps.Keys(p.byUser))
}

// of are the user's clients.
func (p *people) of(u chat.UserID) []*client {
	p.mu.Lock()
	defer p.mu.Unlock()
	return slices.Clone(p.byUser[u])
}
