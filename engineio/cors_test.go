package engineio_test

import (
	"net/http"
	"strings"
	"testing"
	"time"

	"qun/engineio"
)

// What the headers are that let pages of other origins read, in the way of the cors package that Node servers use.
func TestCORSHeadersOfEveryAnswer(t *testing.T) {
	const asks = "http://friend.test"
	everybody := func(*http.Request) bool { return true }
	for name, c := range map[string]struct {
		cors   *engineio.CORS
		origin string
		want   map[string]string // of any answer; "" for absent
	}{
		"none": {nil, asks, map[string]string{"Access-Control-Allow-Origin": "", "Vary": ""}},
		"everybody": {&engineio.CORS{Origin: "*"}, asks, map[string]string{
			"Access-Control-Allow-Origin": "*", "Access-Control-Allow-Credentials": "", "Vary": ""}},
		"one origin": {&engineio.CORS{Origin: "http://a.test", Credentials: true}, asks, map[string]string{
			"Access-Control-Allow-Origin": "http://a.test", "Access-Control-Allow-Credentials": "true", "Vary": "Origin"}},
		"no origin asks": {&engineio.CORS{Origin: "http://a.test"}, "", map[string]string{"Access-Control-Allow-Origin": "http://a.test", "Vary": "Origin"}},
		"in the list": {&engineio.CORS{Origins: []string{"http://a.test", asks}, ExposedHeaders: []string{"X-A", "X-B"}}, asks, map[string]string{
			"Access-Control-Allow-Origin": asks, "Access-Control-Expose-Headers": "X-A,X-B", "Vary": "Origin"}},
		"not in the list": {&engineio.CORS{Origins: []string{"http://a.test"}, Credentials: true}, asks, map[string]string{
			"Access-Control-Allow-Origin": "", "Access-Control-Allow-Credentials": "", "Vary": "Origin"}},
		"by function": {&engineio.CORS{Allow: func(o string) bool { return strings.HasSuffix(o, ".test") }}, asks, map[string]string{
			"Access-Control-Allow-Origin": asks, "Vary": "Origin"}},
		"null is an origin like others": {&engineio.CORS{Origins: []string{"http://a.test"}}, "null", map[string]string{"Access-Control-Allow-Origin": ""}},
	} {
		t.Run(name, func(t *testing.T) {
			overBoth(t, func(t *testing.T, f form) {
				w := start(t, f, nil, engineio.Config{CORS: c.cors, CheckOrigin: everybody})
				header := http.Header{}
				if c.origin != "" {
					header.Set("Origin", c.origin)
				}
				p, s := w.poll()
				s.Send(text("x"))
				for what, got := range map[string]response{
					"handshake": w.do("GET", "EIO=4&transport=polling", "", header),
					"poll":      w.do("GET", p.query(), "", header),
					"post":      w.do("POST", p.query(), "4x", header),
					"refusal":   w.do("GET", "EIO=4&transport=nothing", "", header),
					"oversize":  w.do("POST", p.query(), repeat(1_000_001), header),
					"bad post":  w.do("POST", p.query(), "", header),
				} {
					for name, want := range c.want {
						if v := strings.Join(got.header[name], ","); v != want {
							t.Errorf("%s: %s: got %q, want %q", what, name, v, want)
						}
					}
				}
			})
		})
	}
}

func TestPreflightsAreAnswered(t *testing.T) {
	for name, c := range map[string]struct {
		cors *engineio.CORS
		want map[string]string
	}{
		"defaults": {&engineio.CORS{Origin: "*"}, map[string]string{
			"Access-Control-Allow-Methods": "GET,HEAD,PUT,PATCH,POST,DELETE", "Access-Control-Allow-Headers": "x-token,x-other",
			"Access-Control-Max-Age": "", "Vary": "Access-Control-Request-Headers",
		}},
		"all said": {&engineio.CORS{Origins: []string{"http://friend.test"}, Methods: []string{"GET", "POST"}, AllowedHeaders: []string{"X-A", "X-B"},
			ExposedHeaders: []string{"X-C"}, Credentials: true, MaxAge: time.Hour}, map[string]string{
			"Access-Control-Allow-Origin": "http://friend.test", "Access-Control-Allow-Credentials": "true", "Access-Control-Expose-Headers": "X-C",
			"Access-Control-Allow-Methods": "GET,POST", "Access-Control-Allow-Headers": "X-A,X-B", "Access-Control-Max-Age": "3600", "Vary": "Origin",
		}},
	} {
		t.Run(name, func(t *testing.T) {
			overBoth(t, func(t *testing.T, f form) {
				w := start(t, f, nil, engineio.Config{CORS: c.cors})
				for _, query := range []string{"EIO=4&transport=polling", "EIO=4&transport=polling&sid=nobody", ""} {
					got := w.do("OPTIONS", query, "", http.Header{"Origin": {"http://friend.test"},
						"Access-Control-Request-Method": {"POST"}, "Access-Control-Request-Headers": {"x-token,x-other"}})
					if got.status != http.StatusNoContent || got.body != "" {
						t.Errorf("%q: got %d %q, want 204", query, got.status, got.body)
					}
					for name, want := range c.want {
						if v := strings.Join(got.header[name], ","); v != want {
							t.Errorf("%q: %s: got %q, want %q", query, name, v, want)
						}
					}
				}
			})
		})
	}
}
