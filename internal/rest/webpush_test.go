package rest_test

import (
	"net/http"
	"strings"
	"testing"
	"time"

	"qun/internal/auth"
	"qun/internal/chat"
	"qun/internal/rest"
)

func TestABrowserWithoutAPageSubscribesAnew(t *testing.T) {
	service, data := newChat(t)
	who, err := auth.New(t.Context(), data, auth.Config{})
	if err != nil {
		t.Fatal(err)
	}
	s := newSite(t, func(c *rest.Config) { c.Chat, c.Auth = service, who })
	user := member(t, s, service, "alice")
	subscribe := func(name, before string) {
		t.Helper()
		w := s.ask("POST", "/api/v1/me/push", `{"before":"`+before+`","subscription":{"endpoint":"https://push.example.org/`+name+`","expirationTime":null,`+
			`"keys":{"p256dh":"BCVxsr7N_eNgVRqvHtD0zTZsEc6-VV-JvLexhqUzORcxaOzi6-AYWXvTBHm4bjyPjs7Vd8pZGH6SRpkNtoIAiw4","auth":"BTBZMqHH6r4Tts7J_aSIgg"}}}`)
		if w.Code != http.StatusNoContent {
			t.Errorf("got %d %s", w.Code, w.Body)
		}
	}
	friend, err := service.CreateMember(t.Context(), chat.NewMember{Username: "friend"})
	if err != nil {
		t.Fatal(err)
	}
	var group chat.GroupID
	for _, u := range []*chat.User{user, friend} {
		entered, err := service.Enter(t.Context(), u, chat.Entry{Room: "lobby"})
		if err != nil {
			t.Fatal(err)
		}
		group = entered.Group.ID
	}
	devices := func() int { // that are to be called
		t.Helper()
		var callees []*chat.Callee
		err := data.View(t.Context(), func(r chat.Reader) (err error) {
			callees, err = r.Callees(group, chat.TimeOf(time.Now()))
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
		return len(callees)
	}
	if _, err := service.SendMessage(t.Context(), friend, chat.NewMessage{Group: group, Text: "are you there?"}); err != nil {
		t.Fatal(err)
	}

	if w := s.ask("GET", "/api/v1/me/push", ""); w.Code != http.StatusOK || !strings.Contains(w.Body.String(), `"key":`) {
		t.Errorf("got %d %s", w.Code, w.Body)
	}
	subscribe("old", "")
	subscribe("new", "https://push.example.org/old")
	if n := devices(); n != 1 {
		t.Errorf("%d devices after one came in another's place, want 1", n)
	}
	subscribe("new", "https://push.example.org/new") // the same again
	if n := devices(); n != 1 {
		t.Errorf("%d devices, want 1", n)
	}
	if w := s.ask("DELETE", "/api/v1/me/push", `{"endpoint":"https://push.example.org/new"}`); w.Code != http.StatusNoContent || devices() != 0 {
		t.Errorf("got %d %s, %d devices", w.Code, w.Body, devices())
	}
	subscribe("again", "")
	if n := devices(); n != 1 {
		t.Errorf("%d devices, want 1", n)
	}
	if err := who.SignOut(t.Context(), s.cookie.Value); err != nil {
		t.Fatal(err)
	}
	if n := devices(); n != 0 {
		t.Errorf("%d devices after the session they came with ended", n)
	}
	guest := s.guestToken(t, service, "小明")
	wantRefused(t, s.ask("GET", "/api/v1/me/push", "", func(r *http.Request) { r.Header.Set("Authorization", "Bearer "+guest) }), http.StatusForbidden, chat.CodeForbidden)
}
