package socketio

import (
	"bytes"
	"encoding/json"
	"errors"
	"iter"
	"strconv"
	"unicode/utf8"
)

const (
	// maxDepth is how deep arrays and objects may be nested in the JSON of a packet, its outer array included. What
	// handlers and other clients decode recursively must not be deeper.
	maxDepth = 32
	// maxValues is how many elements the array of an event may have: each takes 24 bytes here and 2 on the wire.
	maxValues = 1024
)

var (
	errJSON        = errors.New("payload is not valid JSON")
	errDepth       = errors.New("payload is nested too deeply")
	errNotArray    = errors.New("payload is not an array")
	errNotObject   = errors.New("payload is not an object")
	errValues      = errors.New("payload has too many arguments")
	errPlaceholder = errors.New("placeholder names no attachment, or one that was named before")
)

// checkJSON refuses what is not one valid JSON value in UTF-8, nested no deeper than maxDepth.
func checkJSON(data []byte) error {
	if !json.Valid(data) || !utf8.Valid(data) {
		return errJSON
	}
	depth := 0
	for i := 0; i < len(data); i++ {
		switch data[i] {
		case '"':
			i = stringEnd(data, i) - 1
		case '[', '{':
			if depth++; depth > maxDepth {
				return errDepth
			}
		case ']', '}':
			depth--
		}
	}
	return nil
}

// parseArray checks data and appends the elements of the array that it must be to an empty list. They are parts of data.
func parseArray(values []json.RawMessage, data []byte) ([]json.RawMessage, error) {
	if err := checkJSON(data); err != nil {
		return nil, err
	}
	data = bytes.Trim(data, jsonSpace)
	if data[0] != '[' {
		return nil, errNotArray
	}
	c := cursor{data: data, at: 1}
	if c.next() == ']' {
		return nil, nil
	}
	for {
		if len(values) == maxValues {
			return nil, errValues
		}
		values = append(values, c.value())
		if c.next() == ']' {
			return values, nil
		}
		c.at++ // the comma
	}
}

// checkObject refuses what is not one valid JSON object.
func checkObject(data []byte) error {
	if err := checkJSON(data); err != nil {
		return err
	}
	if bytes.TrimLeft(data, jsonSpace)[0] != '{' {
		return errNotObject
	}
	return nil
}

const jsonSpace = " \t\r\n"

// stringEnd returns the index behind the string that begins at data[i], in valid JSON.
func stringEnd(data []byte, i int) int {
	for i++; ; i++ {
		i += bytes.IndexByte(data[i:], '"')
		if data[i-1] != '\\' || !escaped(data, i) {
			return i + 1
		}
	}
}

// escaped says whether an odd number of backslashes stands before data[i].
func escaped(data []byte, i int) bool {
	first := i
	for data[first-1] == '\\' {
		first--
	}
	return (i-first)%2 == 1
}

// A cursor walks over JSON that is known to be valid.
type cursor struct {
	data []byte
	at   int
}

// next skips white space and returns the byte behind it.
func (c *cursor) next() byte {
	for {
		switch b := c.data[c.at]; b {
		case ' ', '\t', '\r', '\n':
			c.at++
		default:
			return b
		}
	}
}

// value skips one value and returns it.
func (c *cursor) value() json.RawMessage {
	first := c.next()
	start := c.at
	switch first {
	case '"':
		c.at = stringEnd(c.data, c.at)
	case '[', '{':
		c.skipNested()
	default:
		for c.at < len(c.data) && !endsLiteral(c.data[c.at]) {
			c.at++
		}
	}
	return c.data[start:c.at:c.at]
}

// endsLiteral says whether b cannot be part of a number, true, false or null.
func endsLiteral(b byte) bool {
	switch b {
	case ',', ']', '}', ' ', '\t', '\r', '\n':
		return true
	}
	return false
}

func (c *cursor) skipNested() {
	for depth := 0; ; c.at++ {
		switch c.data[c.at] {
		case '"':
			c.at = stringEnd(c.data, c.at) - 1
		case '[', '{':
			depth++
		case ']', '}':
			if depth--; depth == 0 {
				c.at++
				return
			}
		}
	}
}

// members are the keys, as they are quoted, and values of a JSON object that is known to be valid.
func members(object []byte) iter.Seq2[[]byte, json.RawMessage] {
	return func(yield func([]byte, json.RawMessage) bool) {
		c := cursor{data: object}
		c.next()
		for c.at++; c.next() != '}'; {
			if c.data[c.at] == ',' {
				c.at++
			}
			key := c.value()
			c.next()
			c.at++ // the colon
			if !yield(key, c.value()) {
				return
			}
		}
	}
}

// findHoles returns the placeholders in the values, each of which must name another one of count attachments.
// That clients number them without repeating is what bounds the size of the values when attachments are put in place.
func findHoles(values []json.RawMessage, count int) (*attachments, error) {
	f := finder{named: make([]bool, count)}
	for i, v := range values {
		f.value, f.cursor = i, cursor{data: v}
		f.any()
		if f.broken {
			return nil, errPlaceholder
		}
	}
	return &attachments{holes: f.holes}, nil
}

// A finder looks for placeholders. Its recursion is bounded by maxDepth, which was checked.
type finder struct {
	cursor
	value  int
	holes  []hole
	named  []bool
	broken bool
}

func (f *finder) any() {
	switch f.next() {
	case '{':
		f.object()
	case '[':
		f.array()
	default:
		f.cursor.value()
	}
}

func (f *finder) array() {
	f.at++
	for f.next() != ']' {
		if f.data[f.at] == ',' {
			f.at++
		}
		if f.next() != ']' {
			f.any()
		}
	}
	f.at++
}

// object looks at one object: it is a placeholder if its _placeholder is true, whatever else is in it. Of a repeated
// key the last one counts, as in JavaScript.
func (f *finder) object() {
	start, before := f.at, len(f.holes)
	placeholder, num := false, json.RawMessage(nil)
	f.at++
	for f.next() != '}' {
		if f.data[f.at] == ',' {
			f.at++
		}
		key := unquote(f.cursor.value())
		f.next()
		f.at++ // the colon
		f.next()
		valueAt := f.at
		f.any()
		switch value := f.data[valueAt:f.at]; key {
		case "_placeholder":
			placeholder = string(value) == "true"
		case "num":
			num = value
		}
	}
	f.at++
	if placeholder {
		f.holes = f.holes[:before] // what stands inside of a placeholder is nothing
		f.add(start, num)
	}
}

func (f *finder) add(start int, num json.RawMessage) {
	n, err := strconv.ParseUint(string(num), 10, 16)
	if err != nil || int(n) >= len(f.named) || f.named[n] {
		f.broken = true
		return
	}
	f.named[n] = true
	f.holes = append(f.holes, hole{value: f.value, start: start, end: f.at, num: int(n)})
}

// unquote returns the text of a JSON string.
func unquote(quoted []byte) string { return string(unquoted(quoted)) }

// unquoted is unquote as a part of the string, as long as nothing in it is escaped.
func unquoted(quoted []byte) []byte {
	inner := quoted[1 : len(quoted)-1]
	if bytes.IndexByte(inner, '\\') < 0 {
		return inner
	}
	var s string
	if json.Unmarshal(quoted, &s) != nil {
		return nil
	}
	return []byte(s)
}
