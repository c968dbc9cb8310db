package socketio_test

import (
	"bytes"
	"context"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"

	"qun/socketio"
)

// unhex joins pieces of hexadecimal text and of plain text; plain text is in quotes.
func unhex(t testing.TB, text string) []byte {
	t.Helper()
	var out []byte
	for i, piece := range strings.Split(text, "'") {
		if i%2 == 1 {
			out = append(out, piece...)
			continue
		}
		b, err := hex.DecodeString(strings.ReplaceAll(piece, " ", ""))
		if err != nil {
			t.Fatalf("%q: %v", text, err)
		}
		out = append(out, b...)
	}
	return out
}

// event is an event e in / with one argument.
func event(value string) string {
	return "83 a4'type' 02 a3'nsp' a1'/' a4'data' 92 a1'e' " + value
}

// msgpackValues are values as JavaScript's encoders write them, and what they are as JSON.
var msgpackValues = map[string]string{
	"c0": `null`, "c2": `false`, "c3": `true`, "d4 00 00": `null`,
	"00": `0`, "7f": `127`, "cc 80": `128`, "cd 01 00": `256`, "ce 00 01 00 00": `65536`, "cf 00 00 00 01 00 00 00 00": `4294967296`,
	"cf ff ff ff ff ff ff ff ff": `18446744073709551615`,
	"ff":                         `-1`, "e0": `-32`, "d0 df": `-33`, "d1 ff 7f": `-129`, "d2 ff ff 7f ff": `-32769`, "d3 ff e0 00 00 00 00 00 01": `-9007199254740991`,
	"cb 3f f8 00 00 00 00 00 00": `1.5`, "ca 3f c0 00 00": `1.5`, "cb 44 4b 1a e4 d6 e2 ef 50": `1e+21`, "cb 7f f0 00 00 00 00 00 00": `null`,
	"a0": `""`, "a3'a\"\\'": `"a\"\\"`, "d9 04 f0 9f 98 80": `"😀"`, "da 00 02 0a 1f": `"\u000a\u001f"`, "db 00 00 00 01 'x'": `"x"`,
	"90": `[]`, "92 01 90": `[1,[]]`, "dc 00 01 01": `[1]`, "dd 00 00 00 01 01": `[1]`,
	"80": `{}`, "82 a1'b' 01 a1'a' 81 a0 c0": `{"b":1,"a":{"":null}}`, "de 00 01 a1'k' 01": `{"k":1}`, "df 00 00 00 01 a1'k' 01": `{"k":1}`,
	"d6 ff 65 53 f1 00":                                      `"2023-11-14T22:13:20.000Z"`,
	"d7 ff 1d 53 53 00 65 53 f1 00":                          `"2023-11-14T22:13:20.123Z"`,
	"c7 0c ff 3b 8b 87 c0 ff ff ff ff ff ff ff ff":           `"1969-12-31T23:59:59.999Z"`,
	"c4 02 01 ff":                                            `{"_placeholder":true,"num":0}`,
	"81 a1'x' c5 00 00":                                      `{"x":{"_placeholder":true,"num":0}}`,
	"92 c6 00 00 00 01 00 82 ac'_placeholder' c3 a3'num' 00": `[{"_placeholder":true,"num":0},{"_placeholder":true,"num":0}]`,
}

func TestMsgpackValuesAreRead(t *testing.T) {
	for text, want := range msgpackValues {
		p, err := socketio.Unpack(unhex(t, event(text)))
		if err != nil {
			t.Errorf("%s: %v", text, err)
			continue
		}
		if p.Event != "e" || p.Args.Len() != 1 || string(p.Args.Raw(0)) != want || !json.Valid(p.Args.Raw(0)) {
			t.Errorf("%s: got %s %s, want %s", text, p.Event, p.Args.JSON(), want)
		}
	}
}

func TestMsgpackPacketsAreRead(t *testing.T) {
	for text, want := range map[string]string{
		"82 a4'type' 00 a3'nsp' a1'/'":                                                               `0 / - "" []`,
		"83 a4'type' 00 a4'data' c0 a3'nsp' a2'/a'":                                                  `0 /a - "" []`,
		"84 a4'type' 00 a4'data' d4 00 00 a3'nsp' a1'/' a2'id' d4 00 00":                             `0 / - "" []`,
		"83 a4'data' 81 a1'k' 01 a4'type' 00 a3'nsp' a1'/'":                                          `0 / {"k":1} "" []`,
		"82 a4'type' 01 a3'nsp' a2'/a'":                                                              `1 /a - "" []`,
		"85 a4'type' 02 a3'nsp' a1'/' a4'data' 92 a1'e' 01 a2'id' 07 a7'options' 81 a8'compress' c3": `2 / - "e" [1] 7`,
		"84 a4'type' cc 02 a3'nsp' a1'/' a4'data' 91 05 a2'id' c0":                                   `2 / - "5" []`,
		"84 a4'type' 03 a3'nsp' a1'/' a4'data' 90 a2'id' cd 01 00":                                   `3 / - "" [] 256`,
	} {
		p, err := socketio.Unpack(unhex(t, text))
		if err != nil {
			t.Errorf("%s: %v", text, err)
			continue
		}
		auth := "-"
		if p.Auth != nil {
			auth = string(p.Auth)
		}
		got := fmt.Sprintf("%s %s %s %q %s", p.Type, p.Namespace, auth, p.Event, p.Args.JSON())
		if p.ID != nil {
			got += fmt.Sprintf(" %d", *p.ID)
		}
		if got != want {
			t.Errorf("%s: got %s, want %s", text, got, want)
		}
	}
}

// brokenMsgpack is what a client must not send.
func brokenMsgpack() []string {
	broken := []string{
		"", "c0", "80", "01", "91 01", "c1", "df ff ff ff ff", "de 00 02 a4'type'",
		"81 a4'type' 02", "81 a3'nsp' a1'/'", "82 a4'type' 05 a3'nsp' a1'/'", "82 a4'type' ff a3'nsp' a1'/'", "82 a4'type' a1'2' a3'nsp' a1'/'",
		"82 a4'type' 00 a3'nsp' a0", "82 a4'type' 00 a3'nsp' a1'x'", "82 a4'type' 00 a3'nsp' 01", "82 a4'type' 02 a3'nsp' a1'/'",
		"83 a4'type' 00 a3'nsp' a1'/' a4'data' 90", "83 a4'type' 00 a3'nsp' a1'/' a4'data' 81 a1'k' c4 00", "83 a4'type' 00 a3'nsp' a1'/' a4'data' a1'x'",
		"83 a4'type' 01 a3'nsp' a1'/' a4'data' 90", "83 a4'type' 03 a3'nsp' a1'/' a4'data' 80", "83 a4'type' 03 a3'nsp' a1'/' a4'data' c0",
		"83 a4'type' 04 a3'nsp' a1'/' a4'data' 80", "82 a4'type' 04 a3'nsp' a1'/'",
		"83 a4'type' 02 a3'nsp' a1'/' a4'data' 90", "83 a4'type' 02 a3'nsp' a1'/' a4'data' 91 c3", "83 a4'type' 02 a3'nsp' a1'/' a4'data' 91 c4 00",
		"83 a4'type' 02 a3'nsp' a1'/' a4'data' 91 80", "83 a4'type' 02 a3'nsp' a1'/' a4'data' 91 aa'disconnect'",
		"84 a4'type' 02 a3'nsp' a1'/' a4'data' 91 a1'e' a2'id' ff", "84 a4'type' 02 a3'nsp' a1'/' a4'data' 91 a1'e' a2'id' a1'1'",
		"84 a4'type' 02 a3'nsp' a1'/' a4'data' 91 a1'e' a2'id' cf ff ff ff ff ff ff ff ff",
		event("01") + "00", // something behind
		event(""), event("c1"), event("c4"), event("c4 05 00"), event("c6 ff ff ff ff 00"), event("a5'x'"), event("d9 ff"), event("db ff ff ff ff"),
		event("dd ff ff ff ff"), event("dd ff ff ff ff 00"), event("df ff ff ff ff"), event("dc ff ff"), event("92 01"), event("81 a1'k'"), event("81 01 01"), event("81 c4 01 'k' 01"),
		event("a2 ff fe"), event("81 a1 ff 01"), event("d4 05 00"), event("d5 ff 00 00"), event("c7 ff ff 00"), event("c9 ff ff ff ff 05"), event("cb 00"), event("cf 00"), event("d3"),
	}
	deep := func(open string, levels int) string { return event(strings.Repeat(open, levels) + "00") }
	return append(broken, deep("91", 32), deep("81 a1'k'", 32), deep("91", 100_000), deep("dd 00 00 00 01", 10_000),
		event("9b"+strings.Repeat("c4 00", 11)), "83 a4'type' 02 a3'nsp' a1'/' a4'data' dc 07 d0"+strings.Repeat("a1'e'", 2000),
		"83 a4'type' 02 a4'data' 91 a1'e' a3'nsp' da 02 58 '/"+strings.Repeat("x", 599)+"'")
}

func TestBrokenMsgpackIsRefused(t *testing.T) {
	for _, text := range brokenMsgpack() {
		if p, err := socketio.Unpack(slices.Clip(unhex(t, text))); err == nil {
			t.Errorf("%.100q was accepted as %+v", text, p)
		}
	}
	if _, err := socketio.Unpack(unhex(t, event(strings.Repeat("91", 31)+"00"))); err != nil {
		t.Errorf("32 levels were refused: %v", err)
	}
	if _, err := socketio.Unpack(unhex(t, event("9a"+strings.Repeat("c4 00", 10)))); err != nil {
		t.Errorf("10 attachments were refused: %v", err)
	}
}

func TestMsgpackIsWrittenAsSmallAsItGoes(t *testing.T) {
	many := func(n int) []int { return make([]int, n) }
	for _, c := range []struct {
		value any
		want  string
	}{
		{nil, "c0"}, {true, "c3"}, {false, "c2"}, {0, "00"}, {127, "7f"}, {128, "cc 80"}, {256, "cd 01 00"}, {65536, "ce 00 01 00 00"},
		{uint64(1) << 32, "cf 00 00 00 01 00 00 00 00"}, {uint64(1<<64 - 1), "cf ff ff ff ff ff ff ff ff"},
		{-1, "ff"}, {-32, "e0"}, {-33, "d0 df"}, {-129, "d1 ff 7f"}, {-32769, "d2 ff ff 7f ff"}, {int64(-1 << 40), "d3 ff ff ff 00 00 00 00 00"},
		{1.5, "cb 3f f8 00 00 00 00 00 00"}, {1e21, "cb 44 4b 1a e4 d6 e2 ef 50"}, {json.RawMessage("1e999"), "cb 7f f0 00 00 00 00 00 00"}, {json.RawMessage("-0"), "00"},
		{"", "a0"}, {"a\"\n", "a3'a\"\n'"}, {strings.Repeat("x", 32), "d9 20'" + strings.Repeat("x", 32) + "'"},
		{strings.Repeat("x", 256), "da 01 00'" + strings.Repeat("x", 256) + "'"},
		{many(0), "90"}, {many(15), "9f" + strings.Repeat("00", 15)}, {many(16), "dc 00 10" + strings.Repeat("00", 16)},
		{many(70_000), "dd 00 01 11 70" + strings.Repeat("00", 70_000)},
		{json.RawMessage(` { "b" : 1 , "a" : [ ] } `), "82 a1'b' 01 a1'a' 90"},
		{socketio.Binary{1, 255}, "c4 02 01 ff"}, {map[string]any{"x": []any{socketio.Binary(""), 1}}, "81 a1'x' 92 c4 00 01"},
		{make(socketio.Binary, 300), "c5 01 2c" + strings.Repeat("00", 300)}, {make(socketio.Binary, 70_000), "c6 00 01 11 70" + strings.Repeat("00", 70_000)},
		{json.RawMessage(`{"_placeholder":true,"num":0}`), "82 ac'_placeholder' c3 a3'num' 00"},
	} {
		got, err := socketio.Pack("2", "/", nil, "e", c.value)
		if err != nil {
			t.Errorf("%.50v: %v", c.value, err)
			continue
		}
		if want := unhex(t, event(c.want)); !bytes.Equal(got, want) {
			t.Errorf("%.50v: got %.200x, want %.200x", c.value, got, want)
		}
	}
	id := uint64(300)
	got, _ := socketio.Pack("3", "/a", &id, "", "x")
	if want := unhex(t, "84 a4'type' 03 a3'nsp' a2'/a' a4'data' 91 a1'x' a2'id' cd 01 2c"); !bytes.Equal(got, want) {
		t.Errorf("ack: got %x, want %x", got, want)
	}
}

func TestMsgpackClientsAreServed(t *testing.T) {
	within(t, socketio.Config{Parser: socketio.ParserMsgpack}, func(w *world) {
		n := w.server.Of("/")
		n.Use(func(_ context.Context, s *socketio.Socket) error {
			if string(s.Auth()) == `{"no":1}` {
				return &socketio.Error{Message: "no"}
			}
			return nil
		})
		echo(n)
		type in struct {
			N    int             `json:"n"`
			Data socketio.Binary `json:"data"`
		}
		socketio.On(n, "typed", func(_ context.Context, _ *socketio.Socket, in in) (in, error) {
			in.N++
			return in, nil
		})
		show := func(c *client) (packets []string) {
			for _, got := range c.take() {
				packets = append(packets, fmt.Sprintf("%x", strings.TrimPrefix(got, "binary ")))
			}
			return packets
		}
		is := func(text string) string { return fmt.Sprintf("%x", unhex(t, text)) }
		c := w.dial()
		c.sendBinary(string(unhex(t, "83 a4'type' 00 a3'nsp' a1'/' a4'data' 81 a2'no' 01")))
		same(t, "refusal", show(c), is("83 a4'type' 04 a3'nsp' a1'/' a4'data' 81 a7'message' a2'no'"))
		c.sendBinary(string(unhex(t, "82 a4'type' 00 a3'nsp' a1'/'")))
		connected := show(c)
		id := string(n.Sockets()[0].ID())
		same(t, "connect", connected, is("83 a4'type' 00 a3'nsp' a1'/' a4'data' 81 a3'sid' b4'"+id+"'"))
		c.sendBinary(string(unhex(t, "84 a4'type' 02 a3'nsp' a1'/' a4'data' 93 a1'e' c4 01 ff 82 ac'_placeholder' c3 a3'num' 00 a2'id' 05")))
		same(t, "relayed", show(c),
			is("83 a4'type' 02 a3'nsp' a1'/' a4'data' 93 a1'e' c4 01 ff 82 ac'_placeholder' c3 a3'num' 00"),
			is("84 a4'type' 03 a3'nsp' a1'/' a4'data' 92 c4 01 ff 82 ac'_placeholder' c3 a3'num' 00 a2'id' 05"))
		c.sendBinary(string(unhex(t, "84 a4'type' 02 a3'nsp' a1'/' a4'data' 92 a5'typed' 82 a1'n' 01 a4'data' c4 02'hi' a2'id' 00")))
		same(t, "typed", show(c), is("84 a4'type' 03 a3'nsp' a1'/' a4'data' 91 82 a1'n' 02 a4'data' c4 02'hi' a2'id' 00"))
		n.Sockets()[0].Disconnect()
		same(t, "disconnect", show(c), is("82 a4'type' 01 a3'nsp' a1'/'"))
		c.send(`0`)
		if c.isOpen() {
			t.Error("text was accepted")
		}
		for _, text := range brokenMsgpack() {
			if d := w.dial(); len(text) > 0 {
				d.sendBinary(string(unhex(t, text)))
				if d.isOpen() {
					t.Errorf("%.100q: the connection is still open", text)
				}
			}
		}
	})
}

func TestMsgpackEventsAreRecovered(t *testing.T) {
	within(t, socketio.Config{Parser: socketio.ParserMsgpack, Recovery: &socketio.Recovery{}}, func(w *world) {
		c := w.dial()
		c.sendBinary(string(unhex(t, "82 a4'type' 00 a3'nsp' a1'/'")))
		c.take()
		_ = w.server.Of("/").Emit("e", socketio.Binary{7})
		got := c.take()
		if len(got) != 1 {
			t.Fatalf("got %q", got)
		}
		p, err := socketio.Unpack([]byte(strings.TrimPrefix(got[0], "binary ")))
		if err != nil || p.Args.Len() != 2 || !strings.Contains(string(p.Args.Raw(1)), ".") || p.Args.Attachments()[0][0] != 7 {
			t.Errorf("got %+v, %v; want an offset as last argument", p, err)
		}
	})
}

func FuzzUnpack(f *testing.F) {
	for text := range msgpackValues {
		f.Add(unhex(f, event(text)))
	}
	for _, text := range brokenMsgpack() {
		if b := unhex(f, text); len(b) < 4096 {
			f.Add(b)
		}
	}
	f.Fuzz(func(t *testing.T, message []byte) {
		p, err := socketio.Unpack(message)
		if err != nil {
			return
		}
		if size := len(p.Args.JSON()); size > 40*len(message)+100 {
			t.Fatalf("%d bytes became %d", len(message), size)
		}
		if p.Auth != nil && !json.Valid(p.Auth) || !json.Valid(p.Args.JSON()) {
			t.Fatalf("%x: got %s %s, which is not JSON", message, p.Auth, p.Args.JSON())
		}
		for i := range p.Args.Len() {
			var v any
			if err := p.Args.Decode(i, &v); err != nil {
				t.Fatalf("%x: decode argument %d: %v", message, i, err)
			}
		}
		if p.Type != "2" && p.Type != "3" {
			return
		}
		again, err := socketio.Pack(p.Type, p.Namespace, p.ID, p.Event, p.Args)
		if err != nil {
			t.Fatalf("%x: pack again: %v", message, err)
		}
		q, err := socketio.Unpack(again)
		if err != nil {
			t.Fatalf("%x: unpack %x again: %v", message, again, err)
		}
		if q.Event != p.Event || !sameID(q.ID, p.ID) || q.Namespace != p.Namespace || !bytes.Equal(q.Args.JSON(), p.Args.JSON()) {
			t.Fatalf("%x became %x: %s became %s", message, again, p.Args.JSON(), q.Args.JSON())
		}
		if !sameBytes(q.Args.Attachments(), p.Args.Attachments()) {
			t.Fatalf("%x: attachments changed", message)
		}
	})
}

func sameBytes(a, b [][]byte) bool {
	if len(a) != len(b) {
		return false
	}
	for i := range a {
		if !bytes.Equal(a[i], b[i]) {
			return false
		}
	}
	return true
}
