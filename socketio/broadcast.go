package socketio

import (
	"slices"
	"time"

	"qun/engineio"
)

// A Broadcast is an act on many sockets that is being described: begin with Namespace.To or Socket.To, refine it, and
// end with what shall be done. It is a value: every method returns a new one, so it can be kept and used again.
//
//	chat.To("news", "sports").Except("muted").Emit("headline", text)
type Broadcast struct {
	namespace *Namespace
	target    target
	timeout   time.Duration
	volatile  bool
	local     bool
	raw       bool // not compressed
}

// To adds rooms. A socket in several of them is meant once.
func (b Broadcast) To(rooms ...Room) Broadcast {
	b.target.add(rooms)
	return b
}

// Except leaves out all sockets in any of the rooms. Of one socket the room is its id.
func (b Broadcast) Except(rooms ...Room) Broadcast {
	b.target.except = append(slices.Clip(b.target.except), rooms...)
	return b
}

// Volatile lets sockets that cannot take the event at once miss it.
func (b Broadcast) Volatile() Broadcast {
	b.volatile = true
	return b
}

// Local keeps the act on this server.
func (b Broadcast) Local() Broadcast {
	b.local = true
	return b
}

// Timeout is how long EmitWithAck and FetchSockets wait, unless their context ends before.
func (b Broadcast) Timeout(d time.Duration) Broadcast {
	b.timeout = d
	return b
}

// Compress says whether the event may be compressed on its way, where Config.Engine compresses at all. It may, unless
// this is false: for what is compressed already, or mixes a secret with what a stranger chose.
func (b Broadcast) Compress(yes bool) Broadcast {
	b.raw = !yes
	return b
}

// Emit sends an event to the target, with arguments as for Socket.Emit. It is encoded once. Emit never blocks; the
// error says that the arguments cannot be encoded, or that other servers will not hear of it.
func (b Broadcast) Emit(event string, args ...any) error {
	var published error
	err := encodeEvent(b.namespace.server.cfg.MaxAttachments, event, args, func(p *payload) {
		p.raw = b.raw
		b.deliver(event, p)
		if b.remote() {
			published = b.publishEvent(&Command{Kind: KindBroadcast}, event, p)
		}
	})
	if err != nil {
		return err
	}
	return published
}

// deliver sends to the sockets of this server.
func (b Broadcast) deliver(event string, p *payload) {
	n := b.namespace
	n.inOrder(func() {
		packets := n.log(p, b.volatile, func() target { return b.target })
		set := n.directory.where(&b.target)
		if set == 0 {
			return
		}
		e := &broadcastEntry{namespace: n, target: b.target, packets: packets, volatile: b.volatile, notice: n.notice(event, p)}
		if packets == nil {
			e.packets = p.packets(e.one[:0], packetEvent, n, noAck)
		}
		n.post(set, e)
	})
}

// A broadcastEntry sends the same packets to all sockets of the target. All shards get the same entry.
type broadcastEntry struct {
	namespace *Namespace
	target    target
	packets   []*engineio.Packet
	one       [1]*engineio.Packet // what packets are in, as long as there is only one
	volatile  bool
	notice    *notice
}

func (e *broadcastEntry) Run(sh *engineio.Shard) {
	n := e.namespace
	n.parts[sh.Index()].each(n, sh.Index(), &e.target, func(s *Socket) {
		e.notice.tell(s)
		sh.Send(s.session, e.volatile, e.packets...)
	})
}

// Join makes the sockets of the target join rooms.
func (b Broadcast) Join(rooms ...Room) error {
	return b.act(&Command{Kind: KindJoin, Joins: rooms})
}

// Leave makes the sockets of the target leave rooms.
func (b Broadcast) Leave(rooms ...Room) error {
	return b.act(&Command{Kind: KindLeave, Joins: rooms})
}

// Disconnect disconnects the sockets of the target, as Socket.Disconnect does.
func (b Broadcast) Disconnect() error {
	return b.act(&Command{Kind: KindDisconnect})
}

// DisconnectAll takes the clients of the target out of all their namespaces, as Socket.DisconnectAll does.
func (b Broadcast) DisconnectAll() error {
	return b.act(&Command{Kind: KindDisconnect, All: true})
}

// Close closes the connections of the sockets of the target, as Socket.Close does.
func (b Broadcast) Close() error {
	return b.act(&Command{Kind: KindDisconnect, Close: true})
}

// act carries out a command here and on the other servers.
func (b Broadcast) act(c *Command) error {
	c.Joins = slices.Clone(c.Joins)
	b.carryOut(c)
	if !b.remote() {
		return nil
	}
	return b.publish(c)
}

// carryOut does on this server what the command asks for. Rooms that are joined count for each shard from now on until
// it knows who has really joined: a broadcast to them may be the next that is issued.
func (b Broadcast) carryOut(c *Command) {
	n := b.namespace
	rooms := slices.DeleteFunc(slices.Clone(c.Joins), func(name Room) bool { return !isRoomName(name) })
	n.inOrder(func() {
		e := &commandEntry{n, b.target, c, rooms, n.recovery.position()}
		set := n.directory.where(&b.target)
		for i := range n.parts {
			if set.has(i) {
				n.parts[i].moves.Add(1)
				e.count(i, n.directory.add)
			}
		}
		n.post(set, e)
	})
}

// A commandEntry does something to all sockets of the target.
type commandEntry struct {
	namespace *Namespace
	target    target
	command   *Command
	rooms     []Room // those to join or leave
	position  uint64 // see ticket.since
}

// count calls change for every room that is joined.
func (e *commandEntry) count(shard int, change func(Room, int)) {
	if e.command.Kind == KindJoin {
		for _, name := range e.rooms {
			change(name, shard)
		}
	}
}

func (e *commandEntry) Run(sh *engineio.Shard) {
	n := e.namespace
	var sockets []*Socket // collected first: what is done to them changes the rooms
	n.parts[sh.Index()].each(n, sh.Index(), &e.target, func(s *Socket) { sockets = append(sockets, s) })
	for _, s := range sockets {
		e.carryOut(sh, s)
	}
	e.count(sh.Index(), n.directory.remove)
	n.parts[sh.Index()].moves.Add(-1)
}

func (e *commandEntry) carryOut(sh *engineio.Shard, s *Socket) {
	switch c := e.command; c.Kind {
	case KindJoin:
		s.joinWithin(sh, e.rooms, e.position)
	case KindLeave:
		s.leaveNow(sh, e.rooms)
	case KindDisconnect:
		if c.Close {
			s.Close(nil)
			return
		}
		s.disconnectNow(sh)
		if c.All {
			s.DisconnectAll()
		}
	}
}

// joinWithin joins the rooms up to the limit, on the turn of the shard, where nothing can be waited for.
func (s *Socket) joinWithin(sh *engineio.Shard, rooms []Room, position uint64) {
	for _, name := range rooms {
		if int(s.roomCount.Add(1)) > s.namespace.server.cfg.MaxRooms {
			s.roomCount.Add(-1)
			return
		}
		s.namespace.directory.add(name, sh.Index())
		s.joinNow(sh, []Room{name}, position)
	}
}
