package rest_test

import (
	"encoding/json"
	"fmt"
	"io/fs"
	"net/http"
	"strings"
	"testing"
	"testing/fstest"

	"qun/internal/auth"
	"qun/internal/chat"
	"qun/internal/rest"
	"qun/web"
)

// ended is whose sockets were ended, and whose session was spared.
type ended struct {
	user chat.UserID
	keep *auth.TokenHash
}

// town is a house that tells whose sockets it ends.
type town struct {
	*site
	chat *chat.Service
	auth *auth.Service
	out  []ended
}

func newTown(t *testing.T, registration chat.Registration) *town {
	t.Helper()
	o := &town{}
	o.site, o.chat = newHouse(t, func(c *rest.Config) {
		o.auth = c.Auth
		c.SignedOutAll = func(u chat.UserID, keep *auth.TokenHash) { o.out = append(o.out, ended{u, keep}) }
		c.Link = "https://chat.example"
	})
	register(t, o.chat, registration)
	return o
}

// register says who may make an account.
func register(t *testing.T, service *chat.Service, who chat.Registration) {
	t.Helper()
	if who == "" {
		return
	}
	update := chat.SettingsUpdate{ServerSettings: chat.ServerSettings{Registration: &who}}
	if _, err := service.SetServerSettings(t.Context(), &chat.User{ID: "console"}, update); err != nil {
		t.Fatal(err)
	}
}

// must asks and reads the answer into v, if there is one.
func (o *town) must(t *testing.T, method, path, body string, v any) {
	t.Helper()
	w := o.ask(method, path, body)
	if w.Code != http.StatusOK && w.Code != http.StatusNoContent {
		t.Fatalf("%s %s: got %d %s", method, path, w.Code, w.Body)
	}
	if v == nil {
		return
	}
	if err := json.Unmarshal(w.Body.Bytes(), v); err != nil {
		t.Fatalf("%s %s: got %s: %v", method, path, w.Body, err)
	}
}

// as takes another browser: its cookie is kept by the one who calls.
func (o *town) as(cookie *http.Cookie, do func()) *http.Cookie {
	before := o.cookie
	o.cookie = cookie
	do()
	cookie, o.cookie = o.cookie, before
	return cookie
}

// member registers somebody and returns the browser's cookie.
func (o *town) member(t *testing.T, name string) (chat.UserID, *http.Cookie) {
	t.Helper()
	var out struct{ User chat.User }
	cookie := o.as(nil, func() {
		o.must(t, "POST", "/api/v1/users", `{"username":"`+name+`","password":"correct horse"}`, &out)
	})
	return out.User.ID, cookie
}

func TestWhoMayRegisterIsASetting(t *testing.T) {
	body := `{"username":"lin","password":"correct horse"}`
	wantRefused(t, newTown(t, chat.RegistrationOff).ask("POST", "/api/v1/users", body), http.StatusForbidden, chat.CodeForbidden)
	wantRefused(t, newTown(t, "").ask("POST", "/api/v1/users", body), http.StatusForbidden, chat.CodeForbidden)
	o := newTown(t, chat.RegistrationInvite)
	wantRefused(t, o.ask("POST", "/api/v1/users", body), http.StatusForbidden, chat.CodeForbidden)
	wantRefused(t, o.ask("POST", "/api/v1/users", `{"username":"lin","password":"correct horse","invite":"AAAA"}`), http.StatusNotFound, chat.CodeNotFound)
	owner, err := o.chat.CreateMember(t.Context(), chat.NewMember{Username: "owner"})
	if err != nil {
		t.Fatal(err)
	}
	group, err := o.chat.Enter(t.Context(), owner, chat.Entry{Room: "hall"})
	if err != nil {
		t.Fatal(err)
	}
	invite, err := o.chat.Invite(t.Context(), owner, chat.NewInvite{Group: group.Group.ID})
	if err != nil {
		t.Fatal(err)
	}
	o.must(t, "POST", "/api/v1/users", `{"username":"guided","password":"correct horse","invite":"`+invite.Token+`"}`, nil)
	o = newTown(t, chat.RegistrationOpen)
	o.must(t, "POST", "/api/v1/users", body, nil)
	var session struct {
		User         chat.User
		Registration string
	}
	o.must(t, "GET", "/api/v1/session", "", &session)
	if session.User.Username != "lin" || session.Registration != "open" {
		t.Errorf("got %+v", session)
	}
	wantRefused(t, o.ask("POST", "/api/v1/users", `{"username":"other","password":"correct horse"}`), http.StatusConflict, chat.CodeConflict)
	o.cookie = nil
	wantRefused(t, o.ask("POST", "/api/v1/users", `{"username":"LIN","password":"correct horse"}`), http.StatusConflict, chat.CodeNameTaken)
	wantRefused(t, o.ask("POST", "/api/v1/users", `{"username":"wang","password":"1234567"}`), http.StatusBadRequest, chat.CodeInvalid)
}

func TestScriptsGetTheirTokenInTheAnswer(t *testing.T) {
	o := newTown(t, chat.RegistrationOpen)
	id, _ := o.member(t, "lin")
	w := o.ask("POST", "/api/v1/session", `{"username":"lin","password":"correct horse","token":true}`)
	var out struct{ Token string }
	if err := json.Unmarshal(w.Body.Bytes(), &out); err != nil || out.Token == "" || w.Header().Get("Set-Cookie") != "" {
		t.Fatalf("got %d %s with cookie %q", w.Code, w.Body, w.Header().Get("Set-Cookie"))
	}
	w = o.ask("GET", "/api/v1/me", "", func(r *http.Request) { r.Header.Set("Authorization", "Bearer "+out.Token) })
	if !strings.Contains(w.Body.String(), string(id)) {
		t.Errorf("got %d %s", w.Code, w.Body)
	}
}

func TestWrongPasswordsAreRefusedAlikeAndTooManyWait(t *testing.T) {
	o := newTown(t, chat.RegistrationOpen)
	o.member(t, "lin")
	try := func(name string) *http.Response {
		return o.ask("POST", "/api/v1/session", `{"username":"`+name+`","password":"wrong"}`).Result()
	}
	for range 10 {
		if w := try("lin"); w.StatusCode != http.StatusUnauthorized {
			t.Fatalf("got %d", w.StatusCode)
		}
	}
	if w := try("lin"); w.StatusCode != http.StatusTooManyRequests || w.Header.Get("Retry-After") != "30" {
		t.Errorf("the eleventh: got %d, Retry-After %q", w.StatusCode, w.Header.Get("Retry-After"))
	}
	if w := try("nobody"); w.StatusCode != http.StatusUnauthorized {
		t.Errorf("of another account: got %d", w.StatusCode)
	}
}

func TestAChangedPasswordEndsTheOtherDevices(t *testing.T) {
	o := newTown(t, chat.RegistrationOpen)
	id, mine := o.member(t, "lin")
	o.must(t, "POST", "/api/v1/session", `{"username":"lin","password":"correct horse"}`, nil)
	other := o.cookie
	o.cookie = mine
	var list struct{ Devices []auth.Device }
	o.must(t, "GET", "/api/v1/me/devices", "", &list)
	if len(list.Devices) != 2 {
		t.Fatalf("got %+v", list)
	}
	wantRefused(t, o.ask("POST", "/api/v1/me/password", `{"current":"wrong","password":"another horse"}`), http.StatusForbidden, chat.CodeForbidden)
	if len(o.out) != 0 {
		t.Errorf("a refused change ended %+v", o.out)
	}
	o.must(t, "POST", "/api/v1/me/password", `{"current":"correct horse","password":"another horse"}`, nil)
	if len(o.out) != 1 || o.out[0].user != id || o.out[0].keep == nil {
		t.Errorf("ended %+v, want all of %s but this one", o.out, id)
	}
	o.must(t, "GET", "/api/v1/me", "", nil)
	o.cookie = other
	wantRefused(t, o.ask("GET", "/api/v1/me", ""), http.StatusUnauthorized, chat.CodeUnauthorized)
}

func TestADeviceIsRevoked(t *testing.T) {
	o := newTown(t, chat.RegistrationOpen)
	_, mine := o.member(t, "lin")
	o.must(t, "POST", "/api/v1/session", `{"username":"lin","password":"correct horse"}`, nil)
	var list struct{ Devices []auth.Device }
	o.must(t, "GET", "/api/v1/me/devices", "", &list)
	for _, device := range list.Devices {
		if !device.Current {
			o.must(t, "DELETE", "/api/v1/me/devices/"+device.ID, "", nil)
		}
	}
	if len(o.signedOut) != 1 {
		t.Errorf("ended %+v", o.signedOut)
	}
	o.must(t, "GET", "/api/v1/me", "", nil)
	o.cookie = mine
	wantRefused(t, o.ask("GET", "/api/v1/me", ""), http.StatusUnauthorized, chat.CodeUnauthorized)
}

func TestACodeMovesAGuestToAnotherDevice(t *testing.T) {
	o := newTown(t, chat.RegistrationOpen)
	guest := userIn(t, o.ask("POST", "/api/v1/session", `{"nickName":"小明"}`))
	var link struct{ URL, Code, ExpiresAt string }
	o.must(t, "POST", "/api/v1/session/handoff", `{}`, &link)
	if link.URL != "https://chat.example/account#handoff="+link.Code || link.Code == "" {
		t.Errorf("got %+v", link)
	}
	o.cookie = nil
	if there := userIn(t, o.ask("POST", "/api/v1/session", `{"handoff":"`+link.Code+`"}`)); there.ID != guest.ID {
		t.Errorf("there it is %+v, want %+v", there, guest)
	}
	o.cookie = nil
	wantRefused(t, o.ask("POST", "/api/v1/session", `{"handoff":"`+link.Code+`"}`), http.StatusNotFound, chat.CodeNotFound)
}

func TestIUpdateMyselfAndGuestsGetANewToken(t *testing.T) {
	o := newTown(t, chat.RegistrationOpen)
	guest := userIn(t, o.ask("POST", "/api/v1/session", `{"nickName":"小明"}`))
	before := o.cookie
	var me struct {
		User     chat.User
		Settings json.RawMessage
	}
	o.must(t, "PATCH", "/api/v1/me", `{"nickName":"大明"}`, &me)
	if me.User.ID != guest.ID || me.User.NickName != "大明" || o.cookie == before {
		t.Errorf("got %+v, and the same cookie: %v", me.User, o.cookie == before)
	}
	o.must(t, "GET", "/api/v1/me", "", &me)
	if me.User.NickName != "大明" {
		t.Errorf("afterwards %+v", me.User)
	}
	_, lin := o.member(t, "lin")
	o.cookie = lin
	o.must(t, "PATCH", "/api/v1/me", `{"settings":{"theme":"dark"},"nickName":"林老师"}`, &me)
	o.must(t, "GET", "/api/v1/me", "", &me)
	if string(me.Settings) != `{"theme":"dark"}` || me.User.NickName != "林老师" {
		t.Errorf("got %s of %+v", me.Settings, me.User)
	}
	wantRefused(t, o.ask("PATCH", "/api/v1/me", `{"settings":[1]}`), http.StatusBadRequest, chat.CodeInvalid)
}

func TestADeletedAccountIsGone(t *testing.T) {
	o := newTown(t, chat.RegistrationOpen)
	id, cookie := o.member(t, "lin")
	o.cookie = cookie
	wantRefused(t, o.ask("POST", "/api/v1/me/delete", `{"password":"wrong"}`), http.StatusForbidden, chat.CodeForbidden)
	o.must(t, "POST", "/api/v1/me/delete", `{"password":"correct horse"}`, nil)
	if len(o.out) != 1 || o.out[0] != (ended{user: id}) {
		t.Errorf("ended %+v", o.out)
	}
	o.cookie = cookie
	wantRefused(t, o.ask("GET", "/api/v1/me", ""), http.StatusUnauthorized, chat.CodeUnauthorized)
	wantRefused(t, o.ask("POST", "/api/v1/session", `{"username":"lin","password":"correct horse"}`), http.StatusUnauthorized, chat.CodeUnauthorized)
	o.cookie = nil
	o.must(t, "POST", "/api/v1/users", `{"username":"lin","password":"correct horse"}`, nil) // the name is free again
}

func TestAdministratorsLookAfterAccounts(t *testing.T) {
	o := newTown(t, chat.RegistrationInvite)
	hash, err := o.auth.HashPassword(t.Context(), "correct horse")
	if err != nil {
		t.Fatal(err)
	}
	boss, err := o.chat.Register(t.Context(), nil, chat.NewMember{Username: "boss", Password: hash, Admin: true})
	if err != nil {
		t.Fatal(err)
	}
	var session struct{ Admin bool }
	o.must(t, "POST", "/api/v1/session", `{"username":"boss","password":"correct horse"}`, &session)
	if !session.Admin {
		t.Error("signing in does not say who administers")
	}
	bossCookie := o.cookie
	var link struct{ URL, Code string }
	o.must(t, "POST", "/api/v1/admin/invites", `{"uses":3}`, &link)
	if link.URL != "https://chat.example/account#invite="+link.Code {
		t.Errorf("got %+v", link)
	}
	var ids []chat.UserID
	var cookies []*http.Cookie
	for _, name := range []string{"lin", "wang", "zhao", "late"} {
		o.cookie = nil
		w := o.ask("POST", "/api/v1/users", `{"username":"`+name+`","password":"correct horse","invite":"`+link.Code+`"}`)
		if name == "late" {
			wantRefused(t, w, http.StatusNotFound, chat.CodeNotFound)
			continue
		}
		ids, cookies = append(ids, userIn(t, w).ID), append(cookies, o.cookie)
	}
	o.cookie = cookies[0]
	wantRefused(t, o.ask("GET", "/api/v1/admin/users", ""), http.StatusNotFound, chat.CodeNotFound)
	o.cookie = bossCookie
	var page struct {
		Users []struct {
			User            chat.User
			Admin, Disabled bool
		}
		Next string
	}
	o.must(t, "GET", "/api/v1/admin/users?limit=3", "", &page)
	if len(page.Users) != 3 || page.Users[0].User.ID != boss.ID || !page.Users[0].Admin || page.Next != string(ids[1]) {
		t.Errorf("got %+v", page)
	}
	page.Next = ""
	o.must(t, "GET", "/api/v1/admin/users?limit=3&cursor="+string(ids[1]), "", &page)
	if len(page.Users) != 1 || page.Users[0].User.ID != ids[2] || page.Next != "" {
		t.Errorf("got %+v", page)
	}
	o.must(t, "GET", "/api/v1/admin/users?search=WAN", "", &page)
	if len(page.Users) != 1 || page.Users[0].User.ID != ids[1] {
		t.Errorf("got %+v", page)
	}
	wantRefused(t, o.ask("PATCH", fmt.Sprintf("/api/v1/admin/users/%s", boss.ID), `{"disabled":true}`), http.StatusConflict, chat.CodeConflict)
	wantRefused(t, o.ask("PATCH", "/api/v1/admin/users/nobody", `{"disabled":true}`), http.StatusNotFound, chat.CodeNotFound)
	o.must(t, "PATCH", fmt.Sprintf("/api/v1/admin/users/%s", ids[1]), `{"disabled":true}`, nil)
	if len(o.out) != 1 || o.out[0] != (ended{user: ids[1]}) {
		t.Errorf("ended %+v", o.out)
	}
	var audit struct{ Entries []chat.AuditEntry }
	o.must(t, "GET", "/api/v1/admin/audit?limit=1", "", &audit)
	if len(audit.Entries) != 1 || audit.Entries[0].Act != "disable" || audit.Entries[0].By != boss.ID || audit.Entries[0].Target != ids[1] {
		t.Errorf("the audit says %+v", audit)
	}
	o.cookie = cookies[1]
	wantRefused(t, o.ask("GET", "/api/v1/me", ""), http.StatusUnauthorized, chat.CodeUnauthorized)
	o.cookie = bossCookie
	o.must(t, "POST", fmt.Sprintf("/api/v1/admin/users/%s/reset", ids[0]), `{}`, &link)
	o.must(t, "PATCH", fmt.Sprintf("/api/v1/admin/users/%s", ids[2]), `{"admin":true}`, nil)
	o.cookie = cookies[2]
	o.must(t, "GET", "/api/v1/admin/users", "", nil)
	o.cookie = nil
	o.must(t, "POST", "/api/v1/password", `{"code":"`+link.Code+`","password":"another horse"}`, nil)
	o.must(t, "POST", "/api/v1/session", `{"username":"lin","password":"another horse"}`, nil)
}

func TestThePageThatTakesCodesIsTheAppsWhereThereIsOne(t *testing.T) {
	page := func(app fs.FS) string {
		s := newSite(t, func(c *rest.Config) { c.App, c.Account = app, web.Account() })
		w := s.ask("GET", "/account", "", func(r *http.Request) { r.Header.Set("Accept", "text/html") })
		if w.Code != http.StatusOK {
			t.Errorf("got %d %s", w.Code, w.Body)
		}
		return w.Body.String()
	}
	if got := page(nil); !strings.Contains(got, "/account/account.js") {
		t.Errorf("without an app: got %s", got)
	}
	if got := page(fstest.MapFS{"index.html": {Data: []byte("the app")}}); got != "the app" {
		t.Errorf("with an app: got %s", got)
	}
	s := newSite(t, func(c *rest.Config) { c.Account = web.Account() })
	for path, kind := range map[string]string{"/account/account.js": "text/javascript", "/account/account.css": "text/css"} {
		if w := s.ask("GET", path, ""); w.Code != http.StatusOK || !strings.HasPrefix(w.Header().Get("Content-Type"), kind) {
			t.Errorf("%s: got %d %s", path, w.Code, w.Header().Get("Content-Type"))
		}
	}
}
