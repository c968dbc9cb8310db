package socketio

import "sync"

// RoomHooks are functions that hear of the rooms of a namespace, on this server. Any of them may be nil. A room is created before the
// first socket has joined it, and deleted after the last has left. For one room the calls come one at a time, in order.
//
// They are called while the room changes: they may emit, but must not block, nor wait for anything of a socket.
type RoomHooks struct {
	Created, Deleted func(room Room)
	Joined, Left     func(room Room, id SocketID)
}

// A roster counts the members of rooms, for hooks: who is first and last is known only over all shards.
type roster struct {
	mu      sync.Mutex // guards below, and the order of hooks
	members map[Room]int
}

// roomHooks returns who wants to hear of rooms.
func (n *Namespace) roomHooks() []RoomHooks {
	own, inherited := n.loadHooks().rooms, n.family.hooksOf().rooms
	if len(inherited) == 0 {
		return own
	}
	return append(inherited[:len(inherited):len(inherited)], own...)
}

// joinedRoom reports that a socket has joined a room. The turn of the socket's shard is held.
func (n *Namespace) joinedRoom(s *Socket, name Room) {
	all := n.roomHooks()
	if len(all) == 0 || name == everyone {
		return
	}
	n.roster.mu.Lock()
	defer n.roster.mu.Unlock()
	if n.roster.members == nil {
		n.roster.members = make(map[Room]int)
	}
	n.roster.members[name]++
	for _, h := range all {
		if h.Created != nil && n.roster.members[name] == 1 {
			n.report(s, func() { h.Created(name) })
		}
		if h.Joined != nil {
			n.report(s, func() { h.Joined(name, s.id) })
		}
	}
}

// leftRoom reports that a socket has left a room. The turn of the socket's shard is held.
func (n *Namespace) leftRoom(s *Socket, name Room) {
	all := n.roomHooks()
	if len(all) == 0 || name == everyone {
		return
	}
	n.roster.mu.Lock()
	defer n.roster.mu.Unlock()
	last := n.roster.members[name] <= 1
	if n.roster.members[name]--; last {
		delete(n.roster.members, name)
	}
	for _, h := range all {
		if h.Left != nil {
			n.report(s, func() { h.Left(name, s.id) })
		}
		if h.Deleted != nil && last {
			n.report(s, func() { h.Deleted(name) })
		}
	}
}

// report calls a hook; a panic in it costs the connection that it is about, and no room its order.
func (n *Namespace) report(s *Socket, call func()) {
	defer s.conn.rescue("room hook")
	call()
}
