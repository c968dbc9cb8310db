package socketio

import (
	"bytes"
	"crypto/rand"
	"encoding/base64"
	"fmt"
	"reflect"
	"sync"
)

// Binary is a value that travels as a binary attachment and arrives in a browser as an ArrayBuffer. It may stand anywhere in
// what is emitted: as an argument, in a struct, a slice, a map. A plain []byte is the base64 string that
// encoding/json makes of it. Incoming attachments decode into Binary and []byte alike.
//
// Outside of this package Binary marshals as an object of no use to others: convert it to []byte there.
type Binary []byte

// MarshalJSON makes a marker that Emit finds again and replaces by a placeholder.
func (b Binary) MarshalJSON() ([]byte, error) {
	marker := make([]byte, 0, len(markerStart)+base64.StdEncoding.EncodedLen(len(b))+len(markerEnd))
	marker = append(marker, markerStart...)
	marker = base64.StdEncoding.AppendEncode(marker, b)
	return append(marker, markerEnd...), nil
}

// A marker is {"<random>":"<base64>"}. Nobody can make one without knowing the random part, which changes with
// every process, and nobody has anything of it: it only turns a value of his own into an attachment.
var markerStart = []byte(`{"` + rand.Text() + `":"`)

var markerEnd = []byte(`"}`)

// extractBinary appends text to dst with every marker replaced by a placeholder, and the bytes in the markers to data. It
// tells found where in dst each placeholder stands.
func extractBinary(dst, text []byte, data [][]byte, found func(at, num int)) ([]byte, [][]byte, error) {
	for {
		before, rest, more := bytes.Cut(text, markerStart)
		dst = append(dst, before...)
		if !more {
			return dst, data, nil
		}
		encoded, after, _ := bytes.Cut(rest, markerEnd)
		b, err := base64.StdEncoding.AppendDecode(nil, encoded)
		if err != nil {
			return nil, nil, fmt.Errorf("extract attachment: %w", err)
		}
		found(len(dst), len(data))
		dst = appendPlaceholder(dst, len(data))
		data = append(data, b)
		text = after
	}
}

// binaryTypes remembers what mayHoldBinary found: reflect.Type → bool.
var binaryTypes sync.Map

var typeBinary = reflect.TypeFor[Binary]()

// mayHoldBinary says whether a value of type t can have a Binary in it. Only then is its JSON searched for markers, so
// that values without any pay nothing, and strings in them cannot be mistaken for one.
func mayHoldBinary(t reflect.Type) bool {
	if known, ok := binaryTypes.Load(t); ok {
		return known.(bool)
	}
	holds := holdsBinary(t, make(map[reflect.Type]bool))
	binaryTypes.Store(t, holds)
	return holds
}

func holdsBinary(t reflect.Type, seen map[reflect.Type]bool) bool {
	if t == typeBinary {
		return true
	}
	if seen[t] {
		return false
	}
	seen[t] = true
	switch t.Kind() {
	case reflect.Interface:
		return true
	case reflect.Pointer, reflect.Slice, reflect.Array, reflect.Map:
		return holdsBinary(t.Elem(), seen)
	case reflect.Struct:
		for i := range t.NumField() {
			if holdsBinary(t.Field(i).Type, seen) {
				return true
			}
		}
	}
	return false
}
