package socketio_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"strings"
	"testing"
	"time"

	"qun/socketio"
)

type photo struct {
	Name   string            `json:"name"`
	Pixels socketio.Binary   `json:"pixels"`
	Layers []socketio.Binary `json:"layers,omitempty"`
	Extra  map[string]any    `json:"extra,omitempty"`
	Next   *photo            `json:"next,omitempty"`
}

func encoded(t *testing.T, args ...any) (string, []string) {
	t.Helper()
	text, attachments, err := socketio.Encode("2", "/", nil, "e", args...)
	if err != nil {
		t.Fatal(err)
	}
	data := make([]string, len(attachments))
	for i, a := range attachments {
		data[i] = string(a)
	}
	return text, data
}

func TestBinaryBecomesAttachmentsWhereverItStands(t *testing.T) {
	b := func(s string) socketio.Binary { return socketio.Binary(s) }
	for _, c := range []struct {
		arg  any
		text string
		data string // joined with "|"
	}{
		{b("x"), `51-["e",{"_placeholder":true,"num":0}]`, "x"},
		{b(""), `51-["e",{"_placeholder":true,"num":0}]`, ""},
		{[]byte("plain"), `2["e","cGxhaW4="]`, ""},
		{photo{Name: "<a>", Pixels: b("p")}, `51-["e",{"name":"<a>","pixels":{"_placeholder":true,"num":0}}]`, "p"},
		{&photo{Pixels: b("p"), Layers: []socketio.Binary{b("l"), b("m")}, Next: &photo{Pixels: b("n")}},
			`54-["e",{"name":"","pixels":{"_placeholder":true,"num":0},"layers":[{"_placeholder":true,"num":1},{"_placeholder":true,"num":2}],"next":{"name":"","pixels":{"_placeholder":true,"num":3}}}]`, "p|l|m|n"},
		{map[string]any{"a": []any{b("y"), 1}, "b": "z"}, `51-["e",{"a":[{"_placeholder":true,"num":0},1],"b":"z"}]`, "y"},
		{[]any{json.RawMessage(`{"_placeholder":true,"num":0}`), b("k")}, `51-["e",[{"_placeholder":true,"num":0},{"_placeholder":true,"num":0}]]`, "k"},
		{time.Unix(0, 0).UTC(), `2["e","1970-01-01T00:00:00Z"]`, ""},
		{nil, `2["e",null]`, ""},
		{json.RawMessage(nil), `2["e",null]`, ""},
		{json.RawMessage(` {"a": 1e2} `), `2["e", {"a": 1e2} ]`, ""},
	} {
		text, data := encoded(t, c.arg)
		if text != c.text || strings.Join(data, "|") != c.data {
			t.Errorf("%T: got %s %q, want %s %q", c.arg, text, data, c.text, c.data)
		}
	}
}

func TestMarkersCannotBeForged(t *testing.T) {
	leaked, err := json.Marshal(socketio.Binary("secret")) // what a careless application may have shown somebody
	if err != nil {
		t.Fatal(err)
	}
	relayed := json.RawMessage(leaked)
	if text, data := encoded(t, relayed); len(data) != 0 || !strings.Contains(text, string(leaked)) {
		t.Errorf("a relayed value became an attachment: %s %q", text, data)
	}
	type line struct {
		Text string          `json:"text"`
		Raw  json.RawMessage `json:"raw"`
	}
	if text, data := encoded(t, line{Text: string(leaked), Raw: relayed}); len(data) != 0 {
		t.Errorf("a value of a type without Binary was searched: %s %q", text, data)
	}
	if text, data := encoded(t, map[string]any{"text": string(leaked)}); len(data) != 0 {
		t.Errorf("a string became an attachment: %s %q", text, data)
	}
}

func TestRelayedArgsKeepTheirAttachments(t *testing.T) {
	args, err := socketio.ParseArgs([]byte(`[{ "num":1, "_placeholder":true },"x",[{"_placeholder":true,"num":0}]]`), [][]byte{[]byte("zero"), []byte("one")})
	if err != nil {
		t.Fatal(err)
	}
	if text, data := encoded(t, args); text != `52-["e",{ "num":1, "_placeholder":true },"x",[{"_placeholder":true,"num":0}]]` || strings.Join(data, "|") != "zero|one" {
		t.Errorf("alone: got %s %q", text, data)
	}
	text, data := encoded(t, socketio.Binary("first"), args, 7)
	if want := `53-["e",{"_placeholder":true,"num":0},{"_placeholder":true,"num":1},"x",[{"_placeholder":true,"num":2}],7]`; text != want || strings.Join(data, "|") != "first|one|zero" {
		t.Errorf("behind others: got %s %q, want %s", text, data, want)
	}
	rest := args.From(1)
	var texts []string
	if rest.Len() != 2 || rest.Decode(1, &texts) != nil || texts[0] != "emVybw==" {
		t.Errorf("From(1): got %s %q", rest.JSON(), texts)
	}
	if text, data := encoded(t, rest, rest.From(5)); text != `51-["e","x",[{"_placeholder":true,"num":0}]]` || strings.Join(data, "|") != "zero" {
		t.Errorf("From(1): got %s %q, want one attachment", text, data)
	}
}

// An attachment that no value names goes no further: it would make a binary packet of a plain one.
func TestUnusedAttachmentsAreNotRelayed(t *testing.T) {
	for name, c := range map[string]struct {
		array string
		want  string
		data  string
	}{
		"none is named":         {`["x"]`, `2["e","x"]`, ""},
		"one of three is named": {`[{"_placeholder":true,"num":1}]`, `51-["e",{"_placeholder":true,"num":0}]`, "b"},
		"two are, out of order": {`[{"_placeholder":true,"num":2},{"a":{"_placeholder":true,"num":0}}]`, `52-["e",{"_placeholder":true,"num":0},{"a":{"_placeholder":true,"num":1}}]`, "c|a"},
		"all are, out of order": {`[{"_placeholder":true,"num":2},{"_placeholder":true,"num":0},{"_placeholder":true,"num":1}]`, `53-["e",{"_placeholder":true,"num":2},{"_placeholder":true,"num":0},{"_placeholder":true,"num":1}]`, "a|b|c"},
		"what is inside of one": {`[{"_placeholder":true,"num":0,"x":{"_placeholder":true,"num":1}}]`, `51-["e",{"_placeholder":true,"num":0}]`, "a"},
	} {
		args, err := socketio.ParseArgs([]byte(c.array), [][]byte{[]byte("a"), []byte("b"), []byte("c")})
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		if text, data := encoded(t, args); text != c.want || strings.Join(data, "|") != c.data {
			t.Errorf("%s: got %s %q, want %s %q", name, text, data, c.want, c.data)
		}
	}
	within(t, socketio.Config{}, func(w *world) {
		socketio.Handle(w.server.Of("/"), "echo", func(_ context.Context, _ *socketio.Socket, e *socketio.Event) { _ = e.Ack(e.Args) })
		c := w.join("/")
		c.send(`51-7["echo","plain"]`)
		c.sendBinary("unused")
		c.gets(`37["plain"]`)
	})
}

func TestArgsDecode(t *testing.T) {
	args, err := socketio.ParseArgs([]byte(`["a",{"name":"n","pixels":{"_placeholder":true,"num":0}},{"_placeholder":true,"num":1},12345678901234567890]`), [][]byte{{0, 255}, []byte("top")})
	if err != nil {
		t.Fatal(err)
	}
	var s string
	var p photo
	var top []byte
	var n uint64
	missing := "kept"
	if err := args.Scan(&s, &p, &top, &n, &missing); err != nil {
		t.Fatal(err)
	}
	if s != "a" || !bytes.Equal(p.Pixels, []byte{0, 255}) || string(top) != "top" || n != 12345678901234567890 || missing != "kept" {
		t.Errorf("got %q %+v %q %d %q", s, p, top, n, missing)
	}
	if b, ok := args.Binary(2); !ok || string(b) != "top" {
		t.Errorf("Binary(2): got %q, %v", b, ok)
	}
	if _, ok := args.Binary(1); ok {
		t.Error("Binary(1) is an object, not an attachment")
	}
	if args.Raw(-1) != nil || args.Raw(4) != nil {
		t.Error("Raw of a missing argument is not nil")
	}
	if err := args.Decode(0, &n); err == nil {
		t.Error("a string was decoded into a number")
	}
}

func TestValuesThatCannotBeSentAreErrors(t *testing.T) {
	for _, c := range []struct {
		event string
		arg   any
		want  error
	}{
		{"connect", 1, socketio.ErrReservedEvent},
		{"newListener", 1, socketio.ErrReservedEvent},
		{"e", make([]socketio.Binary, 11), socketio.ErrTooManyAttachments},
		{"e", json.RawMessage(`{`), nil},
		{"e", json.RawMessage(`1 2`), nil},
		{"e", make(chan int), nil},
	} {
		_, _, err := socketio.Encode("2", "/", nil, c.event, c.arg)
		if err == nil || (c.want != nil && !errors.Is(err, c.want)) {
			t.Errorf("%s(%T): got %v, want %v", c.event, c.arg, err, c.want)
		}
	}
	if text, _ := encoded(t, "after errors"); text != `2["e","after errors"]` {
		t.Errorf("got %s", text)
	}
}

func TestEncodingAnEventAllocatesLittle(t *testing.T) {
	if raceEnabled {
		t.Skip("impossible here: the race detector allocates too; make check runs this test once more without it")
	}
	raw := any(json.RawMessage(`{"nickName":"甲","message":"hello, world"}`))
	allocs := testing.AllocsPerRun(1000, func() {
		if err := socketio.EncodeOnly("message", raw); err != nil {
			t.Fatal(err)
		}
	})
	if allocs > 5 { // the packet, its frame, the list of packets; the event's name as a value to marshal; the argument list
		t.Errorf("got %v allocations, want at most 5", allocs)
	}
}
