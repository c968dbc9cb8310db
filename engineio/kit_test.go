package engineio_test

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/gobwas/ws"

	"qun/engineio"
)

// A form is a way for peers to reach a server. The suite runs over all forms of connection: sockets of the operating
// system in real time, as a poller reads them (where there is one) and as goroutines do, and pipes in virtual time.
type form struct {
	name     string
	parked   bool          // goroutines wait for sockets
	virtual  bool          // time passes only while everything waits
	patience time.Duration // after which a test gives up waiting
	listen   func(*testing.T) listener
	web      func(*http.Server) // changes the HTTP server, if not nil
}

type listener interface {
	net.Listener
	dial() (net.Conn, error)
}

var (
	sockets = form{name: "sockets", patience: 20 * time.Second, listen: listenTCP}
	parked  = form{name: "parked", parked: true, patience: 20 * time.Second, listen: listenTCP}
	pipes   = form{name: "pipes", virtual: true, patience: 30 * time.Minute, listen: listenPipe}
)

// overBoth runs the test over sockets, read in both ways, and over pipes in virtual time.
func overBoth(t *testing.T, test func(t *testing.T, f form)) {
	t.Helper()
	for _, f := range []form{sockets, parked} {
		t.Run(f.name, func(t *testing.T) { test(t, f) })
	}
	t.Run(pipes.name, func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) { test(t, pipes) })
	})
}

// inVirtualTime runs the test over pipes.
func inVirtualTime(t *testing.T, test func(t *testing.T, f form)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) { test(t, pipes) })
}

type tcpListener struct{ net.Listener }

func listenTCP(t *testing.T) listener {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatalf("listen: %v", err)
	}
	return tcpListener{l}
}

func (l tcpListener) dial() (net.Conn, error) { return net.Dial("tcp", l.Addr().String()) }

// A pipeListener hands out the far ends of pipes.
type pipeListener struct {
	far    chan net.Conn
	closed chan struct{}
	once   sync.Once
}

func listenPipe(*testing.T) listener {
	return &pipeListener{far: make(chan net.Conn), closed: make(chan struct{})}
}

func (l *pipeListener) dial() (net.Conn, error) {
	near, far := net.Pipe()
	select {
	case l.far <- far:
		return near, nil
	case <-l.closed:
		return nil, net.ErrClosed
	}
}

func (l *pipeListener) Accept() (net.Conn, error) {
	select {
	case c := <-l.far:
		return c, nil
	case <-l.closed:
		return nil, net.ErrClosed
	}
}

func (l *pipeListener) Close() error {
	l.once.Do(func() { close(l.closed) })
	return nil
}

func (l *pipeListener) Addr() net.Addr { return &net.UnixAddr{Name: "pipe", Net: "pipe"} }

// A handler is an engineio.Handler made of functions, and tells the test of every session that opens and closes.
type handler struct {
	onOpen    func(*engineio.Session)
	onMessage func(*engineio.Session, engineio.Message)
	onClose   func(*engineio.Session, error)

	opened chan *engineio.Session
	closed chan error
}

func (h *handler) OnOpen(s *engineio.Session) {
	if h.onOpen != nil {
		h.onOpen(s)
	}
	h.opened <- s
}

func (h *handler) OnMessage(s *engineio.Session, m engineio.Message) {
	if h.onMessage != nil {
		h.onMessage(s, m)
	}
}

func (h *handler) OnClose(s *engineio.Session, reason error) {
	if h.onClose != nil {
		h.onClose(s, reason)
	}
	h.closed <- reason
}

// echo sends every message back as it came.
func echo(s *engineio.Session, m engineio.Message) { s.Send(packetOf(m)) }

func packetOf(m engineio.Message) *engineio.Packet {
	if m.Binary {
		return engineio.NewBinary(m.Data)
	}
	return engineio.NewText(m.Data)
}

func text(s string) *engineio.Packet { return engineio.NewText([]byte(s)) }

// A world is a server, and the way to reach it.
type world struct {
	*testing.T
	form    form
	handler *handler
	server  *engineio.Server
	web     *http.Server
	dial    func() (net.Conn, error)
	client  *http.Client
}

// start makes a world. It ends with the test.
func start(t *testing.T, f form, h *handler, cfg engineio.Config) *world {
	t.Helper()
	if h == nil {
		h = &handler{onMessage: echo}
	}
	h.opened, h.closed = make(chan *engineio.Session, 4096), make(chan error, 4096)
	if f.parked {
		cfg = engineio.Parked(cfg)
	}
	w := &world{T: t, form: f, handler: h, server: engineio.NewServer(h, cfg)}
	l := f.listen(t)
	w.dial = l.dial
	w.web = &http.Server{Handler: w.server, ErrorLog: slog.NewLogLogger(slog.DiscardHandler, slog.LevelError)}
	if f.web != nil {
		f.web(w.web)
	}
	w.client = &http.Client{Transport: &http.Transport{
		DialContext:        func(context.Context, string, string) (net.Conn, error) { return l.dial() },
		DisableCompression: true,
	}}
	served := make(chan struct{})
	go func() {
		defer close(served)
		w.web.Serve(l)
	}()
	t.Cleanup(func() {
		w.shutdownNow()
		w.client.CloseIdleConnections()
		w.web.Close()
		<-served
		if f.virtual {
			time.Sleep(time.Second) // net/http lets some connections linger
		}
	})
	return w
}

// shutdownNow ends the server without waiting for its peers, and then waits until nothing of it runs any more.
func (w *world) shutdownNow() {
	w.Helper()
	impatient, cancel := context.WithCancel(context.Background())
	cancel()
	w.server.Shutdown(impatient)
	patient, cancel := context.WithTimeout(context.Background(), w.form.patience)
	defer cancel()
	if err := w.server.Shutdown(patient); err != nil {
		w.Errorf("shut down: %v", err)
	}
}

// receive waits for a value.
func receive[T any](w *world, from <-chan T, what string) T {
	w.Helper()
	timer := time.NewTimer(w.form.patience)
	defer timer.Stop()
	select {
	case v := <-from:
		return v
	case <-timer.C:
		w.Fatalf("%s: nothing for %v", what, w.form.patience)
		panic("unreachable")
	}
}

// session waits for the next session that opens.
func (w *world) session() *engineio.Session {
	w.Helper()
	return receive(w, w.handler.opened, "session opens")
}

// expectEnd waits for a session to end and wants it to be for the reason.
func (w *world) expectEnd(want error) {
	w.Helper()
	if got := receive(w, w.handler.closed, "session ends"); !errors.Is(got, want) {
		w.Fatalf("session ended: got %q, want %q", got, want)
	}
}

// expectNoEnd wants that no session has ended. It says something only if nothing is under way.
func (w *world) expectNoEnd() {
	w.Helper()
	select {
	case reason := <-w.handler.closed:
		w.Fatalf("session ended: %v", reason)
	default:
	}
}

// eventually waits for something that becomes true soon.
func (w *world) eventually(what string, holds func() bool) {
	w.Helper()
	tick := time.NewTicker(2 * time.Millisecond)
	defer tick.Stop()
	for deadline := time.Now().Add(w.form.patience); !holds(); <-tick.C {
		if time.Now().After(deadline) {
			w.Fatalf("never true: %s", what)
		}
	}
}

// onShard runs f on the session's shard and returns when the turn's writes have been made too.
func (w *world) onShard(s *engineio.Session, f func(*engineio.Shard)) {
	w.Helper()
	for _, f := range []func(*engineio.Shard){f, func(*engineio.Shard) {}} { // the second runs on a later turn
		done := make(chan struct{})
		s.Shard().Post(run(func(sh *engineio.Shard) { f(sh); close(done) }))
		receive(w, done, "entry runs")
	}
}

// run is an Entry that is a function.
type run func(*engineio.Shard)

func (f run) Run(sh *engineio.Shard) { f(sh) }

// An opening is the payload of an open packet.
type opening struct {
	SID          string   `json:"sid"`
	Upgrades     []string `json:"upgrades"`
	PingInterval int      `json:"pingInterval"`
	PingTimeout  int      `json:"pingTimeout"`
	MaxPayload   int      `json:"maxPayload"`
}

func parseOpening(t testing.TB, packet string) opening {
	t.Helper()
	var o opening
	payload, isOpen := strings.CutPrefix(packet, "0")
	if err := json.Unmarshal([]byte(payload), &o); !isOpen || err != nil {
		t.Fatalf("open packet: got %q (%v)", packet, err)
	}
	return o
}

// A peer is the far end of a WebSocket.
type peer struct {
	t        testing.TB
	patience time.Duration
	conn     net.Conn
	in       io.Reader
}

// upgrade makes a WebSocket with the given query, and returns an error if the server refuses.
func (w *world) upgrade(query string, header http.Header) (*peer, error) {
	w.Helper()
	conn, err := w.dial()
	if err != nil {
		w.Fatalf("dial: %v", err)
	}
	w.Cleanup(func() { conn.Close() })
	conn.SetDeadline(time.Now().Add(w.form.patience))
	br, _, err := ws.Dialer{Header: ws.HandshakeHeaderHTTP(header)}.Upgrade(conn, wsURL(query))
	if err != nil {
		return nil, err
	}
	p := &peer{t: w.T, patience: w.form.patience, conn: conn, in: conn}
	if br != nil {
		p.in = br
	} else {
		p.in = bufio.NewReader(conn)
	}
	return p, nil
}

// connect opens a session on a WebSocket.
func (w *world) connect() (*peer, *engineio.Session) {
	w.Helper()
	p, err := w.upgrade("EIO=4&transport=websocket", nil)
	if err != nil {
		w.Fatalf("upgrade: %v", err)
	}
	parseOpening(w.T, p.text())
	return p, w.session()
}

// probe makes a second transport for a session that polls.
func (w *world) probe(sid string) *peer {
	w.Helper()
	p, err := w.upgrade("EIO=4&transport=websocket&sid="+sid, nil)
	if err != nil {
		w.Fatalf("upgrade: %v", err)
	}
	return p
}

// write sends bytes as they are.
func (p *peer) write(b []byte) {
	p.t.Helper()
	p.conn.SetWriteDeadline(time.Now().Add(p.patience))
	if _, err := p.conn.Write(b); err != nil {
		p.t.Fatalf("write: %v", err)
	}
}

// masked is a frame as a client sends it.
func masked(f ws.Frame) []byte { return ws.MustCompileFrame(ws.MaskFrame(f)) }

func (p *peer) send(packets ...string) {
	p.t.Helper()
	for _, packet := range packets {
		p.write(masked(ws.NewTextFrame([]byte(packet))))
	}
}

// frame reads the next frame.
func (p *peer) frame() (ws.Frame, error) {
	p.conn.SetReadDeadline(time.Now().Add(p.patience))
	return ws.ReadFrame(p.in)
}

// next reads the next frame and wants it to be of the given kind.
func (p *peer) next(op ws.OpCode) []byte {
	p.t.Helper()
	f, err := p.frame()
	if err != nil {
		p.t.Fatalf("read: %v", err)
	}
	if f.Header.OpCode != op || !f.Header.Fin || f.Header.Masked {
		p.t.Fatalf("frame: got %+v %q, want a whole one of kind %#x", f.Header, f.Payload, op)
	}
	return f.Payload
}

// text reads the next packet in text form.
func (p *peer) text() string {
	p.t.Helper()
	return string(p.next(ws.OpText))
}

func (p *peer) expect(packets ...string) {
	p.t.Helper()
	for _, want := range packets {
		if got := p.text(); got != want {
			p.t.Fatalf("packet: got %q, want %q", got, want)
		}
	}
}

// expectClose wants a close frame with the code next, and then the end of the connection.
func (p *peer) expectClose(want ws.StatusCode) {
	p.t.Helper()
	body := p.next(ws.OpClose)
	got := ws.StatusNoStatusRcvd
	if len(body) > 0 {
		got, _ = ws.ParseCloseFrameData(body)
	}
	if got != want {
		p.t.Fatalf("close code: got %d, want %d", got, want)
	}
	p.conn.Close()
}

// expectCut wants the connection to end without another frame.
func (p *peer) expectCut() {
	p.t.Helper()
	if f, err := p.frame(); err == nil || isTimeout(err) {
		p.t.Fatalf("got frame %+v %q, error %v; want the end of the connection", f.Header, f.Payload, err)
	}
}

func isTimeout(err error) bool {
	timeout, ok := errors.AsType[net.Error](err)
	return ok && timeout.Timeout()
}

// A response is what a request brought.
type response struct {
	status int
	header http.Header
	body   string
}

// request makes a request with the given query.
func (w *world) request(ctx context.Context, method, query, body string, header http.Header) (response, error) {
	r, err := http.NewRequestWithContext(ctx, method, "http://qun.test/engine.io/?"+query, strings.NewReader(body))
	if err != nil {
		return response{}, err
	}
	for name, values := range header {
		r.Header[name] = values
	}
	got, err := w.client.Do(r)
	if err != nil {
		return response{}, err
	}
	defer got.Body.Close()
	content, err := io.ReadAll(got.Body)
	return response{got.StatusCode, got.Header, string(content)}, err
}

// do makes a request that must be answered.
func (w *world) do(method, query, body string, header http.Header) response {
	w.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), w.form.patience)
	defer cancel()
	got, err := w.request(ctx, method, query, body, header)
	if err != nil {
		w.Fatalf("%s: %v", method, err)
	}
	return got
}

// A poller is a polling client.
type poller struct {
	*world
	sid string
}

// poll opens a session on polling.
func (w *world) poll() (*poller, *engineio.Session) {
	w.Helper()
	got := w.do("GET", "EIO=4&transport=polling", "", nil)
	if got.status != http.StatusOK {
		w.Fatalf("handshake: got %d %q", got.status, got.body)
	}
	return &poller{w, parseOpening(w.T, got.body).SID}, w.session()
}

func (p *poller) query() string { return "EIO=4&transport=polling&sid=" + p.sid }

func (p *poller) get() response {
	p.Helper()
	return p.do("GET", p.query(), "", nil)
}

func (p *poller) post(body string) response {
	p.Helper()
	return p.do("POST", p.query(), body, nil)
}

// send posts packets and wants that they are taken.
func (p *poller) send(packets ...string) {
	p.Helper()
	if got := p.post(strings.Join(packets, "\x1e")); got.status != http.StatusOK || got.body != "ok" {
		p.Fatalf("post: got %d %q", got.status, got.body)
	}
}

// expect wants exactly these packets in the next polls, however they are shared out.
func (p *poller) expect(packets ...string) {
	p.Helper()
	for len(packets) > 0 {
		got := p.get()
		if got.status != http.StatusOK {
			p.Fatalf("poll: got %d %q", got.status, got.body)
		}
		for packet := range strings.SplitSeq(got.body, "\x1e") {
			if len(packets) == 0 || packet != packets[0] {
				p.Fatalf("poll: got %q, want %q", packet, packets)
			}
			packets = packets[1:]
		}
	}
}

// async makes a request in the background.
func (p *poller) async(ctx context.Context, method, body string) <-chan response {
	answer := make(chan response, 1)
	go func() {
		got, _ := p.request(ctx, method, p.query(), body, nil)
		answer <- got
	}()
	return answer
}

// waitingGet starts a poll and returns when the server holds it.
func (p *poller) waitingGet(s *engineio.Session) <-chan response {
	p.Helper()
	answer := p.async(p.Context(), "GET", "")
	p.eventually("poll waits", func() bool { return engineio.Polls(s) })
	return answer
}

// repeat is n bytes of text.
func repeat(n int) string { return string(bytes.Repeat([]byte{'x'}, n)) }

func wsURL(query string) *url.URL {
	return &url.URL{Scheme: "ws", Host: "qun.test", Path: "/engine.io/", RawQuery: query}
}

// upgraded opens a session on polling and brings it to a WebSocket.
func upgraded(w *world) *peer {
	w.Helper()
	p, _ := w.poll()
	probe := w.probe(p.sid)
	probe.send("2probe")
	probe.expect("3probe")
	probe.send("5")
	return probe
}

// settle waits, in virtual time, until nothing moves any more.
func settle() { synctest.Wait() }
