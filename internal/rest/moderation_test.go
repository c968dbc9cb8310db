package rest_test

import (
	"net/http"
	"strconv"
	"strings"
	"testing"

	"qun/internal/auth"
	"qun/internal/chat"
	"qun/internal/rest"
)

func TestAdministratorsJudgeWhatWasSaid(t *testing.T) {
	var who *auth.Service
	s, service := newHouse(t, func(c *rest.Config) { who = c.Auth })
	as := func(name string, admin bool) (*chat.User, func(*http.Request)) {
		t.Helper()
		user, err := service.CreateMember(t.Context(), chat.NewMember{Username: name, Admin: admin})
		if err != nil {
			t.Fatal(err)
		}
		token, err := who.SignIn(t.Context(), user.ID, "test")
		if err != nil {
			t.Fatal(err)
		}
		return user, func(r *http.Request) { r.Header.Set("Authorization", "Bearer "+token) }
	}
	_, admin := as("admin", true)
	alice, member := as("alice", false)
	entered, err := service.Enter(t.Context(), alice, chat.Entry{Room: "lobby"})
	if err != nil {
		t.Fatal(err)
	}
	group := string(entered.Group.ID)
	say := func(text string) *chat.Message {
		t.Helper()
		sent, err := service.SendMessage(t.Context(), alice, chat.NewMessage{Group: entered.Group.ID, Text: text})
		if err != nil {
			t.Fatal(err)
		}
		return sent.Message
	}
	bad := say("spam")
	if err := service.Report(t.Context(), alice, entered.Group.ID, bad.Seq, "it is spam"); err != nil {
		t.Fatal(err)
	}
	for _, o := range []struct{ method, path, body string }{
		{"GET", "/admin/reports", ""}, {"DELETE", "/admin/reports/" + group + "/1", ""}, {"GET", "/admin/words", ""}, {"PUT", "/admin/words", `{"words":[]}`},
	} {
		wantRefused(t, s.ask(o.method, "/api/v1"+o.path, o.body, member), http.StatusNotFound, chat.CodeNotFound)
	}
	got := s.ask("GET", "/api/v1/admin/reports", "", admin).Body.String()
	for _, want := range []string{`"message":"spam"`, `"reason":"it is spam"`, `"userId":"` + string(alice.ID) + `"`, group} {
		if !strings.Contains(got, want) {
			t.Errorf("%s is missing in %s", want, got)
		}
	}
	path := "/api/v1/admin/reports/" + group + "/" + strconv.Itoa(int(bad.Seq))
	if w := s.ask("DELETE", path, "", admin); w.Code != http.StatusNoContent {
		t.Errorf("got %d %s", w.Code, w.Body)
	}
	wantRefused(t, s.ask("DELETE", path, "", admin), http.StatusNotFound, chat.CodeNotFound)

	if got := s.ask("PUT", "/api/v1/admin/words", `{"words":["casino"," casino"]}`, admin); got.Body.String() != `{"words":["casino"]}`+"\n" {
		t.Errorf("got %d %s", got.Code, got.Body)
	}
	if _, err := service.SendMessage(t.Context(), alice, chat.NewMessage{Group: entered.Group.ID, Text: "a casino"}); err == nil {
		t.Error("a word of the list was said")
	}
	if got := s.ask("GET", "/api/v1/admin/words", "", admin); !strings.Contains(got.Body.String(), "casino") {
		t.Errorf("got %d %s", got.Code, got.Body)
	}
}
