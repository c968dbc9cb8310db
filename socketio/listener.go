package socketio

import (
	"context"
	"maps"
	"slices"
	"sync"
	"sync/atomic"
)

// A Handler handles one event of a socket. Events of a connection are handled one after the other, in the order in
// which they came: until a handler returns, nothing more of that connection is handled, so long work belongs into a
// goroutine. The context ends when the deadline of Config.HandlerTimeout has passed, and when the server is gone.
// A panic is logged and closes that connection.
type Handler func(ctx context.Context, s *Socket, e *Event)

// A Listener is where handlers are registered: a *Namespace or a *Family, for all of its sockets, or a *Socket, for that one.
type Listener interface {
	listeners() *listeners
	eavesdropped() // somebody listens to outgoing events
}

// Handle registers the handler for an event. A later call for the same event replaces it, and nil removes it. A
// handler of the socket takes precedence over one of its namespace. An event without a handler is dropped, and not
// acknowledged, unless HandleOther has taken care of it.
func Handle(l Listener, event string, h Handler) {
	l.listeners().change(func(t *listenerTable) {
		t.events = maps.Clone(t.events)
		if t.events == nil {
			t.events = make(map[string]registered)
		}
		if t.events[event] = (registered{event, h}); h == nil {
			delete(t.events, event)
		}
	})
}

// HandleOther registers the handler for all events that have no handler of their own, neither at the socket nor at its
// namespace.
func HandleOther(l Listener, h Handler) { Handle(l, otherEvents, h) }

// otherEvents is the name under which HandleOther registers. No event that a client can send is confused with it,
// because it is reserved.
const otherEvents = "newListener"

// OnAny adds a handler that sees every event, also those without a handler, before UseEvents and the event's own handler do.
// It may acknowledge the event itself.
func OnAny(l Listener, h Handler) {
	l.listeners().change(func(t *listenerTable) { t.any = append(slices.Clip(t.any), h) })
}

// OnAnyOutgoing adds a function that sees every event on its way to a socket, broadcasts included. It is called when the event is
// queued: it may emit something else, but must not block, nor wait for anything of a socket.
func OnAnyOutgoing(l Listener, h func(s *Socket, event string, args Args)) {
	l.listeners().change(func(t *listenerTable) { t.outgoing = append(slices.Clip(t.outgoing), h) })
	l.eavesdropped()
}

// UseEvents adds a middleware for events: it is asked whether an event may be handled, after those added before. With an
// error the event goes no further: nothing is sent, not even an ack, and the functions of OnError hear of it.
func UseEvents(l Listener, m func(ctx context.Context, s *Socket, e *Event) error) {
	l.listeners().change(func(t *listenerTable) { t.middlewares = append(slices.Clip(t.middlewares), m) })
}

// OnError adds a function that hears which events were refused by UseEvents. What the client should know of it, the
// function sends.
func OnError(l Listener, h func(s *Socket, e *Event, err error)) {
	l.listeners().change(func(t *listenerTable) { t.errors = append(slices.Clip(t.errors), h) })
}

// listeners are what is registered. Reading them takes no lock: the table is copied when something is added.
type listeners struct {
	mu    sync.Mutex // held while adding
	table atomic.Pointer[listenerTable]
}

type listenerTable struct {
	events      map[string]registered
	any         []Handler
	middlewares []func(context.Context, *Socket, *Event) error
	errors      []func(*Socket, *Event, error)
	outgoing    []func(*Socket, string, Args)
}

// A registered handler has the event's name with it, so that events that arrive need none of their own.
type registered struct {
	event   string
	handler Handler
}

var noListeners = &listenerTable{}

// load returns the table. It may be called on nil.
func (l *listeners) load() *listenerTable {
	if l != nil {
		if t := l.table.Load(); t != nil {
			return t
		}
	}
	return noListeners
}

func (l *listeners) change(change func(*listenerTable)) {
	l.mu.Lock()
	defer l.mu.Unlock()
	t := *l.load()
	change(&t)
	l.table.Store(&t)
}

// handle does with an event of the client what is registered for it: the family's first, then the namespace's, then the
// socket's; but of handlers for one event the nearest to the socket alone.
func (s *Socket) handle(ctx context.Context, e *Event, name []byte) {
	tables := s.tables()
	h := findHandler(name, tables)
	if e.Name = h.event; e.Name != string(name) {
		e.Name = string(name)
	}
	for _, t := range tables {
		for _, h := range t.any {
			h(ctx, s, e)
		}
	}
	if err := ask(ctx, s, e, tables); err != nil {
		s.failed(e, err, tables)
		return
	}
	if h.handler != nil {
		h.handler(ctx, s, e)
	}
}

// tables are what is registered for the socket, by its family, its namespace, and itself.
func (s *Socket) tables() [3]*listenerTable {
	n := s.namespace
	return [...]*listenerTable{n.family.listenersOf().load(), n.events.load(), s.own()}
}

// ask asks the middlewares until one refuses.
func ask(ctx context.Context, s *Socket, e *Event, tables [3]*listenerTable) error {
	for _, t := range tables {
		for _, m := range t.middlewares {
			if err := m(ctx, s, e); err != nil {
				return err
			}
		}
	}
	return nil
}

func (s *Socket) failed(e *Event, err error, tables [3]*listenerTable) {
	heard := false
	for _, t := range tables {
		for _, h := range t.errors {
			h(s, e, err)
			heard = true
		}
	}
	if !heard {
		s.log().Debug("event refused", "event", e.Name, "error", err)
	}
}

// findHandler returns the handler for an event: the nearest to the socket, or else the nearest for other events, or none.
func findHandler(event []byte, tables [3]*listenerTable) registered {
	for _, t := range slices.Backward(tables[:]) {
		if h, found := t.events[string(event)]; found {
			return h
		}
	}
	for _, t := range slices.Backward(tables[:]) {
		if h, found := t.events[otherEvents]; found {
			return h
		}
	}
	return registered{}
}

// A notice is an event on its way out, for those who listen to outgoing events. Nil is that nobody does.
type notice struct {
	event string
	args  Args
}

// notice returns what to tell about an outgoing event that is encoded in p.
func (n *Namespace) notice(event string, p *payload) *notice {
	if !n.eavesdrop.Load() {
		return nil
	}
	args, err := p.args()
	if err != nil { // what was encoded can be parsed, unless it is nested too deeply
		return &notice{event: event}
	}
	return &notice{event, args.From(1)}
}

// tell tells those who listen to what is sent to the socket. The turn of its shard is held.
func (t *notice) tell(s *Socket) {
	if t == nil {
		return
	}
	defer s.conn.rescue("outgoing listener")
	for _, table := range s.tables() {
		for _, h := range table.outgoing {
			h(s, t.event, t.args)
		}
	}
}

func (n *Namespace) eavesdropped() { n.eavesdrop.Store(true) }
func (s *Socket) eavesdropped()    { s.namespace.eavesdrop.Store(true) }

// eavesdropped holds for the namespaces that are there; those to come look at the family.
func (f *Family) eavesdropped() {
	for _, n := range f.Namespaces() {
		n.eavesdropped()
	}
}
