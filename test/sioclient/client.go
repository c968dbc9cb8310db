// Package sioclient is a small Socket.IO client for tests: one namespace, over WebSocket, text only. It stands on frames alone and
// shares no code with the engines it tests. It never reconnects: a test decides that itself.
package sioclient

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"sync"

	"github.com/gobwas/ws"
	"github.com/gobwas/ws/wsutil"
)

// ErrClosed is what a Client says after Close.
var ErrClosed = errors.New("the client has been closed")

// Config says whom to talk to, and as whom.
type Config struct {
	URL       string      // http://host:port
	Namespace string      // "" is "/"
	Auth      any         // the CONNECT packet's payload; nil for none
	Header    http.Header // of the handshake

	// Dial makes the connection. Nil: an ordinary one.
	Dial func(ctx context.Context, network, address string) (net.Conn, error)

	// OnEvent hears every event, in the order of arrival, on the goroutine that reads: the next one waits. Nil hears nothing.
	OnEvent func(name string, args []json.RawMessage)
}

// Client is one connected socket. Its methods may be called from any goroutine.
type Client struct {
	// Set once.
	sid       string
	namespace string // as packets carry it: "" or "/name,"
	onEvent   func(string, []json.RawMessage)
	conn      net.Conn
	in        io.Reader // what the handshake read too far, then conn
	done      chan struct{}

	writing sync.Mutex // one frame at a time

	mu   sync.Mutex // guards below
	next int        // the next ack id
	acks map[int]chan []json.RawMessage
	err  error // why done is closed
}

// Dial opens a connection, joins the namespace, and starts the goroutine that reads; Close ends it.
func Dial(ctx context.Context, cfg Config) (*Client, error) {
	dialer := ws.Dialer{Header: ws.HandshakeHeaderHTTP(cfg.Header), NetDial: cfg.Dial}
	address := "ws" + strings.TrimPrefix(cfg.URL, "http") + "/socket.io/?EIO=4&transport=websocket"
	conn, early, _, err := dialer.Dial(ctx, address)
	if err != nil {
		return nil, fmt.Errorf("dial %s: %w", cfg.URL, err)
	}
	c := &Client{onEvent: cfg.OnEvent, conn: conn, in: conn, done: make(chan struct{}), acks: map[int]chan []json.RawMessage{}}
	if early != nil {
		c.in = early
	}
	if cfg.Namespace != "" && cfg.Namespace != "/" {
		c.namespace = cfg.Namespace + ","
	}
	stop := context.AfterFunc(ctx, func() { conn.Close() })
	if err := c.connect(cfg.Auth); err != nil {
		stop()
		conn.Close()
		return nil, fmt.Errorf("connect to %s: %w", cfg.URL, err)
	}
	if !stop() {
		conn.Close()
		return nil, context.Cause(ctx)
	}
	go c.read()
	return c, nil
}

// connect takes the open packet, asks to join the namespace and waits for the answer.
func (c *Client) connect(auth any) error {
	packet, err := c.receive()
	if err != nil {
		return err
	}
	if !strings.HasPrefix(packet, "0{") {
		return fmt.Errorf("got %q, want an open packet", packet)
	}
	payload, err := payloadOf(auth)
	if err != nil {
		return err
	}
	if err := c.send("40" + c.namespace + payload); err != nil {
		return err
	}
	for {
		packet, err := c.receive()
		if err != nil {
			return err
		}
		switch {
		case packet == "2":
			if err := c.send("3"); err != nil {
				return err
			}
		case strings.HasPrefix(packet, "40"+c.namespace):
			var answer struct{ SID string }
			if err := json.Unmarshal([]byte(packet[len("40"+c.namespace):]), &answer); err != nil || answer.SID == "" {
				return fmt.Errorf("got %q, want a sid", packet)
			}
			c.sid = answer.SID
			return nil
		default:
			return fmt.Errorf("refused with %s", packet)
		}
	}
}

func payloadOf(auth any) (string, error) {
	if auth == nil {
		return "", nil
	}
	payload, err := json.Marshal(auth)
	return string(payload), err
}

// ID is the socket's id, as the server gave it.
func (c *Client) ID() string { return c.sid }

// Emit sends an event and wants no answer.
func (c *Client) Emit(event string, args ...any) error {
	return c.emit("", event, args)
}

// Call sends an event and waits for its ack.
func (c *Client) Call(ctx context.Context, event string, args ...any) ([]json.RawMessage, error) {
	answer := make(chan []json.RawMessage, 1)
	id, err := c.expect(answer)
	if err != nil {
		return nil, err
	}
	defer c.forget(id)
	if err := c.emit(fmt.Sprint(id), event, args); err != nil {
		return nil, err
	}
	select {
	case args := <-answer:
		return args, nil
	case <-c.done:
		return nil, c.Err()
	case <-ctx.Done():
		return nil, fmt.Errorf("wait for the ack of %s: %w", event, context.Cause(ctx))
	}
}

func (c *Client) expect(answer chan []json.RawMessage) (id int, err error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.err != nil {
		return 0, c.err
	}
	id = c.next
	c.next++
	c.acks[id] = answer
	return id, nil
}

func (c *Client) forget(id int) {
	c.mu.Lock()
	defer c.mu.Unlock()
	delete(c.acks, id)
}

func (c *Client) emit(id, event string, args []any) error {
	payload, err := json.Marshal(append([]any{event}, args...))
	if err != nil {
		return fmt.Errorf("encode %s: %w", event, err)
	}
	if err := c.send("42" + c.namespace + id + string(payload)); err != nil {
		return fmt.Errorf("emit %s: %w", event, err)
	}
	return nil
}

// Done is closed when the connection has ended, whoever ended it.
func (c *Client) Done() <-chan struct{} { return c.done }

// Err says why the connection ended; nil while it lives.
func (c *Client) Err() error {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.err
}

// Disconnect leaves the namespace politely; the connection stays until Close.
func (c *Client) Disconnect() error { return c.send("41" + c.namespace) }

// Close ends the connection without a word, as a lost network does, and waits for the goroutine that reads. It must not be called
// from OnEvent.
func (c *Client) Close() {
	c.end(ErrClosed)
	c.conn.Close()
	<-c.done
}

func (c *Client) end(err error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.err == nil {
		c.err = err
	}
}

// read handles packets until the connection ends. It is the only reader of conn.
func (c *Client) read() {
	defer close(c.done)
	for {
		packet, err := c.receive()
		if err == nil {
			err = c.handle(packet)
		}
		if err != nil {
			c.end(err)
			c.conn.Close()
			return
		}
	}
}

func (c *Client) handle(packet string) error {
	switch {
	case packet == "2":
		return c.send("3")
	case strings.HasPrefix(packet, "42"+c.namespace):
		return c.handleEvent(packet[len("42"+c.namespace):])
	case strings.HasPrefix(packet, "43"+c.namespace):
		return c.handleAck(packet[len("43"+c.namespace):])
	case strings.HasPrefix(packet, "41"):
		return errors.New("the server disconnected the socket")
	default:
		return fmt.Errorf("got %q, which a server does not send here", packet)
	}
}

// handleEvent takes `["name",…]`. Events that ask for an ack have a number before it; there is none to give.
func (c *Client) handleEvent(payload string) error {
	var args []json.RawMessage
	if err := json.Unmarshal([]byte(strings.TrimLeft(payload, "0123456789")), &args); err != nil {
		return fmt.Errorf("decode event %q: %w", payload, err)
	}
	var name string
	if len(args) == 0 || json.Unmarshal(args[0], &name) != nil {
		return fmt.Errorf("got event %q without a name", payload)
	}
	if c.onEvent != nil {
		c.onEvent(name, args[1:])
	}
	return nil
}

// handleAck takes `12[…]`.
func (c *Client) handleAck(payload string) error {
	var id int
	var args []json.RawMessage
	at := strings.IndexByte(payload, '[')
	if at < 0 {
		return fmt.Errorf("got ack %q without arguments", payload)
	}
	if _, err := fmt.Sscanf(payload[:at], "%d", &id); err != nil {
		return fmt.Errorf("got ack %q without a number: %w", payload, err)
	}
	if err := json.Unmarshal([]byte(payload[at:]), &args); err != nil {
		return fmt.Errorf("decode ack %q: %w", payload, err)
	}
	c.mu.Lock()
	answer := c.acks[id]
	delete(c.acks, id) // a second ack finds nobody
	c.mu.Unlock()
	if answer != nil {
		answer <- args
	}
	return nil
}

// send writes one Engine.IO packet as one masked frame, in one write.
func (c *Client) send(packet string) error {
	frame, err := ws.CompileFrame(ws.MaskFrameInPlace(ws.NewTextFrame([]byte(packet))))
	if err != nil {
		return err
	}
	c.writing.Lock()
	defer c.writing.Unlock()
	_, err = c.conn.Write(frame)
	if errors.Is(err, net.ErrClosed) {
		return c.Err() // who closes the connection says why first
	}
	return err
}

// receive reads the next text message, answering control frames.
func (c *Client) receive() (string, error) {
	text, err := wsutil.ReadServerText(peer{c})
	return string(text), err
}

// peer lets control frames be answered between the frames of send.
type peer struct{ c *Client }

func (p peer) Read(b []byte) (int, error) { return p.c.in.Read(b) }

func (p peer) Write(b []byte) (int, error) {
	p.c.writing.Lock()
	defer p.c.writing.Unlock()
	return p.c.conn.Write(b)
}
