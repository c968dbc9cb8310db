package metrics

import (
	"net/http"
	"net/netip"
)

// LocalOnly hides next from everybody but programs on this machine that ask directly: the peer must have a loopback
// address, the Host header must name this machine (so that no web page can ask), and nobody may have forwarded the
// request. Others are told that there is nothing.
func LocalOnly(next http.Handler, isLoopbackHost func(host string) bool) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		peer, err := netip.ParseAddrPort(r.RemoteAddr)
		forwarded := r.Header.Get("X-Forwarded-For") != "" || r.Header.Get("Forwarded") != "" || r.Header.Get("Via") != ""
		if err != nil || !peer.Addr().Unmap().IsLoopback() || forwarded || !isLoopbackHost(r.Host) {
			http.NotFound(w, r)
			return
		}
		next.ServeHTTP(w, r)
	})
}
