package socketio

import (
	"context"
	"encoding/json"
	"errors"
	"sync/atomic"
)

// An Event is what a client emitted. It may be kept, and acknowledged later from any goroutine.
type Event struct {
	Name string
	Args Args

	socket   *Socket
	id       ackID
	acked    atomic.Bool
	answered sendEntry // the ack on its way
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
	return e.socket.sendAck(e, args)
}

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
