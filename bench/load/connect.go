package load

import (
	"bytes"
	"errors"
	"fmt"
	"time"

	"golang.org/x/sys/unix"
)

// perSource is how many connections are made from one loopback address.
const perSource = 5000

// patience is how long the crowd waits for what ought to come at once.
const patience = 60 * time.Second

// Connect adds n connections and returns how long it took until the last one stood: TCP, WebSocket, and the greeting of
// the protocol above it. So many handshakes as the configuration says are under way at a time.
func (c *Crowd) Connect(n int) (time.Duration, error) {
	start, ready, open := now(), 0, 0
	first := len(c.conns)
	c.onReady = func(*conn) {
		ready++
		if open < n && c.failed == nil {
			open++
			c.dial(first + open - 1)
		}
	}
	defer func() { c.onReady = nil }()
	for open < min(n, c.cfg.AtOnce) && c.failed == nil {
		open++
		c.dial(first + open - 1)
	}
	err := c.runUntil(start+int64(patience), func() bool { return ready == n })
	if err == nil && ready < n {
		err = fmt.Errorf("only %d of %d connections stood after %v", ready, n, patience)
	}
	return time.Duration(now() - start), err
}

// dial starts a connection from a loopback address of its share.
func (c *Crowd) dial(number int) {
	fd, err := unix.Socket(unix.AF_INET, unix.SOCK_STREAM|unix.SOCK_NONBLOCK|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		c.failed = fmt.Errorf("make socket %d: %w", number, err)
		return
	}
	conn := &conn{fd: fd, number: number, server: c.cfg.Server(number)}
	c.conns = append(c.conns, conn)
	for len(c.by) <= fd {
		c.by = append(c.by, nil)
	}
	c.by[fd] = conn
	if err := c.startTCP(conn); err != nil {
		c.failed = fmt.Errorf("connect %d: %w", number, err)
	}
}

func (c *Crowd) startTCP(conn *conn) error {
	source := unix.SockaddrInet4{Addr: [4]byte{127, 0, 0, byte(2 + conn.number/perSource)}}
	server := unix.SockaddrInet4{Addr: conn.server.Addr().As4(), Port: int(conn.server.Port())}
	err := errors.Join(
		unix.SetsockoptInt(conn.fd, unix.IPPROTO_TCP, unix.TCP_NODELAY, 1),
		unix.SetsockoptInt(conn.fd, unix.IPPROTO_IP, unix.IP_BIND_ADDRESS_NO_PORT, 1),
		unix.Bind(conn.fd, &source),
	)
	if err != nil {
		return err
	}
	if err := unix.Connect(conn.fd, &server); err != nil && !errors.Is(err, unix.EINPROGRESS) {
		return err
	}
	return unix.EpollCtl(c.epoll, unix.EPOLL_CTL_ADD, conn.fd, &unix.EpollEvent{Events: unix.EPOLLOUT, Fd: int32(conn.fd)})
}

// connected asks for the WebSocket.
func (c *Crowd) connected(conn *conn) {
	if code, err := unix.GetsockoptInt(conn.fd, unix.SOL_SOCKET, unix.SO_ERROR); err != nil || code != 0 {
		c.lose(conn, fmt.Errorf("connect: %w", unix.Errno(code)))
		return
	}
	if err := unix.EpollCtl(c.epoll, unix.EPOLL_CTL_MOD, conn.fd, &unix.EpollEvent{Events: unix.EPOLLIN, Fd: int32(conn.fd)}); err != nil {
		c.lose(conn, err)
		return
	}
	conn.stage = stageUpgrade
	c.write(conn, fmt.Appendf(nil, "GET %s HTTP/1.1\r\nHost: %s\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"+
		"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n\r\n", c.cfg.Dialect.Path, conn.server))
}

// upgraded looks for the end of the HTTP answer and returns what follows it, nil if it is not there yet.
func (c *Crowd) upgraded(conn *conn, data []byte) []byte {
	head, rest, ok := bytes.Cut(data, []byte("\r\n\r\n"))
	switch {
	case !ok:
		conn.rest = append([]byte(nil), data...)
		return nil
	case !bytes.HasPrefix(head, []byte("HTTP/1.1 101 ")):
		c.lose(conn, fmt.Errorf("handshake refused: %s", data))
		return nil
	}
	conn.stage = stageGreeting
	if first := c.cfg.Dialect.First; first != nil {
		c.write(conn, clientFrame(opText, first))
	}
	conn.rest = nil
	return append([]byte{}, rest...)
}

func (c *Crowd) greet(conn *conn, text []byte) {
	var credential []byte
	if c.cfg.Credential != nil {
		credential = c.cfg.Credential(conn.number)
	}
	answer, done, err := c.cfg.Dialect.Greet(text, credential)
	if err != nil {
		c.lose(conn, err)
		return
	}
	if answer != nil {
		c.write(conn, clientFrame(opText, answer))
	}
	if done {
		conn.stage = stageReady
		c.onReady(conn)
	}
}
