package socketio

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
)

// Open joins the cluster of Config.Adapter, as a server with a new id. Without an adapter it does nothing. Call it before
// clients come; until then broadcasts stay on this server. ctx ends the attempt. Shutdown leaves the cluster.
func (s *Server) Open(ctx context.Context) error {
	if s.cfg.Adapter == nil {
		return nil
	}
	if err := s.cfg.Adapter.Open(ctx, s.id, s.deliver); err != nil {
		return fmt.Errorf("join cluster: %w", err)
	}
	s.mu.Lock()
	s.clustered.Store(true)
	namespaces := slices.Collect(maps.Values(s.namespaces))
	for _, n := range namespaces {
		n.directory.watchNamespace(true)
	}
	s.mu.Unlock()
	for _, n := range namespaces {
		_ = n.awaitWatch([]Room{everyone}) // it is logged if it fails, and goes on
	}
	return nil
}

// Servers returns how many servers the cluster has at the moment, this one included: 1 without an Adapter.
func (s *Server) Servers(ctx context.Context) (int, error) {
	if !s.clustered.Load() {
		return 1, nil
	}
	return s.cfg.Adapter.Servers(ctx, string(mainNamespace))
}

// deliver carries out a command of another server. It never blocks.
func (s *Server) deliver(c *Command) {
	if c.Kind >= KindResponse {
		s.requests.take(c)
		return
	}
	n := s.namespace(c.Namespace)
	if n == nil {
		s.answerForNobody(c)
		return
	}
	switch b := n.broadcastOf(c); c.Kind {
	case KindBroadcast:
		b.relay(c)
	case KindJoin, KindLeave, KindDisconnect:
		b.carryOut(c)
	case KindRequest:
		n.answer(c)
	}
}

// answerForNobody answers what is asked about a namespace that is not there.
func (s *Server) answerForNobody(c *Command) {
	switch {
	case c.ID == "":
	case c.Kind == KindBroadcast:
		s.reply(c, &Command{Kind: KindCount})
	case c.Kind == KindRequest && c.Event != RequestEvent:
		s.reply(c, &Command{Kind: KindResponse, Args: Args{values: []json.RawMessage{[]byte("[]")}}})
	}
}

// reply sends an answer to the server that asked.
func (s *Server) reply(to, answer *Command) {
	answer.From, answer.To, answer.ID, answer.Namespace = s.id, to.From, to.ID, to.Namespace
	if answer.Kind == KindResponse {
		answer.Event = to.Event
	}
	if err := s.cfg.Adapter.Publish(answer); err != nil {
		s.cfg.Logger.Error("answer another server", "to", to.From, "error", err)
	}
}

// broadcastOf is a broadcast to the command's target, on this server alone.
func (n *Namespace) broadcastOf(c *Command) Broadcast {
	b := Broadcast{namespace: n, target: target{except: c.Except}, volatile: c.Volatile, raw: c.Raw, local: true}
	return b.To(c.Rooms...)
}

// relay sends the event of another server's broadcast. If nobody here is meant it is not even encoded.
func (b Broadcast) relay(c *Command) {
	if c.ID != "" {
		b.relayQuestion(c)
		return
	}
	if b.namespace.recovery == nil && b.namespace.directory.where(&b.target) == 0 {
		return
	}
	if err := b.Emit(c.Event, c.Args); err != nil {
		b.namespace.server.cfg.Logger.Error("relay broadcast", "from", c.From, "error", err)
	}
}

// remote says whether other servers shall hear of the broadcast.
func (b Broadcast) remote() bool { return !b.local && b.namespace.server.clustered.Load() }

// publishEvent sends an encoded event to the other servers.
func (b Broadcast) publishEvent(c *Command, event string, p *payload) error {
	args, err := p.args()
	if err != nil {
		return fmt.Errorf("publish %q: %w", event, err)
	}
	c.Event, c.Args, c.Volatile, c.Raw = event, args.From(1), b.volatile, b.raw
	return b.publish(c)
}

// publish sends a command for the broadcast's target to the other servers.
func (b Broadcast) publish(c *Command) error {
	c.From, c.Namespace = b.namespace.server.id, b.namespace.name
	c.Rooms, c.Except = b.target.rooms(), b.target.except
	if b.target.sender != nil {
		c.Except = append(c.Except[:len(c.Except):len(c.Except)], Room(b.target.sender.id))
	}
	if err := b.namespace.server.cfg.Adapter.Publish(c); err != nil {
		return fmt.Errorf("publish %v: %w", c.Kind, err)
	}
	return nil
}
