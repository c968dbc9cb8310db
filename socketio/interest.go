package socketio

import (
	"context"
	"sync"
)

// interests stands between the directories and an adapter that wants to know. A namespace of a family may be made anew while the
// last Unwatch of the one before is on its way: so who wants a room is counted, and calls for one room come one at a time.
type interests struct {
	adapter Interest

	mu    sync.Mutex // guards below
	rooms map[roomOf]*interest
}

// A roomOf is a room of a namespace.
type roomOf struct {
	namespace string
	room      Room
}

type interest struct {
	calling chan struct{} // of capacity 1; full while the adapter is called
	users   int           // directories that want it; guarded by interests.mu
}

// watch calls Watch. Again says that the directory has done so before, and wants to wait once more.
func (i *interests) watch(ctx context.Context, of roomOf, again bool) error {
	i.mu.Lock()
	one := i.rooms[of]
	if one == nil {
		one = &interest{calling: make(chan struct{}, 1)}
		if i.rooms == nil {
			i.rooms = make(map[roomOf]*interest)
		}
		i.rooms[of] = one
	}
	if !again {
		one.users++
	}
	i.mu.Unlock()
	select {
	case one.calling <- struct{}{}:
	case <-ctx.Done():
		return ctx.Err()
	}
	defer func() { <-one.calling }()
	return i.adapter.Watch(ctx, of.namespace, of.room)
}

// unwatch calls Unwatch when the last has gone.
func (i *interests) unwatch(of roomOf) {
	i.mu.Lock()
	one := i.rooms[of]
	one.users--
	i.mu.Unlock()
	one.calling <- struct{}{}
	defer func() { <-one.calling }()
	if i.wanted(one) {
		return
	}
	i.adapter.Unwatch(of.namespace, of.room)
	i.mu.Lock()
	defer i.mu.Unlock()
	if one.users == 0 {
		delete(i.rooms, of)
	}
}

func (i *interests) wanted(one *interest) bool {
	i.mu.Lock()
	defer i.mu.Unlock()
	return one.users > 0
}
