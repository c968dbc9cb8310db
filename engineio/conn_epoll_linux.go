package engineio

import (
	"net"
	"sync"
	"sync/atomic"
	"syscall"
)

// An epollConn is a socket that no goroutine waits for: its shard's poller reads it when there is something. It owns its
// descriptor, which the runtime does not know, and writes as a rawConn does.
type epollConn struct {
	poller *poller

	// Owned by the poller while the connection is read, before and in between by who begins to read it.
	first  []byte
	reader *frameReader

	closing atomic.Bool // nothing that arrives matters any more
	paused  atomic.Bool // a goroutine catches up with what has been read

	mu       sync.Mutex    // guards below; held for a moment, or for a write, which does not wait
	fd       int           // -1: closed
	interest uint32        // what the poller was told to look for; 0: it does not know the descriptor
	reading  bool          // input is looked for
	writable chan struct{} // closed when a write that waits may go on; nil while none waits
}

const (
	forInput  = syscall.EPOLLIN | syscall.EPOLLRDHUP
	forOutput = syscall.EPOLLOUT
	forEnd    = syscall.EPOLLHUP | syscall.EPOLLERR // looked for always
)

// newEpollConn takes the socket over from nc. It returns nil, and leaves nc as it is, where that cannot be done.
func newEpollConn(nc net.Conn, first []byte, p *poller) conn {
	if p == nil {
		return nil
	}
	raw, err := nc.(syscall.Conn).SyscallConn()
	if err != nil {
		return nil
	}
	own := -1
	var errno syscall.Errno
	err = raw.Control(func(fd uintptr) {
		var n uintptr
		if n, _, errno = syscall.Syscall(syscall.SYS_FCNTL, fd, syscall.F_DUPFD_CLOEXEC, 0); errno == 0 {
			own = int(n)
		}
	})
	if err != nil || errno != 0 {
		return nil
	}
	nc.Close() // the runtime's descriptor; ours holds the socket
	return &epollConn{poller: p, fd: own, first: first}
}

func (c *epollConn) read(r *frameReader) {
	c.reader = r
	c.poller.add(c)
	if len(c.first) > 0 && r.input(c.first) {
		c.catchUp()
	} else {
		c.resume()
	}
	c.first = nil
}

// resume lets the poller look for input.
func (c *epollConn) resume() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.paused.Store(false)
	c.reading = true
	c.arm()
}

// catchUp waits, in a goroutine, until the session has taken what has been read. Meanwhile nothing more is.
func (c *epollConn) catchUp() {
	c.mu.Lock()
	c.paused.Store(true)
	c.reading = false
	c.arm()
	c.mu.Unlock()
	c.poller.server.goroutines.Go(func() {
		c.reader.catchUp()
		c.resume()
	})
}

// arm tells the kernel what to look for. It is called under the lock.
func (c *epollConn) arm() {
	interest := uint32(0)
	if c.reading {
		interest |= forInput
	}
	if c.writable != nil {
		interest |= forOutput
	}
	if c.fd < 0 || interest == c.interest {
		return
	}
	c.poller.watch(c.fd, c.interest, interest)
	c.interest = interest
}

// take handles what the poller saw. It is called by one goroutine at a time.
func (c *epollConn) take(seen uint32) {
	if seen&(forOutput|forEnd) != 0 {
		c.mu.Lock()
		c.letWrite()
		c.arm()
		c.mu.Unlock()
	}
	if c.paused.Load() || seen&(forInput|forEnd) == 0 {
		return
	}
	if c.closing.Load() {
		c.end()
		return
	}
	n, err := ignoringEINTR(readNow, c.fd, c.poller.buf) // only we close the descriptor
	switch {
	case n > 0:
		if c.reader.input(c.poller.buf[:n]) {
			c.catchUp()
		}
	case err != syscall.EAGAIN:
		c.end()
	}
}

// end closes a connection that is read, and says so.
func (c *epollConn) end() {
	c.mu.Lock()
	c.closing.Store(true)
	c.poller.remove(c.fd)
	c.shut()
	c.mu.Unlock()
	c.reader.finish()
}

// shut closes the descriptor. It is called under the lock.
func (c *epollConn) shut() {
	if c.interest != 0 {
		c.poller.watch(c.fd, c.interest, 0)
	}
	syscall.Close(c.fd)
	c.fd = -1
	c.letWrite()
}

func (c *epollConn) letWrite() {
	if c.writable != nil {
		close(c.writable)
		c.writable = nil
	}
}

func (c *epollConn) try(b []byte) (int, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.fd < 0 || c.closing.Load() {
		return 0, net.ErrClosed
	}
	n, err := ignoringEINTR(writeNow, c.fd, b)
	if err == syscall.EAGAIN {
		err = nil
	}
	return n, err
}

func (c *epollConn) write(b []byte) error {
	for {
		n, err := c.try(b)
		if b = b[n:]; err != nil || len(b) == 0 {
			return err
		}
		c.awaitWritable()
	}
}

// awaitWritable waits until the socket takes more, or is closed.
func (c *epollConn) awaitWritable() {
	c.mu.Lock()
	if c.fd < 0 || c.closing.Load() {
		c.mu.Unlock()
		return
	}
	if c.writable == nil {
		c.writable = make(chan struct{})
	}
	writable := c.writable
	c.arm()
	c.mu.Unlock()
	<-writable
}

func (c *epollConn) burst() int { return 0 }

func (c *epollConn) closeWrite() { c.shutdown(syscall.SHUT_WR) }

func (c *epollConn) closeWith(frame []byte) {
	_, _ = c.try(frame) // the peer may do without
	c.close()
}

// close cuts the connection. Who reads it hears of that, and closes it.
func (c *epollConn) close() {
	c.shutdown(syscall.SHUT_RDWR)
	c.mu.Lock()
	defer c.mu.Unlock()
	c.closing.Store(true)
	c.letWrite()
	if c.reader == nil && c.fd >= 0 {
		c.shut()
	}
}

func (c *epollConn) shutdown(how int) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.fd >= 0 {
		_ = syscall.Shutdown(c.fd, how) // the peer may be gone already
	}
}
