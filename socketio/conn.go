package socketio

import (
	"context"
	"encoding/json"
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
	partial *arrival // an event or ack whose attachments have not all come

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
	parser := c.server.cfg.Parser
	switch {
	case parser == ParserMsgpack && !m.Binary:
		return broken("packet is not binary")
	case parser == ParserMsgpack:
	case m.Binary && c.partial == nil:
		return broken("attachment was not announced")
	case m.Binary:
		return c.receiveAttachment(m.Data)
	case c.partial != nil:
		return broken("packet came before all attachments of the last one")
	}
	a := &arrival{}
	if err := parser.parse(&a.packet, m.Data, c.server.cfg.MaxAttachments); err != nil {
		return broken(err.Error())
	}
	return c.receivePacket(a)
}

// An arrival is a packet of the client's, and what its handlers get: made in one piece, because every packet costs that.
type arrival struct {
	packet
	event   Event
	context turnContext
}

func (c *conn) receivePacket(p *arrival) error {
	c.turn.lock()
	defer c.turn.unlock()
	if p.kind == packetConnect {
		return c.connect(&p.packet)
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
func (c *conn) await(p *arrival) error {
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
func (c *conn) dispatch(seat *seat, p *arrival) {
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
		s.disconnect(nil, false)
		c.farewell(s, ErrClientDisconnect)
	}
}

// handle runs the handlers of an event.
func (c *conn) handle(s *Socket, p *arrival) {
	p.context.begin(c)
	defer p.context.end()
	defer c.rescue("event")
	p.event.Args, p.event.socket, p.event.id = p.args, s, p.id
	s.handle(&p.context, &p.event, p.packet.event)
}

var errAuthTooLarge = &Error{Message: "credentials are too large"}

// connect begins to join a namespace. The turn is held.
func (c *conn) connect(p *packet) error {
	name := string(p.namespace)
	place := c.seat(p.namespace)
	switch {
	case place != nil && place.socket != nil && place.socket.state.Load() != stateDisconnected:
		return broken("namespace was joined already")
	case place == nil && !c.makeRoom():
		c.refuse(name, errTooManyNamespaces)
		return nil
	case len(p.auth) > c.server.cfg.MaxAuthBytes:
		c.refuse(name, errAuthTooLarge)
		return nil
	}
	n, err := c.claim(name, p.auth)
	if err != nil {
		c.refuse(name, err)
		return nil
	}
	if place == nil {
		c.seats = append(c.seats, seat{})
		place = &c.seats[len(c.seats)-1]
	} else if place.socket != nil {
		c.farewell(place.socket, ErrServerDisconnect)
	}
	s := newSocket(c, n, p.auth)
	*place = seat{namespace: n, socket: s}
	if middlewares := n.allHooks().middlewares; len(middlewares) > 0 || s.wantsBack() {
		c.introduce(place, s, middlewares)
		return nil
	}
	c.admit(s)
	return nil
}

// claim finds the namespace, for which the application may be asked. A panic there closes the connection.
func (c *conn) claim(name string, auth json.RawMessage) (n *Namespace, shown *Error) {
	shown = errInternal
	defer c.rescue("namespace")
	n, err := c.server.claim(name, auth)
	if err != nil {
		shown, _ = visible(err)
		return nil, shown
	}
	return n, nil
}

// makeRoom says whether the client may join one more namespace. If need be it gives up the place of one that the client has left.
func (c *conn) makeRoom() bool {
	if len(c.seats) < c.server.cfg.MaxNamespaces {
		return true
	}
	left := slices.IndexFunc(c.seats, func(seat seat) bool { return seat.socket == nil })
	if left < 0 {
		return false
	}
	c.seats = slices.Delete(c.seats, left, left+1)
	return true
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
		if !stopWaiting() || !c.decide(s, err) {
			s.giveBack()
		}
	})
}

var errMiddlewareTimeout = &Error{Message: "timeout"}

// ask runs the middlewares until one refuses; a client that takes up where it was need not be asked again. A panic closes
// the connection.
func (c *conn) ask(ctx context.Context, s *Socket, middlewares []middleware) (err error) {
	err = errInternal
	defer c.rescue("connect middleware")
	if s.resume() && !s.namespace.recovery.cfg.RunMiddlewares {
		return nil
	}
	for _, use := range middlewares {
		if err := use(ctx, s); err != nil {
			return err
		}
	}
	return nil
}

// decide ends what introduce began. It reports whether the client was still there.
func (c *conn) decide(s *Socket, err error) bool {
	c.turn.lock()
	defer c.turn.unlock()
	place := c.seatOf(s)
	if place == nil {
		return false
	}
	place.cancel = nil
	if err != nil {
		c.dismiss(s, err)
	} else {
		c.admit(s)
	}
	return true
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
	defer c.server.release(s.namespace)
	shown, all := visible(err)
	if !all {
		c.log().Error("connect middleware", "namespace", s.namespace.name, "error", err)
	}
	c.refuse(s.namespace.name, shown)
}

// refuse sends a CONNECT_ERROR. The transport stays open.
func (c *conn) refuse(name string, err *Error) {
	var value json.RawMessage
	if encodeErr := encode(0, nil, []any{err}, func(encoded *payload) {
		value = slices.Clone(encoded.array[1 : len(encoded.array)-1])
	}); encodeErr != nil {
		c.log().Error("encode refusal", "namespace", name, "error", encodeErr)
		value = []byte(`{"message":"internal error"}`)
	}
	c.session.Send(encodePlain(c.server.cfg.Parser, packetConnectError, name, value))
}

// admit connects a socket: CONNECT is the first packet of its namespace, then come its connect handlers. The turn is held.
func (c *conn) admit(s *Socket) {
	c.stopTimer()
	s.connect()
	for _, onConnect := range s.namespace.allHooks().connects {
		c.greet(s, onConnect)
	}
}

func (c *conn) greet(s *Socket, onConnect func(context.Context, *Socket)) {
	ctx := &turnContext{}
	ctx.begin(c)
	defer ctx.end()
	defer c.rescue("connect handler")
	onConnect(ctx, s)
}

// farewell runs the disconnect handlers of a socket, and gives its claim on the namespace back. The turn is held.
func (c *conn) farewell(s *Socket, reason error) {
	defer c.free(s)
	for _, onDisconnect := range s.namespace.allHooks().disconnects {
		c.takeLeave(s, reason, onDisconnect)
	}
}

// free gives the claim of a disconnected socket back. What is kept of the socket is kept by then.
func (c *conn) free(s *Socket) {
	if s.namespace.family != nil && s.ticket() != nil {
		s.read(func(*Socket) {})
	}
	c.server.release(s.namespace)
}

func (c *conn) takeLeave(s *Socket, reason error, onDisconnect func(*Socket, error)) {
	defer c.rescue("disconnect handler")
	onDisconnect(s, reason)
}

// leave is the rest of Socket.Disconnect: it waits for the handler that runs, then frees the place, unless the client
// has come back to it meanwhile, or the session has ended. Who frees the place runs the disconnect handlers.
func (c *conn) leave(s *Socket, reason error) {
	c.turn.lock()
	defer c.turn.unlock()
	if place := c.seatOf(s); place != nil {
		place.socket = nil
		c.farewell(s, reason)
	}
}

// disconnectAll is the rest of Socket.DisconnectAll. Who is about to be let in somewhere is not any more.
func (c *conn) disconnectAll() {
	c.turn.lock()
	defer c.turn.unlock()
	for _, seat := range c.seats {
		if seat.socket != nil {
			seat.socket.Disconnect()
		}
	}
	c.session.Close(nil)
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
			c.server.release(s.namespace)
		case s.disconnect(nil, resumable(reason)):
			c.farewell(s, reason)
		default:
			c.farewell(s, s.endedBy())
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
