package main_test

import (
	"context"
	"encoding/json"
	"net"
	"net/http"
	"strings"
	"testing"

	qun "qun/cmd/qun"
)

func TestTheServerCanBeLookedIntoFromThisMachineAlone(t *testing.T) {
	var opened []string
	p := startWith(t, func(m *qun.Machine) {
		listen := m.Listen
		m.Listen = func(ctx context.Context, network, address string) (net.Listener, error) {
			l, err := listen(ctx, network, address)
			if err == nil {
				opened = append(opened, l.Addr().String())
			}
			return l, err
		}
	}, "--debug", "127.0.0.1:0", "--public-url", "https://chat.example.org")
	b := p.browser(t)
	if _, text := b.do(t, "GET", "/debug/pprof/goroutine?debug=1", "", ""); strings.Contains(text, "goroutine profile") {
		t.Error("the chat's own door shows profiles")
	}
	p.url = "http://" + opened[1]
	for path, want := range map[string]string{"/metrics": "qun_sessions ", "/debug/pprof/goroutine?debug=1": "goroutine profile: total"} {
		if w, text := b.do(t, "GET", path, "", ""); w.StatusCode != http.StatusOK || !strings.Contains(text, want) {
			t.Errorf("%s: got %d %.100s", path, w.StatusCode, text)
		}
		if w, _ := b.do(t, "GET", path, "", "", func(r *http.Request) { r.Host = "evil.example" }); w.StatusCode != http.StatusNotFound {
			t.Errorf("%s: a page with a name of its own got %d", path, w.StatusCode)
		}
	}
}

func TestTheLogCanBeReadByPrograms(t *testing.T) {
	p := start(t, "--log", "json", "--log-level", "debug")
	b := p.browser(t)
	b.do(t, "GET", "/socket.io/?EIO=3&transport=polling", "", "")
	p.end(t)
	lines := strings.Split(strings.TrimSpace(p.err.String()), "\n")
	for _, line := range lines {
		var record struct{ Time, Level, Msg string }
		if err := json.Unmarshal([]byte(line), &record); err != nil || record.Level == "" || record.Msg == "" {
			t.Errorf("got %q: %v", line, err)
		}
	}
	quiet := start(t, "--log-level", "error")
	quiet.browser(t).do(t, "GET", "/socket.io/?EIO=3&transport=polling", "", "")
	quiet.end(t)
	if got := quiet.err.String(); got != "" {
		t.Errorf("got %q", got)
	}
}
