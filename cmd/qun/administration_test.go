package main_test

import (
	"net/http"
	"strings"
	"testing"

	qun "qun/cmd/qun"
)

// administrator is the browser of who set the server up.
func (p *program) administrator(t *testing.T) *browser {
	t.Helper()
	b := p.browser(t)
	w, text := b.do(t, "POST", "/api/v1/setup", `{"code":"`+p.setupCode()+`","username":"ruler","password":"correct horse"}`, p.url)
	if w.StatusCode != http.StatusOK {
		t.Fatalf("set up: got %d %s", w.StatusCode, text)
	}
	return b
}

func TestSettingsChangeWhileTheServerRunsButNotThoseItWasStartedWith(t *testing.T) {
	file := settings(t, "recall-within: 5m\n")
	p := startWith(t, func(m *qun.Machine) {
		m.LookupEnv = func(name string) (string, bool) {
			return map[string]string{"QUN_RETENTION": "0"}[name], name == "QUN_RETENTION"
		}
	}, "--name", "The Yard", "--config", file)
	b := p.administrator(t)
	guest := p.dial(t)
	guest.join("lobby", "visitor")
	ask := func(method, body string) (int, string) {
		t.Helper()
		w, text := b.do(t, method, "/api/v1/admin/settings", body, p.url)
		return w.StatusCode, text
	}
	_, text := ask("GET", "")
	if want := `"fixed":{"name":"--name","recallSeconds":"recall-within in qun.yaml","retention":"QUN_RETENTION"}`; !strings.Contains(text, want) {
		t.Errorf("%s is missing in %s", want, text)
	}
	for _, body := range []string{`{"name":"Other"}`, `{"retention":3}`} {
		if status, text := ask("PATCH", body); status != http.StatusConflict {
			t.Errorf("%s: got %d %s", body, status, text)
		}
	}
	if status, text := ask("PATCH", `{"guests":"off","registration":"off"}`); status != http.StatusOK {
		t.Fatalf("got %d %s", status, text)
	}
	guest.ends()
	if _, text := p.browser(t).do(t, "GET", "/api/v1/session", "", ""); !strings.Contains(text, `"registration":"off"`) || !strings.Contains(text, `"server":"The Yard"`) {
		t.Errorf("somebody new reads %s", text)
	}
}

func TestTheOverviewIsForAdministratorsAlone(t *testing.T) {
	p := start(t)
	b := p.administrator(t)
	member := p.browser(t)
	if w, text := member.do(t, "POST", "/api/v1/users", `{"username":"lin","password":"correct horse"}`, p.url); w.StatusCode != http.StatusOK {
		t.Fatalf("got %d %s", w.StatusCode, text)
	}
	absentStatus, absent := member.do(t, "GET", "/api/v1/no/such/thing", "", "")
	for _, path := range []string{"overview", "users", "groups", "reports", "audit", "settings", "words"} {
		w, text := member.do(t, "GET", "/api/v1/admin/"+path, "", "")
		if w.StatusCode != absentStatus.StatusCode || text != absent {
			t.Errorf("%s answers a member with %d %s, and what is not there with %d %s", path, w.StatusCode, text, absentStatus.StatusCode, absent)
		}
	}
	w, text := b.do(t, "GET", "/api/v1/admin/overview", "", "")
	for _, want := range []string{`"version":"dev"`, `"members":2`, `"seconds":5`, `"databaseBytes":`} {
		if w.StatusCode != http.StatusOK || !strings.Contains(text, want) {
			t.Errorf("%s is missing in %d %s", want, w.StatusCode, text)
		}
	}
}
