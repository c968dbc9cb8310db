package engineio

import (
	"bytes"
	"encoding/base64"
	"errors"
	"sync/atomic"
	"time"

	"github.com/gobwas/ws"
)

// A Session is a connection with one peer, whatever transport carries it at the moment. Its methods may be called from
// any goroutine.
type Session struct {
	// Set once.
	id        string
	server    *Server
	shard     *Shard
	handshake *Handshake
	release   func()

	value any // the Handler's

	in input

	closed  atomic.Bool  // nothing more can be sent
	discard atomic.Bool  // we ended it: what was received and not handled is dropped
	heard   atomic.Bool  // something arrived since the last ping
	ponged  atomic.Int64 // when the last pong arrived, as Server.now
	posting atomic.Bool  // a POST is being read
	onConn  atomic.Bool  // the transport is WebSocket; the shard's conn is the truth
	parties atomic.Int32 // the transport and the turn: when both are done, the session is
	reason  atomic.Value // error; set when the end is decided

	// Owned by the turn of the shard.
	state     sessionState
	touched   bool
	writing   bool    // a goroutine writes what the connection (while polling: the probe) did not take at once
	halfEnded bool    // we have said that nothing more will come
	conn      conn    // the WebSocket, nil while polling
	probe     conn    // a WebSocket that may become the transport
	probeNext *Packet // what the probe is told when its write is over
	poll      *pollRequest
	out       outbox

	// The heartbeat, and the place in the wheel. Owned by the turn of the shard.
	awaiting   bool // a ping is unanswered
	extended   bool // and was given more time, because something else arrived
	scheduled  bool
	pinged     time.Duration // when the last ping was sent, as Server.now
	patience   time.Duration // what is left of PingTimeout after the deadline that is scheduled
	slot       int
	next, prev *Session
}

type sessionState byte

const (
	stateOpening sessionState = iota
	stateOpen
	stateClosing // the end is decided; the peer may still take what was queued before
	stateGone
)

const (
	lingerWebSocket = 3 * time.Second  // for the peer's answer to a close frame
	lingerPolling   = 30 * time.Second // for the poll that fetches the last packets
	lingerGoodbye   = time.Second      // for a poll that overtakes, or is overtaken by, the peer's close packet
)

// ID is the session's id. It is a secret between the server and the peer.
func (s *Session) ID() string { return s.id }

// Shard is the shard that serves the session; it never changes.
func (s *Session) Shard() *Shard { return s.shard }

// Handshake is what is known of the request that opened the session.
func (s *Session) Handshake() *Handshake { return s.handshake }

// Transport is the name of the transport that carries the session now.
func (s *Session) Transport() string {
	if s.onConn.Load() {
		return WebSocket
	}
	return Polling
}

// Value is what the Handler stored with SetValue.
func (s *Session) Value() any { return s.value }

// SetValue stores what the Handler wants to find again. It is for OnOpen; later calls must not race with Value.
func (s *Session) SetValue(v any) { s.value = v }

// Closed says whether the session has ended or its end is decided.
func (s *Session) Closed() bool { return s.closed.Load() }

// Send queues packets for the peer; they stay together and in order. It never blocks. The only error is ErrClosed.
func (s *Session) Send(packets ...*Packet) error { return s.send(false, packets) }

// SendVolatile is like Send, but the packets are dropped, all of them, if the peer is not ready to take them at once.
func (s *Session) SendVolatile(packets ...*Packet) error { return s.send(true, packets) }

func (s *Session) send(volatile bool, packets []*Packet) error {
	if s.closed.Load() {
		return ErrClosed
	}
	if len(packets) == 1 {
		s.shard.post(entry{session: s, packet: packets[0], volatile: volatile})
		return nil
	}
	together := append([]*Packet(nil), packets...)
	s.shard.Post(entryFunc(func(sh *Shard) { sh.Send(s, volatile, together...) }))
	return nil
}

// Close ends the session for the given reason. What was sent before is delivered first, as far as the peer takes it;
// what the peer sent and the Handler has not seen is dropped. A nil reason means ErrForcedServerClose.
func (s *Session) Close(reason error) {
	if reason == nil {
		reason = ErrForcedServerClose
	}
	s.closed.Store(true)
	s.discard.Store(true)
	s.shard.Post(entryFunc(func(*Shard) { s.end(reason, 0) }))
}

// ready says whether the peer would take a packet at once, which is what volatile packets ask for.
func (s *Session) ready() bool {
	if s.conn == nil {
		return s.poll != nil
	}
	return !s.writing && s.keepsUp()
}

// keepsUp says whether little enough waits for the peer that it may have what it could do without.
func (s *Session) keepsUp() bool {
	cfg := &s.server.cfg
	return s.out.cost < cfg.VolatileBytes && s.out.count() < cfg.VolatilePackets
}

// full says whether the outbox has no room for packets of the given cost.
func (s *Session) full(cost int) bool {
	return !s.out.empty() && s.out.cost+cost > s.server.cfg.OutboxBytes
}

// begin makes a new session live, on the given WebSocket or, with nil, on polling.
func (s *Session) begin(c conn) {
	s.state = stateOpen
	s.pinged = s.server.now()
	s.shard.wheel.schedule(s, s.server.cfg.PingInterval)
	s.turn()
	if c != nil {
		s.conn = c
		s.read(c, false, s.out.compressFrom > 0)
		s.shard.Send(s, false, newTextPacket(packetOpen, s.server.openPayload(s, false)))
	}
}

// flush writes what waits for the peer, as far as the transport takes it now.
func (s *Session) flush() {
	switch {
	case s.conn != nil:
		s.flushConn()
	case s.poll != nil && !s.out.empty():
		s.answerPoll()
	}
}

func (s *Session) flushConn() {
	counts := &s.shard.counts
	for !s.writing && !s.out.empty() && s.state != stateGone {
		b := s.out.frames(s.shard.joinBuffer())
		n, err := s.conn.try(b)
		if err != nil {
			s.broken()
			return
		}
		if n > 0 {
			counts.writes.Add(1)
			counts.bytesOut.Add(uint64(n))
			s.took(n)
		}
		if n < len(b) {
			s.writeLater()
		}
	}
}

// writeLater hands what the connection did not take at once to a goroutine that waits for it. Until it is done nothing
// else writes to the connection. Its bytes count as queued for as long.
func (s *Session) writeLater() {
	s.writing = true
	c, b := s.conn, s.out.first()
	if size := min(c.burst(), s.out.bytes()); size > len(b) {
		b = s.out.frames(make([]byte, 0, size))
	}
	s.server.goroutines.Go(func() {
		err := c.write(b)
		s.shard.Post(entryFunc(func(sh *Shard) { s.wrote(c, len(b), err) }))
		s.shard.turnNow()
	})
}

func (s *Session) wrote(c conn, n int, err error) {
	if s.conn != c || s.state == stateGone {
		return
	}
	s.writing = false
	if err != nil {
		s.broken()
		return
	}
	s.shard.counts.writes.Add(1)
	s.shard.counts.bytesOut.Add(uint64(n))
	s.took(n)
	s.shard.touch(s)
}

// took notes that the transport has taken n bytes of the outbox.
func (s *Session) took(n int) {
	first := s.out.head
	done := s.out.advance(n)
	s.shard.counts.packetsOut.Add(uint64(len(done)))
	for i, p := range done {
		if first+i < s.out.retained {
			s.server.release(p)
		}
	}
	s.out.retained = max(s.out.retained, s.out.head)
}

// settle is called when the session has been written: it gives an empty queue back, or counts what stays in it.
func (s *Session) settle() {
	o, sh := &s.out, s.shard
	if s.state == stateGone {
		return
	}
	if o.empty() {
		if o.packets != nil {
			o.clear(sh)
		}
		s.hurried()
		if s.state == stateClosing {
			s.farewell()
		}
		return
	}
	if _, known := sh.slow[s]; !known {
		sh.slow[s] = struct{}{}
		sh.counts.slow.Add(1)
		o.markedAt, o.mark = sh.wheel.time(), o.appended
	}
	if o.head > 64 && o.head > len(o.packets)/2 {
		kept := copy(o.packets, o.packets[o.head:])
		clear(o.packets[kept:])
		o.packets = o.packets[:kept]
		o.retained -= o.head
		o.head = 0
	}
	for ; o.retained < len(o.packets); o.retained++ {
		s.server.retain(o.packets[o.retained])
	}
	s.server.evict()
}

// hurried takes the session off the list of those with a slow peer.
func (s *Session) hurried() {
	if _, slow := s.shard.slow[s]; slow {
		delete(s.shard.slow, s)
		s.shard.counts.slow.Add(-1)
	}
}

// checkAge closes the session if something has waited in its outbox for OutboxAge.
func (s *Session) checkAge(now time.Duration) {
	if s.state != stateOpen || now-s.out.markedAt < s.server.cfg.OutboxAge {
		return
	}
	if s.out.taken() < s.out.mark {
		s.end(ErrSlowConsumer, 0)
		return
	}
	s.out.markedAt, s.out.mark = now, s.out.appended
}

// deadline is called by the wheel when the session's time has come: for a heartbeat, or for the end of its lingering.
func (s *Session) deadline() {
	if s.state != stateOpen {
		s.abandon()
		return
	}
	cfg, now := &s.server.cfg, s.server.now()
	if !s.awaiting {
		s.ping(now)
		return
	}
	switch ponged := time.Duration(s.ponged.Load()); {
	case ponged >= s.pinged:
		s.awaiting = false
		if wait := cfg.PingInterval - (now - ponged); wait >= s.shard.wheel.tick {
			s.shard.wheel.schedule(s, wait)
		} else {
			s.ping(now)
		}
	case s.patience > 0:
		s.shard.wheel.schedule(s, s.patience)
		s.patience = 0
	case !s.extended && s.heard.Load():
		s.extended = true
		s.shard.wheel.schedule(s, cfg.PingTimeout)
	default:
		s.end(ErrPingTimeout, 0)
	}
}

func (s *Session) ping(now time.Duration) {
	cfg := &s.server.cfg
	s.awaiting, s.extended, s.pinged = true, false, now
	s.heard.Store(false)
	first := min(cfg.PingInterval, cfg.PingTimeout) // a pong that has come by then is followed by a ping in time
	s.patience = cfg.PingTimeout - first
	s.shard.wheel.schedule(s, first)
	s.shard.Send(s, false, pingPacket)
}

var (
	pingPacket  = newTextPacket(packetPing)
	noopPacket  = newTextPacket(packetNoop)
	closePacket = newTextPacket(packetClose)
)

// end decides the end of the session. A peer that may still listen is told and given the time to hear it: on a
// WebSocket by a close frame with the given code (0 means none), on polling by a close packet.
func (s *Session) end(reason error, code ws.StatusCode) {
	if s.state != stateOpen {
		return
	}
	s.state = stateClosing
	s.closed.Store(true)
	s.reason.Store(reason)
	s.shard.wheel.remove(s)
	if s.probe != nil {
		s.probe.close()
		s.forgetProbe()
	}
	s.in.finish()
	s.turn()

	deaf := code == 0 && (reason == ErrTransportClose || reason == ErrTransportError || reason == ErrPingTimeout || reason == ErrSlowConsumer)
	if s.poll != nil && reason == ErrPingTimeout {
		deaf = false // it answers no ping, but its poll waits and can be told
	}
	switch {
	case s.conn != nil && s.writing && reason == ErrTransportClose:
		s.out.append(closeFrame(0), s.shard) // the answer to the peer's close frame, behind what is on its way
		s.shard.wheel.schedule(s, lingerGoodbye)
	case s.conn != nil && deaf:
		if !s.writing && s.out.empty() {
			s.conn.closeWith(closeFrame(0).frame)
		}
		s.abandon()
	case s.conn != nil:
		s.out.append(closeFrame(code), s.shard)
		s.shard.touch(s)
		s.shard.wheel.schedule(s, lingerWebSocket)
	case reason == ErrTransportClose:
		s.out.releaseRetained(s.server)
		s.out.clear(s.shard)
		s.out.append(noopPacket, s.shard) // for the poll that the peer may have sent together with its goodbye
		s.shard.touch(s)
		s.shard.wheel.schedule(s, lingerGoodbye)
	case deaf:
		s.abandon()
	default:
		linger := lingerPolling
		if reason == ErrServerShutdown {
			linger = lingerGoodbye // who accepts no connection waits for no poll
		}
		s.flush() // a poll that waits leaves with what was sent before: of one answer with both, clients heed the close packet first
		s.out.append(closePacket, s.shard)
		s.shard.touch(s)
		s.shard.wheel.schedule(s, linger)
	}
}

// farewell is called when a closing session has nothing more to write.
func (s *Session) farewell() {
	if s.conn == nil || s.reason.Load() == ErrTransportClose {
		s.abandon()
		return
	}
	if !s.halfEnded {
		s.halfEnded = true
		s.conn.closeWrite() // the reader goes on until the peer has closed too, so that it hears our last words
	}
}

// broken is called when the transport has failed.
func (s *Session) broken() {
	s.end(ErrTransportError, 0)
	s.abandon()
}

// abandon lets go of the transport, whatever the peer has heard.
func (s *Session) abandon() {
	if s.state == stateGone {
		return
	}
	s.state = stateGone
	s.shard.wheel.remove(s)
	s.server.forget(s)
	s.out.releaseRetained(s.server)
	s.out.clear(s.shard)
	s.hurried()
	if s.conn != nil {
		s.conn.close()
	}
	if s.poll != nil {
		s.poll.answer <- pollAnswer{body: noopPacket.payload()}
		s.poll = nil
	}
	s.leave()
}

// leave is called by the transport and by the turn when each is done with the session.
func (s *Session) leave() {
	if s.parties.Add(-1) == 0 {
		s.released()
		s.server.alive.Done()
	}
}

// released gives back what Config.Admit lent.
func (s *Session) released() {
	if s.release != nil {
		s.server.guard("release", s.release)
	}
}

// errPeerClosed says that the peer has taken its leave.
var errPeerClosed = errors.New("peer closed the session")

// receivePacket handles one packet in text form, from either transport. If that is a message it is returned, with Data that
// is not nil. The packet's bytes are the session's from now on.
func (s *Session) receivePacket(packet []byte) (m Message, err error) {
	if len(packet) == 0 {
		return m, ErrParse
	}
	s.heard.Store(true)
	body := packet[1:len(packet):len(packet)] // its bytes may be followed by another packet's
	switch packetType(packet[0]) {
	case packetMessage:
		return Message{Data: body}, nil
	case packetPong:
		s.ponged.Store(int64(s.server.now()))
	case packetOpen, packetUpgrade, packetNoop: // out of place, and harmless
	case packetClose:
		return m, errPeerClosed
	case packetPing:
		return m, ErrTransportError // in this version of the protocol only servers ping
	case binaryPrefix:
		data, err := base64.StdEncoding.AppendDecode([]byte{}, bytes.TrimRight(body, "\r\n"))
		if err != nil {
			return m, ErrParse
		}
		return Message{Data: data, Binary: true}, nil
	default:
		return m, ErrParse
	}
	return m, nil
}

// note counts a message that was received.
func (s *Session) note(m Message) {
	s.heard.Store(true)
	s.shard.counts.packetsIn.Add(1)
	s.shard.counts.bytesIn.Add(uint64(len(m.Data)))
}

// push hands a message to the turn, and waits while the session has too many that are not handled.
func (s *Session) push(m Message) {
	if s.in.push(m, &s.server.cfg) {
		s.turn()
	}
}
