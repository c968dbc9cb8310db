package socketio

import (
	"context"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"qun/engineio"
)

// A Server serves Socket.IO clients as an http.Handler. Mount it at /socket.io/, the path that clients use unless they
// are told otherwise. Its methods may be called from any goroutine.
type Server struct {
	cfg    Config
	id     ServerID
	engine *engineio.Server
	bundle *bundle

	ctx        context.Context // of handlers; ends when the server is gone
	cancel     context.CancelFunc
	waits      waits // handlers that wait for their context
	clustered  atomic.Bool
	connecting chan struct{}  // a place for each chain of connect middlewares that runs
	goroutines sync.WaitGroup // middlewares, disconnects, watchers

	interests *interests // nil if the adapter does not want to know
	requests  requests   // what was asked of other servers
	questions errands    // what other servers ask
	inquiries errands    // events of other servers

	mu          sync.RWMutex // guards below, and the claims of namespaces
	namespaces  map[string]*Namespace
	families    []*Family
	dynamic     int // namespaces of families
	onNamespace []func(*Namespace)
}

// New makes a server with the namespace "/". Shutdown frees what it holds.
func New(cfg Config) *Server {
	s := &Server{cfg: cfg.withDefaults(), id: ServerID(newSocketID())}
	s.ctx, s.cancel = context.WithCancel(context.Background())
	s.connecting = make(chan struct{}, s.cfg.MaxConnecting)
	s.requests.server = s.id
	if adapter, ok := s.cfg.Adapter.(Interest); ok {
		s.interests = &interests{adapter: adapter}
	}
	s.questions.work, s.inquiries.work = &s.goroutines, &s.goroutines
	s.bundle = newBundle(s.cfg.Client)
	s.engine = engineio.NewServer(handler{s}, s.cfg.Engine)
	s.namespaces = make(map[string]*Namespace)
	s.Of(string(mainNamespace))
	return s
}

// Of returns the namespace of that name, and makes it if there is none. A missing leading slash is added. For namespaces that
// are not known in advance see OfPattern and OfFunc.
func (s *Server) Of(name string) *Namespace {
	if !strings.HasPrefix(name, "/") {
		name = "/" + name
	}
	s.mu.Lock()
	n := s.namespaces[name]
	if n != nil {
		s.mu.Unlock()
		return n
	}
	n = s.add(name, nil)
	introduce := s.onNamespace
	s.mu.Unlock()
	n.introduceTo(introduce)
	return n
}

// add makes a namespace. s.mu is held.
func (s *Server) add(name string, f *Family) *Namespace {
	n := newNamespace(s, name, f)
	s.namespaces[name] = n
	if s.clustered.Load() {
		n.directory.watchNamespace(true)
	}
	return n
}

// namespace returns the namespace of exactly that name, or nil.
func (s *Server) namespace(name string) *Namespace {
	s.mu.RLock()
	defer s.mu.RUnlock()
	return s.namespaces[name]
}

// fileTimeout is how long a peer may take to read one of the client's files.
const fileTimeout = 2 * time.Minute

// ServeHTTP serves the requests of clients, and the client's own files if there are any.
func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	file := s.bundle.file(r)
	if file == nil {
		s.engine.ServeHTTP(w, r)
		return
	}
	_ = http.NewResponseController(w).SetWriteDeadline(time.Now().Add(fileTimeout)) // not everywhere, and then not needed
	if !s.cfg.Engine.CORS.Serve(w, r) {
		file.ServeHTTP(w, r)
	}
}

// Stats are counts of the moment, and since the server was made.
type Stats struct {
	engineio.Stats
	Sockets int // on this server, in all namespaces
}

// Stats returns the counts of this moment.
func (s *Server) Stats() Stats {
	stats := Stats{Stats: s.engine.Stats()}
	s.mu.RLock()
	defer s.mu.RUnlock()
	for _, n := range s.namespaces {
		stats.Sockets += n.Len()
	}
	return stats
}

// Shutdown refuses new clients and closes all connections, with the reason engineio.ErrServerShutdown; clients are not told to
// stay away, so they look for a server again. It returns when the last handler has returned and nothing of the
// server is left running. If ctx ends before, the contexts of handlers end and the context's error is returned.
func (s *Server) Shutdown(ctx context.Context) error {
	s.stopRecovery()
	err := s.engine.Shutdown(ctx)
	s.cancel()
	s.waits.end(s.ctx.Err())
	s.questions.close()
	s.inquiries.close()
	if err == nil {
		err = wait(ctx, &s.goroutines)
	}
	if s.cfg.Adapter != nil && s.clustered.Swap(false) {
		if closeErr := s.cfg.Adapter.Close(); err == nil {
			err = closeErr
		}
	}
	return err
}

func wait(ctx context.Context, g *sync.WaitGroup) error {
	done := make(chan struct{})
	go func() {
		g.Wait()
		close(done)
	}()
	select {
	case <-done:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// A handler is what the engine calls.
type handler struct{ server *Server }

func (h handler) OnOpen(session *engineio.Session) {
	c := &conn{server: h.server, session: session}
	session.SetValue(c)
	c.begin()
}

func (h handler) OnMessage(session *engineio.Session, m engineio.Message) {
	c := session.Value().(*conn)
	if err := c.receive(m); err != nil {
		c.fail(err)
	}
}

func (h handler) OnClose(session *engineio.Session, reason error) {
	session.Value().(*conn).end(reason)
}
