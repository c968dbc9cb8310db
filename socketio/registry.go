package socketio

import (
	"context"
	"slices"
	"sync"
	"sync/atomic"
)

// A registry is what a Namespace and a Family have in common: the middlewares and handlers of their sockets.
type registry struct {
	events listeners
	mu     sync.Mutex // held while adding hooks
	hooks  atomic.Pointer[hooks]
}

type middleware = func(context.Context, *Socket) error

// hooks are copied when one is added.
type hooks struct {
	middlewares []middleware
	connects    []func(context.Context, *Socket)
	disconnects []func(*Socket, error)
	rooms       []RoomHooks
}

// Use adds a connect middleware: it is asked whether a client may join the namespace, after those added before, and may
// take its time, within Config.HandlerTimeout. The socket has its Handshake and Auth, and can be given a Value, but cannot
// emit or join rooms yet. An error refuses the client: see Error for what it is told. A client that is refused
// does not come back by itself; if it should, close its connection with Socket.Close and return any error.
func (r *registry) Use(m func(ctx context.Context, s *Socket) error) {
	r.addHook(func(h *hooks) { h.middlewares = append(slices.Clip(h.middlewares), m) })
}

// OnConnect adds a handler for sockets that were let in. It runs like the handler of an event, before any event of the
// socket; what it emits comes first.
func (r *registry) OnConnect(h func(ctx context.Context, s *Socket)) {
	r.addHook(func(hooks *hooks) { hooks.connects = append(slices.Clip(hooks.connects), h) })
}

// OnDisconnect adds a handler for sockets that were connected and are so no more; it is called once for each, after all
// other handlers of the socket. Reason gives the text for the error. Socket.Rooms still tells where the socket was, and
// Socket.To still reaches the others there.
func (r *registry) OnDisconnect(h func(s *Socket, reason error)) {
	r.addHook(func(hooks *hooks) { hooks.disconnects = append(slices.Clip(hooks.disconnects), h) })
}

// OnRooms adds functions that hear of rooms, those of sockets' own ids included. What changes from then on is reported,
// so add them before clients come.
func (r *registry) OnRooms(h RoomHooks) {
	r.addHook(func(hooks *hooks) { hooks.rooms = append(slices.Clip(hooks.rooms), h) })
}

func (r *registry) addHook(add func(*hooks)) {
	r.mu.Lock()
	defer r.mu.Unlock()
	changed := hooks{}
	if h := r.hooks.Load(); h != nil {
		changed = *h
	}
	add(&changed)
	r.hooks.Store(&changed)
}

// loadHooks may be called on nil.
func (r *registry) loadHooks() hooks {
	if r == nil {
		return hooks{}
	}
	if h := r.hooks.Load(); h != nil {
		return *h
	}
	return hooks{}
}

func (r *registry) listeners() *listeners { return &r.events }
