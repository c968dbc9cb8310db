package rest_test

import (
	"bytes"
	"compress/gzip"
	"context"
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"strings"
	"testing"
	"testing/fstest"
	"time"

	"qun/internal/auth"
	"qun/internal/chat"
	"qun/internal/rest"
)

// people is a chat in which 林老师 is taken.
type people struct {
	rest.Chat
	made int
}

func (p *people) Registration() chat.Registration { return "" }
func (p *people) ServerName() string              { return "" }

func (p *people) NewGuest(_ context.Context, nickName string, strict bool) (*chat.User, error) {
	if nickName == "林老师" && strict {
		e := chat.Refuse(chat.CodeNameTaken, "taken", "有人用了")
		e.Suggestion = "林老师2"
		return nil, e
	}
	p.made++
	return &chat.User{ID: chat.UserID("guest-" + string(rune('0'+p.made))), NickName: nickName, Guest: true}, nil
}

func (p *people) UpdateMe(ctx context.Context, who *chat.User, in chat.MyChanges) (*chat.Me, error) {
	named, err := p.NewGuest(ctx, *in.NickName, true)
	if err != nil {
		return nil, err
	}
	renamed := *who
	renamed.NickName = named.NickName
	return &chat.Me{User: &renamed}, nil
}

// keys is all that guests need of a store: who never spoke has no row.
type keys struct{ auth.Store }

func (keys) Setting(_ context.Context, _ string, initial []byte) ([]byte, error) { return initial, nil }
func (keys) Account(context.Context, chat.UserID) (*auth.Account, error) {
	return nil, auth.ErrNotFound
}

// site is the routes on a server of their own, and a browser's cookie.
type site struct {
	http.Handler
	auth      *auth.Service
	people    *people
	signedOut []*auth.Identity
	cookie    *http.Cookie
	wait      time.Duration
}

func newSite(t *testing.T, change func(*rest.Config)) *site {
	t.Helper()
	who, err := auth.New(t.Context(), keys{}, auth.Config{})
	if err != nil {
		t.Fatal(err)
	}
	s := &site{people: &people{}}
	cfg := rest.Config{
		Chat: s.people, Auth: who,
		Own: func(r *http.Request) bool {
			origin := r.Header.Get("Origin")
			return origin == "" || origin == "http://localhost:3000"
		},
		Throttle:  func(*http.Request) time.Duration { return s.wait },
		SignedOut: func(who *auth.Identity) { s.signedOut = append(s.signedOut, who) },
	}
	if change != nil {
		change(&cfg)
	}
	s.Handler, s.auth = rest.New(cfg), cfg.Auth
	return s
}

// ask sends a request as the site's own page does, and keeps the cookie as a browser does.
func (s *site) ask(method, path, body string, change ...func(*http.Request)) *httptest.ResponseRecorder {
	r := httptest.NewRequest(method, "http://localhost:3000"+path, strings.NewReader(body))
	r.Header.Set("Origin", "http://localhost:3000")
	if body != "" {
		r.Header.Set("Content-Type", "application/json")
	}
	if s.cookie != nil {
		r.AddCookie(s.cookie)
	}
	for _, c := range change {
		c(r)
	}
	w := httptest.NewRecorder()
	s.ServeHTTP(w, r)
	for _, c := range w.Result().Cookies() {
		s.cookie = c
		if c.MaxAge < 0 {
			s.cookie = nil
		}
	}
	return w
}

func userIn(t *testing.T, w *httptest.ResponseRecorder) *chat.User {
	t.Helper()
	var body struct{ User *chat.User }
	if err := json.Unmarshal(w.Body.Bytes(), &body); err != nil || w.Code != http.StatusOK {
		t.Fatalf("got %d %s", w.Code, w.Body)
	}
	return body.User
}

func wantRefused(t *testing.T, w *httptest.ResponseRecorder, status int, code chat.Code) {
	t.Helper()
	var body struct {
		Error struct {
			Code    chat.Code
			Message string
		}
	}
	err := json.Unmarshal(w.Body.Bytes(), &body)
	if err != nil || w.Code != status || body.Error.Code != code || body.Error.Message == "" {
		t.Errorf("got %d %s, want %d %s", w.Code, w.Body, status, code)
	}
}

func TestAGuestIsOnePersonForAllTabs(t *testing.T) {
	s := newSite(t, nil)
	if got := userIn(t, s.ask("GET", "/api/v1/session", "")); got != nil {
		t.Fatalf("nobody is %+v", got)
	}
	first := userIn(t, s.ask("POST", "/api/v1/session", `{"nickName":"小明"}`))
	if first.NickName != "小明" || !first.Guest {
		t.Fatalf("got %+v", first)
	}
	if got := userIn(t, s.ask("GET", "/api/v1/session", "")); got.ID != first.ID {
		t.Errorf("another tab is %+v, want %+v", got, first)
	}
	for _, body := range []string{`{"nickName":"小明"}`, `{"nickName":""}`, `{}`} {
		if got := userIn(t, s.ask("POST", "/api/v1/session", body)); got.ID != first.ID || got.NickName != "小明" {
			t.Errorf("%s made %+v of %+v", body, got, first)
		}
	}
}

func TestAGuestMayComeBackUnderAnotherName(t *testing.T) {
	s := newSite(t, nil)
	first := userIn(t, s.ask("POST", "/api/v1/session", `{"nickName":"小明"}`))
	second := userIn(t, s.ask("POST", "/api/v1/session", `{"nickName":"大明"}`))
	if second.ID != first.ID || second.NickName != "大明" {
		t.Errorf("got %+v after %+v", second, first)
	}
	if got := userIn(t, s.ask("GET", "/api/v1/session", "")); got.NickName != "大明" {
		t.Errorf("the cookie says %+v", got)
	}
}

func TestATakenNameIsRefusedWithASuggestion(t *testing.T) {
	s := newSite(t, nil)
	w := s.ask("POST", "/api/v1/session", `{"nickName":"林老师"}`)
	wantRefused(t, w, http.StatusConflict, chat.CodeNameTaken)
	if !strings.Contains(w.Body.String(), `"suggestion":"林老师2"`) || s.cookie != nil {
		t.Errorf("got %s, cookie %v", w.Body, s.cookie)
	}
}

func TestSigningOutTakesTheCookieBack(t *testing.T) {
	s := newSite(t, nil)
	user := userIn(t, s.ask("POST", "/api/v1/session", `{"nickName":"小明"}`))
	if w := s.ask("DELETE", "/api/v1/session", ""); w.Code != http.StatusNoContent || s.cookie != nil {
		t.Errorf("got %d, cookie %v", w.Code, s.cookie)
	}
	if len(s.signedOut) != 1 || s.signedOut[0].User.ID != user.ID {
		t.Errorf("told of %+v", s.signedOut)
	}
	if w := s.ask("DELETE", "/api/v1/session", ""); w.Code != http.StatusNoContent {
		t.Errorf("signing out twice: got %d", w.Code)
	}
}

func TestAStaleCookieIsNobodyAndTakenBack(t *testing.T) {
	s := newSite(t, nil)
	s.cookie = auth.Cookie("g.AAAA.AAAA", false)
	if got := userIn(t, s.ask("GET", "/api/v1/session", "")); got != nil {
		t.Errorf("got %+v", got)
	}
	if s.cookie != nil {
		t.Errorf("the browser still has %v", s.cookie)
	}
}

func TestABadBearerTokenIsRefused(t *testing.T) {
	s := newSite(t, nil)
	w := s.ask("GET", "/api/v1/session", "", func(r *http.Request) { r.Header.Set("Authorization", "Bearer g.AAAA.AAAA") })
	wantRefused(t, w, http.StatusUnauthorized, chat.CodeUnauthorized)
}

func TestOtherSitesCanNeitherChangeNorRead(t *testing.T) {
	s := newSite(t, nil)
	user := userIn(t, s.ask("POST", "/api/v1/session", `{"nickName":"小明"}`))
	evil := func(r *http.Request) { r.Header.Set("Origin", "https://evil.example") }
	wantRefused(t, s.ask("POST", "/api/v1/session", `{"nickName":"坏人"}`, evil), http.StatusForbidden, chat.CodeForbidden)
	wantRefused(t, s.ask("DELETE", "/api/v1/session", "", evil), http.StatusForbidden, chat.CodeForbidden)
	if got := userIn(t, s.ask("GET", "/api/v1/session", "", evil)); got != nil {
		t.Errorf("another site reads %+v", got)
	}
	if got := userIn(t, s.ask("GET", "/api/v1/session", "")); got == nil || got.ID != user.ID {
		t.Errorf("afterwards the cookie is %+v, want %+v", got, user)
	}
}

func TestOddBodiesAreRefused(t *testing.T) {
	s := newSite(t, nil)
	post := func(body string, change ...func(*http.Request)) *httptest.ResponseRecorder {
		return s.ask("POST", "/api/v1/session", body, change...)
	}
	form := func(r *http.Request) { r.Header.Set("Content-Type", "text/plain") }
	wantRefused(t, post(`{"nickName":"x"}`, form), http.StatusBadRequest, chat.CodeInvalid)
	wantRefused(t, post(`{"nickName":7}`), http.StatusBadRequest, chat.CodeInvalid)
	wantRefused(t, post(`[`), http.StatusBadRequest, chat.CodeInvalid)
	wantRefused(t, post(`{"nickName":"`+strings.Repeat("x", 10_000)+`"}`), http.StatusRequestEntityTooLarge, chat.CodeTooLarge)
	wantRefused(t, s.ask("GET", "/api/v1/nothing", ""), http.StatusNotFound, chat.CodeNotFound)
}

func TestWhoAsksTooOftenIsToldWhenToComeBack(t *testing.T) {
	s := newSite(t, nil)
	s.wait = 1500 * time.Millisecond
	w := s.ask("POST", "/api/v1/session", `{"nickName":"小明"}`)
	wantRefused(t, w, http.StatusTooManyRequests, chat.CodeRateLimited)
	if got := w.Header().Get("Retry-After"); got != "2" || !strings.Contains(w.Body.String(), `"retryAfter":1500`) {
		t.Errorf("Retry-After %q, %s", got, w.Body)
	}
}

func TestRefusalsSpeakTheReadersLanguage(t *testing.T) {
	s := newSite(t, nil)
	w := s.ask("GET", "/api/v1/nothing", "", func(r *http.Request) { r.Header.Set("Accept-Language", "zh-CN,zh;q=0.9") })
	if !strings.Contains(w.Body.String(), "接口") {
		t.Errorf("got %s", w.Body)
	}
}

func TestOverTLSTheCookieIsBoundToTheHost(t *testing.T) {
	s := newSite(t, nil)
	guard := &rest.Guard{Host: func(string) bool { return true }, SecureHost: "localhost:3000"}
	s.Handler = guard.Wrap(s.Handler)
	w := s.ask("POST", "/api/v1/session", `{"nickName":"小明"}`)
	if got := w.Header().Get("Set-Cookie"); !strings.HasPrefix(got, "__Host-qun=") || !strings.Contains(got, "; Secure") {
		t.Errorf("got %q", got)
	}
}

var app = fstest.MapFS{
	"index.html":          {Data: []byte("<!doctype html>app")},
	"favicon.svg":         {Data: []byte("<svg/>")},
	"assets/index-abc.js": {Data: bytes.Repeat([]byte("export const x = 1;\n"), 200)},
}

func withApp(c *rest.Config) {
	c.App = app
	c.Plain = fstest.MapFS{"index.html": {Data: []byte("plain page")}, "plain.js": {Data: []byte("io()")}}
}

func TestAddressesOfTheAppAreItsPage(t *testing.T) {
	s := newSite(t, withApp)
	for path, want := range map[string]string{
		"/":                    "<!doctype html>app",
		"/g/大厅":                "<!doctype html>app",
		"/g/v1.2":              "<!doctype html>app",
		"/g/x/17":              "<!doctype html>app",
		"/i/AbC":               "<!doctype html>app",
		"/settings":            "<!doctype html>app",
		"/index.html":          "<!doctype html>app",
		"/favicon.svg":         "<svg/>",
		"/plain":               "plain page",
		"/plain/plain.js":      "io()",
		"/assets/index-abc.js": "",
	} {
		w := s.ask("GET", path, "", func(r *http.Request) { r.Header.Set("Accept", "text/html") })
		if w.Code != http.StatusOK || want != "" && w.Body.String() != want {
			t.Errorf("%s: got %d %.40q", path, w.Code, w.Body)
		}
	}
	for _, path := range []string{"/assets/gone.js", "/nothing.js", "/assets/", "/plain/nothing", "/plain/..%2f..%2fetc/passwd", "/assets/../../x"} {
		if w := s.ask("GET", path, ""); w.Code == http.StatusOK {
			t.Errorf("%s: got %d %.40q", path, w.Code, w.Body)
		}
	}
	if w := s.ask("POST", "/g/x", "{}"); w.Code != http.StatusMethodNotAllowed {
		t.Errorf("POST: got %d", w.Code)
	}
}

func TestHashedFilesAreKeptAndPagesAreAskedForAgain(t *testing.T) {
	s := newSite(t, withApp)
	if got := s.ask("GET", "/assets/index-abc.js", "").Header().Get("Cache-Control"); !strings.Contains(got, "immutable") {
		t.Errorf("asset: got %q", got)
	}
	first := s.ask("GET", "/", "")
	if got := first.Header().Get("Cache-Control"); got != "no-cache" {
		t.Errorf("page: got %q", got)
	}
	again := s.ask("GET", "/", "", func(r *http.Request) { r.Header.Set("If-None-Match", first.Header().Get("ETag")) })
	if again.Code != http.StatusNotModified || again.Body.Len() != 0 {
		t.Errorf("again: got %d %q", again.Code, again.Body)
	}
}

func TestLargeFilesAreCompressedForWhoTakesThem(t *testing.T) {
	s := newSite(t, withApp)
	ask := func(encoding string) *httptest.ResponseRecorder {
		return s.ask("GET", "/assets/index-abc.js", "", func(r *http.Request) { r.Header.Set("Accept-Encoding", encoding) })
	}
	w := ask("br, gzip")
	if w.Header().Get("Content-Encoding") != "gzip" || w.Header().Get("Content-Type") != "text/javascript; charset=utf-8" {
		t.Fatalf("got %v", w.Header())
	}
	z, err := gzip.NewReader(w.Body)
	if err != nil {
		t.Fatal(err)
	}
	if plain, _ := io.ReadAll(z); !bytes.Equal(plain, app["assets/index-abc.js"].Data) {
		t.Errorf("got %d bytes", len(plain))
	}
	for _, encoding := range []string{"", "br", "gzip;q=0", "gzip;q=0.0"} {
		if w := ask(encoding); w.Header().Get("Content-Encoding") != "" || w.Body.Len() != len(app["assets/index-abc.js"].Data) {
			t.Errorf("%q: got %v, %d bytes", encoding, w.Header(), w.Body.Len())
		}
	}
	if plain, zipped := ask("").Header().Get("ETag"), ask("gzip").Header().Get("ETag"); plain == zipped {
		t.Errorf("both forms have the tag %s", plain)
	}
}

func TestWithoutAnAppThePageSaysHowToBuildIt(t *testing.T) {
	s := newSite(t, nil)
	for _, path := range []string{"/", "/g/x"} {
		if w := s.ask("GET", path, ""); !strings.Contains(w.Body.String(), "make build") || w.Code != http.StatusServiceUnavailable {
			t.Errorf("%s: got %d %s", path, w.Code, w.Body)
		}
	}
}

func TestHealthSaysWhetherTheStoreAnswers(t *testing.T) {
	var broken error
	s := newSite(t, func(c *rest.Config) { c.Healthy = func(context.Context) error { return broken } })
	if w := s.ask("GET", "/healthz", ""); w.Code != http.StatusOK {
		t.Errorf("got %d", w.Code)
	}
	broken = io.ErrUnexpectedEOF
	if w := s.ask("GET", "/healthz", ""); w.Code != http.StatusServiceUnavailable || strings.Contains(w.Body.String(), "EOF") {
		t.Errorf("got %d %s", w.Code, w.Body)
	}
}

func TestEveryAnswerHasTheSecurityHeaders(t *testing.T) {
	s := newSite(t, withApp)
	guard := &rest.Guard{Host: func(host string) bool { return host == "localhost:3000" }}
	s.Handler = guard.Wrap(s.Handler)
	for _, path := range []string{"/", "/api/v1/session", "/healthz", "/plain", "/nothing.js", "/assets/index-abc.js"} {
		h := s.ask("GET", path, "").Header()
		csp := h.Get("Content-Security-Policy")
		if !strings.HasPrefix(csp, "default-src 'none'") || strings.Contains(csp, "unsafe") || h.Get("X-Content-Type-Options") != "nosniff" || h.Get("Referrer-Policy") == "" {
			t.Errorf("%s: got %v", path, h)
		}
	}
	w := s.ask("GET", "/", "", func(r *http.Request) { r.Host = "evil.example:3000" })
	if w.Code != http.StatusMisdirectedRequest || !strings.Contains(w.Body.String(), "--public-url") {
		t.Errorf("a rebound name: got %d %s", w.Code, w.Body)
	}
}

func TestForwardedAddressesAreBelievedOfOurProxiesOnly(t *testing.T) {
	guard := &rest.Guard{
		Host:    func(string) bool { return true },
		Proxies: []netip.Prefix{netip.MustParsePrefix("10.0.0.0/8")},
	}
	for _, c := range []struct {
		peer      string
		forwarded []string
		proto     string
		want      string
		secure    bool
	}{
		{"192.0.2.9:1", []string{"203.0.113.1"}, "https", "192.0.2.9:1", false},
		{"10.0.0.1:1", []string{"203.0.113.1"}, "https", "203.0.113.1:0", true},
		{"10.0.0.1:1", []string{"1.1.1.1, 203.0.113.1"}, "http", "203.0.113.1:0", false},
		{"10.0.0.1:1", []string{"1.1.1.1", "203.0.113.1, 10.0.0.7"}, "", "203.0.113.1:0", false},
		{"10.0.0.1:1", []string{"10.0.0.9, 10.0.0.7"}, "", "10.0.0.9:0", false},
		{"10.0.0.1:1", []string{"what, 10.0.0.7"}, "", "10.0.0.1:1", false},
		{"10.0.0.1:1", nil, "https", "10.0.0.1:1", true},
		{"[::ffff:10.0.0.1]:1", []string{"2001:db8::1"}, "", "[2001:db8::1]:0", false},
	} {
		var got *http.Request
		h := guard.Wrap(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) { got = r }))
		r := httptest.NewRequest("GET", "http://x/", nil)
		r.RemoteAddr = c.peer
		for _, f := range c.forwarded {
			r.Header.Add("X-Forwarded-For", f)
		}
		if c.proto != "" {
			r.Header.Set("X-Forwarded-Proto", c.proto)
		}
		h.ServeHTTP(httptest.NewRecorder(), r)
		if got.RemoteAddr != c.want || (got.TLS != nil) != c.secure {
			t.Errorf("%s for %q %s: got %s, TLS %v; want %s, %v", c.peer, c.forwarded, c.proto, got.RemoteAddr, got.TLS != nil, c.want, c.secure)
		}
	}
}
