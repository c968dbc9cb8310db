package main_test

import (
	"context"
	"encoding/json"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	qun "qun/cmd/qun"
)

// user runs `qun user` with a line on its standard input.
func user(t *testing.T, folder, stdin string, args ...string) (code int, out, err string) {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	o, e := &notes{}, &notes{}
	m := machine(o, e, nil)
	m.Stdin = strings.NewReader(stdin)
	code = qun.Run(ctx, append(append([]string{"user"}, args...), "--data", folder), m)
	return code, o.String(), e.String()
}

func mustUser(t *testing.T, folder, stdin string, args ...string) string {
	t.Helper()
	code, out, err := user(t, folder, stdin, args...)
	if code != 0 {
		t.Fatalf("qun user %q ended with %d: %s", args, code, err)
	}
	return out
}

// login signs a browser in by password and returns the status and the answer.
func (b *browser) login(t *testing.T, name, password string) (int, string) {
	t.Helper()
	body, err := json.Marshal(map[string]string{"username": name, "password": password})
	if err != nil {
		t.Fatal(err)
	}
	w, text := b.do(t, "POST", "/api/v1/session", string(body), b.p.url)
	return w.StatusCode, text
}

func TestPeopleAreLookedAfterFromTheCommandLine(t *testing.T) {
	for _, running := range []bool{false, true} {
		folder := t.TempDir()
		var p *program
		if running {
			p = start(t, "--data", folder)
		}
		mustUser(t, folder, "correct horse\n", "add", "Lin", "--nickname", "林老师", "--admin")
		mustUser(t, folder, "correct horse", "add", "wang")
		list := mustUser(t, folder, "", "list")
		if !regexp.MustCompile(`(?m)^lin +林老师 +\d{4}-\d\d-\d\d +administrator$`).MatchString(list) || !strings.Contains(list, "wang") {
			t.Errorf("running %v: the list is\n%s", running, list)
		}
		if some := mustUser(t, folder, "", "list", "老师"); strings.Contains(some, "wang") || !strings.Contains(some, "lin") {
			t.Errorf("running %v: found\n%s", running, some)
		}
		for _, wrong := range []struct {
			stdin, want string
			args        []string
		}{
			{"correct horse\n", "Choose another", []string{"add", "LIN"}},
			{"short\n", "too short", []string{"add", "zhao"}},
			{"", "no password", []string{"add", "zhao"}},
			{"", "no such user", []string{"disable", "nobody"}},
			{"", "last administrator", []string{"disable", "lin"}},
			{"", "last administrator", []string{"demote", "lin"}},
		} {
			if code, out, err := user(t, folder, wrong.stdin, wrong.args...); code != 1 || !strings.Contains(err, wrong.want) || strings.Count(err, "\n") != 1 {
				t.Errorf("running %v: %q: got %d %q %q, want %q", running, wrong.args, code, out, err, wrong.want)
			}
		}
		mustUser(t, folder, "", "promote", "wang")
		mustUser(t, folder, "", "demote", "wang")
		mustUser(t, folder, "", "disable", "wang")
		if !running {
			p = start(t, "--data", folder)
		}
		b := p.browser(t)
		if status, text := b.login(t, "wang", "correct horse"); status != http.StatusUnauthorized {
			t.Errorf("running %v: a disabled account: got %d %s", running, status, text)
		}
		mustUser(t, folder, "", "enable", "wang")
		mustUser(t, folder, "another horse\n", "passwd", "wang")
		if status, text := b.login(t, "wang", "another horse"); status != http.StatusOK {
			t.Errorf("running %v: with the new password: got %d %s", running, status, text)
		}
		link := mustUser(t, folder, "", "reset", "wang")
		code := regexp.MustCompile(`#reset=(\S+)`).FindStringSubmatch(link)
		if code == nil {
			t.Fatalf("running %v: got %q", running, link)
		}
		w, text := b.do(t, "POST", "/api/v1/password", `{"code":"`+code[1]+`","password":"a third horse"}`, p.url)
		if w.StatusCode != http.StatusNoContent {
			t.Errorf("running %v: reset: got %d %s", running, w.StatusCode, text)
		}
		if log := p.err.String(); strings.Contains(log, "horse") || strings.Contains(log, code[1]) {
			t.Errorf("running %v: a secret is in the log: %s", running, log)
		}
		p.end(t)
		if _, err := os.Stat(filepath.Join(folder, "qun.sock")); !os.IsNotExist(err) {
			t.Errorf("running %v: the socket is left: %v", running, err)
		}
	}
}

func TestADisabledUsersSocketsEnd(t *testing.T) {
	folder := t.TempDir()
	mustUser(t, folder, "correct horse\n", "add", "wang")
	p := start(t, "--data", folder)
	b := p.browser(t)
	if status, text := b.login(t, "wang", "correct horse"); status != http.StatusOK {
		t.Fatalf("got %d %s", status, text)
	}
	c := p.dial(t, withHeader("Cookie", b.cookie(t)), withHeader("Origin", p.url))
	c.hello()
	mustUser(t, folder, "", "disable", "wang")
	c.ends()
}

// setupCode is the code that a program printed at its start; "" if it printed none.
func (p *program) setupCode() string {
	found := regexp.MustCompile(`/account#setup=(\S+)`).FindStringSubmatch(p.out.String())
	if found == nil {
		return ""
	}
	return found[1]
}

func TestTheFirstAdministratorIsMadeByTheLinkPrintedAtTheStart(t *testing.T) {
	folder := t.TempDir()
	p := start(t, "--data", folder)
	before := p.setupCode()
	p.end(t)
	p = start(t, "--data", folder)
	b := p.browser(t)
	guest := b.signIn(t, "林老师")
	setUp := func(code string) (int, string) {
		w, text := b.do(t, "POST", "/api/v1/setup", `{"code":"`+code+`","username":"lin","password":"correct horse"}`, p.url)
		return w.StatusCode, text
	}
	for _, wrong := range []string{"", "AAAA", before} {
		if status, text := setUp(wrong); status != http.StatusNotFound {
			t.Errorf("code %q: got %d %s", wrong, status, text)
		}
	}
	code := p.setupCode()
	if w, text := b.do(t, "POST", "/api/v1/setup", `{"code":"`+code+`","username":"lin","password":"short"}`, p.url); w.StatusCode != http.StatusBadRequest {
		t.Errorf("a bad password: got %d %s", w.StatusCode, text)
	}
	if status, text := setUp(code); status != http.StatusOK || !strings.Contains(text, guest) || !strings.Contains(text, `"admin":true`) {
		t.Fatalf("got %d %s, want the guest %s as administrator", status, text, guest)
	}
	if status, text := setUp(code); status != http.StatusNotFound {
		t.Errorf("the second time: got %d %s", status, text)
	}
	if w, text := b.do(t, "GET", "/api/v1/admin/users", "", ""); w.StatusCode != http.StatusOK || !strings.Contains(text, guest) {
		t.Errorf("administration: got %d %s", w.StatusCode, text)
	}
	p.end(t)
	if p = start(t, "--data", folder); p.setupCode() != "" {
		t.Error("a link is printed though there is an administrator")
	}
}

func TestAGuestWhoRegistersComesBackAsTheSame(t *testing.T) {
	p := start(t)
	b := p.browser(t)
	guest := b.signIn(t, "小明")
	own := withHeader("Origin", p.url)
	c := p.dial(t, withHeader("Cookie", b.cookie(t)), own)
	c.hello()
	c.enter("hall", "")
	c.ask("sendMessage", map[string]any{"room": "hall", "message": "hello"})
	w, text := b.do(t, "POST", "/api/v1/users", `{"password":"correct horse"}`, p.url)
	if w.StatusCode != http.StatusOK || !strings.Contains(text, guest) || !strings.Contains(text, `"username":"小明"`) {
		t.Fatalf("got %d %s", w.StatusCode, text)
	}
	c.ends()
	c = p.dial(t, withHeader("Cookie", b.cookie(t)), own)
	var in struct {
		Me     struct{ UserID string }
		Groups []struct{ Name string }
	}
	c.hello().into(t, &in)
	if in.Me.UserID != guest || len(in.Groups) != 1 {
		t.Errorf("came back as %+v, want %s in one group", in, guest)
	}
	u, err := url.Parse(p.url)
	if err != nil {
		t.Fatal(err)
	}
	for _, cookie := range b.Jar.Cookies(u) {
		if strings.HasPrefix(cookie.Value, "g.") {
			t.Error("the guest's cookie is still there")
		}
	}
}

func TestABotMayWhatItsTokenSaysAtBothDoors(t *testing.T) {
	folder := t.TempDir()
	mustUser(t, folder, "correct horse\n", "add", "lin")
	p := start(t, "--data", folder)
	b := p.browser(t)
	if status, text := b.login(t, "lin", "correct horse"); status != http.StatusOK {
		t.Fatalf("got %d %s", status, text)
	}
	lin := p.dial(t, withHeader("Cookie", b.cookie(t)), withHeader("Origin", p.url))
	var in struct{ Group struct{ GroupID string } }
	lin.ask("joinRoom", map[string]string{"roomName": "hall"}).into(t, &in)
	group := in.Group.GroupID
	make := func(name, scopes string) (id, token string) {
		t.Helper()
		w, text := b.do(t, "POST", "/api/v1/me/bots", `{"nickName":"`+name+`","scopes":`+scopes+`}`, p.url)
		var out struct {
			User  struct{ UserID string }
			Token string
		}
		if err := json.Unmarshal([]byte(text), &out); err != nil || w.StatusCode != http.StatusOK || out.Token == "" {
			t.Fatalf("got %d %s", w.StatusCode, text)
		}
		w, text = b.do(t, "PUT", "/api/v1/groups/"+group+"/bots/"+out.User.UserID, "", p.url)
		if w.StatusCode != http.StatusOK {
			t.Fatalf("add a bot: got %d %s", w.StatusCode, text)
		}
		return out.User.UserID, out.Token
	}
	_, reads := make("Reader", `["read"]`)
	id, sends := make("Sender", `["send"]`)
	reader, sender := p.dial(t, withToken(reads)), p.dial(t, withToken(sends))
	reader.hello()
	message := map[string]any{"groupId": group, "message": "beep"}
	if got := reader.ask("sendMessage", message); got.OK || got.Error.Code != "FORBIDDEN" {
		t.Errorf("a reader sends: got %s", got.Raw)
	}
	if got := sender.ask("history", map[string]any{"groupId": group}); got.OK || got.Error.Code != "FORBIDDEN" {
		t.Errorf("a sender reads: got %s", got.Raw)
	}
	if got := sender.ask("updateMe", map[string]any{"nickName": "x"}); got.OK || got.Error.Code != "FORBIDDEN" {
		t.Errorf("a sender manages: got %s", got.Raw)
	}
	if got := sender.ask("sendMessage", message); !got.OK {
		t.Errorf("a sender sends: got %s", got.Raw)
	}
	reader.await("the message", func(events []event) bool {
		for _, e := range events {
			if e.Name == "message" && strings.Contains(string(e.Body), "beep") {
				return true
			}
		}
		return false
	})
	nobody := p.browser(t)
	get := func(token, path string) int {
		w, _ := nobody.do(t, "GET", path, "", "", func(r *http.Request) { r.Header.Set("Authorization", "Bearer "+token) })
		return w.StatusCode
	}
	for path, want := range map[string][2]int{
		"/api/v1/groups/" + group + "/messages": {200, 403}, "/api/v1/me": {200, 403}, "/api/v1/me/bots": {403, 403}, "/api/v1/admin/users": {404, 404},
	} {
		if got := [2]int{get(reads, path), get(sends, path)}; got != want {
			t.Errorf("%s: reader and sender got %v, want %v", path, got, want)
		}
	}
	if w, text := b.do(t, "POST", "/api/v1/me/bots/"+id+"/token", `{"scopes":["read"]}`, p.url); w.StatusCode != http.StatusOK {
		t.Fatalf("rotate: got %d %s", w.StatusCode, text)
	}
	sender.ends()
	if got := get(sends, "/api/v1/me"); got != http.StatusUnauthorized {
		t.Errorf("the token of before: got %d", got)
	}
}
