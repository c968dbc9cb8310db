package engineio_test

import (
	"fmt"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/gobwas/ws"

	"qun/engineio"
)

// answer101 makes a WebSocket and returns the header of the answer.
func (w *world) answer101(query string) http.Header {
	w.Helper()
	conn, err := w.dial()
	if err != nil {
		w.Fatal(err)
	}
	w.Cleanup(func() { conn.Close() })
	header := http.Header{}
	d := ws.Dialer{OnHeader: func(key, value []byte) error {
		header.Add(string(key), string(value))
		return nil
	}}
	if _, _, err := d.Upgrade(conn, wsURL(query)); err != nil {
		w.Fatalf("upgrade: %v", err)
	}
	return header
}

func TestCookieIsSetByTheHandshakeAlone(t *testing.T) {
	custom := &http.Cookie{Name: "sticky", Path: "/chat", MaxAge: 60, Secure: true, SameSite: http.SameSiteStrictMode}
	for name, c := range map[string]struct {
		cookie *http.Cookie
		want   string // with the sid in place of %s; "" for none
	}{
		"off":     {nil, ""},
		"default": {engineio.DefaultCookie(), "io=%s; Path=/; HttpOnly; SameSite=Lax"},
		"custom":  {custom, "sticky=%s; Path=/chat; Max-Age=60; Secure; SameSite=Strict"},
		"no name": {&http.Cookie{}, ""},
	} {
		t.Run(name, func(t *testing.T) {
			overBoth(t, func(t *testing.T, f form) {
				w := start(t, f, nil, engineio.Config{Cookie: c.cookie})
				expect := func(what string, header http.Header, sid string) {
					t.Helper()
					want := strings.ReplaceAll(c.want, "%s", sid)
					if got := strings.Join(header["Set-Cookie"], "|"); got != want {
						t.Errorf("%s: got cookie %q, want %q", what, got, want)
					}
				}
				got := w.do("GET", "EIO=4&transport=polling", "", nil)
				p := &poller{w, parseOpening(t, got.body).SID}
				expect("polling", got.header, p.sid)
				w.session()
				header := w.answer101("EIO=4&transport=websocket")
				expect("websocket", header, w.session().ID())
				for what, header := range map[string]http.Header{
					"post": p.post("4x").header, "poll": p.get().header, "refusal": w.do("GET", "EIO=4&transport=polling&sid=x", "", nil).header,
					"probe": w.answer101("EIO=4&transport=websocket&sid=" + p.sid),
				} {
					if got := header["Set-Cookie"]; got != nil {
						t.Errorf("%s: got cookie %q, want none", what, got)
					}
				}
			})
		})
	}
	if custom.Value != "" {
		t.Errorf("the configured cookie was changed: %+v", custom)
	}
}

func TestHeadersAreAddedToTheAnswerOfAWebSocket(t *testing.T) {
	overBoth(t, func(t *testing.T, f form) {
		w := start(t, f, nil, engineio.Config{
			CORS: &engineio.CORS{Origin: "*"},
			SetHeaders: func(h http.Header, _ *http.Request, initial bool) {
				h.Add("X-Initial", fmt.Sprint(initial))
				h.Set("X-Split", "a\r\nX-Injected: b")
			},
		})
		p, _ := w.poll()
		for query, want := range map[string]string{"EIO=4&transport=websocket": "true", "EIO=4&transport=websocket&sid=" + p.sid: "false"} {
			got := w.answer101(query)
			if !slices.Equal(got["X-Initial"], []string{want}) || got.Get("Access-Control-Allow-Origin") != "*" {
				t.Errorf("%s: got %v, want X-Initial %s and CORS", query, got, want)
			}
			if got.Get("X-Injected") != "" {
				t.Errorf("%s: a header was injected: %v", query, got)
			}
		}
	})
}

// A panic in what the application brought costs the one request, and no place at the gate.
func TestPanickingHooksLeakNothing(t *testing.T) {
	bug := func() { panic("a hook's bug") }
	for name, set := range map[string]func(*engineio.Config){
		"SetHeaders":  func(c *engineio.Config) { c.SetHeaders = func(http.Header, *http.Request, bool) { bug() } },
		"CheckOrigin": func(c *engineio.Config) { c.CheckOrigin = func(*http.Request) bool { bug(); return true } },
		"Admit":       func(c *engineio.Config) { c.Admit = func(*http.Request) (func(), error) { bug(); return nil, nil } },
		"CORS":        func(c *engineio.Config) { c.CORS = &engineio.CORS{Allow: func(string) bool { bug(); return true }} },
	} {
		t.Run(name, func(t *testing.T) {
			overBoth(t, func(t *testing.T, f form) {
				g := &gate{}
				cfg := engineio.Config{Admit: g.admit}
				set(&cfg)
				w := start(t, f, nil, cfg)
				header := http.Header{"Origin": {"http://qun.test"}}
				if got := w.do("GET", "EIO=4&transport=polling", "", header); got.status != http.StatusInternalServerError {
					t.Errorf("polling: got %d %s, want 500", got.status, got.body)
				}
				for name, values := range upgradeHeader {
					header[name] = values
				}
				if got := w.do("GET", "EIO=4&transport=websocket", "", header); got.status != http.StatusInternalServerError {
					t.Errorf("websocket: got %d %s, want 500", got.status, got.body)
				}
				if in, out := g.in.Load(), g.out.Load(); in != out || w.server.Stats().Sessions != 0 {
					t.Errorf("admitted %d, released %d, %d sessions", in, out, w.server.Stats().Sessions)
				}
			})
		})
	}
}

// An observer that panics is not asked for more, and the sessions live and end as if it were not there.
type panicking struct{}

func (panicking) SessionOpened(string)                                               { panic("opened") }
func (panicking) SessionClosed(string, error)                                        { panic("closed") }
func (panicking) Refused(engineio.RefusalCode)                                       { panic("refused") }
func (panicking) RefusedRequest(_ *http.Request, _ engineio.RefusalCode, msg string) { panic(msg) }

func TestPanickingObserverChangesNothing(t *testing.T) {
	overBoth(t, func(t *testing.T, f form) {
		g := &gate{}
		w := start(t, f, nil, engineio.Config{Admit: g.admit, Observer: panicking{}})
		p, _ := w.connect()
		p.send("4x")
		p.expect("4x")
		p.conn.Close()
		w.expectEnd(engineio.ErrTransportClose)
		if got := w.do("GET", "EIO=3&transport=polling", "", nil); got.body != `{"code":5,"message":"Unsupported protocol version"}` {
			t.Errorf("refusal: got %d %s", got.status, got.body)
		}
		w.eventually("released", func() bool { return g.in.Load() == 1 && g.out.Load() == 1 })
	})
}

func TestPanickingReleaseEndsTheSessionAllTheSame(t *testing.T) {
	overBoth(t, func(t *testing.T, f form) {
		w := start(t, f, nil, engineio.Config{Admit: func(*http.Request) (func(), error) { return func() { panic("released") }, nil }})
		p, _ := w.connect()
		p.conn.Close()
		w.expectEnd(engineio.ErrTransportClose)
		w.shutdownNow() // would wait for the session
	})
}

// A clerk writes down what an Observer hears.
type clerk struct {
	mu    sync.Mutex
	notes []string
}

func (c *clerk) note(format string, args ...any) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.notes = append(c.notes, fmt.Sprintf(format, args...))
}

func (c *clerk) read() []string {
	c.mu.Lock()
	defer c.mu.Unlock()
	return slices.Clone(c.notes)
}

func (c *clerk) SessionOpened(transport string) { c.note("opened on %s", transport) }
func (c *clerk) SessionClosed(transport string, reason error) {
	c.note("closed on %s: %v", transport, reason)
}
func (c *clerk) Refused(code engineio.RefusalCode) { c.note("refused %d", code) }
func (c *clerk) RefusedRequest(r *http.Request, code engineio.RefusalCode, message string) {
	c.note("refused %s with %d: %s", r.URL.Query().Get("who"), code, message)
}

func TestObserverHearsOfSessionsAndRefusals(t *testing.T) {
	overBoth(t, func(t *testing.T, f form) {
		c := &clerk{}
		w := start(t, f, nil, engineio.Config{Observer: c, Admit: func(r *http.Request) (func(), error) {
			if r.URL.Query().Get("who") == "eve" {
				return nil, &engineio.Refusal{Message: "nope"}
			}
			return nil, nil
		}})
		var want []string
		expect := func(notes ...string) {
			t.Helper()
			want = append(want, notes...)
			w.eventually("observer hears of it", func() bool { return len(c.read()) >= len(want) })
			if got := c.read(); !slices.Equal(got, want) {
				t.Fatalf("got %q, want %q", got, want)
			}
		}
		w.do("GET", "EIO=4&transport=polling&who=eve", "", nil)
		expect("refused 4", "refused eve with 4: nope")
		w.do("GET", "EIO=4&transport=polling&who=bob&sid=guessed", "", nil)
		expect("refused 1", "refused bob with 1: Session ID unknown")
		header := upgradeHeader.Clone()
		header.Del("Sec-Websocket-Key")
		w.do("GET", "EIO=4&transport=websocket&who=kim", "", header)
		expect("refused 3", "refused kim with 3: "+ws.ErrHandshakeBadSecKey.Error())
		p, _ := w.connect()
		expect("opened on websocket")
		p.conn.Close()
		expect("closed on websocket: transport close")
		q := upgraded(w)
		expect("opened on polling")
		q.conn.Close()
		expect("closed on websocket: transport close")
	})
}
