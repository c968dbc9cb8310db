package engineio_test

import (
	"bytes"
	"log/slog"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/gobwas/ws"

	"qun/engineio"
)

// A ledger is a log that a test can read while it is written.
type ledger struct {
	mu   sync.Mutex
	text bytes.Buffer
}

func (l *ledger) Write(b []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.Write(b)
}

func (l *ledger) has(text string) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	return strings.Contains(l.text.String(), text)
}

// Whatever a peer is refused or closed for stands in the log, in words, and is told to the Observer, who counts.
func TestTheLogAndTheObserverSayWhy(t *testing.T) {
	frames := func(f ...ws.Frame) func(*world) {
		return func(w *world) {
			p, _ := w.connect()
			for i := range f {
				go p.conn.Write(masked(f[i]))
				swallowFrames(p)
			}
		}
	}
	post := func(bodies ...string) func(*world) {
		return func(w *world) {
			p, _ := w.poll()
			for _, body := range bodies {
				p.post(body)
			}
		}
	}
	for name, c := range map[string]struct {
		attack func(*world)
		log    string
		note   string
	}{
		"a message too large":    {frames(ws.NewTextFrame([]byte("4" + repeat(1000)))), "message is larger than the limit", "closed on websocket: transport error: message is larger than the limit"},
		"bad UTF-8":              {frames(ws.NewTextFrame([]byte("4\xff"))), "text is not UTF-8", "closed on websocket: transport error: text is not UTF-8"},
		"an unknown packet":      {frames(ws.NewTextFrame([]byte("x"))), "parse error", "closed on websocket: parse error"},
		"a client's ping":        {frames(ws.NewTextFrame([]byte("2"))), "transport error", "closed on websocket: transport error"},
		"a large payload":        {post("4" + repeat(1000)), "payload is larger than the limit", "refused  with 3: payload is larger than the limit"},
		"a payload that is none": {post("4x\x1e"), "parse error", "closed on polling: parse error"},
		"bytes in a post": {func(w *world) {
			p, _ := w.poll()
			w.do("POST", p.query(), "4x", http.Header{"Content-Type": {"application/octet-stream"}})
		}, "bytes must come as text", "closed on polling: transport error"},
		"two polls": {func(w *world) {
			p, s := w.poll()
			p.waitingGet(s)
			p.get()
		}, "another poll waits already", "closed on polling: transport error"},
		"a guessed session": {func(w *world) { w.do("GET", "EIO=4&transport=polling&sid=x", "", nil) }, "Session ID unknown", "refused  with 1: Session ID unknown"},
		"a foreign origin": {func(w *world) {
			w.do("GET", "EIO=4&transport=polling", "", http.Header{"Origin": {"http://evil.test"}})
		}, "origin not allowed", "refused  with 4: Forbidden"},
		"a large handshake": {func(w *world) { w.do("GET", "EIO=4&transport=polling&x="+repeat(2000), "", nil) }, "header fields too large", "refused  with 3: Request header fields too large"},
		"a peer that does not read": {func(w *world) {
			_, s := w.connect()
			for !s.Closed() {
				s.Send(text(repeat(10_000)))
			}
		}, "slow consumer", "closed on websocket: slow consumer"},
	} {
		t.Run(name, func(t *testing.T) {
			overBoth(t, func(t *testing.T, f form) {
				observer, log := &clerk{}, &ledger{}
				w := start(t, f, nil, engineio.Config{
					MaxPayload: 500, MaxHandshake: 1000, OutboxBytes: 100_000, Observer: observer,
					Logger: slog.New(slog.NewTextHandler(log, &slog.HandlerOptions{Level: slog.LevelDebug})),
				})
				c.attack(w)
				w.eventually("log says "+c.log, func() bool { return log.has(c.log) })
				w.eventually("observer hears "+c.note, func() bool { return slices.Contains(observer.read(), c.note) })
			})
		})
	}
}

// swallowFrames reads until the server has said goodbye.
func swallowFrames(p *peer) {
	for {
		if f, err := p.frame(); err != nil || f.Header.OpCode == ws.OpClose {
			return
		}
	}
}
