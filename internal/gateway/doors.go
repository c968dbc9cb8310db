package gateway

import (
	"sync"

	"qun/internal/chat"
)

// doors know which visitors are in which groups: guests who have not spoken are no members, so when a group is closed to
// guests nothing else says who has to go.
type doors struct {
	mu       sync.Mutex // guards below; held for moments only
	age      uint64     // how often a group was closed
	visitors map[chat.GroupID]map[*client]struct{}
}

// now is the age of the doors: who asks the chat for a way in notes it first.
func (d *doors) now() uint64 {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.age
}

// pass lets a visitor in that asked for the way at that age, unless a group was closed since.
func (d *doors) pass(g chat.GroupID, c *client, age uint64) bool {
	d.mu.Lock()
	defer d.mu.Unlock()
	if age != d.age {
		return false
	}
	if d.visitors == nil {
		d.visitors = map[chat.GroupID]map[*client]struct{}{}
	}
	if d.visitors[g] == nil {
		d.visitors[g] = map[*client]struct{}{}
	}
	d.visitors[g][c] = struct{}{}
	return true
}

func (d *doors) forget(g chat.GroupID, c *client) {
	d.mu.Lock()
	defer d.mu.Unlock()
	delete(d.visitors[g], c)
	if len(d.visitors[g]) == 0 {
		delete(d.visitors, g)
	}
}

// close are the visitors who have to go, now that a group is closed to guests. A group of which they are not told any more
// costs others a second look at most.
func (d *doors) close(g chat.GroupID) []*client {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.age++
	gone := make([]*client, 0, len(d.visitors[g]))
	for c := range d.visitors[g] {
		gone = append(gone, c)
	}
	return gone
}
