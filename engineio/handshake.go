package engineio

import (
	"crypto/rand"
	"encoding/base64"
	"net/http"
	"net/url"
	"strings"
	"time"
)

// A Handshake is what a session keeps of the HTTP request that opened it. It never changes.
type Handshake struct {
	Time       time.Time
	RemoteAddr string // as the HTTP server, or a middleware in front of this one, says
	Host       string
	URL        string // path and query, as requested
	Secure     bool   // the request came over TLS

	headers []string // name, value, name, value …: only those of Config.KeepHeaders
}

// newHandshake copies what is kept, so that nothing of the request stays alive with the session.
func newHandshake(r *http.Request, keep []string) *Handshake {
	h := &Handshake{
		Time:       time.Now(),
		RemoteAddr: strings.Clone(r.RemoteAddr),
		Host:       strings.Clone(r.Host),
		URL:        strings.Clone(r.URL.RequestURI()),
		Secure:     r.TLS != nil,
	}
	for _, name := range keep {
		if v := r.Header.Get(name); v != "" {
			h.headers = append(h.headers, name, strings.Clone(v))
		}
	}
	return h
}

// handshakeSize is how many bytes newHandshake would keep.
func handshakeSize(r *http.Request, keep []string) int {
	size := len(r.RemoteAddr) + len(r.Host) + len(r.URL.RequestURI())
	for _, name := range keep {
		size += len(r.Header.Get(name))
	}
	return size
}

// Header returns the first value of a header that Config.KeepHeaders names, or "".
func (h *Handshake) Header(name string) string {
	for i := 0; i < len(h.headers); i += 2 {
		if strings.EqualFold(h.headers[i], name) {
			return h.headers[i+1]
		}
	}
	return ""
}

// Headers calls yield for every kept header, in the order of Config.KeepHeaders.
func (h *Handshake) Headers(yield func(name, value string) bool) {
	for i := 0; i < len(h.headers); i += 2 {
		if !yield(h.headers[i], h.headers[i+1]) {
			return
		}
	}
}

// Query parses the query of the request. Of a repeated name the last value counts.
func (h *Handshake) Query() map[string]string {
	_, raw, _ := strings.Cut(h.URL, "?")
	return lastValues(raw)
}

// CrossDomain says whether a page of another origin made the request.
func (h *Handshake) CrossDomain() bool {
	origin := h.Header("Origin")
	return origin != "" && !sameHost(origin, h.Host)
}

// lastValues parses a query leniently: what cannot be parsed is left out, and of a repeated name the last value counts.
func lastValues(raw string) map[string]string {
	parsed, _ := url.ParseQuery(raw)
	values := make(map[string]string, len(parsed))
	for name, all := range parsed {
		values[name] = all[len(all)-1]
	}
	return values
}

// sameHost says whether an Origin header names the host that the request was sent to.
func sameHost(origin, host string) bool {
	u, err := url.Parse(origin)
	return err == nil && u.Host != "" && strings.EqualFold(u.Host, host)
}

// newSID makes a session id: 15 random bytes, as 20 characters that are safe in a URL. It is the session's only
// credential, so it comes from crypto/rand and must not be shown to others.
func newSID() string {
	var b [15]byte
	rand.Read(b[:]) // never fails, see crypto/rand
	return base64.RawURLEncoding.EncodeToString(b[:])
}
