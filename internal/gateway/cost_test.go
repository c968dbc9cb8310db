package gateway_test

import (
	"bytes"
	"context"
	"net"
	"net/http"
	"strings"
	"testing"

	"github.com/gobwas/ws"

	"qun/internal/chat"
	"qun/internal/gateway"
)

// promptStore makes sends durable at once, so that what the database costs is not counted.
type promptStore struct {
	chat.Store
	hear func([]chat.Event)
	head chat.Seq
	said [1]chat.Event
}

func (s *promptStore) Hear(hear func([]chat.Event)) {
	s.hear = hear
	s.Store.Hear(hear)
}

func (s *promptStore) AppendMessage(_ context.Context, p *chat.Posting) (*chat.Sent, error) {
	s.head++
	p.Message.Seq, p.Message.Rev = s.head, s.head
	s.said[0] = chat.MessageEvent(&chat.Group{}, &p.Message)
	s.hear(s.said[:])
	return &chat.Sent{Message: &p.Message}, nil
}

// wire is a connection whose user spares the server's process any allocation.
type wire struct {
	net.Conn
	t    testing.TB
	buf  [64 << 10]byte
	keep int // bytes at the beginning of buf that were looked at
}

func (h *house) wire(t testing.TB) *wire {
	t.Helper()
	c, err := net.Dial("tcp", strings.TrimPrefix(h.url, "http://"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Close() })
	u := strings.Replace(h.url, "http", "ws", 1) + "/socket.io/?EIO=4&transport=websocket"
	request, err := http.NewRequest(http.MethodGet, u, nil)
	if err != nil {
		t.Fatal(err)
	}
	if _, _, err := (ws.Dialer{}).Upgrade(c, request.URL); err != nil {
		t.Fatal(err)
	}
	return &wire{Conn: c, t: t}
}

// frames is text as a client sends it.
func frames(text string) []byte {
	return ws.MustCompileFrame(ws.MaskFrameInPlace(ws.NewTextFrame([]byte(text))))
}

func (w *wire) write(b []byte) {
	if _, err := w.Write(b); err != nil {
		w.t.Fatal(err)
	}
}

// await reads until the mark was seen n times.
func (w *wire) await(n int, mark []byte) {
	for n > 0 {
		got, err := w.Read(w.buf[w.keep:])
		if err != nil {
			w.t.Fatal(err)
		}
		seen := w.buf[:w.keep+got]
		n -= bytes.Count(seen, mark)
		last := seen[max(0, len(seen)-len(mark)+1):]
		w.keep = copy(w.buf[:], last) // a mark may be cut
	}
}

// A durable message allocates little on its way from the frame to the group and back as an ack, the database left out. Of
// these, five are the engine's (the message, and two packets of two pieces), a dozen socketio's, a dozen the chat's.
func TestDurableMessageAllocatesLittle(t *testing.T) {
	if raceEnabled {
		t.Skip("impossible here: the race detector allocates too; make check runs this test once more without it")
	}
	const burst = 50
	h := openOn(t, gateway.Config{}, chat.Config{Limits: chat.Limits{MessageLength: 100}}, func(s chat.Store) chat.Store { return &promptStore{Store: s, head: 100} })
	w := h.wire(t)
	w.write(frames("40"))
	w.await(1, []byte(`40{"sid"`))
	w.write(frames(`420["joinRoom",{"roomName":"one","nickName":"小明"}]`))
	w.await(1, []byte(`"token"`))
	var sends []byte
	for range burst {
		sends = append(sends, frames(`421["sendMessage",{"room":"one","message":"`+strings.Repeat("x", 64)+`"}]`)...)
	}
	ok := []byte(`"ok":true`)
	perRun := testing.AllocsPerRun(100, func() {
		w.write(sends)
		w.await(burst, ok)
	})
	if perMessage := perRun / burst; perMessage > 50 {
		t.Errorf("got %.1f allocations per message, want at most 50", perMessage)
	}
}
