package engineio

import (
	"bytes"
	"compress/flate"
	"io"
	"sync"

	"github.com/gobwas/ws"
	"github.com/gobwas/ws/wsflate"
)

// rsv1 is the bit of a frame's header that says that the message is compressed (RFC 7692, 6).
const rsv1 = 4

// noContext is the one agreement that is offered: neither side refers to earlier messages. Thereby a frame is the same for
// everybody, and nothing is remembered between messages.
func noContext() *wsflate.Extension {
	return &wsflate.Extension{Parameters: wsflate.Parameters{ServerNoContextTakeover: true, ClientNoContextTakeover: true}}
}

// leniently declines what negotiate finds wrong, as RFC 7692, 5.1, asks for, where it would refuse the whole handshake.
func leniently[Option any](negotiate func(Option) (Option, error)) func(Option) (Option, error) {
	return func(offer Option) (accepted Option, _ error) {
		if answer, err := negotiate(offer); err == nil {
			accepted = answer
		}
		return accepted, nil
	}
}

// A message ends with an empty block of which the last bytes are not sent (RFC 7692, 7.2.1); a reader needs them, and
// another empty block that is the last.
const (
	unsent    = "\x00\x00\xff\xff"
	lastBlock = "\x01\x00\x00\xff\xff"
)

var deflaters = sync.Pool{New: func() any { return must(flate.NewWriter(nil, flate.BestSpeed)) }}

// deflateFrame returns a copy of the frame with its payload compressed, or the frame itself if that would not make it smaller
// or it is a control frame, which is never compressed.
func deflateFrame(frame []byte, header int) []byte {
	op := ws.OpCode(frame[0] & 0x0f)
	if op.IsControl() {
		return frame
	}
	const room = 10 // for the largest header
	out := bytes.NewBuffer(make([]byte, room, room+len(frame)/2))
	w := deflaters.Get().(*flate.Writer)
	w.Reset(out)
	_, _ = w.Write(frame[header:]) // a buffer takes everything
	_ = w.Flush()
	w.Reset(nil)
	deflaters.Put(w)
	b := bytes.TrimSuffix(out.Bytes(), []byte(unsent))
	size := len(b) - room
	b = b[room-frameHeaderSize(size):]
	if len(b) >= len(frame) {
		return frame
	}
	putFrameHeader(b, op, size)
	b[0] |= rsv1 << 4
	return b
}

// An inflater decompresses one message at a time.
type inflater struct {
	in  bytes.Reader
	out io.ReadCloser
}

var inflaters = sync.Pool{New: func() any {
	z := &inflater{}
	z.out = flate.NewReader(&z.in)
	return z
}}

// inflate decompresses a message, which may become as large as limit. Memory is taken by what comes out, never by more.
func inflate(message []byte, limit int) ([]byte, error) {
	z := inflaters.Get().(*inflater)
	defer inflaters.Put(z)
	z.in.Reset(append(message, unsent+lastBlock...))
	defer z.in.Reset(nil)
	if err := z.out.(flate.Resetter).Reset(&z.in, nil); err != nil {
		return nil, errFrameDeflate
	}
	var inflated bytes.Buffer
	switch n, err := inflated.ReadFrom(io.LimitReader(z.out, int64(limit)+1)); {
	case n > int64(limit):
		return nil, errFrameTooLarge
	case err != nil:
		return nil, errFrameDeflate
	}
	return inflated.Bytes(), nil
}

// deflatedLimit is how large a compressed message may be that is not larger than limit: what cannot be compressed grows a little.
func deflatedLimit(limit int) int { return limit + limit/8 + 64 }
