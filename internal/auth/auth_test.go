package auth_test

import (
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"qun/internal/auth"
	"qun/internal/chat"
)

var (
	member = chat.User{ID: "0190-member", NickName: "林老师", Username: "lin"}
	guest  = chat.User{ID: "0190-guest", NickName: "小明", Guest: true}
)

// clock is a time that a test moves.
type clock struct{ now time.Time }

func (c *clock) Now() time.Time { return c.now }

func newService(t *testing.T) (*auth.Service, *memory, *clock) {
	t.Helper()
	store, clock := newMemory(), &clock{time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)}
	store.accounts[member.ID] = &auth.Account{User: member}
	service, err := auth.New(t.Context(), store, auth.Config{Now: clock.Now, Cost: auth.Cost{Memory: 8, Passes: 1}})
	if err != nil {
		t.Fatal(err)
	}
	return service, store, clock
}

func signIn(t *testing.T, s *auth.Service) string {
	t.Helper()
	token, err := s.SignIn(t.Context(), member.ID, "Firefox")
	if err != nil {
		t.Fatal(err)
	}
	return token
}

func wantUser(t *testing.T, s *auth.Service, token string, want chat.User) {
	t.Helper()
	who, err := s.Authenticate(t.Context(), token)
	if err != nil {
		t.Fatalf("authenticate: %v", err)
	}
	if who.User.ID != want.ID || who.User.NickName != want.NickName || who.User.Guest != want.Guest {
		t.Errorf("got %+v, want %+v", who.User, want)
	}
}

func wantUnauthorized(t *testing.T, s *auth.Service, token string) {
	t.Helper()
	if who, err := s.Authenticate(t.Context(), token); !errors.Is(err, auth.ErrUnauthorized) {
		t.Errorf("token %q: got %+v, %v, want ErrUnauthorized", token, who, err)
	}
}

func TestAGuestsTokenIsTheGuest(t *testing.T) {
	s, _, _ := newService(t)
	wantUser(t, s, s.GuestToken(guest), guest)
}

func TestAGuestsIDTellsWhenItCame(t *testing.T) {
	s, _, _ := newService(t)
	for id, want := range map[chat.UserID]chat.Time{"017f22e2-79b0-7cc3-98c4-dc0c0c07398f": 1645557742000, "odd": 0, "not-a-uuid-at-all": 0} {
		who, err := s.Authenticate(t.Context(), s.GuestToken(chat.User{ID: id, NickName: "小明"}))
		if err != nil || who.User.CreatedAt != want {
			t.Errorf("%s: got %v, %v, want %v", id, who.User.CreatedAt, err, want)
		}
	}
}

func TestAGuestsTokenOutlivesARestart(t *testing.T) {
	s, store, _ := newService(t)
	token := s.GuestToken(guest)
	again, err := auth.New(t.Context(), store, auth.Config{})
	if err != nil {
		t.Fatal(err)
	}
	wantUser(t, again, token, guest)
}

func TestAnotherServersGuestsAreStrangers(t *testing.T) {
	s, _, _ := newService(t)
	other, _, _ := newService(t)
	wantUnauthorized(t, s, other.GuestToken(guest))
}

func TestNoByteOfAGuestsTokenCanBeChanged(t *testing.T) {
	s, _, _ := newService(t)
	token := s.GuestToken(guest)
	for i := range token {
		for _, b := range []byte{token[i] ^ 1, 'A', '.'} {
			if b == token[i] {
				continue
			}
			wantUnauthorized(t, s, token[:i]+string(rune(b))+token[i+1:])
		}
		wantUnauthorized(t, s, token[:i])
	}
	wantUnauthorized(t, s, token+"A")
}

func TestTheSignatureOfOneGuestDoesNotFitAnother(t *testing.T) {
	s, _, _ := newService(t)
	mine := strings.Split(s.GuestToken(guest), ".")
	other := strings.Split(s.GuestToken(chat.User{ID: "0190-other", NickName: "小明", Guest: true}), ".")
	wantUnauthorized(t, s, "g."+other[1]+"."+mine[2])
}

func TestIDAndNameCannotBeShifted(t *testing.T) {
	s, _, _ := newService(t)
	a := s.GuestToken(chat.User{ID: "ab", NickName: "c"})
	b := s.GuestToken(chat.User{ID: "a", NickName: "bc"})
	if a == b {
		t.Errorf("two guests have the same token %s", a)
	}
}

func TestAGuestWhoBecameAMemberHasNoGuestTokenAnyMore(t *testing.T) {
	s, store, _ := newService(t)
	token := s.GuestToken(guest)
	store.accounts[guest.ID] = &auth.Account{User: guest}
	wantUser(t, s, token, guest)
	registered := guest
	registered.Guest = false
	store.accounts[guest.ID] = &auth.Account{User: registered}
	wantUnauthorized(t, s, token)
}

func TestRaisingTheVersionRevokesAGuestsTokens(t *testing.T) {
	s, store, _ := newService(t)
	token := s.GuestToken(guest)
	store.accounts[guest.ID] = &auth.Account{User: guest, TokenVersion: 1}
	wantUnauthorized(t, s, token)
}

func TestARenamedGuestStaysTheSamePerson(t *testing.T) {
	s, store, _ := newService(t)
	store.accounts[guest.ID] = &auth.Account{User: guest}
	who, err := s.Authenticate(t.Context(), s.GuestToken(guest))
	if err != nil {
		t.Fatal(err)
	}
	user, token := s.Renamed(who, "大明")
	if user.ID != guest.ID || user.NickName != "大明" {
		t.Errorf("got %+v", user)
	}
	wantUser(t, s, token, chat.User{ID: guest.ID, NickName: "大明", Guest: true})
}

func TestAMembersTokenIsTheMember(t *testing.T) {
	s, _, _ := newService(t)
	wantUser(t, s, signIn(t, s), member)
}

func TestTheStoreNeverSeesAMembersToken(t *testing.T) {
	s, store, _ := newService(t)
	token := signIn(t, s)
	secret, err := base64.RawURLEncoding.DecodeString(strings.TrimPrefix(token, "s."))
	if err != nil || len(secret) != 32 {
		t.Fatalf("got a token of %d bytes, %v", len(secret), err)
	}
	for _, session := range store.sessions {
		if kept := fmt.Sprintf("%+v %s", session, session.Hash); strings.Contains(kept, token) || strings.Contains(kept, string(secret)) {
			t.Errorf("the session holds the token: %s", kept)
		}
	}
}

func TestASessionLives90DaysFromItsLastUse(t *testing.T) {
	s, _, clock := newService(t)
	token := signIn(t, s)
	for range 3 {
		clock.now = clock.now.Add(auth.SessionLife - time.Minute)
		wantUser(t, s, token, member)
	}
	clock.now = clock.now.Add(auth.SessionLife)
	wantUnauthorized(t, s, token)
}

func TestUsingASessionOftenWritesSeldom(t *testing.T) {
	s, store, clock := newService(t)
	token := signIn(t, s)
	for range 120 {
		clock.now = clock.now.Add(time.Minute)
		wantUser(t, s, token, member)
	}
	if store.extended != 2 {
		t.Errorf("got %d writes in two hours, want 2", store.extended)
	}
}

func TestSigningOutEndsThatSessionOnly(t *testing.T) {
	s, _, _ := newService(t)
	phone, desk := signIn(t, s), signIn(t, s)
	if err := s.SignOut(t.Context(), phone); err != nil {
		t.Fatal(err)
	}
	wantUnauthorized(t, s, phone)
	wantUser(t, s, desk, member)
}

func TestDisabledAccountsAreOut(t *testing.T) {
	s, store, _ := newService(t)
	token := signIn(t, s)
	store.accounts[member.ID].Disabled = true
	wantUnauthorized(t, s, token)
}

func TestNonsenseIsUnauthorized(t *testing.T) {
	s, _, _ := newService(t)
	for _, token := range []string{"", "x", "g.", "s.", "g..", "g.AAAA.", "s.AAAA", "g.AAAA.AAAA", strings.Repeat("g", 5000), "s." + strings.Repeat("A", 5000)} {
		wantUnauthorized(t, s, token)
	}
}

func TestABrokenStoreIsNoReasonToSignAnybodyOut(t *testing.T) {
	s, store, _ := newService(t)
	tokens := []string{signIn(t, s), s.GuestToken(guest)}
	store.broken = errors.New("disk on fire")
	for _, token := range tokens {
		_, err := s.Authenticate(t.Context(), token)
		if err == nil || errors.Is(err, auth.ErrUnauthorized) {
			t.Errorf("got %v, want the store's error", err)
		}
	}
}

func TestDevicesAreCutAtACharacter(t *testing.T) {
	s, store, _ := newService(t)
	if _, err := s.SignIn(t.Context(), member.ID, strings.Repeat("群", 200)+"\xff"); err != nil {
		t.Fatal(err)
	}
	for _, session := range store.sessions {
		if got := session.Device; len(got) > 256 || got != strings.Repeat("群", len(got)/3) {
			t.Errorf("got %d bytes: %q", len(got), got)
		}
	}
}

func TestTheCookieCountsForOurOwnPagesOnly(t *testing.T) {
	r := &http.Request{Header: http.Header{}}
	r.AddCookie(auth.Cookie("g.token", false))
	if got := auth.ReadCredentials(r.Header.Get, true, false); got.Cookie != "g.token" {
		t.Errorf("our page: got %+v", got)
	}
	if got := auth.ReadCredentials(r.Header.Get, false, false); got.Cookie != "" {
		t.Errorf("another's page: got %+v", got)
	}
	if got := auth.ReadCredentials(r.Header.Get, true, true); got.Cookie != "" {
		t.Errorf("over TLS the plain cookie counts: got %+v", got)
	}
}

func TestForeignCookiesDoNotHideOurs(t *testing.T) {
	header := func(name string) string {
		return map[string]string{"Cookie": `a=b c=d; bad{}=1; ; qun=g.token; "x"`}[name]
	}
	if got := auth.ReadCredentials(header, true, false); got.Cookie != "g.token" {
		t.Errorf("got %+v", got)
	}
}

func TestOnlyOurCookieIsKept(t *testing.T) {
	for given, want := range map[string]string{
		"a=b; qun=g.token; c=d":            "qun=g.token",
		"a=b":                              "",
		"":                                 "",
		"qun=" + strings.Repeat("x", 5000): "",
	} {
		r := &http.Request{Header: http.Header{"Cookie": {given}}}
		auth.TrimCookies(r)
		if got := r.Header.Get("Cookie"); got != want {
			t.Errorf("%.40q: got %q, want %q", given, got, want)
		}
	}
}

func TestBearerTokensAreRead(t *testing.T) {
	for header, want := range map[string]string{"Bearer abc": "abc", "bearer  abc ": "abc", "Basic abc": "", "abc": "", "": ""} {
		got := auth.ReadCredentials(func(name string) string {
			if name == "Authorization" {
				return header
			}
			return ""
		}, true, false)
		if got.Bearer != want {
			t.Errorf("%q: got %q, want %q", header, got.Bearer, want)
		}
	}
}

func TestTheCookieIsOutOfReach(t *testing.T) {
	plain, secure := auth.Cookie("s.x", false), auth.Cookie("s.x", true)
	for _, c := range []*http.Cookie{plain, secure} {
		if !c.HttpOnly || c.SameSite != http.SameSiteLaxMode || c.Path != "/" || c.Domain != "" {
			t.Errorf("got %s", c)
		}
	}
	if plain.Secure || !secure.Secure || !strings.HasPrefix(secure.Name, "__Host-") {
		t.Errorf("got %s and %s", plain, secure)
	}
	if err := secure.Valid(); err != nil {
		t.Error(err)
	}
}

func TestAShortKeyIsRefused(t *testing.T) {
	store := newMemory()
	store.settings["guest-token-key"] = []byte("short")
	if _, err := auth.New(context.Background(), store, auth.Config{}); err == nil {
		t.Error("a key of five bytes is accepted")
	}
}

func FuzzAuthenticate(f *testing.F) {
	store := newMemory()
	s, err := auth.New(context.Background(), store, auth.Config{})
	if err != nil {
		f.Fatal(err)
	}
	good := s.GuestToken(guest)
	f.Add(good)
	f.Add("s.AAAA")
	f.Add("g.AA.AA")
	f.Fuzz(func(t *testing.T, token string) {
		if _, err := s.Authenticate(t.Context(), token); err == nil && token != good {
			t.Errorf("accepted %q", token)
		}
	})
}
