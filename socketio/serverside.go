package socketio

import (
	"context"
	"encoding/json"
	"fmt"
	"runtime/debug"
	"sync/atomic"
)

// A ServerEvent is what another server of the cluster has said with ServerSideEmit.
type ServerEvent struct {
	Name string
	Args Args
	From ServerID

	server *Server
	asked  *Command // nil if no answer is wanted
	acked  atomic.Bool
}

// WantsAck says whether the other server waits for an answer.
func (e *ServerEvent) WantsAck() bool { return e.asked != nil }

// Ack answers the event, as Event.Ack does, from any goroutine.
func (e *ServerEvent) Ack(args ...any) error {
	if e.acked.Swap(true) {
		return ErrAckSent
	}
	if !e.WantsAck() {
		return nil
	}
	var parsed error
	err := encode(e.server.cfg.MaxAttachments, nil, args, func(p *payload) {
		var answer Args
		if answer, parsed = p.args(); parsed == nil {
			e.server.reply(e.asked, &Command{Kind: KindResponse, Args: answer})
		}
	})
	if err != nil {
		return err
	}
	return parsed
}

// OnServerEvent registers the handler for an event that other servers emit with ServerSideEmit in the namespace of the
// same name. A later call replaces it. Handlers run one at a time, in the order in which the events came; the context ends
// after Config.HandlerTimeout. An event without a handler is dropped.
func (n *Namespace) OnServerEvent(event string, h func(ctx context.Context, e *ServerEvent)) {
	n.inquiriesMu.Lock()
	defer n.inquiriesMu.Unlock()
	if n.inquiries == nil {
		n.inquiries = make(map[string]func(context.Context, *ServerEvent))
	}
	n.inquiries[event] = h
}

// ServerSideEmit sends an event to the other servers of the cluster, not to sockets. It never blocks; without an Adapter
// there is nobody to hear it.
func (n *Namespace) ServerSideEmit(event string, args ...any) error {
	if !n.server.clustered.Load() {
		return nil
	}
	c, err := n.serverEvent(event, args)
	if err != nil {
		return err
	}
	return n.To().publish(c)
}

// ServerSideEmitWithAck is like ServerSideEmit and waits for the answers of the other servers, no longer than the context, or
// else Config.ClusterTimeout. An error comes with the answers that there were, and is ErrNoAnswer if some were missing.
func (n *Namespace) ServerSideEmitWithAck(ctx context.Context, event string, args ...any) ([]Args, error) {
	if !n.server.clustered.Load() {
		return nil, nil
	}
	c, err := n.serverEvent(event, args)
	if err != nil {
		return nil, err
	}
	ctx, cancel := n.To().limit(ctx, n.server.cfg.ClusterTimeout)
	defer cancel()
	return n.inquire(ctx, func(id string) error {
		c.ID = id
		return n.To().publish(c)
	})
}

func (n *Namespace) serverEvent(event string, args []any) (*Command, error) {
	c := &Command{Kind: KindRequest, Event: RequestEvent}
	var parsed error
	err := encodeEvent(n.server.cfg.MaxAttachments, event, args, func(p *payload) { c.Args, parsed = p.args() })
	if err == nil {
		err = parsed
	}
	if err != nil {
		return nil, fmt.Errorf("emit to servers: %w", err)
	}
	return c, nil
}

// answer does what another server asks for. It does not block.
func (n *Namespace) answer(c *Command) {
	queued := true
	switch c.Event {
	case RequestSockets, RequestIDs, RequestRooms:
		queued = c.ID == "" || n.server.questions.add(func() { n.describeTo(c) })
	case RequestEvent:
		queued = n.server.inquiries.add(func() { n.serve(c) })
	}
	if !queued {
		n.server.cfg.Logger.Warn("request of another server dropped", "from", c.From, "request", c.Event)
	}
}

// describeTo answers a question about sockets or rooms.
func (n *Namespace) describeTo(c *Command) {
	var about any
	switch b := n.broadcastOf(c); c.Event {
	case RequestSockets:
		about = b.describeToOthers()
	case RequestIDs:
		about = b.socketIDs()
	case RequestRooms:
		about = n.directory.roomNames()
	}
	answer, err := json.Marshal(about)
	if err != nil { // a RemoteSocket can be marshalled
		n.server.cfg.Logger.Error("describe sockets", "namespace", n.name, "error", err)
		answer = []byte("[]")
	}
	n.server.reply(c, &Command{Kind: KindResponse, Args: Args{values: []json.RawMessage{answer}}})
}

// serve runs the handler of another server's event.
func (n *Namespace) serve(c *Command) {
	e := &ServerEvent{Args: c.Args.From(1), From: c.From, server: n.server}
	if c.Args.Decode(0, &e.Name) != nil {
		return
	}
	if c.ID != "" {
		e.asked = c
	}
	n.inquiriesMu.Lock()
	h := n.inquiries[e.Name]
	n.inquiriesMu.Unlock()
	if h == nil {
		return
	}
	ctx, cancel := context.WithTimeout(n.server.ctx, n.server.cfg.HandlerTimeout)
	defer cancel()
	defer func() {
		if v := recover(); v != nil {
			n.server.cfg.Logger.Error("handler panicked", "during", "server event", "panic", v, "stack", string(debug.Stack()))
		}
	}()
	h(ctx, e)
}
