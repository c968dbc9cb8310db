package socketio

import (
	"hash/maphash"
	"slices"
	"sync"
)

// A directory knows, for one namespace, which sockets there are, and which rooms have members on which shards, so that
// a broadcast goes only where it can matter. It counts at the time of the call that joins, before the shard has carried
// it out, and uncounts when the shard has carried out a leave: it may name a shard too many, never one too few.
// The rooms' members themselves are in the parts of the shards.
type directory struct {
	namespace string
	adapter   *interests // nil if nobody wants to know
	watchers  *sync.WaitGroup
	failed    func(room Room, err error)

	seed    maphash.Seed
	stripes [16]stripe
}

type stripe struct {
	mu      sync.Mutex // guards below; nothing is called while it is held
	sockets map[Room]*Socket
	rooms   map[Room]*presence
}

// A presence says where a room has members.
type presence struct {
	shards []shardCount
	watch  *watch // nil without an adapter that wants to know
}

type shardCount struct{ shard, members int }

// A shardSet is a set of shards; those from 64 on share a bit with others.
type shardSet uint64

func (s *shardSet) add(shard int)     { *s |= 1 << (shard % 64) }
func (s shardSet) has(shard int) bool { return s&(1<<(shard%64)) != 0 }

func (d *directory) stripe(name Room) *stripe {
	return &d.stripes[maphash.String(d.seed, string(name))%uint64(len(d.stripes))]
}

// enter makes a socket known by its id.
func (d *directory) enter(s *Socket) {
	st := d.stripe(Room(s.id))
	st.mu.Lock()
	defer st.mu.Unlock()
	if st.sockets == nil {
		st.sockets = make(map[Room]*Socket)
	}
	st.sockets[Room(s.id)] = s
}

// exit forgets a socket.
func (d *directory) exit(s *Socket) {
	st := d.stripe(Room(s.id))
	st.mu.Lock()
	defer st.mu.Unlock()
	if st.sockets[Room(s.id)] == s { // and not who came back to it
		delete(st.sockets, Room(s.id))
	}
}

// socket returns the socket with that id, or nil.
func (d *directory) socket(id Room) *Socket {
	if !isSocketID(id) {
		return nil
	}
	st := d.stripe(id)
	st.mu.Lock()
	defer st.mu.Unlock()
	return st.sockets[id]
}

// all returns all sockets.
func (d *directory) all() []*Socket {
	var sockets []*Socket
	for i := range d.stripes {
		st := &d.stripes[i]
		st.mu.Lock()
		for _, s := range st.sockets {
			sockets = append(sockets, s)
		}
		st.mu.Unlock()
	}
	return sockets
}

// roomNames returns the rooms that have members, socket ids among them, in order.
func (d *directory) roomNames() []Room {
	names := make([]Room, 0)
	for i := range d.stripes {
		st := &d.stripes[i]
		st.mu.Lock()
		for name := range st.sockets {
			names = append(names, name)
		}
		for name, p := range st.rooms {
			if name != everyone && len(p.shards) > 0 {
				names = append(names, name)
			}
		}
		st.mu.Unlock()
	}
	slices.Sort(names)
	return names
}

// add counts one more member of a room.
func (d *directory) add(name Room, shard int) {
	st := d.stripe(name)
	st.mu.Lock()
	defer st.mu.Unlock()
	p := st.rooms[name]
	if p == nil {
		p = &presence{}
		if st.rooms == nil {
			st.rooms = make(map[Room]*presence)
		}
		st.rooms[name] = p
	}
	p.count(shard, 1)
	if d.adapter != nil && name != everyone {
		d.want(st, p, name, true)
	}
}

// watchNamespace says whether the namespace itself is watched, whoever is in it.
func (d *directory) watchNamespace(wanted bool) {
	if d.adapter == nil {
		return
	}
	st := d.stripe(everyone)
	st.mu.Lock()
	defer st.mu.Unlock()
	p := st.rooms[everyone]
	if p == nil {
		p = &presence{}
		if st.rooms == nil {
			st.rooms = make(map[Room]*presence)
		}
		st.rooms[everyone] = p
	}
	d.want(st, p, everyone, wanted)
}

// remove counts one member less.
func (d *directory) remove(name Room, shard int) {
	st := d.stripe(name)
	st.mu.Lock()
	defer st.mu.Unlock()
	p := st.rooms[name]
	if p == nil {
		return
	}
	p.count(shard, -1)
	switch {
	case len(p.shards) > 0:
	case p.watch == nil:
		delete(st.rooms, name)
	case name != everyone:
		d.want(st, p, name, false)
	}
}

func (p *presence) count(shard, change int) {
	for i := range p.shards {
		if c := &p.shards[i]; c.shard == shard {
			if c.members += change; c.members == 0 {
				p.shards = append(p.shards[:i], p.shards[i+1:]...)
			}
			return
		}
	}
	p.shards = append(p.shards, shardCount{shard, change})
}

// where returns the shards that may have sockets that the target means.
func (d *directory) where(t *target) (set shardSet) {
	if name, simple := t.single(); simple {
		return d.shardsOf(name)
	}
	for _, name := range t.names() {
		set |= d.shardsOf(name)
	}
	return set
}

func (d *directory) shardsOf(name Room) (set shardSet) {
	st := d.stripe(name)
	st.mu.Lock()
	defer st.mu.Unlock()
	if p := st.rooms[name]; p != nil {
		for _, c := range p.shards {
			set.add(c.shard)
		}
	}
	if s := st.sockets[name]; s != nil {
		set.add(s.shardIndex())
	}
	return set
}

// populated returns the rooms with members.
func (d *directory) populated() []Room {
	var names []Room
	for i := range d.stripes {
		st := &d.stripes[i]
		st.mu.Lock()
		for name, p := range st.rooms {
			if len(p.shards) > 0 && name != everyone {
				names = append(names, name)
			}
		}
		st.mu.Unlock()
	}
	return names
}

// members counts the members of a room on all shards.
func (d *directory) members(name Room) (n int) {
	st := d.stripe(name)
	st.mu.Lock()
	defer st.mu.Unlock()
	if p := st.rooms[name]; p != nil {
		for _, c := range p.shards {
			n += c.members
		}
	}
	return n
}
