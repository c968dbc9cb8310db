package metrics_test

import (
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"qun/engineio"
	"qun/internal/metrics"
)

func scrape(t *testing.T, m *metrics.Metrics) string {
	t.Helper()
	w := httptest.NewRecorder()
	m.Handler().ServeHTTP(w, httptest.NewRequest("GET", "/metrics", nil))
	if w.Code != http.StatusOK {
		t.Fatalf("got %d %s", w.Code, w.Body)
	}
	return w.Body.String()
}

func TestCountsAreShown(t *testing.T) {
	m := metrics.New("v1")
	m.Watch(func() engineio.Stats { return engineio.Stats{Sessions: 3, Writes: 7, Dropped: 2} })
	m.SessionOpened("websocket")
	m.SessionClosed("polling", fmt.Errorf("%w: no pong", engineio.ErrPingTimeout))
	m.SessionClosed("polling", errors.New("made up by 203.0.113.9"))
	m.Refused(engineio.RefusedForbidden)
	m.Requested("sendMessage", "ok", 3*time.Millisecond)
	m.Pushed("message")
	m.WatchBus(func() metrics.Bus { return metrics.Bus{Up: true, Peers: 2, Sent: 3, Repairs: 4} })
	m.WatchBridge(func() metrics.Bridge { return metrics.Bridge{Malformed: 5} })
	got := scrape(t, m)
	for _, want := range []string{
		"qun_sessions 3", "qun_writes_total 7", "qun_packets_dropped_total 2", `qun_build_info{version="v1"} 1`,
		`qun_sessions_opened_total{transport="websocket"} 1`,
		`qun_sessions_closed_total{reason="ping timeout",transport="polling"} 1`,
		`qun_sessions_closed_total{reason="other",transport="polling"} 1`,
		`qun_handshakes_refused_total{code="4"} 1`,
		`qun_request_seconds_bucket{outcome="ok",request="sendMessage",le="0.005"} 1`,
		`qun_pushes_total{event="message"} 1`,
		"qun_bus_up 1", "qun_bus_peers 2", "qun_bus_sent_total 3", "qun_bus_repairs_total 4", "qun_bridge_up 0", "qun_bridge_malformed_total 5",
		"go_goroutines", "process_open_fds",
	} {
		if !strings.Contains(got, want+"\n") && !strings.Contains(got, want+" ") {
			t.Errorf("%s is missing", want)
		}
	}
	if strings.Contains(got, "203.0.113.9") {
		t.Error("an error's text became a label")
	}
}

func TestOnlyThisMachineMayLook(t *testing.T) {
	h := metrics.LocalOnly(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {}), func(host string) bool { return host == "localhost" })
	for name, c := range map[string]struct {
		change func(*http.Request)
		want   int
	}{
		"from here":        {func(*http.Request) {}, http.StatusOK},
		"over IPv6":        {func(r *http.Request) { r.RemoteAddr = "[::1]:9" }, http.StatusOK},
		"from elsewhere":   {func(r *http.Request) { r.RemoteAddr = "192.0.2.1:9" }, http.StatusNotFound},
		"a page's request": {func(r *http.Request) { r.Host = "evil.example" }, http.StatusNotFound},
		"forwarded":        {func(r *http.Request) { r.Header.Set("X-Forwarded-For", "127.0.0.1") }, http.StatusNotFound},
		"forwarded anew":   {func(r *http.Request) { r.Header.Set("Forwarded", "for=127.0.0.1") }, http.StatusNotFound},
		"through a proxy":  {func(r *http.Request) { r.Header.Set("Via", "1.1 x") }, http.StatusNotFound},
		"from nowhere":     {func(r *http.Request) { r.RemoteAddr = "@" }, http.StatusNotFound},
	} {
		r := httptest.NewRequest("GET", "http://localhost/metrics", nil)
		r.RemoteAddr = "127.0.0.1:9"
		c.change(r)
		w := httptest.NewRecorder()
		h.ServeHTTP(w, r)
		if w.Code != c.want {
			t.Errorf("%s: got %d, want %d", name, w.Code, c.want)
		}
	}
}
