package socketio

import (
	"context"
	"fmt"
)

// An ackFunc hears the answer of a client, once: on the session's turn, or with ErrDisconnected when none will come.
// It must not block.
type ackFunc func(Args, error)

// EmitWithAck is like Emit and waits for the client's answer, which it returns. It ends with the context's error, with
// ErrDisconnected, or, if the context has no deadline, after Config.AckTimeout. An answer that comes later is ignored.
//
// A handler must not wait for its own client: what that sends is handled only when the handler has returned. With
// the handler's context, or one made from it, the call returns ErrWaitInHandler at once.
func (s *Socket) EmitWithAck(ctx context.Context, event string, args ...any) (Args, error) {
	if inTurnOf(ctx, s.conn) {
		return Args{}, ErrWaitInHandler
	}
	if _, limited := ctx.Deadline(); !limited {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeout(ctx, s.namespace.server.cfg.AckTimeout)
		defer cancel()
	}
	answers := make(chan answer, 1)
	id, err := s.ask(event, args, func(args Args, err error) { answers <- answer{args, err} })
	if err != nil {
		return Args{}, err
	}
	select {
	case a := <-answers:
		return a.args, a.err
	case <-ctx.Done():
		s.forgetAck(id)
		return Args{}, fmt.Errorf("wait for ack of %q: %w", event, ctx.Err())
	}
}

type answer struct {
	args Args
	err  error
}

// ask sends an event with an id of the namespace's, and remembers whom to tell the answer.
func (s *Socket) ask(event string, args []any, tell ackFunc) (id uint64, err error) {
	id = s.namespace.acks.Add(1) - 1
	if err := s.rememberAck(id, tell); err != nil {
		return id, err
	}
	n := s.namespace
	err = encodeEvent(n.server.cfg.MaxAttachments, event, args, func(p *payload) {
		e := &sendEntry{socket: s, notice: n.notice(event, p)}
		e.packets = p.packets(e.one[:0], packetEvent, n, someAck(id))
		s.session.Shard().Post(e)
	})
	if err != nil {
		s.forgetAck(id)
	}
	return id, err
}

func (s *Socket) rememberAck(id uint64, tell ackFunc) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	switch {
	case !s.Connected(): // under the lock that dropAcks takes afterwards: none is forgotten
		return ErrDisconnected
	case len(s.acks) >= s.namespace.server.cfg.MaxPendingAcks:
		return ErrTooManyAcks
	case s.acks == nil:
		s.acks = make(map[uint64]ackFunc)
	}
	s.acks[id] = tell
	return nil
}

// forgetAck takes a pending ack, so that it is told to nobody else.
func (s *Socket) forgetAck(id uint64) ackFunc {
	s.mu.Lock()
	defer s.mu.Unlock()
	tell := s.acks[id]
	if delete(s.acks, id); len(s.acks) == 0 {
		s.acks = nil
	}
	return tell
}

// takeAck hears an ACK of the client. One without an id, or with an id that nobody waits for, is ignored.
func (s *Socket) takeAck(id ackID, args Args) {
	n, ok := id.get()
	if !ok {
		return
	}
	if tell := s.forgetAck(n); tell != nil {
		tell(args, nil)
	}
}

// dropAcks tells everybody who waits for this client that it is gone.
func (s *Socket) dropAcks() {
	s.mu.Lock()
	pending := s.acks
	s.acks = nil
	s.mu.Unlock()
	for _, tell := range pending {
		tell(Args{}, ErrDisconnected)
	}
}

// sendAck answers an event of the client, once.
func (s *Socket) sendAck(event *Event, args []any) error {
	if !s.Connected() {
		return ErrDisconnected
	}
	return encode(s.namespace.server.cfg.MaxAttachments, nil, args, func(p *payload) {
		e := &event.answered
		e.socket = s
		e.packets = p.packets(e.one[:0], packetAck, s.namespace, event.id)
		s.session.Shard().Post(e)
	})
}
