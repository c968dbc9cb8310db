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
	server *Server
	name   string
	prefix string // what its packets carry of the name

	events listeners
	mu     sync.Mutex // held while adding hooks
	hooks  atomic.Pointer[hooks]

	acks      atomic.Uint64 // ids of the acks that are asked for
	directory directory
	parts     []part // one for each shard, touched only by its turn
}

type middleware = func(context.Context, *Socket) error

// hooks are copied when one is added.
type hooks struct {
	middlewares []middleware
	connects    []func(context.Context, *Socket)
	disconnects []func(*Socket, error)
}

func newNamespace(server *Server, name string) *Namespace {
	n := &Namespace{server: server, name: name, prefix: namespacePrefix(name)}
	n.hooks.Store(&hooks{})
	n.parts = make([]part, len(server.engine.Shards()))
	n.directory.namespace = name
	n.directory.seed = maphash.MakeSeed()
	n.directory.watchers = &server.goroutines
	n.directory.adapter, _ = server.cfg.Adapter.(Interest)
	n.directory.failed = func(room Room, err error) {
		server.cfg.Logger.Error("watch room", "namespace", name, "room", room, "error", err)
	}
	return n
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

// Use adds a connect middleware: it is asked whether a client may join the namespace, after those added before, and may
// take its time, within Config.HandlerTimeout. The socket has its Handshake and Auth, and can be given a Value, but cannot
// emit or join rooms yet. An error refuses the client: see Error for what it is told. A client that is refused
// does not come back by itself; if it should, close its connection with Socket.Close and return any error.
func (n *Namespace) Use(m func(ctx context.Context, s *Socket) error) {
	n.addHook(func(h *hooks) { h.middlewares = append(slices.Clip(h.middlewares), m) })
}

// OnConnect adds a handler for sockets that were let in. It runs like the handler of an event, before any event of the
// socket; what it emits comes first.
func (n *Namespace) OnConnect(h func(ctx context.Context, s *Socket)) {
	n.addHook(func(hooks *hooks) { hooks.connects = append(slices.Clip(hooks.connects), h) })
}

// OnDisconnect adds a handler for sockets that were connected and are so no more; it is called once for each, after all
// other handlers of the socket. Reason gives the text for the error. Socket.Rooms tells where the socket was.
func (n *Namespace) OnDisconnect(h func(s *Socket, reason error)) {
	n.addHook(func(hooks *hooks) { hooks.disconnects = append(slices.Clip(hooks.disconnects), h) })
}

func (n *Namespace) addHook(add func(*hooks)) {
	n.mu.Lock()
	defer n.mu.Unlock()
	changed := *n.hooks.Load()
	add(&changed)
	n.hooks.Store(&changed)
}

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

func (n *Namespace) listeners() *listeners { return &n.events }

// post hands an entry to the shards in the set.
func (n *Namespace) post(set shardSet, e engineio.Entry) {
	for i, sh := range n.server.engine.Shards() {
		if set.has(i) {
			sh.Post(e)
		}
	}
}
