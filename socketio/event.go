package socketio

import (
	"context"
	"encoding/json"
	"errors"
	"maps"
	"sync"
	"sync/atomic"
)

// An Event is what a client emitted. It may be kept, and acknowledged later from any goroutine.
type Event struct {
	Name string
	Args Args

	socket *Socket
	id     ackID
	acked  atomic.Bool
}

// WantsAck says whether the client waits for an answer.
func (e *Event) WantsAck() bool { return e.id != noAck }

// Ack answers the event; the args follow the rules of Socket.Emit. Only the first call answers, others return
// ErrAckSent. If the client wants no answer, nothing is sent.
func (e *Event) Ack(args ...any) error {
	if e.acked.Swap(true) {
		return ErrAckSent
	}
	if !e.WantsAck() {
		return nil
	}
	return e.socket.sendAck(e.id, args)
}

// A Handler handles one event of a socket. Events of a connection are handled one after the other, in the order in
// which they came: until a handler returns, nothing more of that connection is handled, so long work belongs into a
// goroutine. The context ends when the deadline of Config.HandlerTimeout has passed, and when the server is gone.
// A panic is logged and closes that connection.
type Handler func(ctx context.Context, s *Socket, e *Event)

// A Listener is where handlers are registered: a *Namespace, for all of its sockets, or a *Socket, for that one.
type Listener interface {
	listeners() *listeners
}

// Handle registers the handler for an event. A later call for the same event replaces it, and nil removes it. A
// handler of the socket takes precedence over one of its namespace. An event without a handler is dropped, and not
// acknowledged, unless HandleOther has taken care of it.
func Handle(l Listener, event string, h Handler) { l.listeners().set(event, h) }

// HandleOther registers the handler for all events that have no handler of their own, neither at the socket nor at its
// namespace.
func HandleOther(l Listener, h Handler) { l.listeners().set(otherEvents, h) }

// otherEvents is the name under which HandleOther registers. No event that a client can send is confused with it,
// because it is reserved.
const otherEvents = "newListener"

// On registers a typed handler for an event: the first argument is decoded into In, once, and what the handler returns is
// the ack, if the client wants one.
//
// In may be any type that encoding/json decodes into; Args gets all arguments, struct{} none. A result becomes the only
// argument of the ack, or several if Out is Args, or none if Out is struct{}. An error becomes the argument
// {"error": {"message": …, "data": …}}, see Error; for an argument that cannot be decoded the message is "invalid argument".
func On[In, Out any](l Listener, event string, h func(ctx context.Context, s *Socket, in In) (Out, error)) {
	Handle(l, event, func(ctx context.Context, s *Socket, e *Event) {
		in, err := decodeInput[In](e.Args)
		if err != nil {
			s.log().Debug("event refused", "event", e.Name, "error", err)
			e.refuse(errArgument)
			return
		}
		out, err := h(ctx, s, in)
		if err != nil {
			e.refuse(err)
			return
		}
		e.answer(out)
	})
}

func decodeInput[In any](args Args) (in In, err error) {
	switch p := any(&in).(type) {
	case *Args:
		*p = args
	case *struct{}:
	case *json.RawMessage:
		*p = args.expanded(0)
	default:
		err = args.Decode(0, p)
	}
	return in, err
}

// answer acknowledges with the result of a typed handler.
func (e *Event) answer(out any) {
	var err error
	if _, none := out.(struct{}); none {
		err = e.Ack()
	} else {
		err = e.Ack(out)
	}
	if err != nil && !errors.Is(err, ErrDisconnected) && !errors.Is(err, ErrAckSent) {
		e.socket.log().Error("acknowledge event", "event", e.Name, "error", err)
	}
}

// refuse acknowledges with an error.
func (e *Event) refuse(err error) {
	shown, all := visible(err)
	if !all {
		e.socket.log().Error("handle event", "event", e.Name, "error", err)
	}
	e.answer(map[string]*Error{"error": shown})
}

// listeners are handlers by event. Reading them takes no lock: they are copied when one is added.
type listeners struct {
	mu     sync.Mutex // held while adding
	events atomic.Pointer[map[string]Handler]
}

func (l *listeners) set(event string, h Handler) {
	l.mu.Lock()
	defer l.mu.Unlock()
	events := make(map[string]Handler)
	if old := l.events.Load(); old != nil {
		maps.Copy(events, *old)
	}
	events[event] = h
	if h == nil {
		delete(events, event)
	}
	l.events.Store(&events)
}

// find returns the handler for an event, or nil. It may be called on nil.
func (l *listeners) find(event string) Handler {
	if l == nil {
		return nil
	}
	if events := l.events.Load(); events != nil {
		return (*events)[event]
	}
	return nil
}

// findHandler returns the handler for an event: the first that one of the levels has, or else that for other events.
func findHandler(event string, levels ...*listeners) Handler {
	for _, name := range [...]string{event, otherEvents} {
		for _, l := range levels {
			if h := l.find(name); h != nil {
				return h
			}
		}
	}
	return nil
}
