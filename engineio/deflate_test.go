package engineio_test

import (
	"bufio"
	"bytes"
	"compress/flate"
	"crypto/rand"
	"fmt"
	"io"
	"net/http"
	"runtime"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/gobwas/ws"

	"qun/engineio"
)

// compressing is a server that agrees to compression.
var compressing = engineio.Config{PerMessageDeflate: true}

// offer makes a WebSocket with the given offers of extensions, and returns what the server accepted of them.
func (w *world) offer(query, extensions string) (*peer, string) {
	w.Helper()
	conn, err := w.dial()
	if err != nil {
		w.Fatalf("dial: %v", err)
	}
	w.Cleanup(func() { conn.Close() })
	conn.SetDeadline(time.Now().Add(w.form.patience))
	fmt.Fprintf(conn, "GET /engine.io/?%s HTTP/1.1\r\nHost: qun.test\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\n"+
		"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Extensions: %s\r\n\r\n", query, extensions)
	in := bufio.NewReader(conn)
	got, err := http.ReadResponse(in, nil)
	if err != nil || got.StatusCode != http.StatusSwitchingProtocols {
		w.Fatalf("upgrade with extensions %q: got %v (%v), want 101", extensions, got, err)
	}
	return &peer{t: w.T, patience: w.form.patience, conn: conn, in: in}, got.Header.Get("Sec-Websocket-Extensions")
}

// compressed opens a session on a WebSocket with compression.
func (w *world) compressed() (*peer, *engineio.Session) {
	w.Helper()
	p, accepted := w.offer("EIO=4&transport=websocket", "permessage-deflate; client_max_window_bits")
	if want := "permessage-deflate;server_no_context_takeover;client_no_context_takeover"; strings.ReplaceAll(accepted, " ", "") != want {
		w.Fatalf("accepted: got %q, want %q", accepted, want)
	}
	parseOpening(w.T, p.text())
	return p, w.session()
}

// deflate compresses a message as a client does.
func deflate(message string) []byte {
	var out bytes.Buffer
	z, _ := flate.NewWriter(&out, flate.DefaultCompression)
	io.WriteString(z, message)
	z.Flush()
	return bytes.TrimSuffix(out.Bytes(), []byte("\x00\x00\xff\xff"))
}

// marked is a frame that says that its message is compressed.
func marked(f ws.Frame) ws.Frame {
	f.Header.Rsv |= 4
	return f
}

// message reads a message that may be compressed, and says whether it was.
func (p *peer) message(op ws.OpCode) (data string, compressed bool) {
	p.t.Helper()
	f, err := p.frame()
	if err != nil || f.Header.OpCode != op || !f.Header.Fin {
		p.t.Fatalf("frame: got %+v (%v), want a whole one of kind %#x", f.Header, err, op)
	}
	if f.Header.Rsv == 0 {
		return string(f.Payload), false
	}
	plain, err := io.ReadAll(flate.NewReader(io.MultiReader(bytes.NewReader(f.Payload), strings.NewReader("\x00\x00\xff\xff\x01\x00\x00\xff\xff"))))
	if err != nil || f.Header.Rsv != 4 {
		p.t.Fatalf("compressed frame %+v: %v", f.Header, err)
	}
	return string(plain), true
}

// noise is n bytes that do not become smaller.
func noise(n int) string {
	b := make([]byte, n)
	rand.Read(b)
	return string(b)
}

func TestLargeMessagesAreCompressed(t *testing.T) {
	overBoth(t, func(t *testing.T, f form) {
		w := start(t, f, nil, compressing)
		p, s := w.compressed()
		for _, c := range []struct {
			op         ws.OpCode
			data       string
			compressed bool
		}{
			{ws.OpText, "4" + strings.Repeat("群聊 ", 1000), true},
			{ws.OpBinary, strings.Repeat("\x00\x01\x02", 100_000), true},
			{ws.OpText, "4" + repeat(900), false},
			{ws.OpBinary, noise(5000), false},
			{ws.OpText, "4" + repeat(5000), true},
		} {
			p.write(masked(marked(ws.NewFrame(c.op, true, deflate(c.data)))))
			if got, compressed := p.message(c.op); got != c.data || compressed != c.compressed {
				t.Errorf("message of %d bytes: got %d, compressed %v, want it back, compressed %v", len(c.data), len(got), compressed, c.compressed)
			}
		}
		w.eventually("all is written", func() bool { return engineio.Queued(s) == 0 })
		if out := w.server.Stats().BytesOut; out > 12_000 {
			t.Errorf("wrote %d bytes, want the compressed ones counted", out)
		}
	})
}

func TestPacketsMayRefuseToBeCompressed(t *testing.T) {
	overBoth(t, func(t *testing.T, f form) {
		w := start(t, f, nil, compressing)
		p, s := w.compressed()
		s.Send(text(repeat(5000)).Uncompressed(), text(repeat(6000)))
		for i, compressed := range []bool{false, true} {
			if got, is := p.message(ws.OpText); got != "4"+repeat(5000+i*1000) || is != compressed {
				t.Errorf("message %d: got %d bytes, compressed %v, want compressed %v", i, len(got), is, compressed)
			}
		}
	})
}

func TestUncompressedMessagesAreTakenToo(t *testing.T) {
	overBoth(t, func(t *testing.T, f form) {
		w := start(t, f, nil, compressing)
		p, _ := w.compressed()
		p.send("4plain")
		p.expect("4plain")
	})
}

func TestCompressionBeginsWithTheUpgrade(t *testing.T) {
	overBoth(t, func(t *testing.T, f form) {
		w := start(t, f, nil, compressing)
		p, s := w.poll()
		probe, _ := w.offer("EIO=4&transport=websocket&sid="+p.sid, "permessage-deflate")
		probe.send("2probe")
		probe.expect("3probe")
		s.Send(text(repeat(5000))) // queued by polling, and sent after the switch
		probe.send("5")
		if got, compressed := probe.message(ws.OpText); got != "4"+repeat(5000) || !compressed {
			t.Errorf("got %d bytes, compressed %v, want 5001 and true", len(got), compressed)
		}
	})
}

func TestCompressionIsNegotiated(t *testing.T) {
	inVirtualTime(t, func(t *testing.T, f form) {
		const yes = "permessage-deflate;server_no_context_takeover;client_no_context_takeover"
		on, off := start(t, f, nil, compressing), start(t, f, nil, engineio.Config{})
		for offers, want := range map[string]string{
			"permessage-deflate":                                               yes,
			"permessage-deflate; client_no_context_takeover":                   yes,
			"permessage-deflate; server_no_context_takeover":                   yes,
			"permessage-deflate; client_max_window_bits=9":                     yes,
			"permessage-deflate; server_max_window_bits=9":                     "", // our window is the largest
			"permessage-deflate; server_max_window_bits=9, permessage-deflate": yes,
			"permessage-deflate, permessage-deflate":                           yes,
			"permessage-deflate; unheard_of":                                   "",
			"permessage-deflate; unheard_of, permessage-deflate":               yes,
			"permessage-deflate; server_no_context_takeover=1":                 "",
			"permessage-deflate; client_max_window_bits=99":                    "",
			"x-webkit-deflate-frame":                                           "",
			"constructor":                                                      "",
		} {
			if _, got := on.offer("EIO=4&transport=websocket", offers); strings.ReplaceAll(got, " ", "") != want {
				t.Errorf("offers %q: got %q, want %q", offers, got, want)
			}
			if _, got := off.offer("EIO=4&transport=websocket", offers); got != "" {
				t.Errorf("offers %q while it is off: got %q, want none", offers, got)
			}
		}
	})
}

func TestCompressedMessagesMayBeInPieces(t *testing.T) {
	overBoth(t, func(t *testing.T, f form) {
		w := start(t, f, nil, engineio.Config{PerMessageDeflate: true, MaxFragments: 10_000})
		p, _ := w.compressed()
		want := "4" + strings.Repeat(noise(10)+"again and again", 300)
		want = strings.ToValidUTF8(want, "?")
		data := deflate(want)
		go func() {
			for i := range data {
				frame := ws.NewFrame(ws.OpContinuation, i == len(data)-1, data[i:i+1])
				if i == 0 {
					frame.Header.OpCode = ws.OpText
					frame = marked(frame)
				}
				p.conn.Write(masked(frame))
				if i == 5 {
					p.conn.Write(masked(ws.NewPongFrame(nil))) // control frames may come between
				}
			}
		}()
		if got, _ := p.message(ws.OpText); got != want {
			t.Errorf("got %d bytes, want %d", len(got), len(want))
		}
	})
}

// What cannot be compressed grows, and is as large as allowed all the same.
func TestTheLargestMessageIsFineCompressed(t *testing.T) {
	overBoth(t, func(t *testing.T, f form) {
		w := start(t, f, nil, engineio.Config{PerMessageDeflate: true, MaxPayload: 100_000})
		p, _ := w.compressed()
		for _, data := range []string{noise(100_000), repeat(100_000)} {
			go p.conn.Write(masked(marked(ws.NewBinaryFrame(deflate(data)))))
			if got, _ := p.message(ws.OpBinary); got != data {
				t.Errorf("got %d bytes, want 100000", len(got))
			}
		}
	})
}

func TestBadCompressedFramesCloseWithTheirCode(t *testing.T) {
	whole := func(op ws.OpCode, data []byte) []byte { return masked(marked(ws.NewFrame(op, true, data))) }
	first := masked(marked(ws.NewFrame(ws.OpText, false, deflate("4x"))))
	reserved := ws.NewTextFrame(deflate("4x"))
	reserved.Header.Rsv = 2
	for name, c := range map[string]struct {
		bytes []byte
		code  ws.StatusCode
	}{
		"one byte too large":     {whole(ws.OpBinary, deflate(repeat(1001))), ws.StatusMessageTooBig},
		"bomb":                   {whole(ws.OpBinary, deflate(repeat(500_000))), ws.StatusMessageTooBig},
		"large while compressed": {whole(ws.OpBinary, deflate(noise(1200))), ws.StatusMessageTooBig},
		"large in pieces": {slices.Concat(masked(marked(ws.NewFrame(ws.OpBinary, false, []byte(noise(1000))))),
			masked(ws.NewFrame(ws.OpContinuation, true, []byte(noise(200))))), ws.StatusMessageTooBig},
		"garbage":             {whole(ws.OpBinary, []byte("\xff\xff\xff")), ws.StatusInvalidFramePayloadData},
		"not all of it":       {whole(ws.OpBinary, deflate(noise(500))[:100]), ws.StatusInvalidFramePayloadData},
		"bad UTF-8":           {whole(ws.OpText, deflate("4\xff")), ws.StatusInvalidFramePayloadData},
		"mark on a later one": {slices.Concat(first, masked(marked(ws.NewFrame(ws.OpContinuation, true, nil)))), ws.StatusProtocolError},
		"mark on a ping":      {whole(ws.OpPing, nil), ws.StatusProtocolError},
		"mark on a close":     {whole(ws.OpClose, nil), ws.StatusProtocolError},
		"another mark":        {masked(reserved), ws.StatusProtocolError},
		"empty message":       {whole(ws.OpText, deflate("")), ws.StatusNoStatusRcvd},
	} {
		t.Run(name, func(t *testing.T) {
			overBoth(t, func(t *testing.T, f form) {
				w := start(t, f, nil, engineio.Config{PerMessageDeflate: true, MaxPayload: 1000})
				p, _ := w.compressed()
				go p.conn.Write(c.bytes)
				p.expectClose(c.code)
			})
		})
	}
}

// A bomb is known by its first bytes beyond the limit. The rest is not even looked at.
func TestBombsAreInflatedNoFurtherThanTheLimit(t *testing.T) {
	bomb := masked(marked(ws.NewFrame(ws.OpBinary, true, deflate(repeat(50_000_000)))))
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	_, err := engineio.DecodeFrames(100_000, 10, true, [][]byte{bomb}, func(ws.OpCode, []byte) error { return nil })
	runtime.ReadMemStats(&after)
	if err == nil {
		t.Error("a message of 50 MB was taken, the limit is 100 kB")
	}
	if grown := after.TotalAlloc - before.TotalAlloc; grown > 2_000_000 {
		t.Errorf("%d bytes were allocated for it", grown)
	}
}

func TestCompressedFramesAreRefusedWhereNothingWasAgreed(t *testing.T) {
	overBoth(t, func(t *testing.T, f form) {
		w := start(t, f, nil, compressing)
		p, _ := w.connect()
		p.write(masked(marked(ws.NewTextFrame(deflate("4x")))))
		p.expectClose(ws.StatusProtocolError)
	})
}

// A broadcast is compressed once, whoever takes it first, and reaches those without compression as it is.
func TestABroadcastIsCompressedOnce(t *testing.T) {
	overBoth(t, func(t *testing.T, f form) {
		w := start(t, f, nil, compressing)
		packet := text(repeat(10_000))
		plain, s := w.connect()
		sessions := []*engineio.Session{s}
		var peers []*peer
		for range 8 {
			p, s := w.compressed()
			peers, sessions = append(peers, p), append(sessions, s)
		}
		for _, s := range sessions {
			s.Send(packet)
		}
		for _, p := range peers {
			if got, compressed := p.message(ws.OpText); got != "4"+repeat(10_000) || !compressed {
				t.Errorf("got %d bytes, compressed %v", len(got), compressed)
			}
		}
		plain.expect("4" + repeat(10_000))
		if a, b := engineio.Compressed(packet), engineio.Compressed(packet); &a[0] != &b[0] {
			t.Error("the compressed form was made twice")
		}
	})
}

// A peer that is behind gets frames of both kinds, cut anywhere, in order.
func TestCompressedFramesQueueForASlowPeer(t *testing.T) {
	overBoth(t, func(t *testing.T, f form) {
		w := start(t, f, nil, engineio.Config{PerMessageDeflate: true, OutboxBytes: 1 << 30})
		p, s := w.compressed()
		var want []string
		for i := range 300 {
			data := fmt.Sprint(i, " ", repeat(i*100%5000))
			if i%3 == 0 {
				data = fmt.Sprintf("%d %x", i, noise(20_000))
			}
			want = append(want, "4"+data)
			s.Send(text(data))
		}
		w.onShard(s, func(*engineio.Shard) {})
		for i, want := range want {
			if got, _ := p.message(ws.OpText); got != want {
				t.Fatalf("message %d: got %.20q, want %.20q", i, got, want)
			}
		}
		w.eventually("nothing is kept", func() bool { return w.server.Stats().QueuedBytes == 0 && engineio.Queued(s) == 0 })
	})
}
