package socketio_test

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/gobwas/ws"
	"github.com/gobwas/ws/wsutil"

	"qun/socketio"
)

// A world is a server and its clients, joined by pipes, in virtual time.
type world struct {
	*testing.T
	server *socketio.Server
	http   *http.Server
	pipes  chan net.Conn
}

// within runs test in a world of its own, and checks that nothing of it is left.
func within(t *testing.T, cfg socketio.Config, test func(*world)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, cfg)
		defer w.close()
		test(w)
	})
}

func newWorld(t *testing.T, cfg socketio.Config) *world {
	w := &world{T: t, server: socketio.New(cfg), pipes: make(chan net.Conn)}
	mux := http.NewServeMux()
	mux.Handle("/socket.io/", w.server)
	w.http = &http.Server{Handler: mux}
	go func() { _ = w.http.Serve(pipeListener{w.pipes, make(chan struct{})}) }()
	return w
}

func (w *world) close() {
	w.Helper()
	stop(w, w.server)
	w.http.Close()
	synctest.Wait()
	if n := w.server.Stats().Sockets; n != 0 {
		w.Errorf("got %d sockets after the shutdown", n)
	}
}

// stop shuts a server down.
func stop(t testing.TB, server *socketio.Server) {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	if err := server.Shutdown(ctx); err != nil {
		t.Errorf("shutdown: %v", err)
	}
}

// A pipeListener accepts the other ends of pipes.
type pipeListener struct {
	pipes  chan net.Conn
	closed chan struct{}
}

func (l pipeListener) Accept() (net.Conn, error) {
	select {
	case c := <-l.pipes:
		return c, nil
	case <-l.closed:
		return nil, net.ErrClosed
	}
}

func (l pipeListener) Close() error {
	close(l.closed)
	return nil
}

func (l pipeListener) Addr() net.Addr { return &net.TCPAddr{} }

// A client is a WebSocket client that knows Engine.IO, and shows Socket.IO packets as they are.
type client struct {
	w    *world
	conn net.Conn

	mu       sync.Mutex
	received []string
	ended    error
	muted    bool
	paused   chan struct{} // reading waits for it
}

// dial opens a connection, joins nothing, and waits until nothing moves any more.
func (w *world) dial() *client {
	w.Helper()
	c := w.dialQuietly()
	if open := c.take(); len(open) != 1 || !strings.HasPrefix(open[0], "0{") {
		w.Fatalf("got %q, want the open packet", open)
	}
	return c
}

// dialQuietly opens a connection.
func (w *world) dialQuietly() *client {
	w.Helper()
	here, there := net.Pipe()
	w.pipes <- there
	dialer := ws.Dialer{NetDial: func(context.Context, string, string) (net.Conn, error) { return here, nil }}
	_, early, _, err := dialer.Dial(context.Background(), "ws://test/socket.io/?EIO=4&transport=websocket")
	if err != nil {
		w.Errorf("dial: %v", err)
	}
	c := &client{w: w, conn: here}
	var r io.Reader = here
	if early != nil {
		r = io.MultiReader(early, here)
	}
	go c.read(r)
	return c
}

// join opens a connection and joins the namespaces.
func (w *world) join(namespaces ...string) *client {
	w.Helper()
	c := w.dial()
	for _, name := range namespaces {
		c.connect(name)
	}
	return c
}

// connect joins a namespace, and returns the socket's id.
func (c *client) connect(name string) socketio.SocketID {
	c.w.Helper()
	prefix := ""
	if name != "/" {
		prefix = name + ","
	}
	c.send("0" + prefix)
	var id string
	got := c.take()
	if len(got) == 0 {
		c.w.Fatalf("connect to %s: no answer", name)
	}
	if _, err := fmt.Sscanf(strings.TrimPrefix(got[0], "0"+prefix), `{"sid":%q}`, &id); err != nil {
		c.w.Fatalf("connect to %s: got %q", name, got)
	}
	c.mu.Lock()
	c.received = append(got[1:], c.received...)
	c.mu.Unlock()
	return socketio.SocketID(id)
}

func (c *client) read(r io.Reader) {
	for {
		data, op, err := wsutil.ReadData(struct {
			io.Reader
			io.Writer
		}{r, c.conn}, ws.StateClientSide)
		if err != nil {
			c.mu.Lock()
			c.ended = err
			c.mu.Unlock()
			c.conn.Close()
			return
		}
		switch {
		case op == ws.OpBinary:
			c.keep("binary " + string(data))
		case bytes.Equal(data, []byte("2")):
			c.mu.Lock()
			muted := c.muted
			c.mu.Unlock()
			if !muted {
				_ = wsutil.WriteClientText(c.conn, []byte("3"))
			}
		default:
			c.keep(strings.TrimPrefix(string(data), "4"))
		}
	}
}

func (c *client) keep(packet string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.received = append(c.received, packet)
	if paused := c.paused; paused != nil {
		c.mu.Unlock()
		<-paused
		c.mu.Lock()
	}
}

// send sends Socket.IO packets.
func (c *client) send(packets ...string) {
	c.w.Helper()
	for _, p := range packets {
		_ = wsutil.WriteClientText(c.conn, []byte("4"+p))
	}
}

// sendRaw sends an engine packet, or what should be one.
func (c *client) sendRaw(packet string) { _ = wsutil.WriteClientText(c.conn, []byte(packet)) }

// pause makes the client read nothing any more, behind what it is about to read.
func (c *client) pause() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.paused = make(chan struct{})
	context.AfterFunc(c.w.Context(), func() { close(c.paused) })
}

// mute makes the client answer no pings any more.
func (c *client) mute() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.muted = true
}

func (c *client) sendBinary(data string) {
	_ = wsutil.WriteClientBinary(c.conn, []byte(data)) // fails when the server has closed the connection, which is looked at elsewhere
}

// take waits until nothing moves any more, and returns what has arrived.
func (c *client) take() []string {
	synctest.Wait()
	c.mu.Lock()
	defer c.mu.Unlock()
	got := c.received
	c.received = nil
	return got
}

// gets checks what has arrived since the last look.
func (c *client) gets(want ...string) {
	c.w.Helper()
	if got := c.take(); strings.Join(got, "\n") != strings.Join(want, "\n") {
		c.w.Errorf("got %q, want %q", got, want)
	}
}

// isOpen says whether the connection still stands.
func (c *client) isOpen() bool {
	synctest.Wait()
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.ended == nil
}

func (c *client) close() {
	c.conn.Close()
	synctest.Wait()
}

// A journal notes what handlers did.
type journal struct {
	mu    sync.Mutex
	lines []string
}

func (j *journal) note(format string, args ...any) {
	j.mu.Lock()
	defer j.mu.Unlock()
	j.lines = append(j.lines, fmt.Sprintf(format, args...))
}

// says checks what was noted since the last look.
func (j *journal) says(t testing.TB, want ...string) {
	t.Helper()
	j.mu.Lock()
	defer j.mu.Unlock()
	if strings.Join(j.lines, "\n") != strings.Join(want, "\n") {
		t.Errorf("got %q, want %q", j.lines, want)
	}
	j.lines = nil
}
