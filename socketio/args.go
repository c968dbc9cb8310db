package socketio

import (
	"encoding/base64"
	"encoding/json"
	"fmt"
	"slices"
	"strconv"
)

// Args are the arguments of an event or of an ack as they came: JSON values that are known to be valid, and the binary
// attachments that some of them name. They never change, so they can be kept, shared and sent on: in
// Emit("x", args) they stand for all their values, and the attachments that these name travel with them unchanged.
// The zero Args are no arguments.
type Args struct {
	values []json.RawMessage
	binary *attachments // nil if no value names an attachment and none came
}

// attachments are what came beside the JSON, and where in it their placeholders stand.
type attachments struct {
	holes []hole // in the order of the text
	data  [][]byte
}

// A hole is a placeholder {"_placeholder":true,"num":n} in the JSON of a value.
type hole struct {
	value      int // index into Args.values
	start, end int // in the value's bytes
	num        int // index into attachments.data
}

// ParseArgs makes Args of a JSON array and the attachments that placeholders in it name. It is meant for adapters; the
// arguments of events come parsed. Without attachments, objects that look like placeholders are ordinary values.
func ParseArgs(array []byte, data [][]byte) (Args, error) {
	values, err := parseArray(nil, array)
	if err != nil {
		return Args{}, err
	}
	args := Args{values: values}
	if len(data) > 0 {
		if args.binary, err = findHoles(values, len(data)); err != nil {
			return Args{}, err
		}
		args.binary.data = data
	}
	return args, nil
}

// Len is the number of arguments.
func (a Args) Len() int { return len(a.values) }

// Raw returns an argument as JSON, or nil if there are not that many. In a binary event the attachments in it are
// placeholders. The bytes must not be changed.
func (a Args) Raw(i int) json.RawMessage {
	if i < 0 || i >= len(a.values) {
		return nil
	}
	return a.values[i]
}

// Decode stores an argument in the value that v points to, as json.Unmarshal does. Binary attachments decode into
// []byte and Binary. A missing argument is like null: it leaves most values as they are.
func (a Args) Decode(i int, v any) error {
	raw := a.expanded(i)
	if raw == nil {
		return nil
	}
	if err := json.Unmarshal(raw, v); err != nil {
		return fmt.Errorf("argument %d: %w", i, err)
	}
	return nil
}

// Scan decodes the arguments into the values that the pointers in v point to, in order. Missing arguments are like null,
// those beyond v are ignored.
func (a Args) Scan(v ...any) error {
	for i := range v {
		if err := a.Decode(i, v[i]); err != nil {
			return err
		}
	}
	return nil
}

// Binary returns an argument that is a binary attachment as a whole, and whether it is one. The bytes must not be changed.
func (a Args) Binary(i int) (Binary, bool) {
	for _, h := range a.holes(i) {
		if h.start == 0 && h.end == len(a.values[i]) {
			return a.binary.data[h.num], true
		}
	}
	return nil, false
}

// From returns the arguments from i on.
func (a Args) From(i int) Args {
	rest := Args{values: a.values[min(i, len(a.values)):]}
	if a.binary == nil {
		return rest
	}
	var holes []hole
	for _, h := range a.binary.holes {
		if h.value >= i {
			h.value -= i
			holes = append(holes, h)
		}
	}
	if len(holes) > 0 {
		rest.binary = &attachments{holes: holes, data: a.binary.data}
	}
	return rest
}

// JSON returns all arguments as one array, with placeholders for the attachments. ParseArgs is its inverse.
func (a Args) JSON() json.RawMessage {
	size := 2
	for _, v := range a.values {
		size += len(v) + 1
	}
	array := append(make([]byte, 0, size), '[')
	for i, v := range a.values {
		if i > 0 {
			array = append(array, ',')
		}
		array = append(array, v...)
	}
	return append(array, ']')
}

// Msgpack returns all arguments as one MessagePack array, with the attachments where their placeholders were. It is meant for
// adapters; UnpackArgs is its inverse.
func (a Args) Msgpack() []byte {
	k := packer{cursor: cursor{data: a.JSON()}, attachments: a.Attachments()}
	start := 1
	for i, v := range a.values {
		for _, h := range a.holes(i) {
			k.holes = append(k.holes, place{start + h.start, h.num})
		}
		start += len(v) + 1
	}
	k.any()
	return k.out
}

// UnpackArgs makes Args of a MessagePack array, and nothing behind it, with no more attachments than that. Values become JSON: a
// timestamp a string, and what JSON has no word for null. They may nest a little deeper than those of ParseArgs: for a message
// around the arguments of an event.
func UnpackArgs(array []byte, maxAttachments int) (Args, error) {
	u := &unpacker{in: array, limit: maxAttachments}
	args, err := u.args(2 - envelopeDepth)
	if err == nil && u.at != len(array) {
		err = errMsgpack
	}
	return args, err
}

const envelopeDepth = 4

// JSONWith is like JSON, with what put appends to b in the place of each attachment. It must be one JSON value.
func (a Args) JSONWith(put func(b, attachment []byte) []byte) json.RawMessage {
	array := []byte{'['}
	for i := range a.values {
		if i > 0 {
			array = append(array, ',')
		}
		array = a.fill(array, i, func(b []byte, num int) []byte { return put(b, a.binary.data[num]) })
	}
	return append(array, ']')
}

// Attachments returns the binary attachments, in the order of their numbers. They must not be changed.
func (a Args) Attachments() [][]byte {
	if a.binary == nil {
		return nil
	}
	return a.binary.data
}

// holes returns the placeholders in value i.
func (a Args) holes(i int) []hole {
	if a.binary == nil {
		return nil
	}
	all := a.binary.holes
	first, _ := slices.BinarySearchFunc(all, i, func(h hole, i int) int { return h.value - i })
	end := first
	for end < len(all) && all[end].value == i {
		end++
	}
	return all[first:end]
}

// expanded returns a value with its attachments in place, as base64 strings.
func (a Args) expanded(i int) json.RawMessage {
	holes := a.holes(i)
	if len(holes) == 0 {
		return a.Raw(i)
	}
	return a.fill(nil, i, func(b []byte, num int) []byte {
		b = append(b, '"')
		b = base64.StdEncoding.AppendEncode(b, a.binary.data[num])
		return append(b, '"')
	})
}

// fill appends a value to b, with whatever put appends in place of each placeholder.
func (a Args) fill(b []byte, i int, put func(b []byte, num int) []byte) []byte {
	value, done := a.values[i], 0
	for _, h := range a.holes(i) {
		b = append(b, value[done:h.start]...)
		b = put(b, h.num)
		done = h.end
	}
	return append(b, value[done:]...)
}

func appendPlaceholder(b []byte, num int) []byte {
	b = append(b, `{"_placeholder":true,"num":`...)
	b = strconv.AppendInt(b, int64(num), 10)
	return append(b, '}')
}
