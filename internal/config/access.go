package config

import (
	"errors"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"strings"
)

// Access knows which Host names a request may carry and what a page of some Origin may do. It never changes.
//
// The Host list defeats DNS rebinding: a hostile page can point a name of its own at this machine, but the browser then
// sends that name. An IP address cannot be rebound, so where the server listens on every address any of them will do.
type Access struct {
	hosts      map[string]bool // lower case, without port
	anyIP      bool
	public     string // the origin of --public-url
	origins    map[string]bool
	anyOrigin  bool
	localPages bool // pages from this machine, files included, are welcome
}

// NewAccess derives the rules from the settings and the addresses listened on.
func NewAccess(s *Serve, addresses []netip.AddrPort, e Exposure) *Access {
	a := &Access{hosts: map[string]bool{}, origins: map[string]bool{}, localPages: e == Loopback}
	for _, address := range addresses {
		a.hosts[address.Addr().WithZone("").Unmap().String()] = true
		a.anyIP = a.anyIP || address.Addr().IsUnspecified()
	}
	for _, address := range s.Listen {
		if host, _, err := net.SplitHostPort(address); err == nil && host != "" {
			a.hosts[strings.ToLower(host)] = true
		}
	}
	if u, err := parsePublicURL(s.PublicURL); s.PublicURL != "" && err == nil {
		a.hosts[strings.ToLower(u.Hostname())] = true
		a.public, _ = canonicalOrigin(u.Scheme + "://" + u.Host)
	}
	for _, name := range s.ACMEDomain {
		a.hosts[strings.ToLower(name)] = true
	}
	for _, origin := range s.Origin {
		if origin == "*" {
			a.anyOrigin = true
			continue
		}
		if canonical, err := canonicalOrigin(origin); err == nil {
			a.origins[canonical] = true
		}
	}
	return a
}

// Host says whether the Host header of a request names this server. Ports do not count: a container or a tunnel changes them.
func (a *Access) Host(host string) bool {
	name := hostname(host)
	if a.hosts[name] {
		return true
	}
	ip, err := netip.ParseAddr(name)
	if err != nil {
		return isLocalhost(name) // a name that every system resolves to itself
	}
	return a.anyIP || ip.Unmap().IsLoopback() || a.hosts[ip.WithZone("").Unmap().String()]
}

// Page is what a request says of the page it comes from.
type Page struct {
	Origin string // the header, "" if there is none
	Site   string // Sec-Fetch-Site, which browsers send over TLS and to localhost
	Host   string // the Host header
	Secure bool   // over TLS
}

// PageOf reads it from a request.
func PageOf(r *http.Request) Page {
	return Page{Origin: r.Header.Get("Origin"), Site: r.Header.Get("Sec-Fetch-Site"), Host: r.Host, Secure: r.TLS != nil}
}

// Own says whether a page is this server's own, so that the cookie may speak for it. A request without an Origin comes
// from no page, or from our own: a browser leaves it out only where other pages cannot read the answer.
func (a *Access) Own(p Page) bool {
	if p.Site != "" && p.Site != "same-origin" && p.Site != "none" {
		return false
	}
	return p.Origin == "" || a.ownOrigin(p.Origin, p.Host, p.Secure)
}

func (a *Access) ownOrigin(origin, host string, secure bool) bool {
	canonical, err := canonicalOrigin(origin)
	if err != nil {
		return false
	}
	if canonical == a.public && a.public != "" {
		return true
	}
	if https, err := canonicalOrigin("https://" + host); err == nil && canonical == https {
		return true
	}
	plain, err := canonicalOrigin("http://" + host)
	return err == nil && !secure && canonical == plain
}

// Welcome says whether a page may connect at all. Those that are not our own do so without the cookie.
func (a *Access) Welcome(p Page) bool {
	return p.Origin == "" || a.ownOrigin(p.Origin, p.Host, p.Secure) || a.Foreign(p.Origin)
}

// Foreign says whether pages of that Origin, which is not our own, may connect.
func (a *Access) Foreign(origin string) bool { return a.anyOrigin || a.welcomeForeign(origin) }

func (a *Access) welcomeForeign(origin string) bool {
	if origin == "null" {
		return a.localPages || a.origins["null"]
	}
	canonical, err := canonicalOrigin(origin)
	if err != nil {
		return false
	}
	if a.origins[canonical] {
		return true
	}
	u, err := url.Parse(canonical)
	return a.localPages && err == nil && isLoopbackHost(u.Hostname())
}

func isLoopbackHost(host string) bool {
	if ip, err := netip.ParseAddr(host); err == nil {
		return ip.Unmap().IsLoopback()
	}
	return isLocalhost(host)
}

// IsLoopbackHost says whether a Host header names this machine itself.
func IsLoopbackHost(host string) bool { return isLoopbackHost(hostname(host)) }

// hostname is the Host header without port, brackets and the dot of an absolute name.
func hostname(host string) string {
	if name, _, err := net.SplitHostPort(host); err == nil {
		host = name
	}
	host = strings.TrimSuffix(strings.TrimPrefix(host, "["), "]")
	return strings.ToLower(strings.TrimSuffix(host, "."))
}

var errNoOrigin = errors.New("not an origin")

// canonicalOrigin is an origin in lower case without the scheme's usual port, so that two can be compared.
func canonicalOrigin(origin string) (string, error) {
	if origin == "null" {
		return origin, nil
	}
	u, err := url.Parse(origin)
	if err != nil || u.Host == "" || u.Path != "" || u.RawQuery != "" || u.Fragment != "" || u.User != nil {
		return "", errNoOrigin
	}
	if u.Scheme != "http" && u.Scheme != "https" {
		return "", errNoOrigin
	}
	host := strings.ToLower(u.Host)
	if port := u.Port(); port == map[string]string{"http": "80", "https": "443"}[u.Scheme] {
		host = strings.TrimSuffix(host, ":"+port)
	}
	return u.Scheme + "://" + host, nil
}
