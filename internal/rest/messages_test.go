package rest_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"testing"

	"qun/internal/chat"
)

// A script needs nothing but a token and the id of a group.
func TestAScriptTalksAndReads(t *testing.T) {
	s, service, guest, group := lobby(t)
	if _, err := service.SendMessage(t.Context(), guest, chat.NewMessage{Group: group, Entered: true, Text: "hello"}); err != nil {
		t.Fatal(err)
	}
	path := "/api/v1/groups/" + string(group) + "/messages"
	file := s.upload(t, "log.txt", []byte("words"))
	key := func(r *http.Request) { r.Header.Set("Idempotency-Key", "build-17") }
	var sent chat.Sent
	for _, duplicate := range []bool{false, true} {
		w := s.ask("POST", path, fmt.Sprintf(`{"message":"done","files":[%q],"unknown":1}`, file.ID), key)
		if err := json.Unmarshal(w.Body.Bytes(), &sent); err != nil || w.Code != http.StatusOK || sent.Duplicate != duplicate {
			t.Fatalf("got %d %s", w.Code, w.Body)
		}
	}
	if m := sent.Message; m.Text != "done" || m.ClientID != "build-17" || len(m.Files) != 1 || m.Files[0] != file {
		t.Errorf("got %+v", m)
	}
	wantRefused(t, s.ask("POST", path, `{"message":"other"}`, key), http.StatusConflict, chat.CodeConflict)
	wantRefused(t, s.ask("POST", path, `{}`), http.StatusBadRequest, chat.CodeInvalid)
	wantRefused(t, s.ask("POST", "/api/v1/groups/none/messages", `{"message":"x"}`), http.StatusNotFound, chat.CodeNotFound)

	var page chat.History
	w := s.ask("GET", path+"?limit=1", "")
	if err := json.Unmarshal(w.Body.Bytes(), &page); err != nil || len(page.Messages) != 1 || page.Messages[0].Text != "done" || !page.Before {
		t.Errorf("got %s", w.Body)
	}
	w = s.ask("GET", path+"?after=0", "")
	if err := json.Unmarshal(w.Body.Bytes(), &page); err != nil || len(page.Messages) != 2 || page.Messages[0].Text != "hello" {
		t.Errorf("from the beginning: got %s", w.Body)
	}
	if w := s.ask("GET", fmt.Sprintf("%s/%d", path, sent.Message.Seq), ""); !strings.Contains(w.Body.String(), `"message":"done"`) {
		t.Errorf("got %d %s", w.Code, w.Body)
	}
	for _, odd := range []string{"?limit=0", "?limit=101", "?before=x", "?before=2&after=1", "/0", "/x"} {
		wantRefused(t, s.ask("GET", path+odd, ""), http.StatusBadRequest, chat.CodeInvalid)
	}
	wantRefused(t, s.ask("GET", path+"/99", ""), http.StatusNotFound, chat.CodeNotFound)
	wantRefused(t, s.ask("GET", "/api/v1/groups/none/messages/1", ""), http.StatusNotFound, chat.CodeNotFound)
}

// Guests speak in open groups that their socket has entered; a request without one has entered nothing.
func TestAStrangerDoesNotSpeakOverHTTP(t *testing.T) {
	s, _, _, group := lobby(t)
	w := s.ask("POST", "/api/v1/groups/"+string(group)+"/messages", `{"message":"x"}`)
	wantRefused(t, w, http.StatusConflict, chat.CodeNotInRoom)
}

func TestGroupsAndUsersAreLookedUp(t *testing.T) {
	s, service, guest, group := lobby(t)
	if _, err := service.SendMessage(t.Context(), guest, chat.NewMessage{Group: group, Entered: true, Text: "hello"}); err != nil {
		t.Fatal(err)
	}
	for path, want := range map[string]string{
		"/api/v1/groups/public?search=LOB":                              `"name":"lobby"`,
		"/api/v1/groups/public?search=none":                             `{"groups":[]}`,
		"/api/v1/groups/" + string(group) + "/members?search=小&limit=1": `"nickName":"小明"`,
		"/api/v1/groups/" + string(group) + "/members?search=none":      `{"members":[]}`,
		"/api/v1/groups":                    `"lastMessage":{`,
		"/api/v1/groups/" + string(group):   `"room":"lobby"`,
		"/api/v1/users/" + string(guest.ID): `"nickName":"小明"`,
	} {
		if w := s.ask("GET", path, ""); w.Code != http.StatusOK || !strings.Contains(w.Body.String(), want) {
			t.Errorf("%s: got %d %s", path, w.Code, w.Body)
		}
	}
	wantRefused(t, s.ask("GET", "/api/v1/groups/none/members", ""), http.StatusNotFound, chat.CodeNotFound)
	wantRefused(t, s.ask("GET", "/api/v1/groups/"+string(group)+"/members?cursor=x", ""), http.StatusBadRequest, chat.CodeInvalid)
	wantRefused(t, s.ask("GET", "/api/v1/users/none", ""), http.StatusNotFound, chat.CodeNotFound)
	wantRefused(t, s.ask("GET", "/api/v1/groups/none", ""), http.StatusNotFound, chat.CodeNotFound)
}

func TestABotsTokenSaysWhatItMayDo(t *testing.T) {
	s, service, _, _ := lobby(t)
	alice := member(t, s, service, "alice")
	made, err := service.CreateGroup(t.Context(), alice, chat.NewGroup{Name: "builds"})
	if err != nil {
		t.Fatal(err)
	}
	group := made.Group
	f := s.upload(t, "a.txt", []byte("words"))
	if _, err := service.SendMessage(t.Context(), alice, chat.NewMessage{Group: group.ID, Files: []chat.FileID{f.ID}}); err != nil {
		t.Fatal(err)
	}
	var bot struct {
		Token string
		User  chat.User
	}
	as := func(scope string) func(*http.Request) {
		t.Helper()
		name := "bot-" + scope
		w := s.ask("POST", "/api/v1/me/bots", fmt.Sprintf(`{"nickName":%q,"scopes":[%q]}`, name, scope))
		if err := json.Unmarshal(w.Body.Bytes(), &bot); err != nil || bot.Token == "" {
			t.Fatalf("got %d %s", w.Code, w.Body)
		}
		token := bot.Token
		return func(r *http.Request) { r.Header.Set("Authorization", "Bearer "+token) }
	}
	reads, sends := as("read"), as("send")
	path := "/api/v1/groups/" + string(group.ID) + "/messages"
	wantRefused(t, s.ask("POST", path, `{"message":"x"}`, reads), http.StatusForbidden, chat.CodeForbidden)
	wantRefused(t, s.post(t, "x", nil, reads), http.StatusForbidden, chat.CodeForbidden)
	wantRefused(t, s.ask("GET", path, "", sends), http.StatusForbidden, chat.CodeForbidden)
	wantRefused(t, s.ask("GET", f.URL, "", sends), http.StatusForbidden, chat.CodeForbidden)
	fileIn(t, s.post(t, "x", []byte("x"), sends))
	wantRefused(t, s.ask("POST", path, `{"message":"x"}`, sends), http.StatusNotFound, chat.CodeNotFound) // it is no member
	wantRefused(t, s.ask("GET", f.URL, "", reads), http.StatusNotFound, chat.CodeNotFound)
	if w := s.ask("PUT", "/api/v1/groups/"+string(group.ID)+"/bots/"+string(bot.User.ID), ""); w.Code != http.StatusOK {
		t.Fatalf("let the bot in: got %d %s", w.Code, w.Body)
	}
	if w := s.ask("POST", path, `{"message":"built"}`, sends); w.Code != http.StatusOK {
		t.Errorf("among its members it may speak: got %d %s", w.Code, w.Body)
	}
}
