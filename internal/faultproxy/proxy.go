// Package faultproxy stands between a program and a server, and carries their connections as badly as a test wants.
package faultproxy

import (
	"bufio"
	"context"
	"errors"
	"net"
	"os"
	"sync"
	"testing"
	"time"
)

// Fate is what becomes of a message.
type Fate int

// Fates of a message.
const (
	Pass Fate = iota
	Drop      // it goes no further
	Cut       // nor does its connection
)

// Config says what is carried, and what becomes of it.
type Config struct {
	Server string // host:port
	// Up and Down read messages on their way to the server, and from it. Nil: whatever comes at once is one.
	Up, Down Framing
	// Judge is asked for the fate of each message, from many goroutines. It may keep a message waiting, and what follows
	// it. Nil: all pass.
	Judge func(up bool, message []byte) Fate
}

// Proxy is a place on loopback that stands for a server. Its methods may be called from any goroutine.
type Proxy struct {
	cfg      Config
	listener net.Listener
	run      sync.WaitGroup // the goroutines of all links
	closed   chan struct{}

	mu      sync.Mutex // guards below
	links   map[*link]struct{}
	refused bool
	held    bool
	delay   time.Duration
	changed chan struct{} // closed when held or delay become others
}

// New makes a proxy that lives as long as the test.
func New(t testing.TB, cfg Config) *Proxy {
	t.Helper()
	listener, err := new(net.ListenConfig).Listen(context.Background(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	p := &Proxy{cfg: cfg.withDefaults(), listener: listener, links: map[*link]struct{}{}, closed: make(chan struct{}), changed: make(chan struct{})}
	p.run.Go(p.accept)
	t.Cleanup(p.close)
	return p
}

func (c Config) withDefaults() Config {
	if c.Up == nil {
		c.Up = stream
	}
	if c.Down == nil {
		c.Down = stream
	}
	if c.Judge == nil {
		c.Judge = func(bool, []byte) Fate { return Pass }
	}
	return c
}

// close ends all connections and waits until nothing of them is left.
func (p *Proxy) close() {
	p.Refuse(true)
	close(p.closed)
	p.listener.Close()
	p.Cut()
	p.run.Wait()
}

// Addr is where the proxy listens, host and port.
func (p *Proxy) Addr() string { return p.listener.Addr().String() }

// Refuse makes the proxy hang up on who comes from now on, or lets people in again.
func (p *Proxy) Refuse(on bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.refused = on
}

// Hold makes a black hole of the proxy, in which connections stay, and are made, and nothing comes through: it comes later,
// when it is called with false.
func (p *Proxy) Hold(on bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.held = on
	p.change()
}

// Slow makes everything come so much later, either way.
func (p *Proxy) Slow(delay time.Duration) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.delay = delay
	p.change()
}

// change wakes all who wait for their time; the lock is held.
func (p *Proxy) change() {
	close(p.changed)
	p.changed = make(chan struct{})
}

// Cut ends all connections there are.
func (p *Proxy) Cut() { p.endAll((*link).end) }

// Reset ends them with a reset, as a host does that knows nothing of them.
func (p *Proxy) Reset() { p.endAll((*link).reset) }

func (p *Proxy) endAll(end func(*link)) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for l := range p.links {
		end(l)
	}
}

// accept is the only one who makes links.
func (p *Proxy) accept() {
	for {
		client, err := p.listener.Accept()
		if err != nil {
			return
		}
		p.run.Go(func() { p.serve(client) })
	}
}

func (p *Proxy) serve(client net.Conn) {
	defer client.Close()
	early := bufio.NewReaderSize(client, 32<<10)
	if p.refuses() || !p.admit(client, early) {
		return
	}
	server, err := new(net.Dialer).DialContext(context.Background(), "tcp", p.cfg.Server)
	if err != nil {
		return
	}
	l := &link{client: client.(*net.TCPConn), server: server.(*net.TCPConn), done: make(chan struct{})}
	if !p.add(l) {
		l.end()
		return
	}
	var both sync.WaitGroup
	both.Go(func() { p.carry(l, early, l.server, p.cfg.Up, true) })
	both.Go(func() { p.carry(l, bufio.NewReaderSize(l.server, 32<<10), l.client, p.cfg.Down, false) })
	both.Wait()
	p.mu.Lock()
	defer p.mu.Unlock()
	delete(p.links, l)
}

// admit keeps who comes to a black hole waiting, and reports whether it is still there at the end of it: the server never hears
// of who gave up.
func (p *Proxy) admit(client net.Conn, early *bufio.Reader) bool {
	for waited := false; ; waited = true {
		p.mu.Lock()
		held, changed := p.held, p.changed
		p.mu.Unlock()
		if !held {
			return !waited || !gone(client, early)
		}
		select {
		case <-changed:
		case <-p.closed:
			return false
		}
	}
}

// gone looks whether a peer has hung up behind what it sent, which stays where it is.
func gone(client net.Conn, early *bufio.Reader) bool {
	_ = client.SetReadDeadline(time.Now().Add(time.Millisecond))
	_, err := early.Peek(early.Size())
	_ = client.SetReadDeadline(time.Time{})
	return err != nil && !errors.Is(err, os.ErrDeadlineExceeded)
}

func (p *Proxy) refuses() bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.refused
}

func (p *Proxy) add(l *link) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.refused {
		return false
	}
	p.links[l] = struct{}{}
	return true
}

// parcel is a message and when it came.
type parcel struct {
	message []byte
	at      time.Time
}

// carry takes messages from one side to the other until either ends. What came before an end is delivered.
func (p *Proxy) carry(l *link, from *bufio.Reader, to net.Conn, next Framing, up bool) {
	queue := make(chan parcel, 64)
	var delivering sync.WaitGroup
	delivering.Go(func() { p.deliver(l, to, queue) })
	defer delivering.Wait()
	defer close(queue)
	for first := true; ; first = false {
		message, err := next(from, first)
		if err != nil {
			return
		}
		switch p.cfg.Judge(up, message) {
		case Drop:
			continue
		case Cut:
			l.end()
			return
		}
		select {
		case queue <- parcel{message, time.Now()}:
		case <-l.done:
			return
		}
	}
}

// deliver writes what is queued, each in its time, and ends the link behind the last.
func (p *Proxy) deliver(l *link, to net.Conn, queue <-chan parcel) {
	defer l.end()
	w := bufio.NewWriterSize(to, 32<<10)
	for one := range queue {
		if !p.await(l, one.at) {
			return
		}
		if _, err := w.Write(one.message); err != nil {
			return
		}
		if len(queue) > 0 {
			continue
		}
		if err := w.Flush(); err != nil {
			return
		}
	}
}

// await waits until what came at a moment may go on, and reports whether the link is still there.
func (p *Proxy) await(l *link, at time.Time) bool {
	for {
		p.mu.Lock()
		held, delay, changed := p.held, p.delay, p.changed
		p.mu.Unlock()
		if !held && delay == 0 {
			return true
		}
		var due <-chan time.Time // nil: not before something changes
		if !held {
			due = time.After(time.Until(at.Add(delay)))
		}
		select {
		case <-due:
			return true
		case <-changed:
		case <-l.done:
			return false
		}
	}
}

// link is a connection of a client, and the one to the server that belongs to it.
type link struct {
	client, server *net.TCPConn
	once           sync.Once
	done           chan struct{}
}

// end closes both connections.
func (l *link) end() {
	l.once.Do(func() {
		close(l.done)
		l.client.Close()
		l.server.Close()
	})
}

func (l *link) reset() {
	_ = l.client.SetLinger(0) // of one that is closed there is nothing left to reset
	_ = l.server.SetLinger(0)
	l.end()
}
