package main

import (
	"log/slog"
	"net"
	"net/http"
	"net/http/pprof"
	"net/url"
	"strconv"
	"strings"

	"qun/internal/config"
	"qun/internal/metrics"
)

// redirector sends everybody to https.
func redirector(access *config.Access, publicURL string, port uint16, log *slog.Logger) *http.Server {
	return patient(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if !access.Host(r.Host) {
			http.NotFound(w, r)
			return
		}
		w.Header().Set("Cache-Control", "no-store")
		http.Redirect(w, r, secureURL(r.Host, publicURL, port)+r.URL.RequestURI(), http.StatusPermanentRedirect)
	}), log)
}

// secureURL is where a host is reached over https: the public address, or another of its names at the port listened on.
func secureURL(host, publicURL string, port uint16) string {
	name := host
	if bare, _, err := net.SplitHostPort(host); err == nil {
		name = bare
	}
	if u, err := url.Parse(publicURL); err == nil && strings.EqualFold(u.Hostname(), name) {
		return "https://" + u.Host
	}
	if port == 443 {
		return "https://" + name
	}
	return "https://" + net.JoinHostPort(strings.Trim(name, "[]"), strconv.Itoa(int(port)))
}

// debugging shows programs on this machine what is counted and what the program is busy with.
func debugging(counts http.Handler, log *slog.Logger) *http.Server {
	mux := http.NewServeMux()
	mux.Handle("/metrics", counts)
	mux.HandleFunc("/debug/pprof/", pprof.Index)
	mux.HandleFunc("/debug/pprof/cmdline", pprof.Cmdline)
	mux.HandleFunc("/debug/pprof/profile", pprof.Profile)
	mux.HandleFunc("/debug/pprof/symbol", pprof.Symbol)
	mux.HandleFunc("/debug/pprof/trace", pprof.Trace)
	return patient(metrics.LocalOnly(mux, config.IsLoopbackHost), log)
}
