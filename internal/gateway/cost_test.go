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
	seen []byte
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
		w.seen = w.buf[:w.keep+got]
		n -= bytes.Count(w.seen, mark)
		last := w.seen[max(0, len(w.seen)-len(mark)+1):]
		w.keep = copy(w.buf[:], last) // a mark may be cut
	}
}

// field is the text behind the first mark in what was read last, up to a quote.
func (w *wire) field(mark string) string {
	_, text, _ := bytes.Cut(w.seen, []byte(mark))
	text, _, _ = bytes.Cut(text, []byte(`"`))
	return string(text)
}

// A durable message allocates little on its way from the frame to the group and back as an ack. The chat's part is measured
// by itself and left out, and so is the database. Of what remains six are the engine's: the message, what its handler gets,
// the channel in which the store waits for a handler's deadline, an entry for the broadcast, and two packets. The others are
// the request, the copy that its texts are parts of, and the name of the group's room.
func TestDurableMessageAllocatesLittle(t *testing.T) {
	if raceEnabled {
		t.Skip("impossible here: the race detector allocates too; make check runs this test once more without it")
	}
	rules := chat.Config{Limits: chat.Limits{MessageLength: 100}}
	h := openOn(t, gateway.Config{}, rules, func(s chat.Store) chat.Store { return &promptStore{Store: s, head: 100} })
	w := h.wire(t)
	w.write(frames("40"))
	w.await(1, []byte(`40{"sid"`))
	w.write(frames(`420["joinRoom",{"roomName":"one","nickName":"小明"}]`))
	w.await(1, []byte(`"token"`))
	group := w.field(`"groupId":"`)
	inChat := h.allocationsInChat(t, rules, group)
	text := strings.Repeat("x", 64)
	for _, c := range []struct {
		name, payload string
		burst         int
		most          float64
	}{
		{"as a page sends", `{"room":"one","nickName":"小明","message":"` + text + `"}`, 50, 12},
		{"as the app does", `{"groupId":"` + group + `","message":"` + text + `","clientId":"0190163d-8694-739b-aea5-966c26f8ad90"}`, 50, 12},
		{"one after another", `{"room":"one","message":"` + text + `","replyTo":7}`, 1, 12},
		{"two lines, by encoding/json", `{"room":"one","message":"one\ntwo"}`, 50, 30},
	} {
		sends := bytes.Repeat(frames(`421["sendMessage",`+c.payload+`]`), c.burst)
		perRun := testing.AllocsPerRun(100, func() {
			w.write(sends)
			w.await(c.burst, []byte(`"ok":true`))
		})
		got := perRun/float64(c.burst) - inChat
		t.Logf("%s: %.1f allocations per message, and %.1f in the chat", c.name, got, inChat)
		if got > c.most {
			t.Errorf("%s: got %.1f allocations per message, want at most %.0f", c.name, got, c.most)
		}
	}
}

type deaf struct{}

func (deaf) Notify(chat.Event) {}

// allocationsInChat is how many a message costs in the chat alone.
func (h *house) allocationsInChat(t *testing.T, rules chat.Config, group string) float64 {
	t.Helper()
	service := chat.New(&promptStore{Store: h.store, head: 100}, deaf{}, rules)
	t.Cleanup(func() { service.Close(context.Background()) })
	by := &chat.User{ID: "0190163d-8694-739b-aea5-966c26f8ad91", NickName: "小明", Guest: true}
	return testing.AllocsPerRun(100, func() {
		in := chat.NewMessage{Group: chat.GroupID(group), Entered: true, Text: "a text"}
		if _, err := service.SendMessage(context.Background(), by, in); err != nil {
			t.Fatal(err)
		}
	})
}
