package socketio

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"runtime/debug"
	"slices"
	"time"

	"qun/engineio"
)

// A conn is one client's connection: an Engine.IO session, and the sockets that the client has on it, one for each
// namespace that it joined.
type conn struct {
	// Set once.
	server  *Server
	session *engineio.Session

	// Owned by the session's turn.
	partial *packet // an event or ack whose attachments have not all come

	// turn is held while a handler of this connection runs, and by whoever changes what is below. The session's own turn
	// takes it for each packet; disconnects, timeouts and connect middlewares come from elsewhere.
	turn  turn
	seats []seat
	timer *time.Timer // while no namespace was joined
}

// A seat is the place of a namespace on a connection. It is reserved when the client asks to connect, and stays, without
// a socket, when that is gone: what the client sent before it knew is dropped.
type seat struct {
	namespace *Namespace
	socket    *Socket            // nil if it was disconnected
	cancel    context.CancelFunc // ends the connect middlewares; nil when they are done
}

// errConnectTimeout is the end of a client that does not join a namespace.
var errConnectTimeout = fmt.Errorf("%w: no namespace was joined in time", engineio.ErrForcedServerClose)

// begin waits for the client to join a namespace.
func (c *conn) begin() {
	c.turn.lock()
	defer c.turn.unlock()
	c.timer = time.AfterFunc(c.server.cfg.ConnectTimeout, func() { c.session.Close(errConnectTimeout) })
}

// stopTimer is called with the turn held.
func (c *conn) stopTimer() {
	if c.timer != nil {
		c.timer.Stop()
		c.timer = nil
	}
}

// receive handles one message of the session. An error ends the connection.
func (c *conn) receive(m engineio.Message) error {
	switch {
	case m.Binary && c.partial == nil:
		return broken("attachment was not announced")
	case m.Binary:
		return c.receiveAttachment(m.Data)
	case c.partial != nil:
		return broken("packet came before all attachments of the last one")
	}
	p, err := parsePacket(m.Data, c.server.cfg.MaxAttachments)
	if err != nil {
		return broken(err.Error())
	}
	return c.receivePacket(p)
}

func (c *conn) receivePacket(p *packet) error {
	c.turn.lock()
	defer c.turn.unlock()
	if p.kind == packetConnect {
		return c.connect(p)
	}
	seat := c.seat(p.namespace)
	if seat == nil || seat.cancel != nil {
		return broken("packet for a namespace that was not joined")
	}
	if p.missing > 0 {
		return c.await(p)
	}
	c.dispatch(seat, p)
	return nil
}

// await keeps a packet until its attachments have come, for some time. Only who is in a namespace gets this far.
func (c *conn) await(p *packet) error {
	if err := p.expect(); err != nil {
		return broken(err.Error())
	}
	c.partial = p
	p.timer = time.AfterFunc(c.server.cfg.AttachmentTimeout, func() {
		c.session.Close(broken("attachments took too long"))
	})
	return nil
}

func (c *conn) receiveAttachment(data []byte) error {
	p := c.partial
	if err := p.attach(data, c.server.cfg.MaxAttachmentBytes); err != nil {
		return broken(err.Error())
	}
	if p.missing > 0 {
		return nil
	}
	c.partial = nil
	p.timer.Stop()
	c.turn.lock()
	defer c.turn.unlock()
	if seat := c.seat(p.namespace); seat != nil {
		c.dispatch(seat, p)
	}
	return nil
}

// seat returns the place of a namespace, or nil. The turn is held.
func (c *conn) seat(name []byte) *seat {
	for i := range c.seats {
		if c.seats[i].namespace.name == string(name) {
			return &c.seats[i]
		}
	}
	return nil
}

// dispatch hands a complete packet to its socket. The turn is held.
func (c *conn) dispatch(seat *seat, p *packet) {
	s := seat.socket
	if s == nil || !s.Connected() {
		return
	}
	switch p.kind {
	case packetEvent:
		c.handle(s, p)
	case packetAck:
		s.takeAck(p.id, p.args)
	case packetDisconnect:
		seat.socket = nil
		s.disconnect(nil)
		c.farewell(s, ErrClientDisconnect)
	}
}

// handle runs the handler of an event.
func (c *conn) handle(s *Socket, p *packet) {
	handler := s.handler(p.event)
	if handler == nil {
		return
	}
	ctx := newTurnContext(c)
	defer ctx.end()
	defer c.rescue("event")
	handler(ctx, s, &Event{Name: p.event, Args: p.args, socket: s, id: p.id})
}

// connect begins to join a namespace. The turn is held.
func (c *conn) connect(p *packet) error {
	n := c.server.namespace(string(p.namespace))
	if n == nil {
		c.refuse(string(p.namespace), &Error{Message: "Invalid namespace"})
		return nil
	}
	place := c.seat(p.namespace)
	switch {
	case place != nil && place.socket != nil && place.socket.state.Load() != stateDisconnected:
		return broken("namespace was joined already")
	case place != nil && place.socket != nil:
		c.farewell(place.socket, ErrServerDisconnect)
	case place == nil && len(c.seats) >= c.server.cfg.MaxNamespaces:
		c.refuse(n.name, &Error{Message: "too many namespaces"})
		return nil
	case place == nil:
		c.seats = append(c.seats, seat{namespace: n})
		place = &c.seats[len(c.seats)-1]
	}
	s := newSocket(c, n, p.auth)
	place.socket = s
	if middlewares := n.hooks.Load().middlewares; len(middlewares) > 0 {
		c.introduce(place, s, middlewares)
		return nil
	}
	c.admit(s)
	return nil
}

// introduce runs the connect middlewares in a goroutine of their own, as many at a time as Config.MaxConnecting; the
// client that comes when there is no place waits here, and what it sends waits with it. The turn is held.
func (c *conn) introduce(place *seat, s *Socket, middlewares []middleware) {
	ctx, cancel := context.WithTimeout(c.server.ctx, c.server.cfg.HandlerTimeout)
	select {
	case c.server.connecting <- struct{}{}:
	case <-ctx.Done():
		cancel()
		c.dismiss(s, &Error{Message: "server is busy"})
		return
	}
	place.cancel = cancel
	stopWaiting := context.AfterFunc(ctx, func() { c.decide(s, errMiddlewareTimeout) })
	c.server.goroutines.Go(func() {
		defer cancel()
		err := c.ask(ctx, s, middlewares)
		<-c.server.connecting
		if stopWaiting() {
			c.decide(s, err)
		}
	})
}

var errMiddlewareTimeout = &Error{Message: "timeout"}

// ask runs the middlewares until one refuses. A panic closes the connection.
func (c *conn) ask(ctx context.Context, s *Socket, middlewares []middleware) (err error) {
	err = errInternal
	defer c.rescue("connect middleware")
	for _, use := range middlewares {
		if err := use(ctx, s); err != nil {
			return err
		}
	}
	return nil
}

// decide ends what introduce began, unless the connection is gone.
func (c *conn) decide(s *Socket, err error) {
	c.turn.lock()
	defer c.turn.unlock()
	place := c.seatOf(s)
	if place == nil {
		return
	}
	place.cancel = nil
	if err != nil {
		c.dismiss(s, err)
		return
	}
	c.admit(s)
}

// seatOf returns the place that the socket holds, or nil. The turn is held.
func (c *conn) seatOf(s *Socket) *seat {
	i := slices.IndexFunc(c.seats, func(seat seat) bool { return seat.socket == s })
	if i < 0 {
		return nil
	}
	return &c.seats[i]
}

// dismiss refuses a socket, and frees its place. The turn is held.
func (c *conn) dismiss(s *Socket, err error) {
	c.seats = slices.DeleteFunc(c.seats, func(seat seat) bool { return seat.socket == s })
	shown, all := visible(err)
	if !all {
		c.log().Error("connect middleware", "namespace", s.namespace.name, "error", err)
	}
	c.refuse(s.namespace.name, shown)
}

// refuse sends a CONNECT_ERROR. The transport stays open.
func (c *conn) refuse(name string, err *Error) {
	p := &payload{}
	if encodeErr := encode(0, nil, []any{err}, func(encoded *payload) {
		p.array = slices.Clone(encoded.array[1 : len(encoded.array)-1])
	}); encodeErr != nil {
		c.log().Error("encode refusal", "namespace", name, "error", encodeErr)
		p.array = []byte(`{"message":"internal error"}`)
	}
	c.session.Send(encodePlain(packetConnectError, namespacePrefix(name), p.array))
}

// admit connects a socket: CONNECT is the first packet of its namespace, then come its connect handlers. The turn is held.
func (c *conn) admit(s *Socket) {
	c.stopTimer()
	s.connect()
	for _, onConnect := range s.namespace.hooks.Load().connects {
		c.greet(s, onConnect)
	}
}

func (c *conn) greet(s *Socket, onConnect func(context.Context, *Socket)) {
	ctx := newTurnContext(c)
	defer ctx.end()
	defer c.rescue("connect handler")
	onConnect(ctx, s)
}

// farewell runs the disconnect handlers of a socket. The turn is held.
func (c *conn) farewell(s *Socket, reason error) {
	for _, onDisconnect := range s.namespace.hooks.Load().disconnects {
		c.takeLeave(s, reason, onDisconnect)
	}
}

func (c *conn) takeLeave(s *Socket, reason error, onDisconnect func(*Socket, error)) {
	defer c.rescue("disconnect handler")
	onDisconnect(s, reason)
}

// leave is the rest of Socket.Disconnect: it waits for the handler that runs, then frees the place, unless the client
// has come back to it meanwhile, or the session has ended. Who frees the place runs the disconnect handlers.
func (c *conn) leave(s *Socket) {
	c.turn.lock()
	defer c.turn.unlock()
	if place := c.seatOf(s); place != nil {
		place.socket = nil
		c.farewell(s, ErrServerDisconnect)
	}
}

// end disconnects all sockets: the session is gone.
func (c *conn) end(reason error) {
	c.turn.lock()
	defer c.turn.unlock()
	c.stopTimer()
	if c.partial != nil {
		c.partial.timer.Stop()
		c.partial = nil
	}
	seats := c.seats
	c.seats = nil
	for _, seat := range seats {
		switch s := seat.socket; {
		case s == nil:
		case seat.cancel != nil:
			seat.cancel()
		case s.disconnect(nil):
			c.farewell(s, reason)
		default:
			c.farewell(s, ErrServerDisconnect)
		}
	}
}

// rescue is deferred around every call of the application's: a panic in it is logged, and costs this connection alone.
func (c *conn) rescue(during string) {
	if v := recover(); v != nil {
		c.log().Error("handler panicked", "during", during, "panic", v, "stack", string(debug.Stack()))
		c.session.Close(fmt.Errorf("%w: panic in %s", engineio.ErrForcedServerClose, during))
	}
}

func (c *conn) log() *slog.Logger {
	return c.server.cfg.Logger.With("remote", c.session.Handshake().RemoteAddr)
}

// fail closes the connection because of what the client sent.
func (c *conn) fail(reason error) {
	if errors.Is(reason, engineio.ErrForcedClose) {
		c.log().Debug("packet refused", "error", reason)
	}
	c.session.Close(reason)
}
