package socketio

import (
	"encoding/binary"
	"encoding/json"
	"math"
	"slices"
	"strconv"
)

// packMessage makes one MessagePack map of a packet, the inverse of packet.unpack.
func (p *payload) packMessage(t packetType, namespace string, id ackID) []byte {
	k := packer{cursor: cursor{data: p.array}, holes: p.holes, attachments: p.data}
	n, hasID := id.get()
	fields := byte(2)
	if len(p.array) > 0 {
		fields++
	}
	if hasID {
		fields++
	}
	k.out = append(make([]byte, 0, len(p.array)+64), 0x80|fields)
	k.str("type")
	k.uint(uint64(t - '0'))
	k.str("nsp")
	k.str(namespace)
	if len(p.array) > 0 {
		k.str("data")
		k.any()
	}
	if hasID {
		k.str("id")
		k.uint(n)
	}
	return k.out
}

// A place is where a placeholder stands in the text of a payload, and of which attachment.
type place struct{ at, num int }

// A packer reads JSON that is known to be valid, and writes it as MessagePack, attachments in their places.
type packer struct {
	cursor
	holes       []place // in the order of the text
	attachments [][]byte
	out         []byte
}

func (k *packer) any() {
	first := k.next()
	if len(k.holes) > 0 && k.holes[0].at == k.at {
		k.attachment()
		return
	}
	switch first {
	case '[':
		k.nested(']', 0x90, 0xdc, k.any)
	case '{':
		k.nested('}', 0x80, 0xde, func() {
			k.str(unquote(k.value()))
			k.next()
			k.at++ // the colon
			k.any()
		})
	case '"':
		k.str(unquote(k.value()))
	case 't', 'f', 'n':
		k.out = append(k.out, map[byte]byte{'t': 0xc3, 'f': 0xc2, 'n': 0xc0}[first])
		k.value()
	default:
		k.number(k.value())
	}
}

// attachment writes a binary value and passes over its placeholder.
func (k *packer) attachment() {
	b := k.attachments[k.holes[0].num]
	k.holes = k.holes[1:]
	k.header(0xc4, len(b))
	k.out = append(k.out, b...)
	k.value()
}

// nested writes an array or a map. Its header is short, and made longer if there turn out to be many elements.
func (k *packer) nested(end, fix, form16 byte, element func()) {
	header := len(k.out)
	k.out = append(k.out, 0)
	count := 0
	for k.at++; k.next() != end; count++ {
		if k.data[k.at] == ',' {
			k.at++
			k.next()
		}
		element()
	}
	k.at++
	switch {
	case count < 16:
		k.out[header] = fix | byte(count)
	case count <= math.MaxUint16:
		k.out[header] = form16
		k.out = slices.Insert(k.out, header+1, byte(count>>8), byte(count))
	default:
		k.out[header] = form16 + 1
		k.out = slices.Insert(k.out, header+1, byte(count>>24), byte(count>>16), byte(count>>8), byte(count))
	}
}

// header writes the 8, 16 or 32 bit form of a length.
func (k *packer) header(form8 byte, size int) {
	switch {
	case size <= math.MaxUint8:
		k.out = append(k.out, form8, byte(size))
	case size <= math.MaxUint16:
		k.out = binary.BigEndian.AppendUint16(append(k.out, form8+1), uint16(size))
	default:
		k.out = binary.BigEndian.AppendUint32(append(k.out, form8+2), uint32(size))
	}
}

func (k *packer) str(s string) {
	if len(s) < 32 {
		k.out = append(k.out, 0xa0|byte(len(s)))
	} else {
		k.header(0xd9, len(s))
	}
	k.out = append(k.out, s...)
}

func (k *packer) number(text json.RawMessage) {
	if n, err := strconv.ParseUint(string(text), 10, 64); err == nil {
		k.uint(n)
	} else if n, err := strconv.ParseInt(string(text), 10, 64); err == nil {
		k.negative(n)
	} else {
		f, _ := strconv.ParseFloat(string(text), 64) // too large a number is infinite, as in JavaScript
		k.out = binary.BigEndian.AppendUint64(append(k.out, 0xcb), math.Float64bits(f))
	}
}

func (k *packer) uint(n uint64) {
	switch {
	case n < 0x80:
		k.out = append(k.out, byte(n))
	case n <= math.MaxUint32:
		k.header(0xcc, int(n))
	default:
		k.out = binary.BigEndian.AppendUint64(append(k.out, 0xcf), n)
	}
}

// negative writes an integer below zero, or -0.
func (k *packer) negative(n int64) {
	switch {
	case n >= -0x20:
		k.out = append(k.out, byte(n))
	case n >= math.MinInt8:
		k.out = append(k.out, 0xd0, byte(n))
	case n >= math.MinInt16:
		k.out = binary.BigEndian.AppendUint16(append(k.out, 0xd1), uint16(n))
	case n >= math.MinInt32:
		k.out = binary.BigEndian.AppendUint32(append(k.out, 0xd2), uint32(n))
	default:
		k.out = binary.BigEndian.AppendUint64(append(k.out, 0xd3), uint64(n))
	}
}
