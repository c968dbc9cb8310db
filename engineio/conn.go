package engineio

import (
	"io"
	"net"
	"sync"
	"time"
)

// A conn is an established connection that carries WebSocket frames. It comes in three forms: epollConn, for which nobody
// waits; rawConn, for systems without such, where a goroutine waits for input without a buffer; both write without
// waiting; and plainConn, which does its best on any net.Conn, TLS and net.Pipe included. read and try are called by the
// session's shard, write by one goroutine at a time while the shard does not call try; closeWith and close by anybody,
// also more than once.
type conn interface {
	// read begins to hand what arrives to r, until the connection ends. It is called once, or never.
	read(r *frameReader)
	// try writes as much of b as the connection takes at once. It keeps nothing of b.
	try(b []byte) (n int, err error)
	// write writes all of b and waits as long as that takes.
	write(b []byte) error
	// burst is how many bytes one write should carry when more are queued; 0 means one packet.
	burst() int
	// closeWrite says to the peer that nothing more will come, where the connection can say so.
	closeWrite()
	// closeWith closes the connection after a last frame, which is lost if the peer does not take it now. It is not
	// called while a write is under way.
	closeWith(frame []byte)
	// close closes the connection at once, and with it what is under way.
	close()
}

// newConn chooses the form for nc, of which first has been read already. A type that embeds a socket is none: going around
// its Read and Write would break what it wraps the socket for.
func newConn(nc net.Conn, first []byte, sh *Shard) conn {
	switch nc := nc.(type) {
	case *net.TCPConn:
		nc.SetWriteBuffer(socketBuffer)
	case *net.UnixConn:
	default:
		return &plainConn{nc: nc, first: first}
	}
	if c := newEpollConn(nc, first, sh.sockets()); c != nil {
		return c
	}
	if c := newRawConn(nc, first); c != nil {
		return c
	}
	return &plainConn{nc: nc, first: first}
}

// A receiver is a connection for whose input a goroutine waits.
type receiver interface {
	// receive waits for input and returns it. The bytes are valid until the next call.
	receive() ([]byte, error)
}

// pump reads c until it ends.
func pump(c receiver, r *frameReader) {
	defer r.finish()
	for {
		b, err := c.receive()
		if err != nil {
			return
		}
		if r.input(b) {
			r.catchUp()
		}
	}
}

// A plainConn cannot know whether a write would wait, so try never writes, and every write happens in a goroutine that
// lives only while something is queued. Closing is such a write too, because TLS says goodbye; the goroutine that
// receives ends no earlier than the connection, so who waits for that one waits for the closing.
type plainConn struct {
	nc      net.Conn
	closing sync.Once

	// Owned by the goroutine that receives.
	first []byte
	buf   []byte
}

const (
	plainReadSize  = 4 << 10
	plainWriteSize = 16 << 10    // a TLS record
	lastWrite      = time.Second // for a peer to take the last frame
)

func (c *plainConn) read(r *frameReader) { go pump(c, r) }

func (c *plainConn) receive() ([]byte, error) {
	if len(c.first) > 0 {
		b := c.first
		c.first = nil
		return b, nil
	}
	if c.buf == nil {
		c.buf = make([]byte, plainReadSize)
	}
	n, err := c.nc.Read(c.buf)
	if n > 0 {
		return c.buf[:n], nil
	}
	if err == nil {
		err = io.ErrNoProgress
	}
	return nil, err
}

func (c *plainConn) try([]byte) (int, error) { return 0, nil }

func (c *plainConn) write(b []byte) error {
	_, err := c.nc.Write(b)
	return err
}

func (c *plainConn) burst() int { return plainWriteSize }

func (c *plainConn) closeWrite() {
	if half, ok := c.nc.(interface{ CloseWrite() error }); ok {
		go func() { _ = half.CloseWrite() }() // on TLS this writes an alert, and a peer that does not read would hold us up
	}
}

func (c *plainConn) closeWith(frame []byte) {
	c.closing.Do(func() {
		go func() {
			c.nc.SetWriteDeadline(time.Now().Add(lastWrite))
			_, _ = c.nc.Write(frame) // the peer may do without
			c.nc.Close()
		}()
	})
}

func (c *plainConn) close() {
	c.closing.Do(func() { go c.nc.Close() })
}

// socketBuffer bounds what the operating system queues for a slow peer, in bytes: what is queued here instead can be
// counted, dropped and shared.
const socketBuffer = 64 << 10

// readSize is the size of the buffers that are lent to connections while they have input.
const readSize = 16 << 10

var readBuffers = sync.Pool{New: func() any { return new([readSize]byte) }}
