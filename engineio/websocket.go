package engineio

import (
	"errors"
	"fmt"
	"net/http"
	"strings"
	"sync/atomic"

	"github.com/gobwas/ws"
)

// wantsUpgrade says whether the request asks for a WebSocket.
func wantsUpgrade(r *http.Request) bool {
	return strings.EqualFold(r.Header.Get("Upgrade"), "websocket")
}

// upgrade answers the WebSocket handshake and takes the connection out of net/http's hands. Afterwards the HTTP handler
// must return at once: staying would keep the request, its context and its buffers alive as long as the connection.
// Deflate says that messages may be compressed.
func (s *Server) upgrade(w http.ResponseWriter, r *http.Request, sh *Shard) (c conn, deflate bool, err error) {
	upgrader := ws.HTTPUpgrader{Header: w.Header().Clone(), Timeout: answerTimeout}
	extension := noContext()
	if s.cfg.PerMessageDeflate {
		upgrader.Negotiate = leniently(extension.Negotiate)
	}
	nc, rw, _, err := upgrader.Upgrade(r, w)
	if err != nil {
		s.noteRefusal(r, RefusedRequest, err.Error())
		if nc != nil {
			nc.Close()
		}
		return nil, false, err
	}
	var first []byte
	if n := rw.Reader.Buffered(); n > 0 {
		first = make([]byte, n)
		_, _ = rw.Reader.Read(first) // what is buffered is there: this neither waits nor fails
	}
	_, deflate = extension.Accepted()
	return newConn(nc, first, sh), deflate, nil
}

// A frameReader is the reading side of one WebSocket: a goroutine that waits, parses frames, answers what belongs to
// the engine, and hands messages to the session's turn.
type frameReader struct {
	session *Session
	conn    conn
	decoder frameDecoder
	probing bool    // the WebSocket is not the session's transport yet
	ended   bool    // what arrived was the end, or an error
	held    Message // one for which there was no room in the session's queue
	take    func(ws.OpCode, []byte) error

	ping atomic.Pointer[[]byte] // the payload of a ping that is to be answered, until the shard takes it
}

// read begins to read c for the session.
func (s *Session) read(c conn, probing, deflate bool) {
	cfg := &s.server.cfg
	r := &frameReader{session: s, conn: c, probing: probing}
	r.decoder = frameDecoder{maxMessage: cfg.MaxPayload, maxFragments: cfg.MaxFragments, deflate: deflate}
	r.take = r.takeFrame
	s.server.goroutines.Add(1)
	c.read(r)
}

// errFull says that a message waits in frameReader.held.
var errFull = errors.New("the session's queue is full")

// input takes the next bytes that arrived. It reports whether the session's queue is full: then catchUp must come before
// more input. After the end of the session the bytes go into the void, until the peer has closed too or the shard loses
// its patience: closing a socket with unread input would destroy what we said last.
func (r *frameReader) input(b []byte) (full bool) {
	if r.ended {
		return false
	}
	err := r.decoder.decode(b, r.take)
	if err == nil || err == errFull {
		return err != nil
	}
	s := r.session
	r.ended = true
	r.decoder = frameDecoder{}
	s.shard.Post(entryFunc(func(*Shard) { s.readFailed(r.conn, err) }))
	return false
}

// catchUp waits until the session has taken what arrived.
func (r *frameReader) catchUp() {
	for full := true; full; full = r.input(nil) {
		m := r.held
		r.held = Message{}
		r.session.push(m)
	}
}

// finish is called when the connection has ended.
func (r *frameReader) finish() {
	s := r.session
	s.shard.Post(entryFunc(func(*Shard) { s.readEnded(r.conn) }))
	s.server.turnShards()
	s.server.goroutines.Done()
}

// takeFrame handles one message or control frame.
func (r *frameReader) takeFrame(op ws.OpCode, data []byte) error {
	s := r.session
	switch {
	case op == ws.OpPing:
		s.heard.Store(true)
		r.takePing(data)
	case op == ws.OpPong:
		s.heard.Store(true)
	case op == ws.OpClose:
		return errPeerClosed
	case r.probing:
		return r.takeProbe(op, data)
	case op == ws.OpBinary:
		return r.deliver(Message{Data: data, Binary: true})
	default:
		m, err := s.receivePacket(data)
		if m.Data != nil {
			return r.deliver(m)
		}
		return err
	}
	return nil
}

// deliver hands a message to the session's turn, or keeps it until there is room.
func (r *frameReader) deliver(m Message) error {
	s := r.session
	s.note(m)
	if !s.in.offer(m, &s.server.cfg) {
		r.held = m
		return errFull
	}
	s.turn()
	return nil
}

// takePing has a ping answered. One that comes before that is done takes its place (RFC 6455, 5.5.3), so that a flood of
// them does not pile up.
func (r *frameReader) takePing(data []byte) {
	if r.ping.Swap(&data) == nil {
		r.session.shard.Post(entryFunc(func(*Shard) { r.session.answerPing(r.conn, *r.ping.Swap(nil)) }))
	}
}

// answerPing answers a WebSocket ping, unless the peer does not read: then it may do without.
func (s *Session) answerPing(c conn, data []byte) {
	pong := newPacket(ws.OpPong, nil, data)
	switch {
	case c == s.conn && s.keepsUp():
		s.shard.Send(s, false, pong)
	case c == s.probe && s.probeNext == nil:
		s.writeProbe(pong)
	}
}

// readFailed ends the session, or only the probe, because of what arrived on c.
func (s *Session) readFailed(c conn, err error) {
	if c != s.conn {
		s.dropProbe(c)
		return
	}
	if e, ok := errors.AsType[*frameError](err); ok {
		s.end(fmt.Errorf("%w: %w", ErrTransportError, e), e.code)
		return
	}
	switch {
	case err == errPeerClosed:
		s.end(ErrTransportClose, 0)
	case err == ErrTransportError:
		s.end(err, ws.StatusPolicyViolation)
	default:
		s.end(err, 0)
	}
}

// readEnded lets go of a connection that has ended.
func (s *Session) readEnded(c conn) {
	if c != s.conn {
		s.dropProbe(c)
		return
	}
	s.end(ErrTransportClose, 0)
	s.abandon()
}

// closeFrame makes a close frame; code 0 means one without a code.
func closeFrame(code ws.StatusCode) *Packet {
	var body []byte
	if code != 0 {
		body = ws.NewCloseFrameBody(code, "")
	}
	return newPacket(ws.OpClose, nil, body)
}
