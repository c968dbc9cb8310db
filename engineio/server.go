package engineio

import (
	"context"
	"encoding/json"
	"net/http"
	"runtime"
	"runtime/debug"
	"strings"
	"sync"
	"sync/atomic"
	"time"
)

// A Handler is the layer above: it hears of every session. For one session there is one call at a time, in the order
// OnOpen, OnMessage …, OnClose, on a goroutine that is lent to the session, so a call may block; other sessions do not
// notice. While it blocks, the session's input is queued up to Config.InputMessages, and then the peer has to wait.
type Handler interface {
	OnOpen(*Session)
	// OnMessage is called for every message. Its Data belongs to the Handler.
	OnMessage(*Session, Message)
	// OnClose is called once, last, with the reason: one of the Err variables, perhaps with details (see errors.Is), or what
	// Session.Close was given.
	OnClose(*Session, error)
}

// A Server accepts Engine.IO sessions as an http.Handler. It answers any path that it is mounted on.
type Server struct {
	cfg     Config
	handler Handler
	started time.Time
	shards  []*Shard
	memory  atomic.Int64 // what outboxes keep for slow peers, each packet once
	next    atomic.Uint32

	evicting atomic.Bool // an eviction goes round
	trimmer  trimmer

	goroutines sync.WaitGroup // readers and late writers
	workers    sync.WaitGroup // of the shards
	alive      sync.WaitGroup // sessions

	gone chan struct{} // closed when the server has shut down

	mu       sync.RWMutex // guards below
	sessions map[string]*Session
	down     bool
}

// NewServer makes a server and starts the workers of its shards. Shutdown stops them.
func NewServer(h Handler, cfg Config) *Server {
	s := &Server{
		cfg:      cfg.withDefaults(),
		handler:  h,
		started:  time.Now(),
		gone:     make(chan struct{}),
		sessions: make(map[string]*Session),
	}
	for i := range runtime.GOMAXPROCS(0) {
		sh := newShard(s, i)
		s.shards = append(s.shards, sh)
		s.workers.Go(sh.work)
	}
	return s
}

// Shards returns the server's shards. Their number never changes.
func (s *Server) Shards() []*Shard { return s.shards }

// turnShards runs what waits in idle shards, in the calling goroutine.
func (s *Server) turnShards() {
	for _, sh := range s.shards {
		sh.turnNow()
	}
}

// Shutdown refuses new sessions, closes all with ErrServerShutdown, and returns when the last Handler call has returned
// and every goroutine of the server has ended. If ctx ends first the connections are cut and its error is returned;
// what is left then are Handler calls that do not return, for which another Shutdown can wait.
func (s *Server) Shutdown(ctx context.Context) error {
	s.mu.Lock()
	first := !s.down
	s.down = true
	s.mu.Unlock()
	if first {
		s.forEach(func(session *Session) { session.end(ErrServerShutdown, 0) })
		go s.wait()
	}
	select {
	case <-s.gone:
		return nil
	case <-ctx.Done():
		s.forEach((*Session).abandon)
		return ctx.Err()
	}
}

// wait ends the workers when all sessions have ended.
func (s *Server) wait() {
	s.alive.Wait()
	s.goroutines.Wait()
	for _, sh := range s.shards {
		sh.stop()
	}
	s.workers.Wait()
	s.trimmer.stop()
	close(s.gone)
}

// forEach posts f for every session to its shard.
func (s *Server) forEach(f func(*Session)) {
	for _, sh := range s.shards {
		sh.Post(entryFunc(func(sh *Shard) { sh.wheel.each(f) }))
	}
}

// ServeHTTP serves a request of a session: its handshake, a poll, a post, or a WebSocket.
func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	defer s.guardRequest(w)
	if s.cfg.CORS.Serve(w, r) {
		limitAnswer(w)
		return
	}
	query := lastValues(r.URL.RawQuery)
	transport := query["transport"]
	if (transport != Polling && transport != WebSocket) || !s.cfg.offers(transport) {
		s.refuse(w, r, RefusedTransport)
		return
	}
	if hasControlBytes(r.Header.Get("Origin")) {
		s.refuse(w, r, RefusedRequest)
		return
	}
	if sid := query["sid"]; sid != "" {
		s.serveSession(w, r, query, sid)
		return
	}
	s.serveHandshake(w, r, query)
}

// serveHandshake opens a session.
func (s *Server) serveHandshake(w http.ResponseWriter, r *http.Request, query map[string]string) {
	upgrade := wantsUpgrade(r)
	switch {
	case r.Method != http.MethodGet:
		s.refuse(w, r, RefusedMethod)
		return
	case upgrade != (query["transport"] == WebSocket):
		s.refuse(w, r, RefusedRequest)
		return
	case !s.cfg.CheckOrigin(r):
		s.cfg.Logger.Info("handshake refused: origin not allowed", "origin", r.Header.Get("Origin"), "host", r.Host)
		s.forbid(w, r, nil)
		return
	case query["EIO"] != "4":
		s.refuse(w, r, RefusedProtocol)
		return
	case handshakeSize(r, s.cfg.KeepHeaders) > s.cfg.MaxHandshake:
		s.refuseWith(w, r, RefusedRequest, &Refusal{Status: http.StatusRequestHeaderFieldsTooLarge, Message: "Request header fields too large"})
		return
	}
	var release func()
	if s.cfg.Admit != nil {
		var err error
		if release, err = s.cfg.Admit(r); err != nil {
			s.forbid(w, r, err)
			return
		}
	}
	session := s.newSession(r, release)
	opened := false
	defer func() { // even if a hook panics
		if !opened {
			session.released()
		}
	}()
	s.setHeaders(w.Header(), r, true)
	s.setCookie(w.Header(), session)
	if upgrade {
		s.openOnWebSocket(w, r, session, &opened)
	} else {
		s.openOnPolling(w, r, session, &opened)
	}
}

// openOnWebSocket answers a handshake that asks for a WebSocket. Opened is set when the session lives.
func (s *Server) openOnWebSocket(w http.ResponseWriter, r *http.Request, session *Session, opened *bool) {
	c, deflate, err := s.upgrade(w, r, session.shard)
	if err != nil {
		return // refused, and noted
	}
	session.onConn.Store(true)
	if deflate {
		session.out.compressFrom = s.cfg.CompressionThreshold
	}
	if *opened = s.register(session, c); !*opened {
		c.close()
	}
	s.turnShards()
}

// openOnPolling answers a handshake on polling. Opened is set when the session lives.
func (s *Server) openOnPolling(w http.ResponseWriter, r *http.Request, session *Session, opened *bool) {
	if *opened = s.register(session, nil); !*opened {
		s.forbid(w, r, &Refusal{Status: http.StatusServiceUnavailable, Message: "server shutting down", RetryAfter: time.Second})
		return
	}
	s.turnShards()
	body := append([]byte{byte(packetOpen)}, s.openPayload(session, s.upgrades())...)
	if err := s.writeText(w, body); err != nil {
		session.lost()
	}
}

func (s *Server) newSession(r *http.Request, release func()) *Session {
	session := &Session{
		id:        newSID(),
		server:    s,
		shard:     s.shards[s.next.Add(1)%uint32(len(s.shards))],
		handshake: newHandshake(r, s.cfg.KeepHeaders),
		release:   release,
	}
	session.parties.Store(2)
	return session
}

// register makes the session known and live; it fails when the server is going down. Both happen under the lock, so that
// Shutdown, which posts its farewell after it has said that the server is down, comes behind the beginning.
func (s *Server) register(session *Session, c conn) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.down {
		return false
	}
	s.sessions[session.id] = session
	s.trimmer.note()
	s.alive.Add(1)
	session.shard.Post(entryFunc(func(*Shard) { session.begin(c) }))
	return true
}

func (s *Server) forget(session *Session) {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.sessions, session.id)
	s.trimmer.note()
}

func (s *Server) session(id string) *Session {
	s.mu.RLock()
	defer s.mu.RUnlock()
	return s.sessions[id]
}

func (s *Server) upgrades() bool { return !s.cfg.DisableUpgrades && s.cfg.offers(WebSocket) }

// openPayload is the JSON of the open packet.
func (s *Server) openPayload(session *Session, upgrades bool) []byte {
	offer := []string{}
	if upgrades {
		offer = append(offer, WebSocket)
	}
	payload, _ := json.Marshal(struct {
		SID          string   `json:"sid"`
		Upgrades     []string `json:"upgrades"`
		PingInterval int64    `json:"pingInterval"`
		PingTimeout  int64    `json:"pingTimeout"`
		MaxPayload   int      `json:"maxPayload"`
	}{session.id, offer, s.cfg.PingInterval.Milliseconds(), s.cfg.PingTimeout.Milliseconds(), s.cfg.MaxPayload}) // such a struct always marshals
	return payload
}

// serveSession serves a request that names a session.
func (s *Server) serveSession(w http.ResponseWriter, r *http.Request, query map[string]string, sid string) {
	session := s.session(sid)
	upgrade := wantsUpgrade(r)
	switch {
	case session == nil:
		s.refuse(w, r, RefusedSession)
	case query["EIO"] != "4", upgrade != (query["transport"] == WebSocket):
		s.refuse(w, r, RefusedRequest)
	case upgrade && !s.cfg.CheckOrigin(r):
		s.forbid(w, r, nil)
	case upgrade:
		s.serveProbe(w, r, session)
	case session.onConn.Load():
		s.refuse(w, r, RefusedRequest)
	case r.Method == http.MethodGet:
		s.setHeaders(w.Header(), r, false)
		s.servePoll(w, r, session)
	case r.Method == http.MethodPost:
		s.setHeaders(w.Header(), r, false)
		s.servePost(w, r, session)
	default:
		s.refuse(w, r, RefusedRequest)
	}
}

// guardRequest answers a request in which one of the application's hooks panicked.
func (s *Server) guardRequest(w http.ResponseWriter) {
	v := recover()
	switch v {
	case nil:
	case http.ErrAbortHandler: // net/http's own way to give a request up
		panic(v)
	default:
		s.cfg.Logger.Error("request panicked", "panic", v, "stack", string(debug.Stack()))
		limitAnswer(w)
		w.WriteHeader(http.StatusInternalServerError)
	}
}

// guard calls what the application brought. A panic in it is logged, and goes no further.
func (s *Server) guard(what string, call func()) {
	defer func() {
		if v := recover(); v != nil {
			s.cfg.Logger.Error(what+" panicked", "panic", v, "stack", string(debug.Stack()))
		}
	}()
	call()
}

func (s *Server) setHeaders(h http.Header, r *http.Request, initial bool) {
	if s.cfg.SetHeaders != nil {
		s.cfg.SetHeaders(h, r, initial)
	}
}

// retain counts a packet that an outbox keeps because its peer is slow; release is its opposite.
func (s *Server) retain(p *Packet) {
	if p.holders.Add(1) == 1 {
		s.memory.Add(int64(p.cost()))
	}
}

func (s *Server) release(p *Packet) {
	if p.holders.Add(-1) == 0 {
		s.memory.Add(-int64(p.cost()))
	}
}

// hasControlBytes says whether a header value holds bytes that no browser sends.
func hasControlBytes(v string) bool {
	return strings.ContainsFunc(v, func(c rune) bool { return c < ' ' || c == 0x7f })
}
