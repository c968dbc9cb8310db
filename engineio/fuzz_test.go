package engineio_test

import (
	"bytes"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/gobwas/ws"

	"qun/engineio"
)

// A decoded frame, for comparison.
type decoded struct {
	op   ws.OpCode
	data string
}

func decode(deflate bool, pieces ...[]byte) (frames []decoded, held int, err error) {
	held, err = engineio.DecodeFrames(1000, 10, deflate, pieces, func(op ws.OpCode, data []byte) error {
		frames = append(frames, decoded{op, string(data)})
		for i := range data {
			data[i] = 'x' // the data is ours: nothing else may change by this
		}
		return nil
	})
	return frames, held, err
}

// A stream means the same wherever it is cut, and what it announces costs no memory before it has arrived.
func FuzzFrameDecoder(f *testing.F) {
	hello := masked(ws.NewTextFrame([]byte("4hello")))
	for _, seed := range [][]byte{
		nil, hello, hello[:3],
		slices.Concat(hello, masked(ws.NewPingFrame([]byte("p"))), masked(ws.NewCloseFrame(nil))),
		slices.Concat(masked(ws.NewFrame(ws.OpText, false, []byte("4\xf0\x9f"))), masked(ws.NewFrame(ws.OpContinuation, true, []byte("\x8d\x8a")))),
		masked(ws.NewBinaryFrame(bytes.Repeat([]byte{7}, 400))),
		slices.Repeat(masked(ws.NewFrame(ws.OpContinuation, false, nil)), 3),
		{0x82, 0xff, 0x7f, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 1, 2, 3, 4},
		{0x82, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 1, 2, 3, 4},
		{0x82, 0xfe, 0x03, 0xe8, 1, 2, 3, 4, 5},
		masked(marked(ws.NewTextFrame(deflate("4hello")))),
		masked(marked(ws.NewBinaryFrame(deflate(repeat(1001))))),
		slices.Concat(masked(marked(ws.NewFrame(ws.OpText, false, deflate("4hello")[:3]))), masked(ws.NewFrame(ws.OpContinuation, true, deflate("4hello")[3:]))),
	} {
		f.Add(seed, uint16(1), uint16(4), false)
		f.Add(seed, uint16(7), uint16(7), true)
	}
	f.Fuzz(func(t *testing.T, stream []byte, a, b uint16, deflate bool) {
		whole, _, wholeErr := decode(deflate, bytes.Clone(stream))
		cuts := []int{int(a) % (len(stream) + 1), int(b) % (len(stream) + 1)}
		slices.Sort(cuts)
		split := [][][]byte{{stream[:cuts[0]], stream[cuts[0]:cuts[1]], stream[cuts[1]:]}, {}}
		for i := range stream {
			split[1] = append(split[1], stream[i:i+1])
		}
		for _, pieces := range split {
			for i := range pieces {
				pieces[i] = bytes.Clone(pieces[i]) // as a buffer that is used for other things afterwards
			}
			got, held, err := decode(deflate, pieces...)
			if !slices.Equal(got, whole) || fmt.Sprint(err) != fmt.Sprint(wholeErr) {
				t.Errorf("cut: got %q, %v; whole: %q, %v", got, err, whole, wholeErr)
			}
			if held > 4*len(stream)+64 {
				t.Errorf("held %d bytes for a stream of %d", held, len(stream))
			}
		}
		for _, f := range whole {
			if f.op == ws.OpText && !utf8.ValidString(f.data) {
				t.Errorf("text is not UTF-8: %q", f.data)
			}
			if len(f.data) > 1000 {
				t.Errorf("message of %d bytes is larger than the limit", len(f.data))
			}
		}
	})
}

// The header parser agrees with the library's, which reads from a stream.
func FuzzFrameHeader(f *testing.F) {
	for _, size := range []int{0, 125, 126, 65535, 65536} {
		f.Add(ws.MustCompileFrame(ws.NewBinaryFrame(make([]byte, size)))[:ws.HeaderSize(ws.Header{Length: int64(size)})])
		f.Add(masked(ws.NewTextFrame(make([]byte, size))))
	}
	f.Add([]byte{0xff, 0xff, 0x80, 0, 0, 0, 0, 0, 0, 0, 1, 2, 3, 4})
	f.Fuzz(func(t *testing.T, b []byte) {
		got, size := engineio.ParseFrameHeader(b)
		r := bytes.NewReader(b)
		want, err := ws.ReadHeader(r)
		switch {
		case errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF):
			if size != 0 {
				t.Errorf("incomplete header: got size %d", size)
			}
		case err != nil:
			if got.Length >= 0 {
				t.Errorf("the library says %v: got %+v", err, got)
			}
		case got != want || size != len(b)-r.Len():
			t.Errorf("got %+v in %d bytes, want %+v in %d", got, size, want, len(b)-r.Len())
		}
	})
}

// A polling payload is handled up to its first bad packet, as a plain reading of the protocol has it.
func FuzzPollingPayload(f *testing.F) {
	for _, seed := range []string{"", "4a", "4a\x1e4b", "bAQID", "bAQ=", "b", "4\x1e", "3", "2", "1", "0{}", "4a\x1e1\x1e4b", "9", "\xff", "4🍊\x1ebAQID\x1e6"} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, payload []byte) {
		got, err := engineio.ReceivePayload(payload)
		want, wantErr := readPayload(string(payload))
		if !slices.EqualFunc(got, want, func(a, b engineio.Message) bool { return a.Binary == b.Binary && bytes.Equal(a.Data, b.Data) }) {
			t.Errorf("messages: got %v, want %v", got, want)
		}
		if !errors.Is(err, wantErr) {
			t.Errorf("error: got %v, want %v", err, wantErr)
		}
	})
}

// readPayload is the plain version that the fuzzer compares with.
func readPayload(payload string) (messages []engineio.Message, err error) {
	if !utf8.ValidString(payload) {
		return nil, engineio.ErrParse
	}
	for _, packet := range strings.Split(payload, "\x1e") {
		if packet == "" {
			return messages, engineio.ErrParse
		}
		switch packet[0] {
		case '4':
			messages = append(messages, engineio.Message{Data: []byte(packet[1:])})
		case 'b':
			data, err := base64.StdEncoding.DecodeString(packet[1:])
			if err != nil {
				return messages, engineio.ErrParse
			}
			messages = append(messages, engineio.Message{Data: data, Binary: true})
		case '1':
			return messages, engineio.ErrTransportClose
		case '2':
			return messages, engineio.ErrTransportError
		case '0', '3', '5', '6':
		default:
			return messages, engineio.ErrParse
		}
	}
	return messages, nil
}
