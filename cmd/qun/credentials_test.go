package main_test

import (
	"encoding/json"
	"io"
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"strings"
	"testing"

	"qun/internal/auth"
)

// me is who the socket is for the server; "" is nobody.
func (c *peer) me() (userID string) {
	c.t.Helper()
	var w welcome
	c.hello().into(c.t, &w)
	if w.Me == nil {
		return ""
	}
	return w.Me.UserID
}

// browser is a page of some origin, with the cookies of the server.
type browser struct {
	*http.Client
	p *program
}

func (p *program) browser(t *testing.T) *browser {
	t.Helper()
	jar, err := cookiejar.New(nil)
	if err != nil {
		t.Fatal(err)
	}
	transport := &http.Transport{}
	t.Cleanup(transport.CloseIdleConnections)
	return &browser{&http.Client{Jar: jar, Transport: transport, Timeout: patience}, p}
}

// do sends a request of a page of that origin, and returns the answer's body.
func (b *browser) do(t *testing.T, method, path, body, origin string, change ...func(*http.Request)) (*http.Response, string) {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), method, b.p.url+path, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	if origin != "" {
		r.Header.Set("Origin", origin)
	}
	if body != "" {
		r.Header.Set("Content-Type", "application/json")
	}
	for _, f := range change {
		f(r)
	}
	w, err := b.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer w.Body.Close()
	text, err := io.ReadAll(w.Body)
	if err != nil {
		t.Fatal(err)
	}
	return w, string(text)
}

// signIn makes the browser a guest and returns its id.
func (b *browser) signIn(t *testing.T, nickName string) string {
	t.Helper()
	w, text := b.do(t, "POST", "/api/v1/session", `{"nickName":"`+nickName+`"}`, b.p.url)
	var out struct{ User struct{ UserID string } }
	if err := json.Unmarshal([]byte(text), &out); err != nil || w.StatusCode != http.StatusOK || out.User.UserID == "" {
		t.Fatalf("got %d %s", w.StatusCode, text)
	}
	return out.User.UserID
}

// cookie is the header that the browser sends.
func (b *browser) cookie(t *testing.T) string {
	t.Helper()
	u, err := url.Parse(b.p.url)
	if err != nil {
		t.Fatal(err)
	}
	var pairs []string
	for _, c := range b.Jar.Cookies(u) {
		pairs = append(pairs, c.Name+"="+c.Value)
	}
	return strings.Join(pairs, "; ")
}

func TestCredentialsAreTriedInTheirOrder(t *testing.T) {
	folder := t.TempDir()
	lin, linToken := makeMember(t, folder, "lin")
	wang, wangToken := makeMember(t, folder, "wang")
	p := start(t, "--data", folder)
	b := p.browser(t)
	guest := b.signIn(t, "Anna")
	cookie, own := withHeader("Cookie", b.cookie(t)), withHeader("Origin", p.url)
	bearer := withHeader("Authorization", "Bearer "+wangToken)
	if got := p.dial(t, withToken(linToken), bearer, cookie, own).me(); got != string(lin.ID) {
		t.Errorf("with all three: got %s, want the token's %s", got, lin.ID)
	}
	if got := p.dial(t, bearer, cookie, own).me(); got != string(wang.ID) {
		t.Errorf("with bearer and cookie: got %s, want the bearer's %s", got, wang.ID)
	}
	if got := p.dial(t, cookie, own).me(); got != guest {
		t.Errorf("with the cookie: got %s, want %s", got, guest)
	}
	if got := p.dial(t, own).me(); got != "" {
		t.Errorf("with nothing: got %s", got)
	}
}

func TestTheCookieSpeaksForOurOwnPagesAlone(t *testing.T) {
	p := start(t)
	b := p.browser(t)
	guest := b.signIn(t, "Anna")
	cookie := withHeader("Cookie", b.cookie(t))
	if got := p.dial(t, cookie).me(); got != guest {
		t.Errorf("no page at all: got %q, want %s", got, guest)
	}
	for _, origin := range []string{"null", "http://localhost:5173", "http://127.0.0.1:1", "http://[::1]:8080"} {
		c := p.dial(t, cookie, withHeader("Origin", origin))
		if got := c.me(); got != "" {
			t.Errorf("a page of %s is %s", origin, got)
		}
		c.enter("hall", "Otto") // as a guest of its own
	}
	if got := p.dial(t, cookie, withHeader("Sec-Fetch-Site", "same-site")).me(); got != "" {
		t.Errorf("a blind request of another port is %s", got)
	}
	for _, origin := range []string{"https://evil.example", "http://localhost.evil.example", "file://", "https://"} {
		if _, err := p.try(t, cookie, withHeader("Origin", origin)); err == nil {
			t.Errorf("a page of %s is let in", origin)
		}
	}
}

func TestABadTokenIsAConnectErrorAndAStaleCookieIsNobody(t *testing.T) {
	folder := t.TempDir()
	_, token := makeMember(t, folder, "lin")
	p := start(t, "--data", folder)
	for name, bad := range map[string]any{"forged": "g.AAAA.AAAA", "nonsense": "x", "a number": 7, "an object": object{}, "cut": token[:len(token)-1]} {
		_, err := p.try(t, func(c *sioConfig) { c.Auth = object{"token": bad} })
		if err == nil || !strings.Contains(err.Error(), `"code":"UNAUTHORIZED"`) || !strings.Contains(err.Error(), `44{"message":"`) {
			t.Errorf("%s: got %v", name, err)
		}
	}
	if _, err := p.try(t, withHeader("Authorization", "Bearer nonsense")); err == nil || !strings.Contains(err.Error(), "UNAUTHORIZED") {
		t.Errorf("bearer: got %v", err)
	}
	for _, none := range []any{nil, ""} {
		if got := p.dial(t, func(c *sioConfig) { c.Auth = object{"token": none} }).me(); got != "" {
			t.Errorf("token %v is %s", none, got)
		}
	}
	if got := p.dial(t, withHeader("Cookie", auth.Cookie("g.AAAA.AAAA", false).String())).me(); got != "" {
		t.Errorf("a stale cookie is %s", got)
	}
}

func TestAllTabsOfABrowserAreOneGuest(t *testing.T) {
	p := start(t)
	b := p.browser(t)
	guest := b.signIn(t, "Anna")
	cookie := withHeader("Cookie", b.cookie(t))
	one, two := p.dial(t, cookie), p.dial(t, cookie)
	for _, c := range []*peer{one, two} {
		if in := c.enter("hall", "somebody else"); in.Me.UserID != guest || in.Me.NickName != "Anna" {
			t.Errorf("got %+v", in.Me)
		}
	}
	if again := b.signIn(t, "Anna"); again != guest {
		t.Errorf("a reload makes %s of %s", again, guest)
	}
}

func TestSigningOutEndsTheSockets(t *testing.T) {
	folder := t.TempDir()
	_, token := makeMember(t, folder, "lin")
	p := start(t, "--data", folder)
	b := p.browser(t)
	b.signIn(t, "Anna")
	guest, member := p.dial(t, withHeader("Cookie", b.cookie(t))), p.dial(t, withToken(token))
	guest.hello()
	member.hello()
	if w, text := b.do(t, "DELETE", "/api/v1/session", "", p.url); w.StatusCode != http.StatusNoContent {
		t.Fatalf("got %d %s", w.StatusCode, text)
	}
	guest.ends()
	member.hello() // untouched
	b.do(t, "DELETE", "/api/v1/session", "", p.url, func(r *http.Request) { r.Header.Set("Authorization", "Bearer "+token) })
	member.ends()
	if _, err := p.try(t, withToken(token)); err == nil {
		t.Error("the token still works")
	}
}

// wantTransportClose wants that the connection ended without a Socket.IO DISCONNECT: a client comes back after that.
func wantTransportClose(t *testing.T, c *peer) {
	t.Helper()
	if err := c.Err(); err == nil || strings.Contains(err.Error(), "disconnected the socket") {
		t.Errorf("it ended with %v", err)
	}
}

func TestTheEleventhSocketClosesTheLongestUnheard(t *testing.T) {
	folder := t.TempDir()
	_, token := makeMember(t, folder, "lin")
	p := start(t, "--data", folder)
	var sockets []*peer
	for range 10 {
		c := p.dial(t, withToken(token))
		c.hello()
		sockets = append(sockets, c)
	}
	sockets[0].hello() // heard again: now the second is the longest unheard
	p.dial(t, withToken(token)).hello()
	sockets[1].ends()
	for i, c := range sockets {
		if i != 1 {
			c.hello()
		}
	}
}

func TestPagesOfOtherPortsMayPollAndTheWebMayNot(t *testing.T) {
	p := start(t)
	b := p.browser(t)
	const handshake = "/socket.io/?EIO=4&transport=polling"
	for origin, want := range map[string]string{"null": "null", "http://localhost:5173": "http://localhost:5173", "": ""} {
		w, text := b.do(t, "GET", handshake, "", origin)
		if w.StatusCode != http.StatusOK || w.Header.Get("Access-Control-Allow-Origin") != want || !strings.HasPrefix(text, "0{") {
			t.Errorf("%q: got %d, %q, %s", origin, w.StatusCode, w.Header.Get("Access-Control-Allow-Origin"), text)
		}
		if w.Header.Get("Access-Control-Allow-Credentials") != "" {
			t.Errorf("%q may send cookies", origin)
		}
	}
	w, text := b.do(t, "GET", handshake, "", "https://evil.example")
	if w.StatusCode != http.StatusForbidden || w.Header.Get("Access-Control-Allow-Origin") != "" {
		t.Errorf("evil.example: got %d %v %s", w.StatusCode, w.Header, text)
	}
	w, _ = b.do(t, "OPTIONS", handshake, "", "http://localhost:5173", func(r *http.Request) { r.Header.Set("Access-Control-Request-Method", "POST") })
	if w.StatusCode != http.StatusNoContent || w.Header.Get("Access-Control-Allow-Origin") != "http://localhost:5173" {
		t.Errorf("preflight: got %d %v", w.StatusCode, w.Header)
	}
}

func TestAReboundNameReachesNothing(t *testing.T) {
	p := start(t)
	b := p.browser(t)
	for _, path := range []string{"/", "/healthz", "/metrics", "/api/v1/session", "/socket.io/?EIO=4&transport=polling", "/plain"} {
		w, text := b.do(t, "GET", path, "", "", func(r *http.Request) { r.Host = "evil.example" })
		if w.StatusCode != http.StatusMisdirectedRequest {
			t.Errorf("%s: got %d %s", path, w.StatusCode, text)
		}
	}
	if _, err := p.try(t, withHeader("Host", "evil.example")); err == nil {
		t.Error("a socket is let in")
	}
}

func TestOtherSitesAreInvitedByName(t *testing.T) {
	p := start(t, "--origin", "https://friend.example")
	p.dial(t, withHeader("Origin", "https://friend.example")).enter("hall", "Anna")
	if _, err := p.try(t, withHeader("Origin", "https://foe.example")); err == nil {
		t.Error("another is let in")
	}
}

func TestAddressesAreLimited(t *testing.T) {
	folder := t.TempDir()
	_, token := makeMember(t, folder, "lin")
	p := start(t, "--data", folder, "--limit-sockets", "3", "--limit-handshakes", "0")
	member := p.dial(t, withToken(token))
	member.hello() // does not count
	for range 3 {
		p.dial(t)
	}
	b := p.browser(t)
	w, text := b.do(t, "GET", "/socket.io/?EIO=4&transport=polling", "", "")
	if w.StatusCode != http.StatusServiceUnavailable || w.Header.Get("Retry-After") == "" {
		t.Errorf("the fourth: got %d %v %s", w.StatusCode, w.Header, text)
	}
	p.dial(t, withHeader("Authorization", "Bearer "+token)).hello()
}

func TestHandshakesPerSecondAreLimitedOnTheRealServer(t *testing.T) {
	p := start(t, "--limit-handshakes", "2", "--limit-sockets", "0")
	b := p.browser(t)
	var w *http.Response
	for range 50 {
		if w, _ = b.do(t, "GET", "/socket.io/?EIO=4&transport=polling", "", ""); w.StatusCode != http.StatusOK {
			break
		}
	}
	if w.StatusCode != http.StatusTooManyRequests || w.Header.Get("Retry-After") != "1" {
		t.Errorf("got %d, Retry-After %q", w.StatusCode, w.Header.Get("Retry-After"))
	}
}

func TestZeroLiftsTheLimits(t *testing.T) {
	folder := t.TempDir()
	_, token := makeMember(t, folder, "lin")
	p := start(t, "--data", folder, "--limit-messages", "0", "--limit-handshakes", "0", "--limit-sockets", "0")
	var ofLin []*peer
	for range 12 {
		ofLin = append(ofLin, p.dial(t, withToken(token)))
	}
	for _, c := range ofLin {
		c.hello()
	}
	var last *peer
	for range 120 {
		last = p.dial(t)
	}
	in := last.enter("hall", "Anna")
	for range 50 {
		last.post(in.Group.GroupID, "x")
	}
}

func TestNoSecretReachesTheLog(t *testing.T) {
	folder := t.TempDir()
	_, token := makeMember(t, folder, "lin")
	p := start(t, "--data", folder)
	c := p.dial(t, withToken(token))
	in := c.enter("canary-room", "")
	c.post(in.Group.GroupID, "canary-text")
	_, _ = p.try(t, withToken("canary-token"))
	b := p.browser(t)
	b.signIn(t, "canary-name")
	_, counts := b.do(t, "GET", "/metrics", "", "")
	p.end(t)
	for _, secret := range []string{token, "canary-text", "canary-token", "canary-name", "canary-room"} {
		if strings.Contains(p.err.String()+p.out.String()+counts, secret) {
			t.Errorf("%s is in the log:\n%s", secret, p.err)
		}
	}
}
