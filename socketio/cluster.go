package socketio

import (
	"context"
	"fmt"
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
	s.clustered.Store(true)
	return nil
}

// deliver carries out a command of another server. It never blocks.
func (s *Server) deliver(c *Command) {
	n := s.namespace(c.Namespace)
	if n == nil {
		return
	}
	switch b := n.broadcastOf(c); c.Kind {
	case KindBroadcast:
		b.relay(c)
	case KindJoin, KindLeave, KindDisconnect:
		b.carryOut(c)
	}
}

// broadcastOf is a broadcast to the command's target, on this server alone.
func (n *Namespace) broadcastOf(c *Command) Broadcast {
	return Broadcast{namespace: n, target: target{rooms: c.Rooms, except: c.Except}, volatile: c.Volatile, local: true}
}

// relay sends the event of another server's broadcast. If nobody here is meant it is not even encoded.
func (b Broadcast) relay(c *Command) {
	if b.namespace.directory.where(&b.target) == 0 {
		return
	}
	if err := b.Emit(c.Event, c.Args); err != nil {
		b.namespace.server.cfg.Logger.Error("relay broadcast", "from", c.From, "error", err)
	}
}

// remote says whether other servers shall hear of the broadcast.
func (b Broadcast) remote() bool { return !b.local && b.namespace.server.clustered.Load() }

// publishEvent sends an encoded event to the other servers.
func (b Broadcast) publishEvent(event string, p *payload) error {
	data := make([][]byte, len(p.data))
	for i, d := range p.data {
		data[i] = append([]byte(nil), d...) // the application may change its bytes; commands do not change
	}
	args, err := ParseArgs(append([]byte(nil), p.array...), data)
	if err != nil {
		return fmt.Errorf("publish %q: %w", event, err)
	}
	return b.publish(&Command{Kind: KindBroadcast, Event: event, Args: args.From(1), Volatile: b.volatile})
}

// publish sends a command for the broadcast's target to the other servers.
func (b Broadcast) publish(c *Command) error {
	c.From, c.Namespace = b.namespace.server.id, b.namespace.name
	c.Rooms, c.Except = b.target.rooms, b.target.except
	if b.target.sender != nil {
		c.Except = append(c.Except[:len(c.Except):len(c.Except)], Room(b.target.sender.id))
	}
	if err := b.namespace.server.cfg.Adapter.Publish(c); err != nil {
		return fmt.Errorf("publish %v: %w", c.Kind, err)
	}
	return nil
}
