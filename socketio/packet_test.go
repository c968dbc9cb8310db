package socketio_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"

	"qun/socketio"
)

func id(n uint64) *uint64 { return &n }

// goldens are packets as the official encoder (socket.io-parser 4.2.7) made them.
var goldens = []struct {
	text        string
	attachments [][]byte
	kind        string
	namespace   string
	id          *uint64
	event       string
	args        string // the array without the event's name
}{
	{text: `2["a",1,{}]`, kind: "2", namespace: "/", event: "a", args: `[1,{}]`},
	{text: `21["a",1,{}]`, kind: "2", namespace: "/", id: id(1), event: "a", args: `[1,{}]`},
	{text: `2/test,0["a",1,{"b":"你好 <&>"}]`, kind: "2", namespace: "/test", id: id(0), event: "a", args: `[1,{"b":"你好 <&>"}]`},
	{text: `3123["a",1,null]`, kind: "3", namespace: "/", id: id(123), args: `["a",1,null]`},
	{text: `3/back,0[]`, kind: "3", namespace: "/back", id: id(0), args: `[]`},
	{text: `51-/cool,23["a",{"_placeholder":true,"num":0}]`, attachments: [][]byte{[]byte("abc")}, kind: "2", namespace: "/cool", id: id(23), event: "a", args: `[{"_placeholder":true,"num":0}]`},
	{text: `52-["bin",{"a":{"_placeholder":true,"num":0},"b":[{"_placeholder":true,"num":1}]},"x"]`, attachments: [][]byte{{1, 2, 3}, {4}}, kind: "2", namespace: "/", event: "bin", args: `[{"a":{"_placeholder":true,"num":0},"b":[{"_placeholder":true,"num":1}]},"x"]`},
	{text: `61-/back,127["a",{"_placeholder":true,"num":0},{}]`, attachments: [][]byte{{120}}, kind: "3", namespace: "/back", id: id(127), args: `["a",{"_placeholder":true,"num":0},{}]`},
}

func TestGoldenPacketsDecode(t *testing.T) {
	for _, g := range goldens {
		p, err := socketio.Decode(g.text, g.attachments...)
		if err != nil {
			t.Errorf("%s: %v", g.text, err)
			continue
		}
		if p.Type != g.kind || p.Namespace != g.namespace || !sameID(p.ID, g.id) || p.Event != g.event {
			t.Errorf("%s: got type %s, namespace %s, event %q", g.text, p.Type, p.Namespace, p.Event)
		}
		if got := string(p.Args.JSON()); got != g.args {
			t.Errorf("%s: got args %s, want %s", g.text, got, g.args)
		}
		if !slices.EqualFunc(p.Args.Attachments(), g.attachments, bytes.Equal) {
			t.Errorf("%s: got attachments %v, want %v", g.text, p.Args.Attachments(), g.attachments)
		}
	}
}

func sameID(a, b *uint64) bool { return (a == nil) == (b == nil) && (a == nil || *a == *b) }

func TestGoldenPacketsComeOutAsTheyWentIn(t *testing.T) {
	for _, g := range goldens {
		p, err := socketio.Decode(g.text, g.attachments...)
		if err != nil {
			t.Fatalf("%s: %v", g.text, err)
		}
		text, attachments, err := socketio.Encode(p.Type, p.Namespace, p.ID, p.Event, p.Args)
		if err != nil || text != g.text || !slices.EqualFunc(attachments, g.attachments, bytes.Equal) {
			t.Errorf("got %s %v (%v), want %s %v", text, attachments, err, g.text, g.attachments)
		}
	}
}

func TestOddButValidPacketsDecode(t *testing.T) {
	for text, want := range map[string]string{
		`0`:                                     `0 / - "" []`,
		`0{"token":"123"}`:                      `0 / {"token":"123"} "" []`,
		`01`:                                    `0 / - "" []`, // CONNECT with an id
		`0/custom`:                              `0 /custom - "" []`,
		`0/custom,`:                             `0 /custom - "" []`,
		`0/a?b=c,{}`:                            `0 /a?b=c {} "" []`,
		`1`:                                     `1 / - "" []`,
		`1/custom,`:                             `1 /custom - "" []`,
		`2[42,"n"]`:                             `2 / - "42" ["n"]`,
		`2[-1.5e3]`:                             `2 / - "-1.5e3" []`,
		`2["\u0061\"b"]`:                        `2 / - "a\"b" []`,
		" 2":                                    ``,
		"2 [ \"a\" , [1, 2] ,\t{ } ] ":          `2 / - "a" [[1, 2],{ }]`,
		`2["a","\\","\"]",{"]":"}"}]`:           `2 / - "a" ["\\","\"]",{"]":"}"}]`,
		`2["a",{"_placeholder":true,"num":7}]`:  `2 / - "a" [{"_placeholder":true,"num":7}]`, // ordinary data in a text packet
		`2["a",123456789012345678901234567890]`: `2 / - "a" [123456789012345678901234567890]`,
		`3[]`:                                   `3 / - "" []`, // an ACK without an id is nothing, but no offence
	} {
		p, err := socketio.Decode(text)
		if want == "" {
			if err == nil {
				t.Errorf("%q was accepted", text)
			}
			continue
		}
		if err != nil {
			t.Errorf("%q: %v", text, err)
			continue
		}
		auth := "-"
		if p.Auth != nil {
			auth = string(p.Auth)
		}
		if got := fmt.Sprintf("%s %s %s %q %s", p.Type, p.Namespace, auth, p.Event, p.Args.JSON()); got != want {
			t.Errorf("%q: got %s, want %s", text, got, want)
		}
	}
}

// brokenPackets are what a client must not send, whatever its state.
var brokenPackets = []string{
	``, `7`, `9["a"]`, `a`, `x2["a"]`, // type
	`2`, `21`, `2{}`, `2"a"`, `2[]`, `2[{}]`, `2[null]`, `2[true]`, `2[["a"]]`, `2[{"toString":1}]`, // event
	`2["a"`, `2["a",]`, `2["a"]]`, `2["a"] x`, `2[a]`, `2["a",01]`, `2["\x"]`, "2[\"a\x01\"]", "2[\"\xff\"]", // JSON
	`2["connect"]`, `2["connect_error"]`, `2["disconnect"]`, `2["disconnecting"]`, `2["newListener"]`, `2["removeListener"]`,
	`2["\u0063onnect"]`,
	`0[]`, `0null`, `0"a"`, `01{}x`, // CONNECT
	`1{}`, `1[]`, `1/a,[]`, // DISCONNECT
	`3`, `31`, `31{}`, `31"a"`, // ACK
	`4`, `4{"message":"x"}`, // CONNECT_ERROR
	`5["a"]`, `5-["a"]`, `50-["a"]`, `511-["a"]`, `5999999999-["a"]`, `51e1-["a"]`, `5+1-["a"]`, `51.0-["a"]`, `51.-["a"]`, `5:-["a"]`, `518446744073709551617-["a"]`, `5 1-["a"]`, `50x1-["a"]`, `51`, `51-`, `60-[]`, `6[]`,
	`51-["a",{"_placeholder":true}]`, `51-["a",{"_placeholder":true,"num":1}]`, `51-["a",{"_placeholder":true,"num":-1}]`,
	`51-["a",{"_placeholder":true,"num":"0"}]`, `51-["a",{"_placeholder":true,"num":0.5}]`, `51-["a",{"_placeholder":true,"num":"splice"}]`,
	`51-["a",{"_placeholder":true,"num":{}}]`, `51-["a",{"\u005fplaceholder":true,"num":9}]`,
	`51-["a",{"_placeholder":true,"num":0},{"_placeholder":true,"num":0}]`, // one attachment, named twice
	`2999999999999999999999["a"]`,
}

func TestBrokenPacketsAreRefused(t *testing.T) {
	for _, text := range brokenPackets {
		if p, err := socketio.Decode(text, slices.Repeat([][]byte{[]byte("x")}, 20)...); err == nil {
			t.Errorf("%q was accepted as %+v", text, p)
		}
	}
}

func TestNestingIsLimited(t *testing.T) {
	nested := func(open, inner, end string, depth int) string {
		return strings.Repeat(open, depth) + inner + strings.Repeat(end, depth)
	}
	if _, err := socketio.Decode(`2["a",` + nested("[", "1", "]", 31) + `]`); err != nil {
		t.Errorf("32 levels were refused: %v", err)
	}
	for _, text := range []string{
		`2["a",` + nested("[", "1", "]", 32) + `]`,
		`2["a",` + nested(`{"a":`, "1", "}", 32) + `]`,
		`2["a",` + nested("[", "1", "]", 400_000) + `]`,
		`0` + nested(`{"a":`, "1", "}", 33),
		`51-["a",` + nested(`{"a":`, "1", "}", 100_000) + `]`,
	} {
		if _, err := socketio.Decode(text); err == nil {
			t.Errorf("%d bytes of deep nesting were accepted", len(text))
		}
	}
}

func TestNumberOfArgumentsIsLimited(t *testing.T) {
	if _, err := socketio.Decode(`2["a"` + strings.Repeat(",1", 1023) + `]`); err != nil {
		t.Errorf("1,023 arguments were refused: %v", err)
	}
	if _, err := socketio.Decode(`2["a"` + strings.Repeat(",1", 400_000) + `]`); err == nil {
		t.Error("400,000 arguments were accepted")
	}
}

func TestNamespaceNamesAreLimited(t *testing.T) {
	if _, err := socketio.Decode(`0/` + strings.Repeat("x", 511)); err != nil {
		t.Error(err)
	}
	if _, err := socketio.Decode(`0/` + strings.Repeat("x", 512)); err == nil {
		t.Error("a name of 513 bytes was accepted")
	}
}

func TestAttachmentsAreLimitedInBytes(t *testing.T) {
	text := `52-["a",{"_placeholder":true,"num":0}]` // the limit in Decode is 1,000
	if _, err := socketio.Decode(text, make([]byte, 600), make([]byte, 400)); err != nil {
		t.Error(err)
	}
	if _, err := socketio.Decode(text, make([]byte, 600), make([]byte, 401)); err == nil {
		t.Error("1,001 bytes were accepted")
	}
}

func TestPlaceholdersAreFoundWhereJavaScriptFindsThem(t *testing.T) {
	data := [][]byte{[]byte("one"), []byte("two")}
	for text, want := range map[string]string{
		`[{"_placeholder":true,"num":1},{"num":0,"_placeholder":true}]`:     `["dHdv","b25l"]`,
		`[[[{"x":{ "num" : 0 , "_placeholder" : true }}]]]`:                 `[[[{"x":"b25l"}]]]`,
		`[{"_placeholder":true,"num":0,"more":{"x":[1]}}]`:                  `["b25l"]`,
		`[{"_placeholder":false,"num":0}]`:                                  `[{"_placeholder":false,"num":0}]`,
		`[{"_placeholder":"true","num":0}]`:                                 `[{"_placeholder":"true","num":0}]`,
		`[{"_placeholder":false,"_placeholder":true,"num":9,"num":1}]`:      `["dHdv"]`,
		`[{"\u005fplaceholder":true,"n\u0075m":1}]`:                         `["dHdv"]`,
		`["{\"_placeholder\":true,\"num\":0}"]`:                             `["{\"_placeholder\":true,\"num\":0}"]`,
		`[{"_placeholder":true,"num":0,"x":{"_placeholder":true,"num":1}}]`: `["b25l"]`,
	} {
		args, err := socketio.ParseArgs([]byte(text), data)
		if err != nil {
			t.Errorf("%s: %v", text, err)
			continue
		}
		got := make([]json.RawMessage, args.Len())
		for i := range got {
			if err := args.Decode(i, &got[i]); err != nil {
				t.Errorf("%s: %v", text, err)
			}
		}
		if joined, _ := json.Marshal(got); string(joined) != want {
			t.Errorf("%s: got %s, want %s", text, joined, want)
		}
	}
}

func TestDecodingAnEventAllocatesLittle(t *testing.T) {
	if raceEnabled {
		t.Skip("impossible here: the race detector allocates too; make check runs this test once more without it")
	}
	text := []byte(`2["sendMessage",{"room":"大厅","nickName":"甲","message":"hello, world"}]`)
	allocs := testing.AllocsPerRun(1000, func() {
		if err := socketio.DecodeOnly(text); err != nil {
			t.Fatal(err)
		}
	})
	if allocs > 1 { // the packet
		t.Errorf("got %v allocations, want at most 1", allocs)
	}
}

func FuzzDecode(f *testing.F) {
	for _, g := range goldens {
		first, second := []byte(nil), []byte(nil)
		if len(g.attachments) > 0 {
			first = g.attachments[0]
		}
		f.Add(g.text, first, second)
	}
	for _, text := range brokenPackets {
		f.Add(text, []byte("x"), []byte(nil))
	}
	f.Add(`52-["e",{"a":{"num":1,"_placeholder":true}}]`, []byte("unused"), []byte("used"))
	f.Add(`2["e",1E700]`, []byte(nil), []byte(nil))
	f.Fuzz(func(t *testing.T, text string, first, second []byte) {
		p, err := socketio.Decode(text, first, second)
		if err != nil {
			return
		}
		if p.Type != "2" && p.Type != "3" {
			return
		}
		var parsed []json.RawMessage // a number may be larger than any float
		if err := json.Unmarshal(p.Args.JSON(), &parsed); err != nil {
			t.Fatalf("%q: args are not JSON: %v", text, err)
		}
		if len(parsed) != p.Args.Len() {
			t.Fatalf("%q: got %d args, want %d", text, p.Args.Len(), len(parsed))
		}
		for i := range parsed {
			var v json.RawMessage
			if err := p.Args.Decode(i, &v); err != nil {
				t.Fatalf("%q: decode argument %d: %v", text, i, err)
			}
		}
		again, attachments, err := socketio.Encode(p.Type, p.Namespace, p.ID, p.Event, p.Args)
		if err != nil {
			t.Fatalf("%q: encode again: %v", text, err)
		}
		q, err := socketio.Decode(again, attachments...)
		if err != nil {
			t.Fatalf("%q: decode %q again: %v", text, again, err)
		}
		if q.Event != p.Event || !sameID(q.ID, p.ID) || q.Namespace != p.Namespace || !sameArgs(q.Args, p.Args) {
			t.Fatalf("%q became %q", text, again)
		}
	})
}

// sameArgs says whether the arguments are the same to who decodes them: placeholders may have been numbered anew.
func sameArgs(a, b socketio.Args) bool {
	if a.Len() != b.Len() {
		return false
	}
	for i := range a.Len() {
		var x, y json.RawMessage
		if a.Decode(i, &x) != nil || b.Decode(i, &y) != nil || !bytes.Equal(x, y) {
			return false
		}
	}
	return true
}
