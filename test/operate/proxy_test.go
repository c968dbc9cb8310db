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

// proxy is a program that deploy/proxy has a configuration for.
type proxy struct {
	program, file string
	// changes makes the configuration one for other addresses and without TLS; spare is an address that nobody needs.
	changes func(listen, spare string, nodes []string) [][2]string
	loose   [2]string                           // what makes it choose another node each time
	whole   func(folder, site string) string    // the file that it reads
	args    func(configuration string) []string // what it is started with
}

var proxies = []proxy{
	{
		program: "nginx", file: "nginx.conf",
		changes: func(listen, spare string, nodes []string) [][2]string {
			return [][2]string{
				{"listen 443 ssl;", "listen " + listen + ";"},
				{"listen 80;", "listen " + spare + ";"},
				{"server 127.0.0.1:3000;", "server " + strings.Join(nodes, "; server ") + ";"},
				{"ssl_certificate ", "# "}, {"ssl_certificate_key ", "# "},
				{"X-Forwarded-Proto $scheme", "X-Forwarded-Proto https"},
			}
		},
		loose: [2]string{"hash $remote_addr consistent;", ""},
		whole: func(folder, site string) string {
			return "daemon off; master_process off; pid " + folder + "/pid; error_log stderr; events {} http { access_log off; " +
				"client_body_temp_path " + folder + "/b; proxy_temp_path " + folder + "/p; fastcgi_temp_path " + folder + "/f; " +
				"uwsgi_temp_path " + folder + "/u; scgi_temp_path " + folder + "/s;\n" + site + "}\n"
		},
		args: func(configuration string) []string { return []string{"-e", "stderr", "-c", configuration} },
	},
	{
		program: "caddy", file: "Caddyfile",
		changes: func(listen, _ string, nodes []string) [][2]string {
			return [][2]string{
				{"chat.example.org {", "http://" + listen + ", http://chat.example.org:" + portOf(listen) + " {\nbind 127.0.0.1"},
				{"reverse_proxy 127.0.0.1:3000 {", "reverse_proxy " + strings.Join(nodes, " ") + " {\nheader_up X-Forwarded-Proto https"},
			}
		},
		loose: [2]string{"lb_policy ip_hash", "lb_policy round_robin"},
		whole: func(_, site string) string { return "{\nadmin off\n}\n" + site },
		args: func(configuration string) []string {
			return []string{"run", "--adapter", "caddyfile", "--config", configuration}
		},
	},
	{
		program: "haproxy", file: "haproxy.cfg",
		changes: func(listen, spare string, nodes []string) [][2]string {
			return [][2]string{
				{"maxconn 100000", "maxconn 100"},
				{"bind :443 ssl crt /etc/haproxy/chat.example.org.pem alpn h2,http/1.1", "bind " + listen},
				{"bind :80\n", "bind " + spare + "\n"},
				{"http-request redirect ", "# "},
				{"server one 127.0.0.1:3000 check inter 5s", "server one " + strings.Join(nodes, " check inter 5s\nserver another ") + " check inter 5s"},
			}
		},
		loose: [2]string{"balance source", "balance roundrobin"},
		whole: func(_, site string) string { return site },
		args:  func(configuration string) []string { return []string{"-db", "-f", configuration} },
	},
}

func portOf(address string) string { return address[strings.LastIndexByte(address, ':')+1:] }

// start runs the proxy until the test ends; loose lets it choose another node each time.
func (p *proxy) start(t *testing.T, listen string, nodes []string, loose bool) *process {
	t.Helper()
	text, err := os.ReadFile("../../deploy/proxy/" + p.file)
	if err != nil {
		t.Fatal(err)
	}
	site, changes := string(text), p.changes(listen, freeAddress(t), nodes)
	if loose {
		changes = append(changes, p.loose)
	}
	for _, c := range changes {
		if !strings.Contains(site, c[0]) {
			t.Fatalf("%s has no %q", p.file, c[0])
		}
		site = strings.ReplaceAll(site, c[0], c[1])
	}
	folder := t.TempDir()
	configuration := filepath.Join(folder, p.file)
	if err := os.WriteFile(configuration, []byte(p.whole(folder, site)), 0o600); err != nil {
		t.Fatal(err)
	}
	t.Setenv("XDG_DATA_HOME", folder) // where Caddy would leave things
	t.Setenv("XDG_CONFIG_HOME", folder)
	return startProcess(t, p.path(t), p.args(configuration)...)
}

// path is where the program is. Nobody needs three proxies to work on Qun: a test of one that is missing is skipped, and says so,
// but where all must be there, as on the build machine.
func (p *proxy) path(t *testing.T) string {
	t.Helper()
	for _, path := range []string{p.program, "/usr/sbin/" + p.program} { // the second is not in everybody's PATH
		if found, err := exec.LookPath(path); err == nil {
			return found
		}
	}
	if os.Getenv("QUN_REQUIRE_ALL") == "1" {
		t.Fatal(p.program, " is not installed")
	}
	t.Skip(p.program, " is not installed")
	return ""
}

// dialFrom connects from an address of loopback.
func dialFrom(address string) func(ctx context.Context, network, to string) (net.Conn, error) {
	return (&net.Dialer{LocalAddr: &net.TCPAddr{IP: net.ParseIP(address)}}).DialContext
}

// People behind a proxy are counted by their own address, know that they came over https, and use both transports.
func TestBehindAProxy(t *testing.T) {
	for _, p := range proxies {
		t.Run(p.program, p.testPeople)
	}
}

func (p *proxy) testPeople(t *testing.T) {
	inner, outer := freeAddress(t), freeAddress(t)
	q := startQun(t, "--listen", inner, "--public-url", "https://chat.example.org", "--trusted-proxy", "127.0.0.1", "--limit-sockets", "1", "--guests", "open")
	q.answers(t, http.DefaultClient, "http://"+inner+"/healthz")
	running := p.start(t, outer, []string{inner}, false)
	client := at(t, outer, nil)
	page := "http://chat.example.org:" + portOf(outer)
	running.answers(t, client, page+"/healthz")

	w := ask(t, client, http.MethodPost, page+"/api/v1/session", `{"nickName":"Anna"}`)
	if cookies := w.Cookies(); len(cookies) != 1 || cookies[0].Name != "__Host-qun" {
		t.Errorf("signed in with %d, %v", w.StatusCode, cookies)
	}
	polled := ask(t, client, http.MethodGet, page+"/socket.io/?EIO=4&transport=polling", "")
	if polled.StatusCode != http.StatusOK {
		t.Errorf("polling got %d", polled.StatusCode)
	}
	dial := func(from string) error {
		ctx, cancel := context.WithTimeout(t.Context(), patience)
		defer cancel()
		c, err := sioclient.Dial(ctx, sioclient.Config{URL: "http://" + outer, Dial: dialFrom(from)})
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
	for _, from := range []string{"127.0.0.2", "127.0.0.3"} {
		if err := dial(from); err != nil {
			t.Errorf("from %s: %v", from, err)
		}
	}
	if err := dial("127.0.0.2"); err == nil {
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

// Of several nodes a client that polls has to find its own again, which the proxy chooses by the address; WebSocket finds one.
func TestTwoNodesBehindAProxy(t *testing.T) {
	for _, p := range proxies {
		t.Run(p.program, p.testTwoNodes)
	}
}

func (p *proxy) testTwoNodes(t *testing.T) {
	database := pgtest.For(t, pgtest.Config{}).URL("postgres")
	nodes := []string{freeAddress(t), freeAddress(t)}
	for _, at := range nodes {
		q := startQun(t, "--listen", at, "--database", database, "--public-url", "https://chat.example.org", "--trusted-proxy", "127.0.0.1", "--guests", "open", "--metrics", "all")
		q.answers(t, http.DefaultClient, "http://"+at+"/healthz")
	}
	sticky, loose := freeAddress(t), freeAddress(t)
	for _, at := range []string{sticky, loose} {
		p.start(t, at, nodes, at == loose).answers(t, http.DefaultClient, "http://"+at+"/healthz")
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
	transport := &http.Transport{DialContext: dialFrom(from)}
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
