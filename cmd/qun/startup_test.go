package main_test

import (
	"context"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"

	qun "qun/cmd/qun"
)

// wantComplaint wants one line that says what is wrong and what to do, and an exit code that is not 0.
func wantComplaint(t *testing.T, code int, err string, words ...string) {
	t.Helper()
	if code == 0 {
		t.Errorf("it ended well")
	}
	if strings.Count(err, "\n") != 1 || !strings.HasPrefix(err, "qun: ") {
		t.Errorf("got %q, want one line", err)
	}
	for _, word := range words {
		if !strings.Contains(err, word) {
			t.Errorf("got %q, want %q in it", err, word)
		}
	}
}

func TestASecondInstanceOnTheSameDataSaysSo(t *testing.T) {
	folder := t.TempDir()
	start(t, "--data", folder)
	code, _, err := run(t, nil, "serve", "--listen", "127.0.0.1:0", "--data", folder)
	wantComplaint(t, code, err, "another Qun", folder, "--data")
}

func TestATakenPortSaysSo(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	code, _, complaint := run(t, nil, "serve", "--listen", l.Addr().String(), "--data", t.TempDir())
	wantComplaint(t, code, complaint, l.Addr().String(), "is taken", "--listen")
}

func TestAnAddressOfSomebodyElseSaysSo(t *testing.T) {
	code, _, err := run(t, nil, "serve", "--listen", "nowhere.example:3000", "--data", t.TempDir())
	wantComplaint(t, code, err, "nowhere.example", "--listen")
}

func TestAFolderThatIsNoneSaysSo(t *testing.T) {
	file := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(file, []byte("x"), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, folder := range []string{file, filepath.Join(file, "below")} {
		code, _, err := run(t, nil, "serve", "--listen", "127.0.0.1:0", "--data", folder)
		wantComplaint(t, code, err, folder, "--data")
	}
}

func TestAFolderThatCannotBeWrittenSaysSo(t *testing.T) {
	if os.Geteuid() == 0 {
		t.Skip("impossible here: root may write everywhere")
	}
	folder := t.TempDir()
	if err := os.Chmod(folder, 0o500); err != nil {
		t.Fatal(err)
	}
	code, _, err := run(t, nil, "serve", "--listen", "127.0.0.1:0", "--data", folder)
	wantComplaint(t, code, err, folder, "cannot be written", "--data")
}

func TestADamagedDatabaseSaysSo(t *testing.T) {
	folder := t.TempDir()
	start(t, "--data", folder).end(t)
	found, err := filepath.Glob(filepath.Join(folder, "*.db"))
	if err != nil || len(found) != 1 {
		t.Fatalf("found %v, %v", found, err)
	}
	for name, damage := range map[string]func([]byte) []byte{
		"overwritten":  func(b []byte) []byte { return []byte(strings.Repeat("this is no database ", 500)) },
		"header gone":  func(b []byte) []byte { return append(make([]byte, 4096), b[4096:]...) },
		"cut in half":  func(b []byte) []byte { return b[:len(b)/2] },
		"schema wiped": func(b []byte) []byte { return append(slices.Clone(b[:100]), make([]byte, len(b)-100)...) },
	} {
		t.Run(name, func(t *testing.T) {
			good, err := os.ReadFile(found[0])
			if err != nil {
				t.Fatal(err)
			}
			t.Cleanup(func() {
				if err := os.WriteFile(found[0], good, 0o600); err != nil {
					t.Error(err)
				}
			})
			if err := os.WriteFile(found[0], damage(slices.Clone(good)), 0o600); err != nil {
				t.Fatal(err)
			}
			code, _, complaint := run(t, nil, "serve", "--listen", "127.0.0.1:0", "--data", folder)
			wantComplaint(t, code, complaint, folder, "damaged", "backup")
		})
	}
}

func TestAWrongCommandLineSaysSo(t *testing.T) {
	for name, c := range map[string]struct {
		args  []string
		words []string
	}{
		"unknown flag":    {[]string{"serve", "--lisen", ":1"}, []string{"--lisen", "--listen"}},
		"unknown command": {[]string{"sevre"}, []string{"sevre"}},
		"odd value":       {[]string{"serve", "--guests", "maybe"}, []string{"--guests", "maybe"}},
		"no number":       {[]string{"serve", "--limit-sockets", "many"}, []string{"--limit-sockets", "many"}},
		"negative":        {[]string{"serve", "--limit-sockets=-1", "--data", "x"}, []string{"--limit-sockets"}},
		"no port":         {[]string{"serve", "--listen", "localhost"}, []string{"--listen localhost"}},
		"no value":        {[]string{"serve", "--data"}, []string{"--data"}},
	} {
		t.Run(name, func(t *testing.T) {
			code, _, err := run(t, nil, c.args...)
			wantComplaint(t, code, err, c.words...)
		})
	}
}

// settings writes a file and returns its name.
func settings(t *testing.T, text string) string {
	t.Helper()
	name := filepath.Join(t.TempDir(), "qun.yaml")
	if err := os.WriteFile(name, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return name
}

func TestAWrongFileSaysWhere(t *testing.T) {
	for name, c := range map[string]struct{ text, words string }{
		"unknown key":  {"listen: localhost:1\nlisten-on: x\n", `qun.yaml:2 "listen-on" listen`},
		"broken":       {"listen: [a\ndata: x\n", "qun.yaml line"},
		"no mapping":   {"- listen\n", "qun.yaml:1 listen:"},
		"nested":       {"listen:\n  host: x\n", "qun.yaml:2 listen"},
		"set twice":    {"data: a\ndata: b\n", "qun.yaml data"},
		"odd value":    {"limit-sockets: many\n", "limit-sockets many"},
		"config in it": {"config: other.yaml\n", "qun.yaml:1 config"},
	} {
		t.Run(name, func(t *testing.T) {
			file := settings(t, c.text)
			code, _, err := run(t, nil, "serve", "--config", file)
			wantComplaint(t, code, err, strings.Fields(c.words)...)
			if code, _, err = run(t, map[string]string{"QUN_CONFIG": file}); code == 0 {
				t.Errorf("by variable it is accepted: %s", err)
			}
		})
	}
	code, _, err := run(t, nil, "serve", "--config", "/nowhere/qun.yaml")
	wantComplaint(t, code, err, "/nowhere/qun.yaml", "no such file")
}

func TestFlagsWinOverVariablesAndThoseOverTheFile(t *testing.T) {
	file := settings(t, "listen: 127.0.0.1:0\ndata: "+filepath.Join(t.TempDir(), "by file")+"\nguests: off\norigin: [https://a.example, https://b.example]\n")
	byVariable, byFlag := filepath.Join(t.TempDir(), "by variable"), filepath.Join(t.TempDir(), "by flag")
	env := map[string]string{}
	args := []string{"--config", file}
	for _, want := range []string{"by file", "by variable", "by flag"} {
		switch want {
		case "by variable":
			env["QUN_DATA"] = byVariable
		case "by flag":
			args = append(args, "--data", byFlag)
		}
		code, out, err := run(t, env, args...)
		if code != 0 || !strings.Contains(out, want+"\n") || !strings.Contains(out, "--guests off") {
			t.Errorf("%s: got %d %s%s", want, code, out, err)
		}
	}
}

func TestHelpListsEverySettingWithItsVariable(t *testing.T) {
	code, out, err := run(t, nil, "serve", "--help")
	if code != 0 || err != "" {
		t.Fatalf("got %d %s", code, err)
	}
	text := strings.Join(strings.Fields(out), " ")
	for _, flag := range []string{"listen", "lan", "public-url", "data", "origin", "guests", "limit-messages", "limit-handshakes", "limit-sockets", "limit-requests", "limit-upload", "config"} {
		if !strings.Contains(text, "--"+flag) || !strings.Contains(text, "$QUN_"+strings.ToUpper(strings.ReplaceAll(flag, "-", "_"))) {
			t.Errorf("--%s or its variable is missing in\n%s", flag, out)
		}
	}
}

func TestVersionIsOneLine(t *testing.T) {
	if code, out, err := run(t, nil, "version"); code != 0 || out != "qun dev\n" || err != "" {
		t.Errorf("got %d %q %q", code, out, err)
	}
}

func TestItSaysWhereItIsHowAPhoneGetsInAndWhereTheDataIs(t *testing.T) {
	folder := t.TempDir()
	p := start(t, "--data", folder)
	for _, want := range []string{p.url, "--lan", folder} {
		if !strings.Contains(p.out.String(), want) {
			t.Errorf("%q is missing in\n%s", want, p.out)
		}
	}
}

func TestLocalhostIsBothFamilies(t *testing.T) {
	p := start(t, "--listen", "localhost:0")
	_, port, _ := net.SplitHostPort(strings.TrimPrefix(p.url, "http://"))
	b := p.browser(t)
	for _, host := range []string{"127.0.0.1", "[::1]", "localhost"} {
		p.url = "http://" + host + ":" + port
		if w, text := b.do(t, "GET", "/healthz", "", ""); w.StatusCode != http.StatusOK {
			t.Errorf("%s: got %d %s", host, w.StatusCode, text)
		}
	}
}

func TestAMachineWithoutIPv6Listens(t *testing.T) {
	p := startWith(t, func(m *qun.Machine) {
		listen := m.Listen
		m.Listen = func(ctx context.Context, network, address string) (net.Listener, error) {
			if strings.HasPrefix(address, "[::1]") {
				return nil, &net.OpError{Op: "listen", Err: syscall.EADDRNOTAVAIL}
			}
			return listen(ctx, network, address)
		}
	}, "--listen", "localhost:0")
	if len(p.urls) != 1 || !strings.HasPrefix(p.url, "http://localhost:") {
		t.Errorf("got %v", p.urls)
	}
}

// A machine in a network, whose listeners are redirected to loopback by the test.
func TestLANPrintsEachAddressAndACodeToScan(t *testing.T) {
	reached := map[string]string{} // by the address that was asked for
	p := startWith(t, func(m *qun.Machine) {
		m.Listen = func(ctx context.Context, _, address string) (net.Listener, error) {
			l, err := new(net.ListenConfig).Listen(ctx, "tcp4", "127.0.0.1:0")
			if err == nil {
				reached[address] = "http://" + l.Addr().String()
			}
			return l, err
		}
	}, "--lan")
	if !slices.Contains(p.urls, "http://192.168.77.5:3000") || strings.Contains(p.out.String(), "203.0.113.5") {
		t.Errorf("got %v", p.urls)
	}
	for _, want := range []string{"http://192.168.77.5:3000", "█", "▀"} {
		if !strings.Contains(p.out.String(), want) {
			t.Errorf("%q is missing in\n%s", want, p.out)
		}
	}
	p.url = reached["192.168.77.5:3000"]
	b := p.browser(t)
	for host, want := range map[string]int{
		"192.168.77.5:3000": http.StatusOK, "localhost:3000": http.StatusOK,
		"192.168.77.6:3000": http.StatusMisdirectedRequest, "evil.example:3000": http.StatusMisdirectedRequest,
	} {
		if w, _ := b.do(t, "GET", "/healthz", "", "", func(r *http.Request) { r.Host = host }); w.StatusCode != want {
			t.Errorf("Host %s: got %d, want %d", host, w.StatusCode, want)
		}
	}
	const handshake = "/socket.io/?EIO=4&transport=polling"
	for origin, want := range map[string]int{
		"http://192.168.77.5:3000": http.StatusOK, "http://localhost:5173": http.StatusForbidden, "null": http.StatusForbidden,
	} {
		if w, _ := b.do(t, "GET", handshake, "", origin, func(r *http.Request) { r.Host = "192.168.77.5:3000" }); w.StatusCode != want {
			t.Errorf("Origin %s: got %d, want %d", origin, w.StatusCode, want)
		}
	}
}

func TestAPublicMachineLetsGuestsJoinOnly(t *testing.T) {
	folder := t.TempDir()
	_, token := makeMember(t, folder, "lin")
	p := start(t, "--data", folder, "--listen", ":0") // the machine has a public address
	var url string
	for _, u := range p.urls {
		if strings.Contains(u, "localhost") {
			url = u
		}
	}
	p.url = strings.Replace(url, "localhost", "127.0.0.1", 1)
	guest, member := p.dial(t), p.dial(t, withToken(token))
	guest.refused("joinRoom", object{"roomName": "new", "nickName": "Anna"}, "NOT_FOUND")
	member.must("joinRoom", object{"roomName": "hall"})
	guest.must("joinRoom", object{"roomName": "hall", "nickName": "Anna"})
}

func TestMetricsAreForThisMachine(t *testing.T) {
	p := start(t)
	c := p.dial(t)
	c.join("hall", "Anna")
	c.refused("sendMessage", object{"room": "x", "message": "y"}, "NOT_IN_ROOM")
	b := p.browser(t)
	w, text := b.do(t, "GET", "/metrics", "", "")
	for _, want := range []string{"qun_sessions 1", `qun_request_seconds_count{outcome="NOT_IN_ROOM",request="sendMessage"} 1`,
		`qun_request_seconds_count{outcome="ok",request="joinRoom"} 1`, "go_goroutines", `qun_build_info{version="dev"} 1`} {
		if !strings.Contains(text, want) {
			t.Errorf("%d: %s is missing", w.StatusCode, want)
		}
	}
	if w, _ := b.do(t, "GET", "/metrics", "", "", func(r *http.Request) { r.Header.Set("X-Forwarded-For", "203.0.113.1") }); w.StatusCode != http.StatusNotFound {
		t.Errorf("through a proxy: got %d", w.StatusCode)
	}
	off := start(t, "--metrics", "off")
	if w, _ := off.browser(t).do(t, "GET", "/metrics", "", ""); w.StatusCode != http.StatusNotFound {
		t.Errorf("off: got %d", w.StatusCode)
	}
}
