package engineio_test

import (
	"slices"
	"testing"

	"github.com/gobwas/ws"

	"qun/engineio"
)

func TestPingFramesAreAnswered(t *testing.T) {
	overBoth(t, func(t *testing.T, f form) {
		w := start(t, f, nil, engineio.Config{})
		p, _ := w.connect()
		p.write(masked(ws.NewPingFrame([]byte("hello"))))
		if got := p.next(ws.OpPong); string(got) != "hello" {
			t.Errorf("pong: got %q, want hello", got)
		}
		p.write(masked(ws.NewPongFrame([]byte("nobody asked"))))
		p.send("4fine")
		p.expect("4fine")
	})
}

func TestPeerClosesWithACloseFrame(t *testing.T) {
	overBoth(t, func(t *testing.T, f form) {
		for _, body := range [][]byte{nil, ws.NewCloseFrameBody(ws.StatusGoingAway, "bye")} {
			w := start(t, f, nil, engineio.Config{})
			p, _ := w.connect()
			p.send("4a")
			p.expect("4a")
			w.eventually("nothing is being written", func() bool { return w.server.Stats().PacketsOut == 2 })
			p.write(masked(ws.NewCloseFrame(body)))
			p.next(ws.OpClose) // the answer that RFC 6455 asks for
			p.expectCut()
			w.expectEnd(engineio.ErrTransportClose)
		}
	})
}

func TestPeerClosesWithAClosePacket(t *testing.T) {
	overBoth(t, func(t *testing.T, f form) {
		w := start(t, f, nil, engineio.Config{})
		p, _ := w.connect()
		w.eventually("nothing is being written", func() bool { return w.server.Stats().PacketsOut == 1 })
		p.send("1")
		p.next(ws.OpClose)
		p.expectCut()
		w.expectEnd(engineio.ErrTransportClose)
	})
}

func TestPeerIsCutOff(t *testing.T) {
	overBoth(t, func(t *testing.T, f form) {
		w := start(t, f, nil, engineio.Config{})
		p, _ := w.connect()
		p.conn.Close()
		w.expectEnd(engineio.ErrTransportClose)
		w.eventually("session is gone", func() bool { return w.server.Stats().Sessions == 0 })
	})
}

func TestServerClosesAWebSocket(t *testing.T) {
	overBoth(t, func(t *testing.T, f form) {
		w := start(t, f, nil, engineio.Config{})
		p, s := w.connect()
		for range 100 {
			s.Send(text(repeat(1000)))
		}
		s.Close(engineio.ErrForcedServerClose)
		for range 100 {
			p.expect("4" + repeat(1000))
		}
		p.next(ws.OpClose)
		p.write(masked(ws.NewCloseFrame(nil)))
		p.expectCut()
		w.expectEnd(engineio.ErrForcedServerClose)
	})
}

func TestBadFramesCloseWithTheirCode(t *testing.T) {
	unmasked := ws.MustCompileFrame(ws.NewTextFrame([]byte("4x")))
	reserved := masked(ws.NewTextFrame([]byte("4x")))
	reserved[0] |= 0x40
	huge := []byte{0x82, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 1, 2, 3, 4}
	announced := []byte{0x82, 0xff, 0, 0, 0, 0, 0x10, 0, 0, 0, 1, 2, 3, 4} // 256 MB, none of them sent
	tooLong := []byte{0x89, 0xfe, 0, 126, 1, 2, 3, 4}
	for name, c := range map[string]struct {
		bytes  []byte
		code   ws.StatusCode
		reason error
	}{
		"not masked":             {unmasked, ws.StatusProtocolError, engineio.ErrTransportError},
		"reserved bit":           {reserved, ws.StatusProtocolError, engineio.ErrTransportError},
		"reserved opcode":        {masked(ws.NewFrame(ws.OpCode(0x3), true, nil)), ws.StatusProtocolError, engineio.ErrTransportError},
		"continues nothing":      {masked(ws.NewFrame(ws.OpContinuation, true, nil)), ws.StatusProtocolError, engineio.ErrTransportError},
		"fragmented ping":        {masked(ws.NewFrame(ws.OpPing, false, nil)), ws.StatusProtocolError, engineio.ErrTransportError},
		"long ping":              {tooLong, ws.StatusProtocolError, engineio.ErrTransportError},
		"new message in another": {slices.Concat(masked(ws.NewFrame(ws.OpText, false, []byte("4"))), masked(ws.NewTextFrame([]byte("4")))), ws.StatusProtocolError, engineio.ErrTransportError},
		"negative length":        {huge, ws.StatusProtocolError, engineio.ErrTransportError},
		"announced too large":    {announced, ws.StatusMessageTooBig, engineio.ErrTransportError},
		"too large":              {masked(ws.NewBinaryFrame([]byte(repeat(1001)))), ws.StatusMessageTooBig, engineio.ErrTransportError},
		"too large in pieces": {slices.Concat(masked(ws.NewFrame(ws.OpBinary, false, []byte(repeat(600)))),
			masked(ws.NewFrame(ws.OpContinuation, true, []byte(repeat(401))))), ws.StatusMessageTooBig, engineio.ErrTransportError},
		"too many pieces": {slices.Concat(masked(ws.NewFrame(ws.OpBinary, false, nil)),
			slices.Repeat(masked(ws.NewFrame(ws.OpContinuation, false, nil)), 10)), ws.StatusPolicyViolation, engineio.ErrTransportError},
		"bad UTF-8": {masked(ws.NewTextFrame([]byte("4\xff"))), ws.StatusInvalidFramePayloadData, engineio.ErrTransportError},
		"bad UTF-8 in pieces": {slices.Concat(masked(ws.NewFrame(ws.OpText, false, []byte("4\xf0\x9f"))),
			masked(ws.NewFrame(ws.OpContinuation, true, []byte("4")))), ws.StatusInvalidFramePayloadData, engineio.ErrTransportError},
		"empty packet":  {masked(ws.NewTextFrame(nil)), ws.StatusNoStatusRcvd, engineio.ErrParse},
		"unknown type":  {masked(ws.NewTextFrame([]byte("abc"))), ws.StatusNoStatusRcvd, engineio.ErrParse},
		"client's ping": {masked(ws.NewTextFrame([]byte("2"))), ws.StatusPolicyViolation, engineio.ErrTransportError},
	} {
		t.Run(name, func(t *testing.T) {
			overBoth(t, func(t *testing.T, f form) {
				var after bool
				h := &handler{onMessage: func(_ *engineio.Session, m engineio.Message) {
					after = after || string(m.Data) == "after"
				}}
				w := start(t, f, h, engineio.Config{MaxPayload: 1000, MaxFragments: 10})
				p, _ := w.connect()
				go func() { // the server may close before it has read all
					p.conn.Write(append(slices.Clone(c.bytes), masked(ws.NewTextFrame([]byte("4after")))...))
				}()
				w.expectEnd(c.reason)
				p.expectClose(c.code)
				if after {
					t.Error("what came behind the bad frame was handled")
				}
			})
		})
	}
}

func TestTheLargestMessageIsFine(t *testing.T) {
	overBoth(t, func(t *testing.T, f form) {
		w := start(t, f, nil, engineio.Config{MaxPayload: 1000})
		p, _ := w.connect()
		p.write(masked(ws.NewFrame(ws.OpBinary, false, []byte(repeat(600)))))
		p.write(masked(ws.NewFrame(ws.OpContinuation, true, []byte(repeat(400)))))
		if got := p.next(ws.OpBinary); len(got) != 1000 {
			t.Errorf("got %d bytes, want 1000", len(got))
		}
	})
}

func TestHarmlessPacketsOutOfPlaceAreIgnored(t *testing.T) {
	overBoth(t, func(t *testing.T, f form) {
		w := start(t, f, nil, engineio.Config{})
		p, _ := w.connect()
		p.send("0", "5", "6", "3", "3junk", "4here")
		p.expect("4here")
	})
}

func TestBinaryInTextFormIsTaken(t *testing.T) {
	overBoth(t, func(t *testing.T, f form) {
		w := start(t, f, nil, engineio.Config{})
		p, _ := w.connect()
		p.send("bAQID")
		if got := p.next(ws.OpBinary); !slices.Equal(got, []byte{1, 2, 3}) {
			t.Errorf("got %v, want 1 2 3", got)
		}
	})
}
