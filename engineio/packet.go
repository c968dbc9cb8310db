package engineio

import (
	"encoding/base64"
	"sync"
	"sync/atomic"

	"github.com/gobwas/ws"
)

// packetType is the digit that begins an Engine.IO packet in text form.
type packetType byte

const (
	packetOpen    packetType = '0'
	packetClose   packetType = '1'
	packetPing    packetType = '2'
	packetPong    packetType = '3'
	packetMessage packetType = '4'
	packetUpgrade packetType = '5'
	packetNoop    packetType = '6'

	// binaryPrefix begins a binary message in a polling payload: the prefix, then base64, and no type digit.
	binaryPrefix = 'b'
)

// separator stands between the packets of a polling payload.
const separator = '\x1e'

// packetOverhead is what a queued packet is counted for besides its bytes, so that a queue of tiny packets is bounded too.
const packetOverhead = 64

// A Message is one message of a session, text or binary. Its Data belongs to whoever holds it.
type Message struct {
	Data   []byte
	Binary bool
}

// A Packet is an outgoing message in the forms that transports need. It is made once, shared by all sessions that
// shall receive it, and never changed afterwards; any number of goroutines may use it at the same time.
type Packet struct {
	frame  []byte // the complete WebSocket frame, as a server writes it
	header int    // bytes of the frame before its payload

	binary bool
	base64 func() []byte // the payload in a polling body; binary packets only

	deflating sync.Once
	deflated  []byte // what compressed returns

	holders atomic.Int32 // outboxes that keep the packet because their peer is slow
}

// NewText makes a text message of the pieces of data, joined. The pieces are copied.
func NewText(data ...[]byte) *Packet {
	return newTextPacket(packetMessage, data...)
}

// NewBinary makes a binary message. The data is copied.
func NewBinary(data []byte) *Packet {
	p := newPacket(ws.OpBinary, nil, data)
	p.binary = true
	p.base64 = sync.OnceValue(func() []byte {
		text := make([]byte, 1, 1+base64.StdEncoding.EncodedLen(len(p.payload())))
		text[0] = binaryPrefix
		return base64.StdEncoding.AppendEncode(text, p.payload())
	})
	return p
}

func newTextPacket(t packetType, data ...[]byte) *Packet {
	return newPacket(ws.OpText, []byte{byte(t)}, data...)
}

// newPacket makes one unmasked, final WebSocket frame of lead and data (RFC 6455, 5.2).
func newPacket(op ws.OpCode, lead []byte, data ...[]byte) *Packet {
	size := len(lead)
	for _, d := range data {
		size += len(d)
	}
	p := emptyPacket(frameHeaderSize(size) + size)
	p.header = frameHeaderSize(size)
	p.frame = p.frame[:p.header]
	putFrameHeader(p.frame, op, size)
	p.frame = append(p.frame, lead...)
	for _, d := range data {
		p.frame = append(p.frame, d...)
	}
	return p
}

// emptyPacket makes a packet with room for a frame of that size: in one piece with it, unless it is large. The rooms fill what
// the allocator gives for them.
func emptyPacket(size int) *Packet {
	switch {
	case size <= 128:
		p := &struct {
			Packet
			room [128]byte
		}{}
		p.frame = p.room[:0:size]
		return &p.Packet
	case size <= 536:
		p := &struct {
			Packet
			room [536]byte
		}{}
		p.frame = p.room[:0:size]
		return &p.Packet
	}
	return &Packet{frame: make([]byte, 0, size)}
}

// Size is the number of bytes that the packet takes as a WebSocket frame.
func (p *Packet) Size() int { return len(p.frame) }

func (p *Packet) payload() []byte { return p.frame[p.header:] }

// Uncompressed keeps the packet from being compressed on WebSockets, and returns it: for what is compressed already, or mixes a
// secret with what a stranger chose. It must be called before the packet is sent.
func (p *Packet) Uncompressed() *Packet {
	p.deflating.Do(func() { p.deflated = p.frame })
	return p
}

// compressed is the frame as it leaves on WebSockets that take compressed ones. It is made when the first of them needs it.
func (p *Packet) compressed() []byte {
	p.deflating.Do(func() { p.deflated = deflateFrame(p.frame, p.header) })
	return p.deflated
}

// polling is the packet as it stands in a polling payload.
func (p *Packet) polling() []byte {
	if p.binary {
		return p.base64()
	}
	return p.payload()
}

// cost is what the packet counts for in an outbox.
func (p *Packet) cost() int { return len(p.frame) + packetOverhead }
