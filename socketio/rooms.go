package socketio

import (
	"slices"
	"sync"
	"sync/atomic"

	"qun/engineio"
)

// A Room is a name for a set of sockets of a namespace. A room exists while somebody is in it. Every socket is in the
// room of its own id.
type Room string

// everyone is the room that all sockets of a namespace are in. Applications cannot name it.
const everyone Room = ""

// maxRoomName is the length of a room's name, which is kept as long as the room is.
const maxRoomName = 1024

// isRoomName says whether applications may name a room so.
func isRoomName(name Room) bool { return name != everyone && len(name) <= maxRoomName }

// A part is what one shard keeps of a namespace: the rooms of the shard's sockets. Only the shard's turn touches rooms.
type part struct {
	rooms      map[Room]*room
	generation uint64 // of the last union, see each

	moves atomic.Int32 // commands that were issued, and may still change the rooms of any socket of the part
	mu    sync.Mutex   // guards Socket.memberships against who looks from outside the turn; held for a moment

	_ [32]byte // parts of different shards stay out of one cache line
}

// A room is one shard's members of a Room.
type room struct {
	name    Room
	members []member
}

// A member is a socket in a room, and which of the socket's memberships says so.
type member struct {
	socket *Socket
	slot   int
}

// A membership is the other half: the room, and which of its members the socket is. With both halves, leaving costs
// nothing more in a large room than in a small one.
type membership struct {
	room  *room
	index int
}

// join makes s a member. It reports whether it was not before.
func (p *part) join(s *Socket, name Room) bool {
	r := p.rooms[name]
	if r == nil {
		r = &room{name: name}
		if p.rooms == nil {
			p.rooms = make(map[Room]*room)
		}
		p.rooms[name] = r
	} else if s.slotOf(r) >= 0 {
		return false
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	r.members = append(r.members, member{s, len(s.memberships)})
	s.memberships = append(s.memberships, membership{r, len(r.members) - 1})
	return true
}

// leave ends a membership. It reports whether there was one.
func (p *part) leave(s *Socket, name Room) bool {
	r := p.rooms[name]
	if r == nil {
		return false
	}
	slot := s.slotOf(r)
	if slot < 0 {
		return false
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	p.removeMember(r, s.memberships[slot].index)
	s.removeMembership(slot)
	return true
}

// has says whether s is a member. Anybody may call it.
func (p *part) has(s *Socket, name Room) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	return s.isMember(name)
}

// leaveAll ends all memberships, and calls left with the name of each. The socket keeps the list, so that it can still
// say where it was.
func (p *part) leaveAll(s *Socket, left func(Room)) {
	for _, m := range s.memberships {
		p.mu.Lock()
		p.removeMember(m.room, m.index)
		p.mu.Unlock()
		left(m.room.name)
	}
}

// removeMember fills the gap with the last member. It is called under the lock: the last member's membership changes too.
func (p *part) removeMember(r *room, index int) {
	last := len(r.members) - 1
	moved := r.members[last]
	r.members[index] = moved
	moved.socket.memberships[moved.slot].index = index
	r.members[last] = member{}
	r.members = r.members[:last]
	switch {
	case last == 0:
		delete(p.rooms, r.name)
	case cap(r.members) > 64 && last < cap(r.members)/4:
		r.members = slices.Clone(r.members) // a room that was large once does not stay so
	}
}

// slotOf returns which of the socket's memberships is that in r, or -1.
func (s *Socket) slotOf(r *room) int {
	return slices.IndexFunc(s.memberships, func(m membership) bool { return m.room == r })
}

// isMember says whether one of the socket's memberships is in the room.
func (s *Socket) isMember(name Room) bool {
	return slices.ContainsFunc(s.memberships, func(m membership) bool { return m.room.name == name && name != everyone })
}

// removeMembership fills the gap with the last membership.
func (s *Socket) removeMembership(slot int) {
	last := len(s.memberships) - 1
	if slot < last {
		moved := s.memberships[last]
		s.memberships[slot] = moved
		moved.room.members[moved.index].slot = slot
	}
	s.memberships[last] = membership{}
	s.memberships = s.memberships[:last]
}

// A target says whom a broadcast, or another act on many sockets, is meant for: sockets in any of its rooms. One room is
// the common case, and takes no list.
type target struct {
	named  bool   // rooms were; else everyone is meant
	room   Room   // the first of them
	more   []Room // the others
	except []Room // sockets in these are left out
	sender *Socket
}

// add names more rooms.
func (t *target) add(rooms []Room) {
	if !t.named && len(rooms) > 0 {
		t.named, t.room, rooms = true, rooms[0], rooms[1:]
	}
	t.more = append(slices.Clip(t.more), rooms...)
}

// rooms returns those that were named.
func (t *target) rooms() []Room {
	if !t.named {
		return nil
	}
	return append([]Room{t.room}, t.more...)
}

// names returns the rooms of the target, of which everyone is one if no others were named.
func (t *target) names() []Room {
	if !t.named {
		return []Room{everyone}
	}
	return slices.DeleteFunc(t.rooms(), func(name Room) bool { return name == everyone })
}

// single returns the room of a target whose members need no marks: nobody is left out, nobody can be met twice.
func (t *target) single() (name Room, ok bool) {
	switch {
	case len(t.except) > 0 || t.sender != nil || len(t.more) > 0:
		return "", false
	case !t.named:
		return everyone, true
	default:
		return t.room, t.room != everyone && !isSocketID(t.room)
	}
}

// each calls visit for every socket of the shard that the target means, once. Visit must not join or leave.
func (p *part) each(n *Namespace, shard int, t *target, visit func(*Socket)) {
	if name, simple := t.single(); simple {
		if r := p.rooms[name]; r != nil {
			for _, m := range r.members {
				visit(m.socket)
			}
		}
		return
	}
	p.union(n, shard, t, visit)
}

// union marks the sockets that must not, or need not again, be visited with a number of its own.
func (p *part) union(n *Namespace, shard int, t *target, visit func(*Socket)) {
	p.generation++
	fresh := func(s *Socket) bool {
		if s.mark == p.generation {
			return false
		}
		s.mark = p.generation
		return true
	}
	if t.sender != nil && t.sender.shardIndex() == shard {
		fresh(t.sender)
	}
	for _, name := range t.except {
		if name != everyone {
			p.members(n, shard, name, func(s *Socket) { fresh(s) })
		}
	}
	for _, name := range t.names() {
		p.members(n, shard, name, func(s *Socket) {
			if fresh(s) {
				visit(s)
			}
		})
	}
}

// members calls visit for the shard's members of a room, and for the socket whose id it is.
func (p *part) members(n *Namespace, shard int, name Room, visit func(*Socket)) {
	if r := p.rooms[name]; r != nil {
		for _, m := range r.members {
			visit(m.socket)
		}
	}
	if s := n.directory.socket(name); s != nil && s.joined && s.shardIndex() == shard {
		visit(s)
	}
}

// socketIDSize is the length of a socket's id.
const socketIDSize = 20

// isSocketID says whether a room may be that of a socket's own id. It spares other names a look-up.
func isSocketID(name Room) bool { return len(name) == socketIDSize }

func (s *Socket) shardIndex() int { return s.session.Shard().Index() }

var _ engineio.Entry = (*joinEntry)(nil)

// A joinEntry makes a socket join rooms. Who posts it has added them to the directory.
type joinEntry struct {
	socket   *Socket
	rooms    []Room
	position uint64 // see ticket.since
}

func (e *joinEntry) Run(sh *engineio.Shard) {
	e.socket.joinNow(sh, e.rooms, e.position)
	e.socket.moves.Add(-1)
}

// joinNow is Join on the turn of the shard. The directory counts the socket already.
func (s *Socket) joinNow(sh *engineio.Shard, rooms []Room, position uint64) {
	n := s.namespace
	for _, name := range rooms {
		if !s.joined || !n.parts[sh.Index()].join(s, name) {
			s.forgetRoom(name)
			continue
		}
		s.ticket().joined(name, position)
		n.joinedRoom(s, name)
	}
}

// A leaveEntry makes a socket leave rooms.
type leaveEntry struct {
	socket *Socket
	rooms  []Room
}

func (e *leaveEntry) Run(sh *engineio.Shard) {
	e.socket.leaveNow(sh, e.rooms)
	e.socket.moves.Add(-1)
}

// leaveNow is Leave on the turn of the shard.
func (s *Socket) leaveNow(sh *engineio.Shard, rooms []Room) {
	n := s.namespace
	for _, name := range rooms {
		if s.joined && name != everyone && n.parts[sh.Index()].leave(s, name) {
			s.forgetRoom(name)
			s.ticket().left(name)
			n.leftRoom(s, name)
		}
	}
}

// forgetRoom takes back what Join counted for one room.
func (s *Socket) forgetRoom(name Room) {
	s.roomCount.Add(-1)
	s.namespace.directory.remove(name, s.shardIndex())
}

// A readEntry lets somebody look at a socket's rooms, between everything that was issued before and after.
type readEntry struct {
	socket *Socket
	read   func(*Socket)
	done   chan struct{}
}

func (e *readEntry) Run(*engineio.Shard) {
	e.read(e.socket)
	close(e.done)
}
