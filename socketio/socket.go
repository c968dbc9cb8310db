package socketio

import (
	"crypto/rand"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"log/slog"
	"strings"
	"sync"
	"sync/atomic"

	"qun/engineio"
)

// SocketID is the public name of a socket: 20 characters that can stand in a URL. It is not the id of the connection.
type SocketID string

func newSocketID() SocketID {
	var b [15]byte
	rand.Read(b[:]) // never fails, see crypto/rand
	return SocketID(base64.RawURLEncoding.EncodeToString(b[:]))
}

// A Socket is a client's presence in a namespace, from the time it is let in until it disconnects; a client that comes back
// has a new one. Its methods may be called from any goroutine.
type Socket struct {
	// Set before the socket is let in. The session is the conn's, once more, for broadcasts to have at hand.
	namespace *Namespace
	conn      *conn
	session   *engineio.Session
	id        SocketID
	auth      string

	state     atomic.Uint32
	roomCount atomic.Int32 // rooms joined by calls so far
	extras    atomic.Pointer[extras]

	mu    sync.Mutex // guards below, and the order of connect and disconnect
	value any
	acks  map[uint64]ackFunc

	moves atomic.Int32 // entries that were issued, and may still change its rooms

	// Owned by the turn of the session's shard.
	joined      bool // CONNECT was sent, and the end has not come
	mark        uint64
	memberships []membership // see part.mu
}

// extras are what few sockets have. Once there, they stay.
type extras struct {
	listeners listeners
	ticket    *ticket // with which the client may come back
}

const (
	stateConnecting uint32 = iota
	stateConnected
	stateDisconnected
)

func newSocket(c *conn, n *Namespace, auth json.RawMessage) *Socket {
	s := &Socket{namespace: n, conn: c, session: c.session, id: newSocketID(), auth: string(auth)}
	if n.recovery != nil {
		s.extras.Store(&extras{ticket: n.recovery.issue(s)})
	}
	return s
}

// ID is the socket's id. It is also a room that only this socket is in.
func (s *Socket) ID() SocketID { return s.id }

// Namespace is the namespace that the socket belongs to.
func (s *Socket) Namespace() *Namespace { return s.namespace }

// Handshake is what is known of the HTTP request that opened the connection.
func (s *Socket) Handshake() *engineio.Handshake { return s.session.Handshake() }

// Transport is the name of the transport that carries the connection now.
func (s *Socket) Transport() string { return s.session.Transport() }

// Auth is the JSON object that the client sent as its credentials, or nil.
func (s *Socket) Auth() json.RawMessage {
	if s.auth == "" {
		return nil
	}
	return json.RawMessage(s.auth)
}

// Connected says whether the socket has been let in and is not disconnected. What came before the connection ended is handled
// first, and until then the socket is connected: see Gone.
func (s *Socket) Connected() bool { return s.state.Load() == stateConnected }

// Gone says whether nothing that is sent will arrive any more: the socket is disconnected, or its connection has ended and that
// waits its turn. A handler that takes long may ask, to save itself the rest.
func (s *Socket) Gone() bool { return !s.Connected() || s.conn.session.Closed() }

// Value is what the application stored with SetValue, or nil.
func (s *Socket) Value() any {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.value
}

// SetValue stores something of the application's with the socket: who it is, for example.
func (s *Socket) SetValue(v any) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.value = v
}

// Emit sends an event to the client. The args become its arguments as encoding/json marshals them, without escaping HTML;
// json.RawMessage and Args are relayed as they are, a JSONAppender writes itself, and Binary becomes an attachment. It never blocks: it returns
// before the client has the event, which may be lost with the connection. A client that does not take what is sent to it
// loses its connection.
func (s *Socket) Emit(event string, args ...any) error { return s.emit(false, event, args) }

// EmitVolatile is like Emit, but the event is dropped if the client is not ready to take it at once.
func (s *Socket) EmitVolatile(event string, args ...any) error { return s.emit(true, event, args) }

func (s *Socket) emit(volatile bool, event string, args []any) error {
	if !s.Connected() {
		return ErrDisconnected
	}
	n := s.namespace
	return encodeEvent(n.server.cfg.MaxAttachments, event, args, func(p *payload) {
		e := &sendEntry{socket: s, volatile: volatile, notice: n.notice(event, p)}
		n.inOrder(func() {
			if e.packets = n.log(p, volatile, func() target { return target{named: true, room: Room(s.id)} }); e.packets == nil {
				e.packets = p.packets(e.one[:0], packetEvent, n, noAck)
			}
			s.session.Shard().Post(e)
		})
	})
}

// A sendEntry sends to one socket, behind everything that was issued for it before, unless it is disconnected meanwhile.
type sendEntry struct {
	socket   *Socket
	packets  []*engineio.Packet
	one      [1]*engineio.Packet // what packets are in, as long as there is only one
	volatile bool
	notice   *notice
}

func (e *sendEntry) Run(sh *engineio.Shard) {
	if e.socket.joined {
		e.notice.tell(e.socket)
		sh.Send(e.socket.session, e.volatile, e.packets...)
	}
}

// To begins a broadcast to the rooms, or to the whole namespace if none is given, from which this socket is left out.
func (s *Socket) To(rooms ...Room) Broadcast {
	b := s.namespace.To(rooms...)
	b.target.sender = s
	return b
}

// Join enters rooms. What is sent to them from now on, by the calling goroutine, reaches the socket. Entering again does
// nothing. With an Adapter that must be told about rooms (see Interest), Join waits until that is done, at most one
// second; then an error says that broadcasts from other servers may not arrive, although the socket has joined.
func (s *Socket) Join(rooms ...Room) error {
	if !s.Connected() {
		return ErrDisconnected
	}
	for _, name := range rooms {
		if !isRoomName(name) {
			return ErrRoomName
		}
	}
	if int(s.roomCount.Add(int32(len(rooms)))) > s.namespace.server.cfg.MaxRooms {
		s.roomCount.Add(-int32(len(rooms)))
		return ErrTooManyRooms
	}
	s.enter(rooms)
	return s.namespace.awaitWatch(rooms)
}

// enter posts a join of rooms that are counted.
func (s *Socket) enter(rooms []Room) {
	names := make([]Room, len(rooms))
	for i, name := range rooms {
		names[i] = Room(strings.Clone(string(name))) // the name may be part of a large message
		s.namespace.directory.add(names[i], s.shardIndex())
	}
	s.moves.Add(1)
	s.namespace.inOrder(func() {
		s.session.Shard().Post(&joinEntry{s, names, s.namespace.recovery.position()})
	})
}

// Leave leaves rooms. A socket cannot leave the room of its own id.
func (s *Socket) Leave(rooms ...Room) {
	s.moves.Add(1)
	s.session.Shard().Post(&leaveEntry{s, append([]Room(nil), rooms...)})
}

// Rooms returns the rooms that the socket is in, its own id first. It sees every Join and Leave that the calling goroutine
// issued before. After a disconnect it returns the rooms that the socket was in at its end.
func (s *Socket) Rooms() []Room {
	var rooms []Room
	s.read(func(s *Socket) { rooms = s.roomsNow() })
	return rooms
}

// roomsNow is Rooms on the turn of the shard.
func (s *Socket) roomsNow() []Room {
	rooms := []Room{Room(s.id)}
	for _, m := range s.memberships {
		if m.room.name != everyone {
			rooms = append(rooms, m.room.name)
		}
	}
	return rooms
}

// In says whether the socket is in the room, as Rooms does. Unless the socket is just on its way in or out somewhere, nothing
// is waited for: handlers ask it of every message.
func (s *Socket) In(name Room) (in bool) {
	if name == Room(s.id) {
		return true
	}
	if p := &s.namespace.parts[s.shardIndex()]; s.moves.Load() == 0 && p.moves.Load() == 0 {
		return p.has(s, name)
	}
	s.read(func(s *Socket) { in = s.isMember(name) })
	return in
}

// read looks at the socket's rooms on the turn of its shard.
func (s *Socket) read(look func(*Socket)) {
	done := make(chan struct{})
	s.session.Shard().Post(&readEntry{s, look, done})
	<-done
}

// connect lets the socket in.
func (s *Socket) connect() {
	n := s.namespace
	n.directory.add(everyone, s.shardIndex())
	_ = n.awaitWatch([]Room{everyone}) // broadcasts of other servers arrive from the first moment, if they can; it is logged if not
	e := &connectEntry{socket: s, answer: encodePlain(n.parser, packetConnect, n.name, s.greeting())}
	e.rooms = s.reserveRooms()
	s.moves.Add(1)
	s.mu.Lock() // who finds the socket in the directory does nothing with it before this is done
	defer s.mu.Unlock()
	n.inOrder(func() {
		e.missed = s.begin()
		n.directory.enter(s)
		s.state.Store(stateConnected)
		s.session.Shard().Post(e)
	})
}

// greeting is what the client is told when it is let in.
func (s *Socket) greeting() json.RawMessage {
	if s.ticket() == nil {
		return fmt.Appendf(nil, `{"sid":"%s"}`, s.id)
	}
	return fmt.Appendf(nil, `{"sid":"%s","pid":"%s"}`, s.id, s.ticket().pid)
}

// settled says whether the socket is connected, and waits if it is just about to be.
func (s *Socket) settled() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.Connected()
}

// A connectEntry makes the socket one of its namespace's, and tells the client. To one that takes up where it was it sends
// what was missed first: the client waits with that until it hears that it is back.
type connectEntry struct {
	socket *Socket
	answer *engineio.Packet
	rooms  []Room // where it was
	missed [][]*engineio.Packet
}

func (e *connectEntry) Run(sh *engineio.Shard) {
	s := e.socket
	s.joined = true
	s.namespace.parts[sh.Index()].join(s, everyone)
	s.namespace.joinedRoom(s, Room(s.id))
	for _, name := range e.rooms {
		s.joinNow(sh, []Room{name}, s.ticket().since[name])
	}
	s.moves.Add(-1)
	for _, packets := range e.missed {
		sh.Send(s.session, false, packets...)
	}
	sh.Send(s.session, false, e.answer)
}

// Disconnect takes the socket out of its namespace and tells the client, which does not come back by itself. The
// connection, and other sockets on it, stay. Handlers of OnDisconnect run when the handler that may be running is done.
func (s *Socket) Disconnect() {
	if s.disconnect(s.sendAway(), false) {
		s.namespace.server.goroutines.Go(func() { s.conn.leave(s, ErrServerDisconnect) })
	}
}

// sendAway is the packet that tells the client to stay away.
func (s *Socket) sendAway() *engineio.Packet {
	return encodePlain(s.namespace.parser, packetDisconnect, s.namespace.name, nil)
}

// disconnectNow is Disconnect on the turn of the shard: what is issued later finds the socket gone.
func (s *Socket) disconnectNow(sh *engineio.Shard) {
	if !s.state.CompareAndSwap(stateConnected, stateDisconnected) {
		return
	}
	(&disconnectEntry{socket: s, farewell: s.sendAway()}).Run(sh)
	s.dropAcks()
	s.namespace.server.goroutines.Go(func() { s.conn.leave(s, ErrServerDisconnect) })
}

// DisconnectAll takes the client out of all namespaces that it is in, as Disconnect does, and then closes the connection:
// the client does not come back by itself. Other namespaces are left when the handler that may be running is done.
func (s *Socket) DisconnectAll() {
	s.Disconnect()
	s.namespace.server.goroutines.Go(s.conn.disconnectAll)
}

// Close closes the connection, and with it all sockets on it, without a word: clients come back by themselves. What was
// sent before is delivered first. The reason is what OnDisconnect handlers get; nil means engineio.ErrForcedServerClose.
func (s *Socket) Close(reason error) {
	if reason == nil {
		reason = engineio.ErrForcedServerClose
	}
	s.session.Close(reason)
}

// disconnect ends the socket: nothing is sent to it any more but the farewell, if there is one. It reports whether the
// socket was connected; who gets true calls the disconnect handlers. With resumable, the client may come back to it.
func (s *Socket) disconnect(farewell *engineio.Packet, resumable bool) bool {
	s.mu.Lock()
	connected := s.state.CompareAndSwap(stateConnected, stateDisconnected)
	if connected {
		s.session.Shard().Post(&disconnectEntry{s, farewell, resumable})
	}
	s.mu.Unlock()
	if connected {
		s.dropAcks()
	}
	return connected
}

// A disconnectEntry takes the socket out of everything.
type disconnectEntry struct {
	socket    *Socket
	farewell  *engineio.Packet
	resumable bool
}

func (e *disconnectEntry) Run(sh *engineio.Shard) {
	s, n := e.socket, e.socket.namespace
	s.joined = false
	n.parts[sh.Index()].leaveAll(s, func(name Room) {
		n.directory.remove(name, sh.Index())
		n.leftRoom(s, name)
	})
	n.directory.exit(s)
	n.leftRoom(s, Room(s.id))
	s.retire(e.resumable)
	if e.farewell != nil {
		sh.Send(s.session, false, e.farewell)
	}
}

// listeners returns the socket's own handlers.
func (s *Socket) listeners() *listeners {
	if s.extras.Load() == nil {
		s.extras.CompareAndSwap(nil, &extras{})
	}
	return &s.extras.Load().listeners
}

// own is what is registered with the socket alone.
func (s *Socket) own() *listenerTable {
	if x := s.extras.Load(); x != nil {
		return x.listeners.load()
	}
	return noListeners
}

// ticket returns what the client needs to come back, or nil without recovery.
func (s *Socket) ticket() *ticket {
	if x := s.extras.Load(); x != nil {
		return x.ticket
	}
	return nil
}

func (s *Socket) log() *slog.Logger {
	return s.conn.log().With("namespace", s.namespace.name, "socket", s.id)
}
