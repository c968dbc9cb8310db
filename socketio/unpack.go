package socketio

import (
	"bytes"
	"encoding/binary"
	"encoding/json"
	"errors"
	"math"
	"strconv"
	"time"
	"unicode/utf8"
)

var (
	errMsgpack    = errors.New("packet is not valid MessagePack")
	errMsgpackMap = errors.New("packet is not a map with type and nsp")
)

// unpack reads a packet that is one MessagePack map, as socket.io-msgpack-parser writes it:
//
//	{"type": 2, "nsp": "/", "data": ["event", …], "id": 7}
//
// Other keys are ignored. Keys whose value is nil, or undefined, are absent.
func (p *packet) unpack(message []byte, maxAttachments int) error {
	u := &unpacker{in: message, limit: maxAttachments}
	fields, ok := u.open(0x80, 0x0f, 0xde, 0xdf)
	data := span{}
	typed := false
	for ; ok && fields > 0; fields-- {
		switch key, _ := u.str(); string(key) {
		case "type":
			n, isInt := u.uint()
			p.kind, typed = packetType('0'+min(n, 9)), isInt
		case "nsp":
			name, _ := u.str()
			p.namespace = name
		case "data":
			data = u.skip()
		case "id":
			p.id = u.ackID()
		default:
			u.skip()
		}
		ok = !u.broken
	}
	switch {
	case !ok || u.broken || len(u.in) != u.at:
		return errMsgpack
	case !typed || len(p.namespace) == 0 || p.namespace[0] != '/':
		return errMsgpackMap
	case len(p.namespace) > maxNamespaceName:
		return errNamespaceName
	}
	return u.payload(p, data)
}

// A span is where in the message a value is.
type span struct{ start, end int }

// An unpacker reads MessagePack and writes it as JSON. What is announced is believed only as far as there are bytes for it, so
// nothing is allocated for a number in a header. Its recursion is bounded by maxDepth.
type unpacker struct {
	in     []byte
	at     int
	limit  int // of attachments
	broken bool
	deep   bool

	out   []byte
	value int // the argument that is being written
	start int // where it begins in out
	holes []hole
	data  [][]byte
}

// payload reads the data of the packet.
func (u *unpacker) payload(p *packet, data span) error {
	u.at = data.start
	absent := data.start == data.end || u.absent()
	switch {
	case p.kind == packetConnect && absent, p.kind == packetDisconnect && absent:
		return nil
	case p.kind == packetConnect:
		return u.auth(p)
	case p.kind == packetEvent && !absent, p.kind == packetAck && !absent:
		return u.arguments(p)
	case p.kind == packetDisconnect:
		return errPayload
	case absent && p.kind < packetConnectError:
		return errNotArray
	default:
		return errPacketType
	}
}

func (u *unpacker) auth(p *packet) error {
	u.limit = 0
	u.any(1)
	switch {
	case u.deep:
		return errDepth
	case u.broken:
		return errMsgpack
	case u.out[0] != '{':
		return errNotObject
	}
	p.auth = u.out
	return nil
}

func (u *unpacker) arguments(p *packet) (err error) {
	if p.args, err = u.args(2); err == nil && p.kind == packetEvent {
		return p.takeName()
	}
	return err
}

// args reads an array whose values are at that depth.
func (u *unpacker) args(depth int) (args Args, err error) {
	count, ok := u.open(0x90, 0x0f, 0xdc, 0xdd)
	if !ok {
		return args, errNotArray
	}
	if count > maxValues {
		return args, errValues
	}
	ends := make([]int, 0, min(count, 16))
	for u.value = 0; u.value < count && !u.broken; u.value++ {
		u.start = len(u.out)
		u.any(depth)
		ends = append(ends, len(u.out))
	}
	switch {
	case u.deep:
		return args, errDepth
	case len(u.data) > u.limit:
		return args, errAttachments
	case u.broken:
		return args, errMsgpack
	}
	values, begin := make([]json.RawMessage, len(ends)), 0
	for i, end := range ends {
		values[i], begin = u.out[begin:end:end], end
	}
	args.values = values
	if len(u.data) > 0 {
		args.binary = &attachments{holes: u.holes, data: u.data}
	}
	return args, nil
}

// take returns the next n bytes.
func (u *unpacker) take(n int) []byte {
	if n < 0 || n > len(u.in)-u.at {
		u.broken = true
		return nil
	}
	b := u.in[u.at : u.at+n : u.at+n]
	u.at += n
	return b
}

// number returns the next n bytes as a number.
func (u *unpacker) number(n int) uint64 {
	var b [8]byte
	copy(b[8-n:], u.take(n))
	return binary.BigEndian.Uint64(b[:])
}

func (u *unpacker) peek() byte {
	if u.at >= len(u.in) {
		u.broken = true
		return 0xc1 // which never occurs
	}
	return u.in[u.at]
}

// length returns the next n bytes as a length that the rest of the message can hold.
func (u *unpacker) length(n int) int {
	size := u.number(n)
	if size > uint64(len(u.in)-u.at) {
		u.broken = true
		return 0
	}
	return int(size)
}

// open reads the header of an array or a map: fix with the mask, or the 16 and 32 bit forms. It returns how many elements or
// pairs follow, and whether it is one.
func (u *unpacker) open(fix, mask, form16, form32 byte) (count int, ok bool) {
	switch b := u.peek(); {
	case u.broken:
		return 0, false
	case b&^mask == fix:
		u.at++
		return int(b & mask), true
	case b == form16:
		u.at++
		count = u.length(2)
	case b == form32:
		u.at++
		count = u.length(4)
	default:
		return 0, false
	}
	return count, !u.broken
}

// str reads a string in UTF-8.
func (u *unpacker) str() ([]byte, bool) {
	var s []byte
	switch b := u.peek(); {
	case b&0xe0 == 0xa0:
		u.at++
		s = u.take(int(b & 0x1f))
	case b >= 0xd9 && b <= 0xdb:
		u.at++
		s = u.take(u.length(1 << (b - 0xd9)))
	default:
		u.broken = true
	}
	if !utf8.Valid(s) {
		u.broken = true
	}
	return s, !u.broken
}

// uint reads an integer that is not negative.
func (u *unpacker) uint() (uint64, bool) {
	switch b := u.peek(); {
	case b < 0x80:
		u.at++
		return uint64(b), true
	case b >= 0xcc && b <= 0xcf:
		u.at++
		n := u.number(1 << (b - 0xcc))
		return n, !u.broken
	default:
		u.broken = true
		return 0, false
	}
}

func (u *unpacker) ackID() ackID {
	if u.absent() {
		u.skip()
		return noAck
	}
	n, ok := u.uint()
	if !ok || n >= 1e18 {
		u.broken = true
		return noAck
	}
	return someAck(n)
}

// absent says whether the next value is nil or undefined, as notepack.io 2 writes it.
func (u *unpacker) absent() bool {
	rest := u.in[u.at:]
	return bytes.HasPrefix(rest, []byte{0xc0}) || bytes.HasPrefix(rest, []byte{0xd4, 0, 0})
}

// skip passes over one value.
func (u *unpacker) skip() span {
	start := u.at
	for left := 1; left > 0 && !u.broken; left-- {
		if n, ok := u.open(0x90, 0x0f, 0xdc, 0xdd); ok {
			left += n
		} else if n, ok := u.open(0x80, 0x0f, 0xde, 0xdf); ok {
			left += 2 * n
		} else if !u.broken {
			u.skipPlain()
		}
	}
	return span{start, u.at}
}

func (u *unpacker) skipPlain() {
	b := u.peek()
	switch {
	case b < 0x80 || b >= 0xe0 || b == 0xc0 || b == 0xc2 || b == 0xc3:
		u.at++
	case b&0xe0 == 0xa0:
		u.take(1 + int(b&0x1f))
	case b >= 0xc4 && b <= 0xc6:
		u.at++
		u.take(u.length(1 << (b - 0xc4)))
	case b >= 0xc7 && b <= 0xc9:
		u.at++
		u.take(u.length(1<<(b-0xc7)) + 1)
	case b == 0xca, b == 0xcb:
		u.take(1 + 4<<(b-0xca))
	case b >= 0xcc && b <= 0xd3:
		u.take(1 + 1<<((b-0xcc)%4))
	case b >= 0xd4 && b <= 0xd8:
		u.take(2 + 1<<(b-0xd4))
	case b >= 0xd9 && b <= 0xdb:
		u.at++
		u.take(u.length(1 << (b - 0xd9)))
	default:
		u.broken = true
	}
}

// any writes one value as JSON.
func (u *unpacker) any(depth int) {
	if u.broken {
		return
	}
	if n, ok := u.open(0x90, 0x0f, 0xdc, 0xdd); ok {
		u.nested(depth, n, '[', ']', func() { u.any(depth + 1) })
	} else if n, ok := u.open(0x80, 0x0f, 0xde, 0xdf); ok {
		u.nested(depth, n, '{', '}', func() {
			key, _ := u.str()
			u.out = append(appendQuoted(u.out, key), ':')
			u.any(depth + 1)
		})
	} else if !u.broken {
		u.plain()
	}
}

func (u *unpacker) nested(depth, count int, open, end byte, element func()) {
	if depth > maxDepth {
		u.deep, u.broken = true, true
		return
	}
	u.out = append(u.out, open)
	for i := 0; i < count && !u.broken; i++ {
		if i > 0 {
			u.out = append(u.out, ',')
		}
		element()
	}
	u.out = append(u.out, end)
}

// plain writes a value that holds no others.
func (u *unpacker) plain() {
	switch b := u.peek(); {
	case b < 0x80:
		u.at++
		u.out = strconv.AppendInt(u.out, int64(b), 10)
	case b >= 0xe0:
		u.at++
		u.out = strconv.AppendInt(u.out, int64(int8(b)), 10)
	case b&0xe0 == 0xa0 || (b >= 0xd9 && b <= 0xdb):
		s, _ := u.str()
		u.out = appendQuoted(u.out, s)
	case b == 0xc0:
		u.at++
		u.out = append(u.out, "null"...)
	case b == 0xc2 || b == 0xc3:
		u.at++
		u.out = strconv.AppendBool(u.out, b == 0xc3)
	case b >= 0xc4 && b <= 0xc6:
		u.at++
		u.attachment(u.take(u.length(1 << (b - 0xc4))))
	case b == 0xca:
		u.at++
		u.float(float64(math.Float32frombits(uint32(u.number(4)))))
	case b == 0xcb:
		u.at++
		u.float(math.Float64frombits(u.number(8)))
	case b >= 0xcc && b <= 0xcf:
		u.at++
		u.out = strconv.AppendUint(u.out, u.number(1<<(b-0xcc)), 10)
	case b >= 0xd0 && b <= 0xd3:
		u.at++
		unused := 64 - 8<<(b-0xd0)
		u.out = strconv.AppendInt(u.out, int64(u.number(1<<(b-0xd0))<<unused)>>unused, 10)
	default:
		u.extension(b)
	}
}

func (u *unpacker) attachment(b []byte) {
	if len(u.data) >= u.limit {
		u.broken = true
	}
	start := len(u.out)
	u.out = appendPlaceholder(u.out, len(u.data))
	u.holes = append(u.holes, hole{value: u.value, start: start - u.start, end: len(u.out) - u.start, num: len(u.data)})
	u.data = append(u.data, b)
}

// float writes a number as JSON.stringify does, so infinite ones and NaN as null.
func (u *unpacker) float(f float64) {
	text, err := json.Marshal(f)
	if err != nil {
		text = []byte("null")
	}
	u.out = append(u.out, text...)
}

// extension writes a timestamp (type -1) as the string that JavaScript makes of it. Type 0 is what notepack.io 2, which browsers
// have, makes of undefined (fixext 1), of a Date (fixext 8, milliseconds), and of an ArrayBuffer. There are no others.
func (u *unpacker) extension(b byte) {
	u.at++
	size := 0
	switch {
	case b >= 0xd4 && b <= 0xd8:
		size = 1 << (b - 0xd4)
	case b >= 0xc7 && b <= 0xc9:
		size = u.length(1 << (b - 0xc7))
	default:
		u.broken = true
		return
	}
	kind := int8(u.number(1))
	switch body := u.take(size); {
	case u.broken:
	case kind == -1 && (size == 4 || size == 8 || size == 12):
		u.time(timestamp(body))
	case kind == 0 && b == 0xd4:
		u.out = append(u.out, "null"...)
	case kind == 0 && b == 0xd7:
		u.time(time.UnixMilli(int64(binary.BigEndian.Uint64(body))))
	case kind == 0 && b >= 0xc7 && b <= 0xc9:
		u.attachment(body)
	default:
		u.broken = true
	}
}

// timestamp reads the three forms of the timestamp extension.
func timestamp(b []byte) time.Time {
	switch len(b) {
	case 4:
		return time.Unix(int64(binary.BigEndian.Uint32(b)), 0)
	case 8:
		both := binary.BigEndian.Uint64(b)
		return time.Unix(int64(both&(1<<34-1)), int64(both>>34))
	default:
		seconds := int64(binary.BigEndian.Uint64(b[4:]))
		return time.Unix(seconds, int64(binary.BigEndian.Uint32(b)))
	}
}

func (u *unpacker) time(t time.Time) {
	if year := t.UTC().Year(); year < 0 || year > 9999 {
		u.out = append(u.out, "null"...)
		return
	}
	u.out = t.UTC().AppendFormat(u.out, `"2006-01-02T15:04:05.000Z"`)
}

// appendQuoted appends a JSON string. The text is valid UTF-8.
func appendQuoted(b, text []byte) []byte {
	const hex = "0123456789abcdef"
	b = append(b, '"')
	for _, c := range text {
		switch {
		case c == '"' || c == '\\':
			b = append(b, '\\', c)
		case c < 0x20:
			b = append(b, '\\', 'u', '0', '0', hex[c>>4], hex[c&15])
		default:
			b = append(b, c)
		}
	}
	return append(b, '"')
}
