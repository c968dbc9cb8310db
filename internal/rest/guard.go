package rest

import (
	"crypto/tls"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"net/netip"
	"strings"
	"sync"
)

// contentSecurityPolicy lets pages run nothing but our own files, and connect to nobody but us.
const contentSecurityPolicy = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data: blob:; media-src 'self' blob:; " +
	"connect-src 'self'; font-src 'self'; manifest-src 'self'; worker-src 'self'; " +
	"base-uri 'none'; form-action 'self'; frame-ancestors 'none'"

// Guard is what every request passes first.
type Guard struct {
	// Host says whether a Host header names this server.
	Host func(host string) bool
	// Proxies are the networks whose X-Forwarded-For and X-Forwarded-Proto are believed.
	Proxies []netip.Prefix
	// SecureHost is the host under which only TLS leads here, ended by somebody in front; "" if there is none.
	SecureHost string
	// Logger is told once of a proxy that is not believed. Nil discards.
	Logger *slog.Logger

	unknownProxy sync.Once
}

// Wrap puts the guard in front of next. A request of a believed proxy reaches next with the address and the scheme of
// the client: RemoteAddr is the client's, and TLS is set if the client's connection was.
func (g *Guard) Wrap(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		r = g.unproxied(r)
		secureHeaders(w.Header(), r.TLS != nil)
		if !g.Host(r.Host) {
			refuseHost(w, r)
			return
		}
		next.ServeHTTP(w, r)
	})
}

func secureHeaders(h http.Header, secure bool) {
	h.Set("Content-Security-Policy", contentSecurityPolicy)
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("X-Frame-Options", "DENY")
	h.Set("Referrer-Policy", "same-origin")
	h.Set("Permissions-Policy", "geolocation=(), microphone=(), payment=(), usb=()")
	if secure { // browsers complain about either over plain http
		h.Set("Cross-Origin-Opener-Policy", "same-origin")
		h.Set("Strict-Transport-Security", "max-age=31536000")
	}
}

// refuseHost explains itself: whoever meets it is mostly an operator who just gave the machine a name.
func refuseHost(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("Content-Type", "text/plain; charset=utf-8")
	w.Header().Set("Cache-Control", "no-store")
	w.WriteHeader(http.StatusMisdirectedRequest)
	fmt.Fprintf(w, "This server does not answer to the name %q.\nStart it with --public-url and that address if it is right.\n", r.Host)
}

// unproxied is r as the client sent it to the proxy in front of us.
func (g *Guard) unproxied(r *http.Request) *http.Request {
	peer, ok := remoteIP(r.RemoteAddr)
	forwarded := r.Header.Values("X-Forwarded-For")
	secure := r.TLS == nil && g.SecureHost != "" && strings.EqualFold(r.Host, g.SecureHost)
	switch {
	case !ok || !g.believed(peer):
		if len(forwarded) > 0 {
			g.tellOnce(peer)
		}
		forwarded = nil
	case strings.EqualFold(r.Header.Get("X-Forwarded-Proto"), "https"):
		secure = r.TLS == nil
	}
	if len(forwarded) == 0 && !secure {
		return r
	}
	r = r.WithContext(r.Context()) // a shallow copy: a handler must not change what it was given
	if client := g.client(forwarded); client != "" {
		r.RemoteAddr = client
	}
	if secure {
		r.TLS = &tls.ConnectionState{} // that there is one is all that is asked
	}
	return r
}

// client is the last address of the list that no believed proxy has: those before it anybody can write.
func (g *Guard) client(forwarded []string) string {
	hops := strings.Split(strings.Join(forwarded, ","), ",")
	for i := len(hops) - 1; i >= 0; i-- {
		ip, err := netip.ParseAddr(strings.TrimSpace(hops[i]))
		if err != nil {
			return ""
		}
		if i == 0 || !g.believed(ip) {
			return net.JoinHostPort(ip.Unmap().String(), "0")
		}
	}
	return ""
}

func (g *Guard) believed(ip netip.Addr) bool {
	for _, proxy := range g.Proxies {
		if proxy.Contains(ip.Unmap()) {
			return true
		}
	}
	return false
}

func (g *Guard) tellOnce(peer netip.Addr) {
	g.unknownProxy.Do(func() {
		if g.Logger != nil {
			g.Logger.Warn("a proxy that is not configured forwards requests: all its clients share the limits of one address; start with --trusted-proxy if it is yours", "proxy", peer)
		}
	})
}

func remoteIP(address string) (netip.Addr, bool) {
	if parsed, err := netip.ParseAddrPort(address); err == nil {
		return parsed.Addr().Unmap(), true
	}
	return netip.Addr{}, false
}
