package engineio

import (
	"bytes"
	"errors"
	"io"
	"net/http"
	"strconv"
	"time"
	"unicode/utf8"
)

const (
	answerTimeout   = 30 * time.Second // for a peer to take the answer to its handshake or poll
	postReadTimeout = 30 * time.Second // for a peer to send a body
)

// A pollRequest is a GET that waits for packets.
type pollRequest struct {
	answer chan pollAnswer // holds one, so that the shard never waits
}

type pollAnswer struct {
	refused RefusalCode // if not 0
	body    []byte
	broken  bool // 400 without a body: the client broke the protocol
}

// servePoll waits until the session has something to say, and says it.
func (s *Server) servePoll(w http.ResponseWriter, r *http.Request, session *Session) {
	poll := &pollRequest{answer: make(chan pollAnswer, 1)}
	session.shard.Post(entryFunc(func(*Shard) { session.attach(poll) }))
	s.turnShards()
	select {
	case answer := <-poll.answer:
		s.writePoll(w, r, session, answer)
	case <-r.Context().Done():
		session.shard.Post(entryFunc(func(*Shard) { session.pollAborted(poll) }))
	}
}

func (s *Server) writePoll(w http.ResponseWriter, r *http.Request, session *Session, answer pollAnswer) {
	switch {
	case answer.broken:
		s.reject(w, r, "another poll waits already")
	case answer.refused != 0:
		s.refuse(w, r, answer.refused)
	default:
		if err := s.writeText(w, s.compress(w.Header(), r, answer.body)); err != nil {
			session.lost()
		}
	}
}

// writeText answers a poll or a handshake.
func (s *Server) writeText(w http.ResponseWriter, body []byte) error {
	control := limitAnswer(w)
	w.Header().Set("Content-Type", "text/plain; charset=UTF-8")
	w.Header().Set("Cache-Control", "no-store")
	w.Header().Set("Content-Length", strconv.Itoa(len(body)))
	if _, err := w.Write(body); err != nil {
		return err
	}
	if err := control.Flush(); err != nil && !errors.Is(err, http.ErrNotSupported) { // or nobody would hear of its failure
		return err
	}
	return nil
}

// limitAnswer gives the peer the time to take what is about to be answered. It is called as late as this, because a poll may
// wait for longer.
func limitAnswer(w http.ResponseWriter) *http.ResponseController {
	control := http.NewResponseController(w)
	control.SetWriteDeadline(time.Now().Add(answerTimeout)) // not supported everywhere, and then not needed
	return control
}

// reject answers a request that breaks the rules of polling: 400 without a body.
func (s *Server) reject(w http.ResponseWriter, r *http.Request, why string) {
	s.noteRefusal(r, RefusedRequest, why)
	limitAnswer(w)
	w.WriteHeader(http.StatusBadRequest)
}

// attach makes poll the way on which the session's packets leave. On the turn of the shard.
func (s *Session) attach(poll *pollRequest) {
	switch {
	case s.state == stateGone:
		poll.answer <- pollAnswer{refused: RefusedSession}
	case s.conn != nil:
		poll.answer <- pollAnswer{refused: RefusedRequest}
	case s.poll != nil:
		poll.answer <- pollAnswer{broken: true}
		s.poll.answer <- pollAnswer{body: closePacket.payload()}
		s.poll = nil
		s.end(ErrTransportError, 0)
		s.abandon()
	default:
		s.poll = poll
		s.shard.touch(s)
		if s.probe != nil {
			s.letPollGoSoon(poll)
		}
	}
}

// answerPoll sends everything that is queued as the answer to the waiting poll.
func (s *Session) answerPoll() {
	body := s.out.payload()
	counts := &s.shard.counts
	counts.packetsOut.Add(uint64(s.out.count()))
	counts.bytesOut.Add(uint64(len(body)))
	counts.writes.Add(1)
	s.out.releaseRetained(s.server)
	s.out.clear(s.shard)
	s.poll.answer <- pollAnswer{body: body}
	s.poll = nil
}

// pollAborted ends the session whose client gave up a poll: what the poll may have carried is lost.
func (s *Session) pollAborted(poll *pollRequest) {
	if s.poll == poll {
		s.poll = nil
	}
	if s.conn == nil {
		s.end(ErrTransportError, 0)
		s.abandon()
	}
}

// lost ends the session because an answer did not reach its client.
func (s *Session) lost() {
	s.shard.Post(entryFunc(func(*Shard) {
		s.end(ErrTransportError, 0)
		s.abandon()
	}))
}

// servePost takes the packets that a polling client sends.
func (s *Server) servePost(w http.ResponseWriter, r *http.Request, session *Session) {
	if !session.posting.CompareAndSwap(false, true) {
		session.lost() // two posts at once: their order is unknown
		s.reject(w, r, "another post is under way")
		return
	}
	defer session.posting.Store(false)
	if r.Header.Get("Content-Type") == "application/octet-stream" {
		session.lost()
		s.reject(w, r, "bytes must come as text, in base64")
		return
	}
	control := http.NewResponseController(w)
	control.SetReadDeadline(time.Now().Add(postReadTimeout))
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, int64(s.cfg.MaxPayload)))
	if tooLarge := (*http.MaxBytesError)(nil); errors.As(err, &tooLarge) {
		s.noteRefusal(r, RefusedRequest, "payload is larger than the limit")
		limitAnswer(w)
		w.Header().Set("Connection", "close")
		w.WriteHeader(http.StatusRequestEntityTooLarge)
		return
	}
	control.SetReadDeadline(time.Time{})
	if err != nil {
		session.lost()
		s.reject(w, r, "payload did not arrive")
		return
	}
	if err := session.receivePayload(body); err != nil {
		s.reject(w, r, err.Error())
		return
	}
	limitAnswer(w)
	w.Header().Set("Content-Type", "text/html")
	w.Header().Set("Content-Length", "2")
	io.WriteString(w, "ok")
}

// receivePayload handles the packets of a polling body in order, up to the first bad one, which ends the session.
func (s *Session) receivePayload(body []byte) error {
	err := s.receivePackets(body)
	if err == nil {
		return nil
	}
	reason := err
	if err == errPeerClosed {
		reason, err = ErrTransportClose, nil
	}
	s.shard.Post(entryFunc(func(*Shard) {
		s.end(reason, 0)
		if reason != ErrTransportClose {
			s.abandon()
		}
	}))
	s.server.turnShards()
	return err
}

func (s *Session) receivePackets(body []byte) error {
	if !utf8.Valid(body) {
		return ErrParse
	}
	for {
		packet, rest, more := bytes.Cut(body, []byte{separator})
		m, err := s.receivePacket(packet)
		if err != nil {
			return err
		}
		if m.Data != nil {
			s.note(m)
			s.push(m)
		}
		if !more {
			return nil
		}
		body = rest
	}
}
