//go:build unix

package engineio

import (
	"io"
	"net"
	"sync"
	"syscall"
)

// A rawConn reads and writes the socket itself. While it waits for input it has no buffer, only a parked goroutine;
// a write takes what the socket's buffer takes and never waits.
type rawConn struct {
	nc    net.Conn
	raw   syscall.RawConn
	ready func(fd uintptr) bool // readReady, bound once

	// Owned by the goroutine that receives.
	first []byte
	buf   *[readSize]byte
	n     int
	err   error
}

// newRawConn returns nil if the socket cannot be read and written this way.
func newRawConn(nc net.Conn, first []byte) conn {
	raw, err := nc.(syscall.Conn).SyscallConn()
	if err != nil {
		return nil
	}
	c := &rawConn{nc: nc, raw: raw, first: first}
	c.ready = c.readReady
	return c
}

func (c *rawConn) read(r *frameReader) { go pump(c, r) }

func (c *rawConn) receive() ([]byte, error) {
	if len(c.first) > 0 {
		b := c.first
		c.first = nil
		return b, nil
	}
	if err := c.raw.Read(c.ready); err != nil {
		c.release()
		return nil, err
	}
	if c.n > 0 {
		return c.buf[:c.n], nil
	}
	err := c.err
	if err == nil {
		err = io.EOF
	}
	c.release()
	return nil, err
}

// readReady reads once; false means that there was nothing and the goroutine must wait, which it does without a buffer.
func (c *rawConn) readReady(fd uintptr) bool {
	if c.buf == nil {
		c.buf = readBuffers.Get().(*[readSize]byte)
	}
	c.n, c.err = ignoringEINTR(syscall.Read, int(fd), c.buf[:])
	if c.err == syscall.EAGAIN {
		c.release()
		return false
	}
	return true
}

func (c *rawConn) release() {
	if c.buf != nil {
		readBuffers.Put(c.buf)
		c.buf = nil
	}
}

func (c *rawConn) try(b []byte) (int, error) {
	w := rawWrites.Get().(*rawWrite)
	w.b = b
	if err := c.raw.Write(w.once); err != nil && w.err == nil {
		w.err = err
	}
	n, err := w.n, w.err
	w.b, w.n, w.err = nil, 0, nil
	rawWrites.Put(w)
	return n, err
}

func (c *rawConn) write(b []byte) error {
	_, err := c.nc.Write(b)
	return err
}

func (c *rawConn) burst() int { return 0 }

func (c *rawConn) closeWrite() {
	if half, ok := c.nc.(interface{ CloseWrite() error }); ok {
		_ = half.CloseWrite() // the peer may be gone already
	}
}

func (c *rawConn) closeWith(frame []byte) {
	_, _ = c.try(frame) // the peer may do without
	c.close()
}

func (c *rawConn) close() { c.nc.Close() }

// A rawWrite is one non-blocking write. They are pooled because a function value that is handed to RawConn escapes.
type rawWrite struct {
	once func(fd uintptr) bool // do, bound once

	b   []byte
	n   int
	err error
}

var rawWrites = sync.Pool{New: func() any {
	w := &rawWrite{}
	w.once = w.do
	return w
}}

// do writes once: a short write says that the socket's buffer is full. It never asks RawConn to wait.
func (w *rawWrite) do(fd uintptr) bool {
	w.n, w.err = ignoringEINTR(syscall.Write, int(fd), w.b)
	if w.err == syscall.EAGAIN {
		w.err = nil
	}
	return true
}

func ignoringEINTR(call func(fd int, p []byte) (int, error), fd int, p []byte) (int, error) {
	for {
		n, err := call(fd, p)
		if err != syscall.EINTR {
			return max(n, 0), err
		}
	}
}
