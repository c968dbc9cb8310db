package engineio_test

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"net/http"
	"testing"
	"time"

	"qun/engineio"
)

func TestSecondPollAtATimeEndsTheSession(t *testing.T) {
	overBoth(t, func(t *testing.T, f form) {
		w := start(t, f, nil, engineio.Config{})
		p, s := w.poll()
		first := p.waitingGet(s)
		if got := p.get(); got.status != http.StatusBadRequest || got.body != "" {
			t.Errorf("second poll: got %d %q, want 400 without a body", got.status, got.body)
		}
		if got := receive(w, first, "first poll"); got.status != http.StatusOK || got.body != "1" {
			t.Errorf("first poll: got %d %q, want 200 1", got.status, got.body)
		}
		w.expectEnd(engineio.ErrTransportError)
		if got := p.get(); got.body != `{"code":1,"message":"Session ID unknown"}` {
			t.Errorf("afterwards: got %d %s", got.status, got.body)
		}
	})
}

func TestSecondPostAtATimeEndsTheSession(t *testing.T) {
	overBoth(t, func(t *testing.T, f form) {
		w := start(t, f, nil, engineio.Config{})
		p, _ := w.poll()
		body, feed := io.Pipe()
		first := make(chan error, 1)
		go func() {
			r, _ := http.NewRequest("POST", "http://qun.test/engine.io/?"+p.query(), body)
			got, err := w.client.Do(r)
			if err == nil {
				got.Body.Close()
			}
			first <- err
		}()
		feed.Write([]byte("4x")) // the first one has begun, or the second would be the first
		w.eventually("second post is refused", func() bool { return p.post("4y").status != http.StatusOK })
		w.expectEnd(engineio.ErrTransportError)
		feed.Close()
		receive(w, first, "first post ends")
	})
}

func TestAbortedPollEndsTheSession(t *testing.T) {
	overBoth(t, func(t *testing.T, f form) {
		w := start(t, f, nil, engineio.Config{})
		p, s := w.poll()
		ctx, abort := context.WithCancel(t.Context())
		p.async(ctx, "GET", "")
		w.eventually("poll waits", func() bool { return engineio.Polls(s) })
		abort()
		w.expectEnd(engineio.ErrTransportError)
	})
}

func TestAPollOutlastsTheDeadlinesOfTheHTTPServer(t *testing.T) {
	inVirtualTime(t, func(t *testing.T, f form) {
		f.web = func(s *http.Server) { s.ReadTimeout, s.WriteTimeout = 5*time.Second, 5*time.Second }
		w := start(t, f, nil, engineio.Config{})
		p, _ := w.poll()
		before := time.Now()
		if got := p.get(); got.status != http.StatusOK || got.body != "2" {
			t.Errorf("poll: got %d %q, want the first ping", got.status, got.body)
		}
		if waited := time.Since(before); waited < 20*time.Second {
			t.Errorf("poll: waited %v, want about 25s", waited)
		}
		p.send("3")
	})
}

func TestBadPayloadsEndTheSession(t *testing.T) {
	for name, body := range map[string]string{
		"empty body":             "",
		"empty packet":           "4a\x1e\x1e4b",
		"empty packet at end":    "4a\x1e",
		"unknown type":           "abc",
		"type 9":                 "9",
		"bad base64":             "b###",
		"short base64":           "bAQI",
		"bad UTF-8":              "4\xff\xfe",
		"bad UTF-8 after a good": "4ok\x1e4\xc3",
	} {
		t.Run(name, func(t *testing.T) {
			inVirtualTime(t, func(t *testing.T, f form) {
				w := start(t, f, nil, engineio.Config{})
				p, _ := w.poll()
				if got := p.post(body); got.status != http.StatusBadRequest {
					t.Errorf("post: got %d %q, want 400", got.status, got.body)
				}
				w.expectEnd(engineio.ErrParse)
			})
		})
	}
}

func TestPacketsBeforeABadOneCount(t *testing.T) {
	overBoth(t, func(t *testing.T, f form) {
		seen := make(chan string, 10)
		w := start(t, f, &handler{onMessage: func(_ *engineio.Session, m engineio.Message) { seen <- string(m.Data) }}, engineio.Config{})
		p, _ := w.poll()
		p.post("4first\x1e4second\x1ewrong\x1e4third")
		w.expectEnd(engineio.ErrParse)
		if a, b := receive(w, seen, "first"), receive(w, seen, "second"); a != "first" || b != "second" || len(seen) != 0 {
			t.Errorf("messages: got %q, %q and %d more", a, b, len(seen))
		}
	})
}

func TestWrongPacketsOfAClient(t *testing.T) {
	overBoth(t, func(t *testing.T, f form) {
		w := start(t, f, nil, engineio.Config{})
		p, _ := w.poll()
		p.send("0", "5", "6", "3", "4still here") // out of place, and harmless
		p.expect("4still here")
		if got := p.post("2"); got.status != http.StatusBadRequest { // in this version only servers ping
			t.Errorf("ping: got %d %q, want 400", got.status, got.body)
		}
		w.expectEnd(engineio.ErrTransportError)
	})
}

func TestOctetStreamIsAnsweredAndEndsTheSession(t *testing.T) {
	overBoth(t, func(t *testing.T, f form) {
		w := start(t, f, nil, engineio.Config{})
		p, _ := w.poll()
		got := p.do("POST", p.query(), "4x", http.Header{"Content-Type": {"application/octet-stream"}})
		if got.status != http.StatusBadRequest {
			t.Errorf("post: got %d %q, want 400", got.status, got.body)
		}
		w.expectEnd(engineio.ErrTransportError)
	})
}

func TestPostIsAnsweredOK(t *testing.T) {
	inVirtualTime(t, func(t *testing.T, f form) {
		w := start(t, f, nil, engineio.Config{})
		p, _ := w.poll()
		got := p.do("POST", p.query(), "4x", http.Header{"Content-Type": {"application/x-www-form-urlencoded"}})
		if got.body != "ok" || got.header.Get("Content-Type") != "text/html" || got.header.Get("Content-Length") != "2" {
			t.Errorf("post: got %q %v", got.body, got.header)
		}
	})
}

func TestOversizePostIsRefusedAndTheSessionSurvives(t *testing.T) {
	overBoth(t, func(t *testing.T, f form) {
		w := start(t, f, nil, engineio.Config{MaxPayload: 1000})
		p, _ := w.poll()
		exact := "4" + repeat(999)
		p.send(exact)
		p.expect(exact)
		if got := p.post("4" + repeat(1000)); got.status != http.StatusRequestEntityTooLarge {
			t.Errorf("one byte more: got %d, want 413", got.status)
		}
		// A chunked body does not say how long it is.
		conn, err := w.dial()
		if err != nil {
			t.Fatal(err)
		}
		defer conn.Close()
		conn.SetDeadline(time.Now().Add(f.patience))
		go func() {
			fmt.Fprintf(conn, "POST /engine.io/?%s HTTP/1.1\r\nHost: qun.test\r\nTransfer-Encoding: chunked\r\n\r\n", p.query())
			for { // without an end
				if _, err := fmt.Fprintf(conn, "64\r\n%s\r\n", repeat(100)); err != nil {
					return
				}
			}
		}()
		got, err := http.ReadResponse(bufio.NewReader(conn), nil)
		if err != nil {
			t.Fatalf("chunked: %v", err)
		}
		got.Body.Close()
		if got.StatusCode != http.StatusRequestEntityTooLarge || !got.Close {
			t.Errorf("chunked: got %d, close %v, want 413 and the connection closed", got.StatusCode, got.Close)
		}
		p.send("4alive")
		p.expect("4alive")
		w.expectNoEnd()
	})
}

func TestBodyThatNeverEndsIsCut(t *testing.T) {
	inVirtualTime(t, func(t *testing.T, f form) {
		w := start(t, f, nil, engineio.Config{})
		p, _ := w.poll()
		conn, err := w.dial()
		if err != nil {
			t.Fatal(err)
		}
		defer conn.Close()
		fmt.Fprintf(conn, "POST /engine.io/?%s HTTP/1.1\r\nHost: qun.test\r\nContent-Length: 10\r\n\r\n4x", p.query())
		begun := time.Now()
		w.expectEnd(engineio.ErrTransportError)
		if waited := time.Since(begun); waited < 29*time.Second || waited > 31*time.Second {
			t.Errorf("cut after %v, want 30s", waited)
		}
	})
}

func TestPeerSaysGoodbyeByPost(t *testing.T) {
	overBoth(t, func(t *testing.T, f form) {
		w := start(t, f, nil, engineio.Config{})
		p, s := w.poll()
		waiting := p.waitingGet(s)
		p.send("4before", "1", "4after")
		switch got := receive(w, waiting, "poll is let go"); got.body {
		case "6", "4before\x1e6", "4before": // the echo may be faster than the goodbye
		default:
			t.Errorf("poll: got %q, want the echo, a noop, or both", got.body)
		}
		w.expectEnd(engineio.ErrTransportClose)
		w.eventually("session is gone", func() bool { return p.get().body == `{"code":1,"message":"Session ID unknown"}` })
	})
}

func TestServerClosesAPollingSession(t *testing.T) {
	t.Run("while a poll waits", func(t *testing.T) {
		overBoth(t, func(t *testing.T, f form) {
			w := start(t, f, nil, engineio.Config{})
			p, s := w.poll()
			waiting := p.waitingGet(s)
			s.Close(engineio.ErrForcedServerClose)
			if got := receive(w, waiting, "poll"); got.status != http.StatusOK || got.body != "1" {
				t.Errorf("poll: got %d %q, want 200 1", got.status, got.body)
			}
			w.expectEnd(engineio.ErrForcedServerClose)
		})
	})
	t.Run("with something left to say", func(t *testing.T) {
		overBoth(t, func(t *testing.T, f form) {
			w := start(t, f, nil, engineio.Config{})
			p, s := w.poll()
			waiting := p.waitingGet(s)
			s.Send(text("last words"))
			s.Close(engineio.ErrForcedServerClose)
			if got := receive(w, waiting, "poll"); got.body != "4last words" {
				t.Errorf("poll: got %q, want the last words alone", got.body)
			}
			p.expect("1")
		})
	})
	t.Run("between polls", func(t *testing.T) {
		overBoth(t, func(t *testing.T, f form) {
			w := start(t, f, nil, engineio.Config{})
			p, s := w.poll()
			s.Send(text("last words"))
			s.Close(engineio.ErrForcedServerClose)
			w.expectEnd(engineio.ErrForcedServerClose)
			p.expect("4last words", "1")
			w.eventually("session is gone", func() bool { return w.server.Stats().Sessions == 0 })
		})
	})
	t.Run("and nobody polls again", func(t *testing.T) {
		inVirtualTime(t, func(t *testing.T, f form) {
			w := start(t, f, nil, engineio.Config{})
			p, s := w.poll()
			s.Close(engineio.ErrForcedServerClose)
			time.Sleep(29 * time.Second)
			if n := w.server.Stats().Sessions; n != 1 {
				t.Errorf("after 29s: got %d sessions, want the poll to have its chance", n)
			}
			time.Sleep(2 * time.Second)
			if got := p.get(); got.status != http.StatusBadRequest || w.server.Stats().Sessions != 0 {
				t.Errorf("after 31s: got %d %q, want the session forgotten", got.status, got.body)
			}
		})
	})
}

// A poll meets a close at every moment, and is always answered.
func TestPollRacingWithACloseIsAnswered(t *testing.T) {
	overBoth(t, func(t *testing.T, f form) {
		w := start(t, f, nil, engineio.Config{})
		for range 50 {
			p, s := w.poll()
			answer := p.async(t.Context(), "GET", "")
			s.Send(text("x"))
			s.Close(engineio.ErrForcedServerClose)
			got := receive(w, answer, "poll")
			if got.body == "4x" {
				got = p.get()
			}
			if got.body != "1" && got.body != "4x\x1e1" {
				t.Fatalf("poll: got %d %q, want the close packet", got.status, got.body)
			}
			w.expectEnd(engineio.ErrForcedServerClose)
		}
	})
}

// A poll that was on its way when the session ended finds nobody, and does not wait for anybody.
func TestPollBehindTheEndIsRefused(t *testing.T) {
	inVirtualTime(t, func(t *testing.T, f form) {
		w := start(t, f, nil, engineio.Config{})
		p, s := w.poll()
		held, release := make(chan struct{}), make(chan struct{})
		s.Shard().Post(run(func(*engineio.Shard) { close(held); <-release }))
		receive(w, held, "shard is busy")
		w.do("POST", p.query(), "4x", http.Header{"Content-Type": {"application/octet-stream"}}) // which ends the session
		answer := p.async(t.Context(), "GET", "")
		settle()
		close(release)
		if got := receive(w, answer, "poll"); got.status != http.StatusBadRequest || got.body != `{"code":1,"message":"Session ID unknown"}` {
			t.Errorf("got %d %s, want 400 and code 1", got.status, got.body)
		}
	})
}
