package operate_test

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"qun/internal/store/pgtest"
	"qun/test/sioclient"
)

// nginx runs the configuration of deploy/proxy with other addresses and without TLS, and with what is to be changed beside.
func nginx(t *testing.T, listen, upstream string, changes ...[2]string) *process {
	t.Helper()
	path, err := exec.LookPath("nginx")
	if err != nil {
		if path = "/usr/sbin/nginx"; !exists(path) {
			if os.Getenv("QUN_REQUIRE_ALL") == "1" {
				t.Fatal("nginx is not installed")
			}
			t.Skip("nginx is not installed")
		}
	}
	text, err := os.ReadFile("../../deploy/proxy/nginx.conf")
	if err != nil {
		t.Fatal(err)
	}
	folder := t.TempDir()
	site := string(text)
	for _, c := range append(changes, [][2]string{
		{"listen 443 ssl;", "listen " + listen + ";"}, {"listen 80;", "listen " + freeAddress(t) + ";"},
		{"server 127.0.0.1:3000;", "server " + upstream + ";"}, {"ssl_certificate ", "# "}, {"ssl_certificate_key ", "# "},
		{"X-Forwarded-Proto $scheme", "X-Forwarded-Proto https"},
	}...) {
		if !strings.Contains(site, c[0]) {
			t.Fatalf("the configuration has no %q", c[0])
		}
		site = strings.ReplaceAll(site, c[0], c[1])
	}
	for name, content := range map[string]string{
		"site.conf": site,
		"nginx.conf": "daemon off; master_process off; pid " + folder + "/pid; error_log stderr; events {} http { access_log off; " +
			"client_body_temp_path " + folder + "/b; proxy_temp_path " + folder + "/p; fastcgi_temp_path " + folder + "/f; " +
			"uwsgi_temp_path " + folder + "/u; scgi_temp_path " + folder + "/s; include " + folder + "/site.conf; }\n",
	} {
		if err := os.WriteFile(filepath.Join(folder, name), []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return startProcess(t, path, "-e", "stderr", "-c", filepath.Join(folder, "nginx.conf"))
}

func exists(path string) bool {
	_, err := os.Stat(path)
	return err == nil
}

// People behind nginx are counted by their own address, know that they came over https, and use both transports.
func TestBehindNginx(t *testing.T) {
	inner, outer := freeAddress(t), freeAddress(t)
	q := startQun(t, "--listen", inner, "--public-url", "https://chat.example.org", "--trusted-proxy", "127.0.0.1", "--limit-sockets", "1", "--guests", "open")
	q.answers(t, http.DefaultClient, "http://"+inner+"/healthz")
	proxy := nginx(t, outer, inner)
	client := at(t, outer, nil)
	proxy.answers(t, client, "http://chat.example.org/healthz")

	w := ask(t, client, http.MethodPost, "http://chat.example.org/api/v1/session", `{"nickName":"Anna"}`)
	if cookies := w.Cookies(); len(cookies) != 1 || cookies[0].Name != "__Host-qun" {
		t.Errorf("signed in with %d, %v", w.StatusCode, cookies)
	}
	polled := ask(t, client, http.MethodGet, "http://chat.example.org/socket.io/?EIO=4&transport=polling", "")
	if polled.StatusCode != http.StatusOK {
		t.Errorf("polling got %d", polled.StatusCode)
	}
	dial := func(from string) error {
		ctx, cancel := context.WithTimeout(t.Context(), patience)
		defer cancel()
		c, err := sioclient.Dial(ctx, sioclient.Config{URL: "http://" + outer, Header: http.Header{"X-Forwarded-For": {from}}})
		if err != nil {
			return err
		}
		t.Cleanup(c.Close)
		reply, err := c.Call(ctx, "joinRoom", map[string]any{"roomName": "hall", "nickName": "from " + from})
		if err == nil && !strings.Contains(string(reply[0]), `"ok":true`) {
			t.Errorf("joining from %s: %s", from, reply[0])
		}
		return err
	}
	for _, from := range []string{"203.0.113.1", "203.0.113.2"} {
		if err := dial(from); err != nil {
			t.Errorf("from %s: %v", from, err)
		}
	}
	if err := dial("203.0.113.1"); err == nil {
		t.Error("a second socket of one address is in: it was not counted by its own")
	}
}

// ask sends a request of the chat's own page.
func ask(t *testing.T, client *http.Client, method, url, body string) *http.Response {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), method, url, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	if body != "" {
		r.Header.Set("Content-Type", "application/json")
		r.Header.Set("Origin", "https://chat.example.org")
	}
	w, err := client.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer w.Body.Close()
	if _, err := io.Copy(io.Discard, w.Body); err != nil {
		t.Fatal(err)
	}
	return w
}

// Of several nodes a client that polls has to find its own again, which nginx chooses by the address; WebSocket finds one.
func TestTwoNodesBehindNginx(t *testing.T) {
	database := pgtest.For(t, pgtest.Config{}).URL("postgres")
	nodes := []string{freeAddress(t), freeAddress(t)}
	for _, at := range nodes {
		q := startQun(t, "--listen", at, "--database", database, "--public-url", "https://chat.example.org", "--trusted-proxy", "127.0.0.1", "--guests", "open", "--metrics", "all")
		q.answers(t, http.DefaultClient, "http://"+at+"/healthz")
	}
	upstream := strings.Join(nodes, "; server ")
	sticky, loose := freeAddress(t), freeAddress(t)
	for at, changes := range map[string][][2]string{sticky: nil, loose: {{"hash $remote_addr consistent;", ""}}} {
		nginx(t, at, upstream, changes...).answers(t, http.DefaultClient, "http://"+at+"/healthz")
	}

	for last := range 32 { // so many addresses that both nodes get some
		if status := poll(t, fmt.Sprintf("127.0.0.%d", last+2), sticky); status != http.StatusOK {
			t.Errorf("polling from 127.0.0.%d: got %d", last+2, status)
		}
	}
	wantBoth := func(transport string) {
		t.Helper()
		for _, at := range nodes {
			w, err := http.Get("http://" + at + "/metrics") //nolint:noctx // of this machine
			if err != nil {
				t.Fatal(err)
			}
			text, err := io.ReadAll(w.Body)
			w.Body.Close()
			if err != nil || !strings.Contains(string(text), `qun_sessions_opened_total{transport="`+transport+`"} `) || !strings.Contains(string(text), "\nqun_bus_up 1\n") {
				t.Errorf("the node at %s had nobody by %s, or hears nothing of the other (%v)", at, transport, err)
			}
		}
	}
	wantBoth("polling")
	if status := poll(t, "127.0.0.2", loose); status != http.StatusBadRequest {
		t.Errorf("polling where the node is another each time: got %d", status)
	}

	heard := make(chan string, 10)
	join := func(name string) *sioclient.Client {
		ctx, cancel := context.WithTimeout(t.Context(), patience)
		defer cancel()
		c, err := sioclient.Dial(ctx, sioclient.Config{URL: "http://" + loose, OnEvent: func(event string, args []json.RawMessage) {
			if event == "message" && strings.Contains(string(args[0]), "to all nodes") {
				heard <- name
			}
		}})
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(c.Close)
		reply, err := c.Call(ctx, "joinRoom", map[string]any{"roomName": "hall", "nickName": name})
		if err != nil || !strings.Contains(string(reply[0]), `"ok":true`) {
			t.Fatalf("joining: %s, %v", reply, err)
		}
		return c
	}
	join("Anna")
	ben := join("Ben")
	wantBoth("websocket")
	if err := ben.Emit("sendMessage", map[string]any{"room": "hall", "message": "to all nodes"}); err != nil {
		t.Fatal(err)
	}
	for range len(nodes) {
		select {
		case <-heard:
		case <-time.After(patience):
			t.Fatal("somebody does not hear it")
		}
	}
}

// poll is a client at an address that connects by long polling, and the first answer that is not as it should be.
func poll(t *testing.T, from, to string) (status int) {
	t.Helper()
	dialer := net.Dialer{LocalAddr: &net.TCPAddr{IP: net.ParseIP(from)}}
	transport := &http.Transport{DialContext: dialer.DialContext}
	defer transport.CloseIdleConnections()
	client := &http.Client{Transport: transport, Timeout: patience}
	url := "http://" + to + "/socket.io/?EIO=4&transport=polling"
	do := func(method, body string) string {
		r, err := http.NewRequestWithContext(t.Context(), method, url, strings.NewReader(body))
		if err != nil {
			t.Fatal(err)
		}
		w, err := client.Do(r)
		if err != nil {
			t.Fatal(err)
		}
		defer w.Body.Close()
		answer, err := io.ReadAll(w.Body)
		if err != nil {
			t.Fatal(err)
		}
		status = w.StatusCode
		return string(answer)
	}
	var hello struct{ SID string }
	if err := json.Unmarshal([]byte(strings.TrimPrefix(do(http.MethodGet, ""), "0")), &hello); err != nil {
		t.Fatal(err)
	}
	url += "&sid=" + hello.SID
	if do(http.MethodPost, "40"); status == http.StatusOK {
		if answer := do(http.MethodGet, ""); status == http.StatusOK && !strings.HasPrefix(answer, "40{") {
			t.Errorf("polling from %s: got %s", from, answer)
		}
	}
	return status
}
