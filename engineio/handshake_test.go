package engineio_test

import (
	"bufio"
	"errors"
	"fmt"
	"net/http"
	"reflect"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/gobwas/ws"

	"qun/engineio"
)

func TestPollingHandshakeOffersAnUpgrade(t *testing.T) {
	overBoth(t, func(t *testing.T, f form) {
		w := start(t, f, nil, engineio.Config{PingInterval: 3 * time.Second, PingTimeout: 2 * time.Second, MaxPayload: 1000})
		got := w.do("GET", "EIO=4&transport=polling", "", nil)
		if got.status != http.StatusOK {
			t.Fatalf("status: got %d, want 200", got.status)
		}
		for name, want := range map[string]string{"Content-Type": "text/plain; charset=UTF-8", "Cache-Control": "no-store"} {
			if v := got.header.Get(name); v != want {
				t.Errorf("%s: got %q, want %q", name, v, want)
			}
		}
		o := parseOpening(t, got.body)
		want := opening{SID: o.SID, Upgrades: []string{"websocket"}, PingInterval: 3000, PingTimeout: 2000, MaxPayload: 1000}
		if !reflect.DeepEqual(o, want) || len(o.SID) != 20 {
			t.Errorf("opening: got %+v, want %+v with a sid of 20 characters", o, want)
		}
		if s := w.session(); s.ID() != o.SID || s.Transport() != engineio.Polling {
			t.Errorf("session: got %s on %s, want %s on polling", s.ID(), s.Transport(), o.SID)
		}
	})
}

func TestWebSocketHandshakeBeginsWithTheOpenPacket(t *testing.T) {
	overBoth(t, func(t *testing.T, f form) {
		w := start(t, f, nil, engineio.Config{})
		p, err := w.upgrade("EIO=4&transport=websocket", nil)
		if err != nil {
			t.Fatalf("upgrade: %v", err)
		}
		o := parseOpening(t, p.text())
		want := opening{SID: o.SID, Upgrades: []string{}, PingInterval: 25000, PingTimeout: 20000, MaxPayload: 1000000}
		if !reflect.DeepEqual(o, want) {
			t.Errorf("opening: got %+v, want %+v", o, want)
		}
		if s := w.session(); s.Transport() != engineio.WebSocket {
			t.Errorf("transport: got %s, want websocket", s.Transport())
		}
	})
}

func TestWhatOnOpenSendsComesFirst(t *testing.T) {
	overBoth(t, func(t *testing.T, f form) {
		w := start(t, f, &handler{onMessage: echo, onOpen: func(s *engineio.Session) { s.Send(text("welcome")) }}, engineio.Config{})
		p, _ := w.connect() // which takes the open packet
		p.send("4x")
		p.expect("4welcome", "4x")
		q, _ := w.poll()
		q.send("4x")
		q.expect("4welcome", "4x")
	})
}

func TestNoUpgradeIsOfferedWhereNoneIsPossible(t *testing.T) {
	for name, cfg := range map[string]engineio.Config{
		"disabled":     {DisableUpgrades: true},
		"polling only": {Transports: []string{engineio.Polling}},
	} {
		t.Run(name, func(t *testing.T) {
			inVirtualTime(t, func(t *testing.T, f form) {
				w := start(t, f, nil, cfg)
				got := w.do("GET", "EIO=4&transport=polling", "", nil)
				if o := parseOpening(t, got.body); o.Upgrades == nil || len(o.Upgrades) != 0 {
					t.Errorf("upgrades: got %v, want []", o.Upgrades)
				}
			})
		})
	}
}

var upgradeHeader = http.Header{
	"Upgrade": {"websocket"}, "Connection": {"Upgrade"}, "Sec-Websocket-Version": {"13"}, "Sec-Websocket-Key": {"dGhlIHNhbXBsZSBub25jZQ=="},
}

func TestRefusalsHaveTheirCodeAndText(t *testing.T) {
	inVirtualTime(t, func(t *testing.T, f form) {
		w := start(t, f, nil, engineio.Config{})
		onPolling, _ := w.poll()
		_, session := w.connect()
		for name, c := range map[string]struct {
			method, query string
			want          string
		}{
			"no transport":              {"GET", "EIO=4", `{"code":0,"message":"Transport unknown"}`},
			"unknown transport":         {"GET", "EIO=4&transport=constructor", `{"code":0,"message":"Transport unknown"}`},
			"webtransport":              {"GET", "EIO=4&transport=webtransport", `{"code":0,"message":"Transport unknown"}`},
			"transport before the rest": {"POST", "EIO=3&transport=x&sid=y", `{"code":0,"message":"Transport unknown"}`},
			"unknown session":           {"GET", "EIO=4&transport=polling&sid=nobody", `{"code":1,"message":"Session ID unknown"}`},
			"last sid wins":             {"GET", onPolling.query() + "&sid=nobody", `{"code":1,"message":"Session ID unknown"}`},
			"post without session":      {"POST", "EIO=4&transport=polling", `{"code":2,"message":"Bad handshake method"}`},
			"options without cors":      {"OPTIONS", "EIO=4&transport=polling", `{"code":2,"message":"Bad handshake method"}`},
			"websocket without upgrade": {"GET", "EIO=4&transport=websocket", `{"code":3,"message":"Bad request"}`},
			"session with other EIO":    {"GET", "EIO=3&transport=polling&sid=" + onPolling.sid, `{"code":3,"message":"Bad request"}`},
			"session of a websocket":    {"GET", "EIO=4&transport=polling&sid=" + session.ID(), `{"code":3,"message":"Bad request"}`},
			"post to a websocket":       {"POST", "EIO=4&transport=polling&sid=" + session.ID(), `{"code":3,"message":"Bad request"}`},
			"method of a session":       {"PUT", onPolling.query(), `{"code":3,"message":"Bad request"}`},
			"old protocol":              {"GET", "EIO=3&transport=polling", `{"code":5,"message":"Unsupported protocol version"}`},
			"no protocol":               {"GET", "transport=polling", `{"code":5,"message":"Unsupported protocol version"}`},
		} {
			got := w.do(c.method, c.query, "", nil)
			if got.status != http.StatusBadRequest || got.body != c.want {
				t.Errorf("%s: got %d %s, want 400 %s", name, got.status, got.body, c.want)
			}
			if typ := got.header.Get("Content-Type"); typ != "application/json" {
				t.Errorf("%s: content type: got %q", name, typ)
			}
		}
		w.expectNoEnd()
	})
}

func TestRefusedUpgradesAreAnsweredInPlainText(t *testing.T) {
	inVirtualTime(t, func(t *testing.T, f form) {
		w := start(t, f, nil, engineio.Config{CheckOrigin: func(r *http.Request) bool { return r.Header.Get("Origin") == "" }})
		for name, c := range map[string]struct{ query, origin, want string }{
			"old protocol":         {"EIO=3&transport=websocket", "", "Unsupported protocol version"},
			"unknown session":      {"EIO=4&transport=websocket&sid=nobody", "", "Session ID unknown"},
			"polling with upgrade": {"EIO=4&transport=polling", "", "Bad request"},
			"origin":               {"EIO=4&transport=websocket", "http://elsewhere.test", "Forbidden"},
		} {
			header := upgradeHeader.Clone()
			if c.origin != "" {
				header.Set("Origin", c.origin)
			}
			got := w.do("GET", c.query, "", header)
			if got.status != http.StatusBadRequest || got.body != c.want || got.header.Get("Content-Type") != "text/html" {
				t.Errorf("%s: got %d %q %v, want 400 %q as text/html", name, got.status, got.body, got.header, c.want)
			}
		}
	})
}

func TestOriginIsCheckedOnBothTransports(t *testing.T) {
	overBoth(t, func(t *testing.T, f form) {
		w := start(t, f, nil, engineio.Config{})
		for origin, allowed := range map[string]bool{
			"":                          true,
			"http://qun.test":           true,
			"https://qun.test":          true, // TLS may end in front of the server
			"http://elsewhere.test":     false,
			"http://qun.test.evil.test": false,
			"null":                      false,
		} {
			header := http.Header{}
			if origin != "" {
				header.Set("Origin", origin)
			}
			got := w.do("GET", "EIO=4&transport=polling", "", header)
			if (got.status == http.StatusOK) != allowed {
				t.Errorf("polling from %q: got %d %s, want allowed %v", origin, got.status, got.body, allowed)
			}
			if !allowed && (got.status != http.StatusForbidden || got.body != `{"code":4,"message":"Forbidden"}`) {
				t.Errorf("polling from %q: got %d %s, want 403 with code 4", origin, got.status, got.body)
			}
			if _, err := w.upgrade("EIO=4&transport=websocket", header); (err == nil) != allowed {
				t.Errorf("websocket from %q: got %v, want allowed %v", origin, err, allowed)
			}
		}
		onPolling, _ := w.poll()
		if _, err := w.upgrade("EIO=4&transport=websocket&sid="+onPolling.sid, http.Header{"Origin": {"http://elsewhere.test"}}); err == nil {
			t.Error("probe from elsewhere: got a connection, want a refusal")
		}
	})
}

func TestOddBytesInAnOriginAreABadRequest(t *testing.T) {
	inVirtualTime(t, func(t *testing.T, f form) {
		w := start(t, f, nil, engineio.Config{CheckOrigin: func(*http.Request) bool { return true }})
		conn, err := w.dial()
		if err != nil {
			t.Fatal(err)
		}
		defer conn.Close()
		fmt.Fprintf(conn, "GET /engine.io/?EIO=4&transport=polling HTTP/1.1\r\nHost: qun.test\r\nOrigin: http://a\tb\r\n\r\n")
		got, err := http.ReadResponse(bufio.NewReader(conn), nil)
		if err != nil {
			t.Fatal(err)
		}
		got.Body.Close()
		if got.StatusCode != http.StatusBadRequest {
			t.Errorf("status: got %d, want 400", got.StatusCode)
		}
	})
}

func TestHandshakeKeepsWhatItIsToldTo(t *testing.T) {
	overBoth(t, func(t *testing.T, f form) {
		w := start(t, f, nil, engineio.Config{KeepHeaders: []string{"Origin", "User-Agent", "X-Absent"}, CheckOrigin: func(*http.Request) bool { return true }})
		w.do("GET", "EIO=4&transport=polling&room=a&room=b&x=%F0%9F%8D%8A", "", http.Header{
			"Origin": {"http://elsewhere.test"}, "User-Agent": {"probe/1"}, "Cookie": {"secret=1"},
		})
		h := w.session().Handshake()
		if got := h.Query()["room"] + h.Query()["x"]; got != "b🍊" {
			t.Errorf("query: got %q, want the last room and x", got)
		}
		if h.Header("user-agent") != "probe/1" || h.Header("Cookie") != "" || h.Header("X-Absent") != "" {
			t.Errorf("headers: got %q, %q, want only those of KeepHeaders", h.Header("user-agent"), h.Header("Cookie"))
		}
		if !h.CrossDomain() || h.Secure || h.Host != "qun.test" || !strings.HasPrefix(h.URL, "/engine.io/?EIO=4") {
			t.Errorf("handshake: got %+v", h)
		}
		for name := range h.Headers {
			if name != "Origin" {
				t.Errorf("first header: got %s, want Origin", name)
			}
			break
		}
	})
}

func TestHeadersAreAddedToEveryAnswer(t *testing.T) {
	overBoth(t, func(t *testing.T, f form) {
		w := start(t, f, nil, engineio.Config{SetHeaders: func(h http.Header, _ *http.Request, initial bool) {
			h.Set("X-Initial", fmt.Sprint(initial))
		}})
		got := w.do("GET", "EIO=4&transport=polling", "", nil)
		if v := got.header.Get("X-Initial"); v != "true" {
			t.Errorf("handshake: got %q, want true", v)
		}
		p := &poller{w, parseOpening(t, got.body).SID}
		if v := p.post("4x").header.Get("X-Initial"); v != "false" {
			t.Errorf("post: got %q, want false", v)
		}
		if v := p.get().header.Get("X-Initial"); v != "false" {
			t.Errorf("poll: got %q, want false", v)
		}
		conn, err := w.dial()
		if err != nil {
			t.Fatal(err)
		}
		defer conn.Close()
		seen := ""
		d := ws.Dialer{OnHeader: func(key, value []byte) error {
			if string(key) == "X-Initial" {
				seen = string(value)
			}
			return nil
		}}
		if _, _, err := d.Upgrade(conn, wsURL("EIO=4&transport=websocket")); err != nil || seen != "true" {
			t.Errorf("upgrade: got %q (%v), want true", seen, err)
		}
	})
}

// A gate counts who is let in and who has left.
type gate struct {
	in, out atomic.Int64
	err     error
}

func (g *gate) admit(*http.Request) (func(), error) {
	if g.err != nil {
		return nil, g.err
	}
	g.in.Add(1)
	return func() { g.out.Add(1) }, nil
}

func TestAdmitRefusesAsItSays(t *testing.T) {
	inVirtualTime(t, func(t *testing.T, f form) {
		g := &gate{}
		w := start(t, f, nil, engineio.Config{Admit: g.admit})
		for _, c := range []struct {
			err                      error
			status, upgradeStatus    int
			body, upgradeBody, retry string
		}{
			{errors.New("private"), 403, 400, `{"code":4,"message":"Forbidden"}`, "Forbidden", ""},
			{&engineio.Refusal{Message: "who are you"}, 403, 400, `{"code":4,"message":"who are you"}`, "who are you", ""},
			{fmt.Errorf("gate: %w", &engineio.Refusal{Status: 429, Message: "later", RetryAfter: 1500 * time.Millisecond}), 429, 429, `{"code":4,"message":"later"}`, "later", "2"},
		} {
			g.err = c.err
			got := w.do("GET", "EIO=4&transport=polling", "", nil)
			if got.status != c.status || got.body != c.body || got.header.Get("Retry-After") != c.retry {
				t.Errorf("%v: got %d %s, retry %q", c.err, got.status, got.body, got.header.Get("Retry-After"))
			}
			got = w.do("GET", "EIO=4&transport=websocket", "", upgradeHeader)
			if got.status != c.upgradeStatus || got.body != c.upgradeBody || got.header.Get("Retry-After") != c.retry {
				t.Errorf("%v: upgrade: got %d %s, retry %q", c.err, got.status, got.body, got.header.Get("Retry-After"))
			}
		}
	})
}

func TestWhoIsAdmittedIsReleasedOnce(t *testing.T) {
	leave := map[string]func(w *world){
		"polling session closed by the server": func(w *world) {
			p, s := w.poll()
			s.Close(engineio.ErrForcedServerClose)
			p.expect("1")
		},
		"polling session closed by the peer": func(w *world) {
			p, _ := w.poll()
			p.send("1")
		},
		"websocket cut": func(w *world) {
			p, _ := w.connect()
			p.conn.Close()
		},
		"websocket closed by the server": func(w *world) {
			p, s := w.connect()
			s.Close(engineio.ErrForcedServerClose)
			p.expectClose(ws.StatusNoStatusRcvd)
		},
		"upgraded session": func(w *world) {
			p := upgraded(w)
			p.conn.Close()
		},
		"probe that is left behind": func(w *world) {
			p, s := w.poll()
			probe := w.probe(p.sid)
			probe.send("2probe")
			probe.expect("3probe")
			s.Close(engineio.ErrForcedServerClose)
			probe.expectCut()
			p.expect("1")
		},
		"upgrade without a key": func(w *world) {
			header := upgradeHeader.Clone()
			header.Del("Sec-Websocket-Key")
			if got := w.do("GET", "EIO=4&transport=websocket", "", header); got.status != http.StatusBadRequest {
				w.Errorf("status: got %d, want 400", got.status)
			}
		},
		"handshake after the shutdown": func(w *world) {
			w.shutdownNow()
			got := w.do("GET", "EIO=4&transport=polling", "", nil)
			if got.status != http.StatusServiceUnavailable || got.header.Get("Retry-After") == "" {
				w.Errorf("handshake: got %d %s, want 503 and when to come again", got.status, got.body)
			}
			if p, err := w.upgrade("EIO=4&transport=websocket", nil); err == nil {
				p.expectCut()
			}
		},
		"panicking handler": func(w *world) {
			w.handler.onMessage = func(*engineio.Session, engineio.Message) { panic("a handler's bug") }
			p, _ := w.connect()
			p.send("4x")
			p.expectClose(ws.StatusNoStatusRcvd)
		},
	}
	overBoth(t, func(t *testing.T, f form) {
		for name, leave := range leave {
			g := &gate{}
			w := start(t, f, &handler{}, engineio.Config{Admit: g.admit})
			leave(w)
			w.eventually(name+": released", func() bool { return g.in.Load() > 0 && g.out.Load() == g.in.Load() })
			w.shutdownNow()
			if in, out := g.in.Load(), g.out.Load(); in != out {
				t.Errorf("%s: admitted %d, released %d", name, in, out)
			}
		}
	})
}
