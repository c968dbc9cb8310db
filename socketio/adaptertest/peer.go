package adaptertest

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"

	"qun/socketio"
)

// A peer is a client of one server, over long polling, without a network in between.
type peer struct {
	handler http.Handler
	url     string
	socket  *socketio.Socket

	mu     sync.Mutex
	events []string // as they came, without the leading 42
}

// connect joins the namespace /chat of a server.
func connect(t *testing.T, server *socketio.Server) *peer {
	t.Helper()
	p := &peer{handler: server, url: "/socket.io/?EIO=4&transport=polling"}
	var open struct{ SID string }
	if err := json.Unmarshal([]byte(strings.TrimPrefix(p.do(t.Context(), "GET", ""), "0")), &open); err != nil {
		t.Fatalf("open: %v", err)
	}
	p.url += "&sid=" + open.SID
	p.do(t.Context(), "POST", "40/chat,")
	answer := p.do(t.Context(), "GET", "")
	var id string
	if _, err := fmt.Sscanf(answer, `40/chat,{"sid":%q}`, &id); err != nil {
		t.Fatalf("connect: got %q", answer)
	}
	if p.socket = server.Of("/chat").Socket(socketio.SocketID(id)); p.socket == nil {
		t.Fatal("the socket is unknown to its server")
	}
	p.start(t)
	return p
}

// start polls until the session is gone, or the test is over.
func (p *peer) start(t *testing.T) {
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan struct{})
	go func() {
		defer close(done)
		for ctx.Err() == nil {
			if !p.take(ctx, p.do(ctx, "GET", "")) {
				return
			}
		}
	}()
	t.Cleanup(func() {
		cancel()
		<-done
	})
}

// take notes the packets of one poll. It reports whether the session goes on.
func (p *peer) take(ctx context.Context, payload string) bool {
	for packet := range strings.SplitSeq(payload, "\x1e") {
		switch {
		case packet == "2":
			p.do(ctx, "POST", "3")
		case packet == "6":
		case strings.HasPrefix(packet, "4"), strings.HasPrefix(packet, "b"):
			p.mu.Lock()
			p.events = append(p.events, strings.TrimPrefix(strings.TrimPrefix(packet, "42/chat,"), "4"))
			p.mu.Unlock()
		default: // closed, or an error
			return false
		}
	}
	return true
}

func (p *peer) do(ctx context.Context, method, body string) string {
	answer := httptest.NewRecorder()
	p.handler.ServeHTTP(answer, httptest.NewRequestWithContext(ctx, method, p.url, strings.NewReader(body)))
	return answer.Body.String()
}

func (p *peer) got() []string {
	p.mu.Lock()
	defer p.mu.Unlock()
	return slices.Clone(p.events)
}

// gets waits for the last of the packets, and checks that these came and no others.
func (p *peer) gets(t *testing.T, want ...string) {
	t.Helper()
	waitFor(t, fmt.Sprintf("a client to get %q (got %q)", want, p.got()), func() bool {
		got := p.got()
		return len(got) > 0 && got[len(got)-1] == want[len(want)-1]
	})
	if got := p.got(); !slices.Equal(got, want) {
		t.Errorf("a client got %q, want %q", got, want)
	}
}
