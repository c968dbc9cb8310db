package engineio

import (
	"net/http"
	"time"

	"github.com/gobwas/ws"
)

// noopDelay is how long a poll may wait once a WebSocket has probed. The client waits for its poll to return before it
// switches, so the poll is let go; not at once, because a client that switches without waiting must not be answered twice.
const noopDelay = 50 * time.Millisecond

// serveProbe lets a WebSocket try to become the transport of a session that polls.
func (s *Server) serveProbe(w http.ResponseWriter, r *http.Request, session *Session) {
	s.setHeaders(w.Header(), r, false)
	c, deflate, err := s.upgrade(w, r, session.shard)
	if err != nil {
		return // refused, and noted
	}
	session.shard.Post(entryFunc(func(*Shard) { session.admitProbe(c, deflate) }))
	s.turnShards()
}

// admitProbe accepts the connection as the session's only probe. One that comes too late, or beside another, is closed.
func (s *Session) admitProbe(c conn, deflate bool) {
	if s.state != stateOpen || s.conn != nil || s.probe != nil || s.server.cfg.DisableUpgrades {
		c.close()
		return
	}
	s.probe = c
	s.read(c, true, deflate)
	time.AfterFunc(s.server.cfg.UpgradeTimeout, func() {
		s.shard.Post(entryFunc(func(*Shard) { s.dropProbe(c) }))
	})
}

// dropProbe closes a WebSocket that is not the transport. The session goes on without it.
func (s *Session) dropProbe(c conn) {
	if c == s.conn {
		return
	}
	c.close()
	if c == s.probe {
		s.forgetProbe()
	}
}

// forgetProbe is for when the probe has been closed.
func (s *Session) forgetProbe() {
	s.probe, s.probeNext, s.writing = nil, nil, false
}

// takeProbe handles what arrives on a probing WebSocket: a ping, then the upgrade. Anything else ends it.
func (r *frameReader) takeProbe(op ws.OpCode, data []byte) error {
	s := r.session
	switch {
	case op == ws.OpText && string(data) == "2probe":
		s.shard.Post(entryFunc(func(*Shard) { s.answerProbe(r.conn) }))
		s.server.turnShards()
	case op == ws.OpText && len(data) == 1 && packetType(data[0]) == packetUpgrade:
		// What follows on this connection belongs to the session, and what the client posted before has been
		// answered, so the order of its messages is kept.
		r.probing = false
		s.shard.Post(entryFunc(func(*Shard) { s.switchTo(r.conn, r.decoder.deflate) }))
		s.server.turnShards()
	default:
		return ErrParse
	}
	return nil
}

func (s *Session) answerProbe(c conn) {
	if c != s.probe {
		return
	}
	s.writeProbe(newTextPacket(packetPong, []byte("probe")))
	if s.poll != nil {
		s.letPollGoSoon(s.poll)
	}
}

// writeProbe answers on the probing WebSocket, or remembers the answer while another one is on its way.
func (s *Session) writeProbe(p *Packet) {
	if s.writing {
		s.probeNext = p
		return
	}
	c := s.probe
	n, err := c.try(p.frame)
	switch {
	case err != nil:
		s.dropProbe(c)
	case n < len(p.frame):
		s.writing = true
		s.server.goroutines.Go(func() {
			err := c.write(p.frame[n:])
			s.shard.Post(entryFunc(func(*Shard) { s.wroteProbe(c, err) }))
			s.shard.turnNow()
		})
	}
}

// wroteProbe is called when an answer has been written. By then the probe may have become the transport.
func (s *Session) wroteProbe(c conn, err error) {
	switch {
	case c == s.conn:
		s.wrote(c, 0, err)
	case c == s.probe:
		s.writing = false
		next := s.probeNext
		s.probeNext = nil
		switch {
		case err != nil:
			s.dropProbe(c)
		case next != nil:
			s.writeProbe(next)
		}
	}
}

// switchTo makes the probing WebSocket the transport. What is queued leaves on it, in order.
func (s *Session) switchTo(c conn, deflate bool) {
	if c != s.probe {
		c.close()
		return
	}
	s.conn, s.probe, s.probeNext = c, nil, nil
	s.onConn.Store(true)
	if deflate {
		s.out.compressFrom = s.server.cfg.CompressionThreshold
	}
	if s.poll != nil { // it came after the probe was answered, from a client that did not wait for it
		s.poll.answer <- pollAnswer{refused: RefusedRequest}
		s.poll = nil
	}
	s.shard.touch(s)
}

// letPollGoSoon answers poll with a noop packet if it still waits when the delay is over.
func (s *Session) letPollGoSoon(poll *pollRequest) {
	time.AfterFunc(noopDelay, func() {
		s.shard.Post(entryFunc(func(*Shard) {
			if s.poll == poll {
				s.poll = nil
				poll.answer <- pollAnswer{body: noopPacket.payload()}
			}
		}))
	})
}
