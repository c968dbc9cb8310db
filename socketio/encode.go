package socketio

import (
	"bytes"
	"encoding/json"
	"fmt"
	"reflect"
	"slices"
	"strconv"
	"sync"

	"qun/engineio"
)

// reservedEvents are the names that the protocol, or JavaScript clients, keep for themselves.
var reservedEvents = []string{"connect", "connect_error", "disconnect", "disconnecting", "newListener", "removeListener"}

func reserved(event string) bool { return slices.Contains(reservedEvents, event) }

// A payload is the encoded array of an event or an ack.
type payload struct {
	array []byte
	data  [][]byte // attachments
	holes []place  // where they stand in the array
	raw   bool     // not to be compressed
}

// with returns the payload with one more argument, a string that needs no quoting.
func (p *payload) with(text string) *payload {
	array := make([]byte, 0, len(p.array)+len(text)+3)
	array = append(array, p.array[:len(p.array)-1]...)
	array = append(array, `,"`...)
	array = append(array, text...)
	return &payload{array: append(array, `"]`...), data: p.data, holes: p.holes, raw: p.raw}
}

// args returns a copy of the payload that stays: the event's name, if it is one, and its arguments.
func (p *payload) args() (Args, error) {
	data := make([][]byte, len(p.data))
	for i, d := range p.data {
		data[i] = bytes.Clone(d) // the application may change its bytes
	}
	return ParseArgs(bytes.Clone(p.array), data)
}

// packets frames the payload as an event or an ack, with its id if there is one. They are appended to an empty list, or nil.
func (p *payload) packets(list []*engineio.Packet, t packetType, n *Namespace, id ackID) []*engineio.Packet {
	packets := p.frame(list, t, n, id)
	if p.raw {
		for i := range packets {
			packets[i] = packets[i].Uncompressed()
		}
	}
	return packets
}

func (p *payload) frame(packets []*engineio.Packet, t packetType, n *Namespace, id ackID) []*engineio.Packet {
	if n.parser == ParserMsgpack {
		return append(packets, engineio.NewBinary(p.packMessage(t, n.name, id)))
	}
	var buf [64]byte
	header := appendHeader(buf[:0], t, len(p.data), namespacePrefix(n.name), id)
	packets = append(packets, engineio.NewText(header, p.array))
	for _, d := range p.data {
		packets = append(packets, engineio.NewBinary(d))
	}
	return packets
}

// appendHeader appends all of a packet that stands before its JSON: type, attachments, namespace, ack id.
func appendHeader(b []byte, t packetType, attachments int, prefix string, id ackID) []byte {
	if attachments > 0 {
		b = append(b, byte(t.binary()))
		b = strconv.AppendInt(b, int64(attachments), 10)
		b = append(b, '-')
	} else {
		b = append(b, byte(t))
	}
	b = append(b, prefix...)
	if n, ok := id.get(); ok {
		b = strconv.AppendUint(b, n, 10)
	}
	return b
}

// encodePlain frames a packet with at most one JSON value: CONNECT, CONNECT_ERROR, DISCONNECT.
func encodePlain(parser Parser, t packetType, namespace string, value json.RawMessage) *engineio.Packet {
	if parser == ParserMsgpack {
		return engineio.NewBinary((&payload{array: value}).packMessage(t, namespace, noAck))
	}
	return engineio.NewText(appendHeader(nil, t, 0, namespacePrefix(namespace), noAck), value)
}

// A JSONAppender is an argument that appends itself, as JSON, to b: without reflection, and into the buffer of the packet.
// It must not keep b, nor change what is in it. What it appends is checked as json.RawMessage is.
type JSONAppender interface {
	AppendJSON(b []byte) ([]byte, error)
}

// An encoder makes payloads. It is taken from a pool: its buffers are used again.
type encoder struct {
	array   bytes.Buffer
	value   bytes.Buffer
	toArray *json.Encoder
	toValue *json.Encoder
	payload payload
	data    [][]byte
	holes   []place
	first   bool // nothing is in the array yet
}

var encoders = sync.Pool{New: func() any {
	e := &encoder{}
	e.toArray, e.toValue = json.NewEncoder(&e.array), json.NewEncoder(&e.value)
	e.toArray.SetEscapeHTML(false)
	e.toValue.SetEscapeHTML(false)
	return e
}}

// largestKept is the size of a buffer that the pool keeps.
const largestKept = 64 << 10

// encodeEvent calls use with the payload of an event. The payload is valid only until use returns.
func encodeEvent(maxAttachments int, event string, args []any, use func(*payload)) error {
	if reserved(event) {
		return fmt.Errorf("emit %q: %w", event, ErrReservedEvent)
	}
	return encode(maxAttachments, &event, args, use)
}

// encode makes an array of the event's name, if there is one, and the args.
func encode(maxAttachments int, event *string, args []any, use func(*payload)) error {
	e := encoders.Get().(*encoder)
	e.begin()
	if event != nil {
		e.name(*event)
	}
	for i, arg := range args {
		if err := e.arg(arg); err != nil {
			e.free()
			return fmt.Errorf("encode argument %d: %w", i, err)
		}
	}
	e.array.WriteByte(']')
	if len(e.data) > maxAttachments {
		err := fmt.Errorf("%w: %d", ErrTooManyAttachments, len(e.data))
		e.free()
		return err
	}
	e.payload = payload{array: e.array.Bytes(), data: e.data, holes: e.holes}
	use(&e.payload)
	e.free()
	return nil
}

func (e *encoder) begin() {
	e.array.Reset()
	e.array.WriteByte('[')
	e.data, e.holes, e.first = nil, nil, true
}

func (e *encoder) free() {
	if e.array.Cap() <= largestKept && e.value.Cap() <= largestKept {
		e.data, e.holes, e.payload = nil, nil, payload{}
		encoders.Put(e)
	}
}

func (e *encoder) comma() {
	if !e.first {
		e.array.WriteByte(',')
	}
	e.first = false
}

// name writes the event's name.
func (e *encoder) name(event string) {
	e.comma()
	if !isPlain(event) {
		_ = e.marshal(event) // a string can always be marshalled
		return
	}
	e.array.WriteByte('"')
	e.array.WriteString(event)
	e.array.WriteByte('"')
}

// isPlain says whether a text stands in JSON as it is.
func isPlain(text string) bool {
	for i := range len(text) {
		if c := text[i]; c < ' ' || c > '~' || c == '"' || c == '\\' {
			return false
		}
	}
	return true
}

func (e *encoder) arg(arg any) error {
	switch arg := arg.(type) {
	case Args:
		e.args(arg)
		return nil
	case json.RawMessage:
		e.comma()
		return e.raw(arg)
	case Binary:
		e.comma()
		e.holes = append(e.holes, place{e.array.Len(), len(e.data)})
		e.array.Write(appendPlaceholder(e.array.AvailableBuffer(), len(e.data)))
		e.data = append(e.data, arg)
		return nil
	case nil:
		e.comma()
		e.array.WriteString("null")
		return nil
	case JSONAppender:
		e.comma()
		return e.append(arg)
	}
	e.comma()
	if mayHoldBinary(reflect.TypeOf(arg)) {
		return e.search(arg)
	}
	return e.marshal(arg)
}

// args writes all values as they came, and their attachments. These are numbered anew if others are there already, or if not
// all of them are named: one that is not would make a binary packet of a plain one, and leaves no more.
func (e *encoder) args(args Args) {
	asTheyCame := args.binary == nil || len(e.data) == 0 && len(args.binary.holes) == len(args.binary.data)
	for i, v := range args.values {
		e.comma()
		if !asTheyCame {
			e.renumbered(args, i)
			continue
		}
		for _, h := range args.holes(i) {
			e.holes = append(e.holes, place{e.array.Len() + h.start, h.num})
		}
		e.array.Write(v)
	}
	if asTheyCame {
		e.data = append(e.data, args.Attachments()...)
	}
}

// renumbered writes a value, and gives the attachments in it the next numbers.
func (e *encoder) renumbered(args Args, i int) {
	start := e.array.Len()
	e.array.Write(args.fill(e.array.AvailableBuffer(), i, func(b []byte, num int) []byte {
		e.holes = append(e.holes, place{start + len(b), len(e.data)})
		b = appendPlaceholder(b, len(e.data))
		e.data = append(e.data, args.binary.data[num])
		return b
	}))
}

// raw writes JSON of the application's. It is checked: an invalid packet would cost every receiver its connection.
func (e *encoder) raw(value json.RawMessage) error {
	if value == nil {
		e.array.WriteString("null")
		return nil
	}
	if !json.Valid(value) {
		return errJSON
	}
	e.array.Write(value)
	return nil
}

func (e *encoder) append(arg JSONAppender) error {
	value, err := arg.AppendJSON(e.array.AvailableBuffer())
	if err != nil {
		return err
	}
	return e.raw(value)
}

func (e *encoder) marshal(v any) error {
	if err := e.toArray.Encode(v); err != nil {
		return err
	}
	e.array.Truncate(e.array.Len() - 1) // the line feed that Encode adds
	return nil
}

// search marshals a value that may hold Binary, and puts placeholders in its place.
func (e *encoder) search(v any) error {
	e.value.Reset()
	if err := e.toValue.Encode(v); err != nil {
		return err
	}
	text := bytes.TrimSuffix(e.value.Bytes(), []byte{'\n'})
	start := e.array.Len()
	out, data, err := extractBinary(e.array.AvailableBuffer(), text, e.data, func(at, num int) {
		e.holes = append(e.holes, place{start + at, num})
	})
	if err != nil {
		return err
	}
	e.array.Write(out)
	e.data = data
	return nil
}
