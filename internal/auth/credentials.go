package auth

import (
	"net/http"
	"strings"
	"time"
)

// The names of the web app's cookie: on TLS with the prefix that makes browsers insist on Secure, Path=/ and no Domain.
const (
	cookieName       = "qun"
	secureCookieName = "__Host-qun"

	// guestCookieLife is as long as browsers keep any cookie; every visit starts it anew.
	guestCookieLife = 400 * 24 * time.Hour
)

// HeaderNames are the request headers in which a credential can be: what a handshake must keep.
var HeaderNames = []string{"Authorization", "Cookie"}

// Credentials is what a request offers to say who asks. A bearer token that is bad refuses the request; a cookie that is
// stale counts as none.
type Credentials struct {
	Bearer string
	Cookie string
}

// ReadCredentials reads a request's headers; header returns the first value of one, or "". The cookie speaks only for
// the server's own pages: own says that one of them asks. Secure says that the request came over TLS.
func ReadCredentials(header func(name string) string, own, secure bool) Credentials {
	var c Credentials
	if scheme, token, ok := strings.Cut(header("Authorization"), " "); ok && strings.EqualFold(scheme, "Bearer") {
		c.Bearer = strings.TrimSpace(token)
	}
	if own {
		c.Cookie = cookieValue(header("Cookie"), secure)
	}
	return c
}

func cookieValue(header string, secure bool) string {
	cookies, err := http.ParseCookie(header)
	if err != nil { // one cookie of somebody else's making must not hide ours
		cookies = (&http.Request{Header: http.Header{"Cookie": {header}}}).Cookies()
	}
	for _, cookie := range cookies {
		if cookie.Name == nameOf(secure) {
			return cookie.Value
		}
	}
	return ""
}

// TrimCookies leaves of a request's cookies the server's own. A page's request brings those of every other program on
// the same host, too.
func TrimCookies(r *http.Request) {
	if r.Header.Get("Cookie") == "" {
		return
	}
	value := cookieValue(r.Header.Get("Cookie"), r.TLS != nil)
	if value == "" || len(value) > maxToken {
		r.Header.Del("Cookie")
		return
	}
	r.Header.Set("Cookie", nameOf(r.TLS != nil)+"="+value)
}

// Cookie carries a token to the web app, out of reach of any script.
func Cookie(token string, secure bool) *http.Cookie {
	life := guestCookieLife
	if strings.HasPrefix(token, memberPrefix) {
		life = SessionLife
	}
	return &http.Cookie{
		Name:     nameOf(secure),
		Value:    token,
		Path:     "/",
		MaxAge:   int(life / time.Second),
		Secure:   secure,
		HttpOnly: true,
		SameSite: http.SameSiteLaxMode,
	}
}

// NoCookie makes the web app's cookie go away.
func NoCookie(secure bool) *http.Cookie {
	cookie := Cookie("", secure)
	cookie.MaxAge = -1
	return cookie
}

func nameOf(secure bool) string {
	if secure {
		return secureCookieName
	}
	return cookieName
}
