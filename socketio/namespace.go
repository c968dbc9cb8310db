package socketio

import (
	"context"
	"hash/maphash"
	"slices"
	"sync"
	"sync/atomic"

	"qun/engineio"
)

// A Namespace is a separate world on the same connections, with its own handlers, rooms and sockets. Register its
// middlewares and handlers before clients come: what is registered later holds for later packets. Its methods may be
// called from any goroutine.
type Namespace struct {
	registry

	// Set once.
	server   *Server
	name     string
	family   *Family // nil for one that Of has made
	parser   Parser
	recovery *recovery     // nil if it is off
	ready    chan struct{} // closed when OnNamespace has been heard

	claims int // seats that clients have, or wait for; guarded by Server.mu, counted for those of a family only

	acks      atomic.Uint64 // ids of the acks that are asked for
	eavesdrop atomic.Bool   // somebody listens to outgoing events
	directory directory
	roster    roster
	parts     []part // one for each shard, touched only by its turn

	inquiriesMu sync.Mutex // guards inquiries
	inquiries   map[string]func(context.Context, *ServerEvent)
}

func newNamespace(server *Server, name string, family *Family) *Namespace {
	n := &Namespace{server: server, name: name, family: family, parser: server.cfg.Parser, ready: make(chan struct{})}
	n.eavesdrop.Store(len(family.listenersOf().load().outgoing) > 0)
	if server.cfg.Recovery != nil {
		n.recovery = newRecovery(n)
	}
	n.parts = make([]part, len(server.engine.Shards()))
	n.directory.namespace = name
	n.directory.seed = maphash.MakeSeed()
	n.directory.watchers = &server.goroutines
	n.directory.adapter = server.interests
	n.directory.failed = func(room Room, err error) {
		server.cfg.Logger.Error("watch room", "namespace", name, "room", room, "error", err)
	}
	return n
}

// allHooks returns the hooks of the family, then the namespace's own.
func (n *Namespace) allHooks() hooks {
	own := n.loadHooks()
	if n.family == nil {
		return own
	}
	all := n.family.loadHooks()
	return hooks{
		middlewares: slices.Concat(all.middlewares, own.middlewares),
		connects:    slices.Concat(all.connects, own.connects),
		disconnects: slices.Concat(all.disconnects, own.disconnects),
	}
}

// namespacePrefix is what stands for the namespace in a packet.
func namespacePrefix(name string) string {
	if name == string(mainNamespace) {
		return ""
	}
	return name + ","
}

// Name is the namespace's name, with its leading slash.
func (n *Namespace) Name() string { return n.name }

// To begins a broadcast to the rooms, or to the whole namespace if none is given.
func (n *Namespace) To(rooms ...Room) Broadcast { return Broadcast{namespace: n}.To(rooms...) }

// Emit sends an event to all sockets of the namespace, on all servers: it is short for To().Emit.
func (n *Namespace) Emit(event string, args ...any) error { return n.To().Emit(event, args...) }

// Socket returns the socket with that id, or nil if it is not on this server.
func (n *Namespace) Socket(id SocketID) *Socket {
	if s := n.directory.socket(Room(id)); s != nil && s.settled() {
		return s
	}
	return nil
}

// Sockets returns the sockets that are on this server, in no order.
func (n *Namespace) Sockets() []*Socket {
	return slices.DeleteFunc(n.directory.all(), func(s *Socket) bool { return !s.settled() })
}

// Len is the number of sockets on this server.
func (n *Namespace) Len() int { return n.directory.members(everyone) }

// Count is how many sockets on this server are in a room.
func (n *Namespace) Count(room Room) int { return n.directory.members(room) }

// Rooms are those that somebody on this server is in, in no order; the sockets' own ids are not among them.
func (n *Namespace) Rooms() []Room { return n.directory.populated() }

// post hands an entry to the shards in the set.
func (n *Namespace) post(set shardSet, e engineio.Entry) {
	for i, sh := range n.server.engine.Shards() {
		if set.has(i) {
			sh.Post(e)
		}
	}
}
