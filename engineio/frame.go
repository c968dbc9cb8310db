package engineio

import (
	"encoding/binary"
	"errors"
	"unicode/utf8"

	"github.com/gobwas/ws"
)

// frameHeaderSize is the length of an unmasked frame's header for a payload of size bytes (RFC 6455, 5.2).
func frameHeaderSize(size int) int {
	switch {
	case size < 126:
		return 2
	case size <= 0xffff:
		return 4
	default:
		return 10
	}
}

// putFrameHeader writes the header of a final, unmasked frame to the beginning of b.
func putFrameHeader(b []byte, op ws.OpCode, size int) {
	b[0] = 0x80 | byte(op)
	switch frameHeaderSize(size) {
	case 2:
		b[1] = byte(size)
	case 4:
		b[1] = 126
		binary.BigEndian.PutUint16(b[2:], uint16(size))
	default:
		b[1] = 127
		binary.BigEndian.PutUint64(b[2:], uint64(size))
	}
}

// parseFrameHeader reads the header at the beginning of b and its length; size 0 says that it is not there completely.
func parseFrameHeader(b []byte) (h ws.Header, size int) {
	if len(b) < 2 {
		return h, 0
	}
	h.Fin = b[0]&0x80 != 0
	h.Rsv = b[0] >> 4 & 7
	h.OpCode = ws.OpCode(b[0] & 0x0f)
	h.Masked = b[1]&0x80 != 0
	size = 2
	switch length := b[1] & 0x7f; length {
	case 126:
		size = 4
		if len(b) < size {
			return h, 0
		}
		h.Length = int64(binary.BigEndian.Uint16(b[2:]))
	case 127:
		size = 10
		if len(b) < size {
			return h, 0
		}
		h.Length = int64(binary.BigEndian.Uint64(b[2:]))
	default:
		h.Length = int64(length)
	}
	if h.Masked {
		if len(b) < size+4 {
			return h, 0
		}
		copy(h.Mask[:], b[size:])
		size += 4
	}
	return h, size
}

// A frameError is a violation of RFC 6455, or of our limits, that ends the connection with a close code.
type frameError struct {
	code ws.StatusCode
	err  error
}

func (e *frameError) Error() string { return e.err.Error() }
func (e *frameError) Unwrap() error { return e.err }

var (
	errFrameTooLarge  = &frameError{ws.StatusMessageTooBig, errors.New("message is larger than the limit")}
	errFrameFragments = &frameError{ws.StatusPolicyViolation, errors.New("message has more fragments than the limit")}
	errFrameLength    = &frameError{ws.StatusProtocolError, errors.New("frame length is negative")}
	errFrameUTF8      = &frameError{ws.StatusInvalidFramePayloadData, errors.New("text is not UTF-8")}
	errFrameDeflate   = &frameError{ws.StatusInvalidFramePayloadData, errors.New("message cannot be decompressed")}
)

// A frameDecoder makes messages of a byte stream from a WebSocket peer, cut anywhere. While nothing is incomplete it
// holds no memory, and it never allocates by what a header announces, only by what has arrived.
type frameDecoder struct {
	maxMessage   int
	maxFragments int
	deflate      bool // messages may be compressed

	partial    []byte // the beginning of a frame whose end has not arrived
	op         ws.OpCode
	message    []byte // the fragments so far of a message of kind op
	fragments  int
	compressed bool // the message is
}

// decode takes the next bytes of the stream and calls yield for every message and control frame that they complete.
// The data handed to yield is the receiver's. It stops at the first error; after errFull it goes on where it was.
func (d *frameDecoder) decode(p []byte, yield func(op ws.OpCode, data []byte) error) error {
	if len(d.partial) > 0 {
		d.partial = append(d.partial, p...)
		p = d.partial
	}
	rest := p
	for {
		h, size := parseFrameHeader(rest)
		if size == 0 {
			break
		}
		if err := d.check(h); err != nil {
			return err
		}
		end := size + int(h.Length)
		if len(rest) < end {
			break
		}
		data := append(make([]byte, 0, h.Length), rest[size:end]...)
		ws.Cipher(data, h.Mask, 0)
		rest = rest[end:]
		if err := d.take(h, data, yield); err != nil {
			if err == errFull {
				d.keep(rest, true)
			}
			return err
		}
	}
	d.keep(rest, len(rest) < len(p))
	return nil
}

// check refuses a frame by its header alone.
func (d *frameDecoder) check(h ws.Header) error {
	state := ws.StateServerSide
	if d.fragments > 0 {
		state |= ws.StateFragmented
	}
	limit := d.maxMessage
	if d.isCompressed(h) {
		limit = deflatedLimit(limit)
		if h.OpCode != ws.OpContinuation {
			h.Rsv &^= rsv1
		}
	}
	if err := ws.CheckHeader(h, state); err != nil {
		return &frameError{ws.StatusProtocolError, err}
	}
	if h.Length < 0 {
		return errFrameLength
	}
	if !h.OpCode.IsControl() && h.Length > int64(limit-len(d.message)) {
		return errFrameTooLarge
	}
	return nil
}

// isCompressed says whether the message of a frame is compressed, which the first of its frames decides (RFC 7692, 6).
func (d *frameDecoder) isCompressed(h ws.Header) bool {
	switch h.OpCode {
	case ws.OpText, ws.OpBinary:
		return d.deflate && h.Rsv&rsv1 != 0
	case ws.OpContinuation:
		return d.compressed
	default:
		return false
	}
}

// take handles one complete, unmasked frame.
func (d *frameDecoder) take(h ws.Header, data []byte, yield func(ws.OpCode, []byte) error) error {
	if h.OpCode.IsControl() {
		return yield(h.OpCode, data)
	}
	if d.fragments == 0 && h.Fin {
		return d.finish(h.OpCode, data, d.isCompressed(h), yield)
	}
	if d.fragments++; d.fragments > d.maxFragments {
		return errFrameFragments
	}
	if h.OpCode != ws.OpContinuation {
		d.op, d.compressed = h.OpCode, d.isCompressed(h)
	}
	d.message = append(d.message, data...)
	if !h.Fin {
		return nil
	}
	op, message, compressed := d.op, d.message, d.compressed
	d.op, d.message, d.fragments, d.compressed = 0, nil, 0, false
	return d.finish(op, message, compressed, yield)
}

func (d *frameDecoder) finish(op ws.OpCode, message []byte, compressed bool, yield func(ws.OpCode, []byte) error) (err error) {
	if compressed {
		if message, err = inflate(message, d.maxMessage); err != nil {
			return err
		}
	}
	if op == ws.OpText && !utf8.Valid(message) {
		return errFrameUTF8
	}
	return yield(op, message)
}

// keep remembers the incomplete rest of the stream until more arrives.
func (d *frameDecoder) keep(rest []byte, consumed bool) {
	switch {
	case len(rest) == 0:
		d.partial = nil
	case len(d.partial) == 0:
		d.partial = append([]byte(nil), rest...)
	case consumed:
		d.partial = d.partial[:copy(d.partial, rest)]
	}
}
