package engineio_test

import (
	"errors"
	"io"
	"net/http"
	"strconv"
	"testing"
	"time"

	"qun/engineio"
)

// A peer that asks and never reads what it is answered is cut: the goroutine of its request, and what waits for it, are let go.
func TestPeersThatNeverReadTheirAnswersAreCut(t *testing.T) {
	const polling = "EIO=4&transport=polling"
	for name, c := range map[string]struct {
		ask func(p *poller) string
		cfg engineio.Config
	}{
		"a handshake":            {ask: func(*poller) string { return get(polling) }},
		"a poll":                 {ask: func(p *poller) string { return get(p.query()) }},
		"a post":                 {ask: func(p *poller) string { return postOf(p, "4x") }},
		"a post of what is none": {ask: func(p *poller) string { return postOf(p, "?") }},
		"a post that is large":   {ask: func(p *poller) string { return postOf(p, "4"+repeat(100)) }, cfg: engineio.Config{MaxPayload: 50}},
		"a refusal":              {ask: func(*poller) string { return get(polling + "&sid=guessed") }},
		"a refused upgrade":      {ask: func(*poller) string { return upgradeRequest("EIO=3&transport=websocket", "", "") }},
		"a preflight":            {ask: func(*poller) string { return "OPTIONS / HTTP/1.1\r\nHost: qun.test\r\n\r\n" }, cfg: engineio.Config{CORS: &engineio.CORS{Origin: "*"}}},
		"a panic": {ask: func(*poller) string { return "GET /?" + polling + " HTTP/1.1\r\nHost: panic.test\r\n\r\n" }, cfg: engineio.Config{Admit: func(r *http.Request) (func(), error) {
			if r.Host == "panic.test" {
				panic("asked to")
			}
			return nil, nil
		}}},
	} {
		t.Run(name, func(t *testing.T) {
			inVirtualTime(t, func(t *testing.T, f form) {
				f.web = func(s *http.Server) { s.IdleTimeout = time.Hour } // which does not help
				w := start(t, f, nil, c.cfg)
				p, _ := w.poll()
				conn := w.raw(c.ask(p))
				time.Sleep(90 * time.Second) // a poll waits for a ping, and then for its reader
				if n, err := conn.Read(make([]byte, 1)); n > 0 || !errors.Is(err, io.EOF) {
					t.Errorf("90s later: got %d bytes, %v; want the connection cut before", n, err)
				}
			})
		})
	}
}

// Who lets a poll's answer lie has lost packets, so the session ends with it.
func TestSessionOfAPeerThatNeverReadsItsPollEnds(t *testing.T) {
	inVirtualTime(t, func(t *testing.T, f form) {
		w := start(t, f, nil, engineio.Config{PingInterval: time.Hour})
		p, s := w.poll()
		w.raw(get(p.query()))
		w.eventually("poll waits", func() bool { return engineio.Polls(s) })
		begun := time.Now()
		s.Send(text("x"))
		w.expectEnd(engineio.ErrTransportError)
		if waited := time.Since(begun); waited < 29*time.Second || waited > 31*time.Second {
			t.Errorf("ended after %v, want 30s", waited)
		}
	})
}

func TestSessionWhoseHandshakeIsNotReadEnds(t *testing.T) {
	inVirtualTime(t, func(t *testing.T, f form) {
		g := &gate{}
		w := start(t, f, nil, engineio.Config{PingInterval: time.Hour, Admit: g.admit})
		w.raw(get("EIO=4&transport=polling"))
		w.expectEnd(engineio.ErrTransportError)
		w.eventually("its place is given back", func() bool { return g.in.Load() == 1 && g.out.Load() == 1 })
	})
}

func get(query string) string {
	return "GET /engine.io/?" + query + " HTTP/1.1\r\nHost: qun.test\r\n\r\n"
}

func postOf(p *poller, body string) string {
	return "POST /engine.io/?" + p.query() + " HTTP/1.1\r\nHost: qun.test\r\nConnection: keep-alive\r\nContent-Length: " + strconv.Itoa(len(body)) + "\r\n\r\n" + body
}

// The last frame of a connection is for who takes it within a second.
func TestPeerThatDoesNotReadItsGoodbyeIsCut(t *testing.T) {
	inVirtualTime(t, func(t *testing.T, f form) {
		w := start(t, f, nil, beat)
		p, _ := w.connect()
		p.expect("2") // and nothing more
		w.expectEnd(engineio.ErrPingTimeout)
		time.Sleep(2 * time.Second)
		if _, err := p.conn.Write([]byte{0}); err == nil {
			t.Error("the connection is still open")
		}
	})
}
