package load

import (
	"bytes"
	"errors"
	"fmt"
	"net/netip"
	"time"

	"golang.org/x/sys/unix"
)

// Config is whom a Crowd talks to, and how.
type Config struct {
	Server  func(i int) netip.AddrPort // whom connection i talks to, IPv4
	Dialect *Dialect
	// Credential is the payload of connection i's greeting; nil means none.
	Credential func(i int) []byte
	// AtOnce is how many handshakes or joins are under way at a time. 0 means 64.
	AtOnce int
}

// At lets all connections talk to one server.
func At(server netip.AddrPort) func(int) netip.AddrPort {
	return func(int) netip.AddrPort { return server }
}

// A Crowd is a number of connections to one server, or to several that are one.
type Crowd struct {
	cfg    Config
	epoll  int
	conns  []*conn // index is the number; by is the same by descriptor
	by     []*conn
	rooms  []*room
	buffer []byte
	events []unix.EpollEvent

	asking  *asking // requests under way that are no sends
	onReady func(*conn)
	again   bool // a sender whose message everybody has sends the next
	latency *Histogram
	across  *Histogram // the same of copies that came from another server

	counts Counts
	failed error
}

// Counts is what a Crowd has seen since it was made.
type Counts struct {
	Sent       uint64 // messages
	Deliveries uint64 // messages received, each copy by itself
	Answers    uint64
	Lost       uint64 // copies that a later one overtook or that never came
	Doubled    uint64 // copies that came again, or too late
	Dead       uint64 // connections that ended by themselves
	Bytes      uint64
}

func (c Counts) minus(d Counts) Counts {
	c.Sent -= d.Sent
	c.Deliveries -= d.Deliveries
	c.Answers -= d.Answers
	c.Lost -= d.Lost
	c.Doubled -= d.Doubled
	c.Dead -= d.Dead
	c.Bytes -= d.Bytes
	return c
}

type stage byte

const (
	stageTCP stage = iota
	stageUpgrade
	stageGreeting
	stageReady
	stageDead
)

type conn struct {
	fd     int
	number int
	server netip.AddrPort
	stage  stage
	rest   []byte // an incomplete frame

	room *room
	last []uint32 // the newest number from each sender of the room
}

type room struct {
	name    string
	members []*conn
	senders []*sender
}

// A sender is a member that sends.
type sender struct {
	conn   *conn
	number uint32
	left   int // copies that have not arrived
	frame  []byte
	text   []byte // the text, inside the frame
}

// NewCrowd is a crowd of nobody.
func NewCrowd(cfg Config) (*Crowd, error) {
	if cfg.AtOnce == 0 {
		cfg.AtOnce = 64
	}
	epoll, err := unix.EpollCreate1(unix.EPOLL_CLOEXEC)
	if err != nil {
		return nil, fmt.Errorf("make an epoll: %w", err)
	}
	return &Crowd{
		cfg: cfg, epoll: epoll, buffer: make([]byte, 1<<20), events: make([]unix.EpollEvent, 1024),
		latency: new(Histogram), across: new(Histogram),
	}, nil
}

// Close ends all connections at once, without the states that would keep their ports.
func (c *Crowd) Close() {
	for _, conn := range c.conns {
		if conn.stage != stageDead {
			unix.SetsockoptLinger(conn.fd, unix.SOL_SOCKET, unix.SO_LINGER, &unix.Linger{Onoff: 1})
			unix.Close(conn.fd)
		}
	}
	unix.Close(c.epoll)
}

// Counts is what has been seen until now.
func (c *Crowd) Counts() Counts { return c.counts }

// now is the monotonic clock.
func now() int64 {
	var t unix.Timespec
	_ = unix.ClockGettime(unix.CLOCK_MONOTONIC, &t) // cannot fail for this clock
	return t.Nano()
}

// Idle only answers what the servers ask, for a while.
func (c *Crowd) Idle(d time.Duration) error {
	return c.runUntil(now()+int64(d), func() bool { return false })
}

// runUntil handles what arrives until done or the deadline.
func (c *Crowd) runUntil(deadline int64, done func() bool) error {
	for c.failed == nil && !done() {
		left := deadline - now()
		if left <= 0 {
			return nil
		}
		c.poll(int(min(left/1e6+1, 50)))
	}
	return c.failed
}

// poll waits for events, at most so many milliseconds, and handles them.
func (c *Crowd) poll(milliseconds int) {
	n, err := unix.EpollWait(c.epoll, c.events, milliseconds)
	if err != nil && !errors.Is(err, unix.EINTR) {
		c.failed = fmt.Errorf("wait for events: %w", err)
	}
	for i := range max(n, 0) {
		conn := c.by[c.events[i].Fd]
		if conn.stage == stageTCP {
			c.connected(conn)
			continue
		}
		c.receive(conn)
	}
}

// receive reads once and handles the frames.
func (c *Crowd) receive(conn *conn) {
	kept := copy(c.buffer, conn.rest)
	n, err := unix.Read(conn.fd, c.buffer[kept:])
	switch {
	case errors.Is(err, unix.EAGAIN) || errors.Is(err, unix.EINTR):
		return
	case err != nil:
		c.lose(conn, fmt.Errorf("read: %w", err))
		return
	case n == 0:
		c.lose(conn, errors.New("connection ended by the server"))
		return
	}
	c.counts.Bytes += uint64(n)
	data, when := c.buffer[:kept+n], now()
	if conn.stage == stageUpgrade {
		if data = c.upgraded(conn, data); data == nil {
			return
		}
	}
	for {
		op, payload, size := cutFrame(data)
		if size == 0 {
			break
		}
		data = data[size:]
		c.take(conn, op, payload, when)
		if conn.stage == stageDead {
			return
		}
	}
	conn.rest = append(conn.rest[:0], data...)
}

func (c *Crowd) take(conn *conn, op opcode, payload []byte, when int64) {
	switch op {
	case opPing:
		c.write(conn, clientFrame(opPong, payload))
	case opClose:
		c.lose(conn, fmt.Errorf("connection closed by the server: %q", payload))
	case opText:
		if conn.stage == stageGreeting {
			c.greet(conn, payload)
			return
		}
		c.takeText(conn, payload, when)
	}
}

func (c *Crowd) takeText(conn *conn, text []byte, when int64) {
	switch c.cfg.Dialect.Kind(text) {
	case Delivery:
		c.takeDeliveries(conn, text, when)
	case Answer:
		c.counts.Answers++
		if c.asking != nil {
			c.asking.answered(c, conn, when)
		}
	case Refusal:
		c.failed = fmt.Errorf("connection %d was refused something: %s", conn.number, bytes.TrimSpace(text))
	case Ping:
		c.write(conn, clientFrame(opText, c.cfg.Dialect.Pong))
	}
}

func (c *Crowd) takeDeliveries(conn *conn, text []byte, when int64) {
	if conn.room == nil {
		return
	}
	for {
		s, rest, ok := nextStamp(text)
		if !ok {
			return
		}
		c.delivered(conn, s, when)
		text = rest
	}
}

func (c *Crowd) delivered(conn *conn, s stamp, when int64) {
	if s.sender >= len(conn.last) {
		c.failed = fmt.Errorf("connection %d got a message of a sender that is not in its room", conn.number)
		return
	}
	last := conn.last[s.sender]
	if s.number <= last {
		c.counts.Doubled++
		return
	}
	skipped := int(s.number - last - 1)
	c.counts.Lost += uint64(skipped)
	conn.last[s.sender] = s.number
	c.counts.Deliveries++
	c.latency.add(when - s.due)
	from := conn.room.senders[s.sender]
	if from.conn.server != conn.server {
		c.across.add(when - s.due)
	}
	if from.left -= 1 + skipped; from.left == 0 && c.again {
		c.send(from, when)
	}
}

// send sends the sender's next message, which was due at the given time.
func (c *Crowd) send(s *sender, due int64) {
	s.number++
	s.left += len(s.conn.room.members)
	putHex(s.text[numberAt:timeAt], uint64(s.number))
	putHex(s.text[timeAt:fillingAt], uint64(due))
	c.counts.Sent++
	c.write(s.conn, s.frame)
}

// write writes all. Requests are small and the servers read, so waiting is rare.
func (c *Crowd) write(conn *conn, b []byte) {
	for len(b) > 0 && conn.stage != stageDead {
		n, err := unix.Write(conn.fd, b)
		switch {
		case err == nil:
			b = b[n:]
		case errors.Is(err, unix.EAGAIN):
			ready := []unix.PollFd{{Fd: int32(conn.fd), Events: unix.POLLOUT}}
			if n, _ := unix.Poll(ready, 5000); n == 0 {
				c.lose(conn, errors.New("the server does not read"))
			}
		case !errors.Is(err, unix.EINTR):
			c.lose(conn, fmt.Errorf("write: %w", err))
		}
	}
}

// lose counts a connection that ended by itself. Before it stood, that is a failure of the run.
func (c *Crowd) lose(conn *conn, why error) {
	if conn.stage < stageReady {
		c.failed = fmt.Errorf("connection %d: %w", conn.number, why)
	}
	conn.stage = stageDead
	unix.Close(conn.fd)
	c.counts.Dead++
}
