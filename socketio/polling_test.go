package socketio_test

import (
	"encoding/json"
	"net/http/httptest"
	"strings"
	"testing"
	"testing/synctest"

	"qun/socketio"
)

// A poller is a client over long polling, one request at a time.
type poller struct {
	w   *world
	url string
}

func (w *world) poll() *poller {
	w.Helper()
	p := &poller{w, "/socket.io/?EIO=4&transport=polling"}
	var open struct{ SID string }
	if body := p.get(); json.Unmarshal([]byte(strings.TrimPrefix(body, "0")), &open) != nil || open.SID == "" {
		w.Fatalf("got %q, want the open packet", body)
	}
	p.url += "&sid=" + open.SID
	return p
}

func (p *poller) do(method, body string) string {
	answer := httptest.NewRecorder()
	p.w.server.ServeHTTP(answer, httptest.NewRequest(method, p.url, strings.NewReader(body)))
	synctest.Wait()
	return answer.Body.String()
}

func (p *poller) get() string { return p.do("GET", "") }

// post sends Socket.IO packets in one payload.
func (p *poller) post(packets ...string) {
	p.w.Helper()
	if got := p.do("POST", "4"+strings.Join(packets, "\x1e4")); got != "ok" {
		p.w.Errorf("post: got %q", got)
	}
}

func TestEverythingQueuedGoesIntoOnePoll(t *testing.T) {
	within(t, socketio.Config{}, func(w *world) {
		echo(w.server.Of("/"))
		p := w.poll()
		p.post("0", `2["a",1]`, `20["b"]`)
		got := strings.Split(p.get(), "\x1e")
		if len(got) != 4 || !strings.HasPrefix(got[0], "40{") || strings.Join(got[1:], " ") != `42["a",1] 42["b"] 430[]` {
			t.Errorf("got %q", got)
		}
	})
}

func TestEventsBehindADisconnectInTheSamePayloadAreDropped(t *testing.T) {
	within(t, socketio.Config{}, func(w *world) {
		echo(w.server.Of("/"))
		p := w.poll()
		p.post("0", `2["a"]`, "1", `2["late"]`, `20["late"]`, "0")
		got := strings.Split(p.get(), "\x1e")
		if len(got) != 3 || got[1] != `42["a"]` || !strings.HasPrefix(got[2], "40{") {
			t.Errorf("got %q, want CONNECT, a, CONNECT", got)
		}
	})
}

func TestTextThatIsNotUTF8IsNeverRelayed(t *testing.T) {
	within(t, socketio.Config{}, func(w *world) {
		echo(w.server.Of("/"))
		p := w.poll()
		p.post("0")
		p.get()
		p.do("POST", "42[\"a\",\"\xff\"]")
		if n := w.server.Of("/").Len(); n != 0 {
			t.Errorf("got %d sockets, want the connection closed", n)
		}
	})
}
