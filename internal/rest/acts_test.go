package rest_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"testing"

	"qun/internal/chat"
)

// A script makes a group, runs it and talks in it, with nothing but HTTP; what it may do is what the group says.
func TestAScriptRunsAGroup(t *testing.T) {
	s, service, _, _ := lobby(t)
	bob := member(t, s, service, "bob")
	asBob := s.cookie
	alice := member(t, s, service, "alice") // asks from here on
	var group chat.Made
	once := func(r *http.Request) { r.Header.Set("Idempotency-Key", "builds-1") }
	for i, body := range []string{`{"name":"builds","members":[%q]}`, `{"name":"builds","members":[%q]}`, `{"name":"builds","members":[%q],"clientId":"builds-1"}`} {
		before := group.Group
		made := s.ask("POST", "/api/v1/groups", fmt.Sprintf(body, bob.ID), once)
		if err := json.Unmarshal(made.Body.Bytes(), &group); err != nil || made.Code != http.StatusOK {
			t.Fatalf("got %d %s", made.Code, made.Body)
		}
		if group.Duplicate != (i > 0) || before != nil && before.ID != group.Group.ID {
			t.Fatalf("asked %d times: got %s", i+1, made.Body)
		}
	}
	wantRefused(t, s.ask("POST", "/api/v1/groups", `{"name":"other"}`, once), http.StatusConflict, chat.CodeConflict)
	at := "/api/v1/groups/" + string(group.Group.ID)
	ofBob := at + "/members/" + string(bob.ID)
	as := func(cookie *http.Cookie) func(*http.Request) {
		return func(r *http.Request) { r.Header.Del("Cookie"); r.AddCookie(cookie) }
	}
	byBob := as(asBob)
	var sent chat.Sent
	for _, duplicate := range []bool{false, true} {
		w := s.ask("POST", at+"/messages", `{"message":"built","clientId":"1"}`)
		if err := json.Unmarshal(w.Body.Bytes(), &sent); err != nil || sent.Duplicate != duplicate {
			t.Fatalf("got %d %s", w.Code, w.Body)
		}
	}
	said := fmt.Sprintf("%s/messages/%d", at, sent.Message.Seq)
	for _, c := range []struct{ method, path, body, want string }{
		{"PATCH", at, `{"topic":"what was built","slowMode":5}`, `"slowMode":5`},
		{"PATCH", said, `{"message":"built, and tested"}`, `"editedAt"`},
		{"PUT", said + "/reactions", `{"emoji":"👍"}`, `"mine":true`},
		{"PUT", said + "/reactions", `{"emoji":"👍","on":false}`, `"message":"built, and tested"`},
		{"PUT", said + "/pin", ``, `"pinnedAt"`},
		{"GET", at + "/pins", ``, `"built, and tested"`},
		{"DELETE", said + "/pin", ``, `"message":"built, and tested"`},
		{"DELETE", said + "/preview", ``, `"message":"built, and tested"`},
		{"POST", said + "/forward", fmt.Sprintf(`{"to":%q,"clientId":"f"}`, group.Group.ID), `"clientId":"f"`},
		{"POST", said + "/forward", fmt.Sprintf(`{"to":%q,"clientId":"f"}`, group.Group.ID), `"duplicate":true`},
		{"PUT", ofBob + "/role", `{"role":"admin"}`, `"role":"admin"`},
		{"PUT", ofBob + "/role", `{"role":"member"}`, `"role":"member"`},
		{"PUT", ofBob + "/mute", `{}`, `"mutedUntil":"9999`},
		{"DELETE", ofBob + "/mute", ``, `"state":"active"`},
		{"PUT", at + "/mute", ``, `"mutedAll":true`},
		{"DELETE", at + "/mute", ``, `"groupId"`},
		{"DELETE", ofBob, ``, `"state":"kicked"`},
		{"POST", at + "/members", fmt.Sprintf(`{"userIds":[%q]}`, bob.ID), fmt.Sprintf(`"added":[%q]`, bob.ID)},
		{"PUT", at + "/bans/" + string(bob.ID), `{}`, `"state":"banned"`},
		{"GET", at + "/bans", ``, `"nickName":"bob"`},
		{"DELETE", at + "/bans/" + string(bob.ID), ``, `"member"`},
		{"POST", at + "/members", fmt.Sprintf(`{"userIds":[%q]}`, bob.ID), string(bob.ID)},
		{"GET", at + "/requests", ``, `"requests":[]`},
		{"DELETE", said, ``, `"recalledAt"`},
	} {
		if w := s.ask(c.method, c.path, c.body); w.Code != http.StatusOK || !strings.Contains(w.Body.String(), c.want) {
			t.Errorf("%s %s %s: got %d %s, want %s", c.method, c.path, c.body, w.Code, w.Body, c.want)
		}
	}
	for _, c := range []struct {
		method, path, body string
		status             int
		code               chat.Code
	}{
		{"PATCH", at, `{"topic":"mine"}`, http.StatusForbidden, chat.CodeForbidden},
		{"DELETE", at, ``, http.StatusForbidden, chat.CodeForbidden},
		{"DELETE", at + "/members/" + string(alice.ID), ``, http.StatusForbidden, chat.CodeForbidden},
		{"PUT", at + "/bans/" + string(alice.ID), `{}`, http.StatusForbidden, chat.CodeForbidden},
		{"PUT", at + "/mute", ``, http.StatusForbidden, chat.CodeForbidden},
		{"PUT", said + "/pin", ``, http.StatusForbidden, chat.CodeForbidden},
		{"PATCH", said, `{"message":"x"}`, http.StatusConflict, chat.CodeConflict}, // recalled
		{"PATCH", at + "/messages/999", `{"message":"x"}`, http.StatusNotFound, chat.CodeNotFound},
		{"PATCH", "/api/v1/groups/none", `{"topic":"x"}`, http.StatusNotFound, chat.CodeNotFound},
	} {
		t.Run(c.method+" "+c.path, func(t *testing.T) { wantRefused(t, s.ask(c.method, c.path, c.body, byBob), c.status, c.code) })
	}
	if w := s.ask("POST", at+"/leave", "", byBob); w.Code != http.StatusNoContent {
		t.Errorf("leave: got %d %s", w.Code, w.Body)
	}
	if w := s.ask("DELETE", at, ""); w.Code != http.StatusNoContent {
		t.Errorf("dissolve: got %d %s", w.Code, w.Body)
	}
	wantRefused(t, s.ask("GET", at, ""), http.StatusNotFound, chat.CodeNotFound)
}

func TestInvitesAreMadeAndWithdrawnOverHTTP(t *testing.T) {
	s, service, _, _ := lobby(t)
	bob := member(t, s, service, "bob")
	member(t, s, service, "alice")
	var group struct{ Group chat.Group }
	w := s.ask("POST", "/api/v1/groups", `{"name":"builds"}`)
	if err := json.Unmarshal(w.Body.Bytes(), &group); err != nil {
		t.Fatal(err)
	}
	at := "/api/v1/groups/" + string(group.Group.ID) + "/invites"
	var made struct{ Invite chat.Invite }
	w = s.ask("POST", at, `{"maxUses":2}`)
	if err := json.Unmarshal(w.Body.Bytes(), &made); err != nil || made.Invite.Token == "" || made.Invite.MaxUses != 2 {
		t.Fatalf("got %d %s", w.Code, w.Body)
	}
	if w := s.ask("GET", at, ""); !strings.Contains(w.Body.String(), made.Invite.Token) {
		t.Errorf("got %s", w.Body)
	}
	if w := s.ask("DELETE", at+"/"+string(made.Invite.ID), ""); w.Code != http.StatusNoContent {
		t.Errorf("got %d %s", w.Code, w.Body)
	}
	if w := s.ask("GET", at, ""); strings.TrimSpace(w.Body.String()) != `{"invites":[]}` {
		t.Errorf("withdrawn, it is listed: %s", w.Body)
	}
	_, err := service.Enter(t.Context(), bob, chat.Entry{Invite: made.Invite.Token})
	if refused, ok := errors.AsType[*chat.Error](err); !ok || refused.Code != chat.CodeNotFound {
		t.Errorf("by an invite that was withdrawn: got %v", err)
	}
}

// What a bot may do in a group its token says.
func TestScopesHoldForGroupActs(t *testing.T) {
	s, service, _, _ := lobby(t)
	member(t, s, service, "alice")
	var bot struct{ Token string }
	w := s.ask("POST", "/api/v1/me/bots", `{"nickName":"sender","scopes":["send"]}`)
	if err := json.Unmarshal(w.Body.Bytes(), &bot); err != nil || bot.Token == "" {
		t.Fatalf("got %d %s", w.Code, w.Body)
	}
	asBot := func(r *http.Request) { r.Header.Del("Cookie"); r.Header.Set("Authorization", "Bearer "+bot.Token) }
	for _, c := range []struct{ method, path, body string }{
		{"POST", "/api/v1/groups", `{"name":"x"}`}, {"PATCH", "/api/v1/groups/none", `{}`}, {"PUT", "/api/v1/groups/none/mute", ``},
		{"PUT", "/api/v1/groups/none/bans/none", `{}`}, {"POST", "/api/v1/groups/none/invites", `{}`}, {"PUT", "/api/v1/groups/none/messages/1/pin", ``},
		{"GET", "/api/v1/groups/none/pins", ``},
	} {
		wantRefused(t, s.ask(c.method, c.path, c.body, asBot), http.StatusForbidden, chat.CodeForbidden)
	}
	wantRefused(t, s.ask("PATCH", "/api/v1/groups/none/messages/1", `{"message":"x"}`, asBot), http.StatusNotFound, chat.CodeNotFound)
}

// A program is told which field is wrong as it wrote it, and what was expected; never what was sent.
func TestWrongTypesNameTheFieldAndWhatIsExpected(t *testing.T) {
	s, service, _, _ := lobby(t)
	member(t, s, service, "alice")
	for body, want := range map[string]string{
		`{"name":"x","members":"canary"}`: "members", `{"name":12345}`: "name", `{"name":"x","topic":["canary"]}`: "topic",
		`{"name":"x","members":[12345]}`: "members", `["canary"]`: "", `"canary"`: "", `{"name":{"canary":1}}`: "name",
	} {
		var refused struct {
			Error struct{ Code, Message string }
		}
		w := s.ask("POST", "/api/v1/groups", body)
		if err := json.Unmarshal(w.Body.Bytes(), &refused); err != nil || w.Code != http.StatusBadRequest || refused.Error.Code != "INVALID" {
			t.Errorf("%s: got %d %s", body, w.Code, w.Body)
		}
		message := refused.Error.Message
		for _, odd := range []string{"Go ", "struct", "json:", "chat.", "In.", "Body", "canary", "12345", "unmarshal"} {
			if strings.Contains(message, odd) {
				t.Errorf("%s: got %q, which must not hold %q", body, message, odd)
			}
		}
		if !strings.Contains(message, want) || !strings.Contains(message, "string") && !strings.Contains(message, "list") && !strings.Contains(message, "array") && !strings.Contains(message, "object") {
			t.Errorf("%s: got %q, which must name %q and what is expected", body, message, want)
		}
	}
	wantWhole := func(path, body, want string) {
		t.Helper()
		w := s.ask("PATCH", path, body)
		if !strings.Contains(w.Body.String(), want) || strings.Contains(w.Body.String(), "Go ") || strings.Contains(w.Body.String(), "99999999999999999999") {
			t.Errorf("%s: got %s", body, w.Body)
		}
	}
	wantWhole("/api/v1/groups/none", `{"slowMode":1.5}`, "slowMode")
	wantWhole("/api/v1/groups/none", `{"slowMode":99999999999999999999}`, "slowMode")
}
