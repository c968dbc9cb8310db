package auth_test

import (
	"strings"
	"testing"
	"time"

	"qun/internal/auth"
	"qun/internal/chat"
)

func identity(t *testing.T, s *auth.Service, token string) *auth.Identity {
	t.Helper()
	who, err := s.Authenticate(t.Context(), token)
	if err != nil {
		t.Fatal(err)
	}
	return who
}

func TestAHandoffSignsAnotherDeviceInOnce(t *testing.T) {
	s, store, _ := newService(t)
	code, expires, err := s.Handoff(t.Context(), identity(t, s, signIn(t, s)))
	if err != nil || expires.Sub(time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)) != time.Minute {
		t.Fatalf("expires %v, %v", expires, err)
	}
	for hash := range store.tickets {
		if strings.Contains(string(hash[:]), code) {
			t.Error("the store has the code")
		}
	}
	user, token, err := s.TakeHandoff(t.Context(), code, "Phone")
	if err != nil || user.ID != member.ID {
		t.Fatalf("got %+v, %v", user, err)
	}
	wantUser(t, s, token, member)
	if _, _, err := s.TakeHandoff(t.Context(), code, "Phone"); codeOf(t, err) != chat.CodeNotFound {
		t.Errorf("the second time: got %v", err)
	}
}

func TestAGuestMovesToItsPhoneAndStaysTheSame(t *testing.T) {
	s, store, _ := newService(t)
	token := s.GuestToken(guest)
	code, _, err := s.Handoff(t.Context(), identity(t, s, token))
	if err != nil {
		t.Fatal(err)
	}
	user, there, err := s.TakeHandoff(t.Context(), code, "Phone")
	if err != nil || user.ID != guest.ID || user.NickName != guest.NickName || there != token {
		t.Errorf("got %+v, %q, %v", user, there, err)
	}
	code, _, err = s.Handoff(t.Context(), identity(t, s, token))
	if err != nil {
		t.Fatal(err)
	}
	store.accounts[guest.ID] = &auth.Account{User: guest, Disabled: true}
	if _, _, err := s.TakeHandoff(t.Context(), code, "Phone"); codeOf(t, err) != chat.CodeNotFound {
		t.Errorf("of who is kept out: got %v", err)
	}
}

func TestAHandoffOfWhoIsKeptOutIsNoGood(t *testing.T) {
	s, store, _ := newService(t)
	code, _, err := s.Handoff(t.Context(), identity(t, s, signIn(t, s)))
	if err != nil {
		t.Fatal(err)
	}
	store.accounts[member.ID].Disabled = true
	if _, _, err := s.TakeHandoff(t.Context(), code, ""); codeOf(t, err) != chat.CodeNotFound {
		t.Errorf("got %v", err)
	}
}

func TestAHandoffRunsOutAfterAMinute(t *testing.T) {
	s, _, clock := newService(t)
	code, _, err := s.Handoff(t.Context(), identity(t, s, signIn(t, s)))
	if err != nil {
		t.Fatal(err)
	}
	clock.now = clock.now.Add(time.Minute)
	if _, _, err := s.TakeHandoff(t.Context(), code, ""); codeOf(t, err) != chat.CodeNotFound {
		t.Errorf("got %v", err)
	}
}

func TestACodeIsGoodForOneThingOnly(t *testing.T) {
	s, _, _ := newService(t)
	code, _, err := s.Invite(t.Context(), "", 5, time.Hour)
	if err != nil {
		t.Fatal(err)
	}
	if _, _, err := s.TakeHandoff(t.Context(), code, ""); codeOf(t, err) != chat.CodeNotFound {
		t.Errorf("an invite as a handoff: got %v", err)
	}
	if _, err := s.Redeem(t.Context(), auth.TicketSetup, code); codeOf(t, err) != chat.CodeNotFound {
		t.Errorf("an invite as a setup: got %v", err)
	}
	for _, nonsense := range []string{"", "x", strings.Repeat("x", 5000)} {
		if _, err := s.Redeem(t.Context(), auth.TicketInvite, nonsense); codeOf(t, err) != chat.CodeNotFound {
			t.Errorf("%.10q: got %v", nonsense, err)
		}
	}
}

func TestAnInviteIsGoodForSoManyAndCanBeGivenBack(t *testing.T) {
	s, _, _ := newService(t)
	code, _, err := s.Invite(t.Context(), "", 2, time.Hour)
	if err != nil {
		t.Fatal(err)
	}
	redeem := func() (func() error, error) {
		giveBack, err := s.Redeem(t.Context(), auth.TicketInvite, code)
		return func() error { return giveBack(t.Context()) }, err
	}
	for range 3 {
		giveBack, err := redeem()
		if err != nil {
			t.Fatal(err)
		}
		if err := giveBack(); err != nil {
			t.Fatal(err)
		}
	}
	for _, want := range []chat.Code{"", "", chat.CodeNotFound} {
		if _, err := redeem(); codeOf(t, err) != want {
			t.Errorf("got %v, want %q", err, want)
		}
	}
}

func TestANewSetupEndsTheOneBefore(t *testing.T) {
	s, _, _ := newService(t)
	before, _, err := s.Setup(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	now, _, err := s.Setup(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if _, err := s.Redeem(t.Context(), auth.TicketSetup, before); codeOf(t, err) != chat.CodeNotFound {
		t.Errorf("the one before: got %v", err)
	}
	if _, err := s.Redeem(t.Context(), auth.TicketSetup, now); err != nil {
		t.Error(err)
	}
}

func TestAResetLinkSetsThePasswordOnceAndEndsSessions(t *testing.T) {
	s, _, _ := withPassword(t)
	session := signIn(t, s)
	code, _, err := s.ResetLink(t.Context(), "0190-admin", member.ID)
	if err != nil {
		t.Fatal(err)
	}
	for _, refused := range []string{"short", "林老师林老师\x00", "lin"} {
		if _, err := s.Reset(t.Context(), code, refused); codeOf(t, err) != chat.CodeInvalid {
			t.Errorf("%q: got %v", refused, err)
		}
	}
	wantUser(t, s, session, member)
	if id, err := s.Reset(t.Context(), code, "another password"); err != nil || id != member.ID {
		t.Fatalf("got %v, %v", id, err)
	}
	wantUnauthorized(t, s, session)
	if _, _, err := s.SignInByPassword(t.Context(), login("lin", "another password")); err != nil {
		t.Error(err)
	}
	if _, err := s.Reset(t.Context(), code, "a third password"); codeOf(t, err) != chat.CodeNotFound {
		t.Errorf("the second time: got %v", err)
	}
	if _, _, err := s.ResetLink(t.Context(), "0190-admin", "0190-nobody"); codeOf(t, err) != chat.CodeNotFound {
		t.Errorf("of nobody: got %v", err)
	}
}

func TestABotIsWhoItsTokenSaysAndMayWhatItSays(t *testing.T) {
	s, store, clock := newService(t)
	bot := chat.User{ID: "0190-bot", NickName: "bot", Bot: true}
	store.accounts[bot.ID] = &auth.Account{User: bot}
	for _, wrong := range [][]auth.Scope{nil, {"everything"}, {auth.ScopeRead, "admin"}} {
		if _, err := s.IssueBotToken(t.Context(), bot.ID, wrong); codeOf(t, err) != chat.CodeInvalid {
			t.Errorf("%v: got %v", wrong, err)
		}
	}
	before, err := s.IssueBotToken(t.Context(), bot.ID, []auth.Scope{auth.ScopeRead})
	if err != nil {
		t.Fatal(err)
	}
	token, err := s.IssueBotToken(t.Context(), bot.ID, []auth.Scope{auth.ScopeSend, auth.ScopeRead})
	if err != nil {
		t.Fatal(err)
	}
	wantUnauthorized(t, s, before)
	wantUser(t, s, token, bot)
	who := identity(t, s, token)
	for scope, want := range map[auth.Scope]chat.Code{auth.ScopeRead: "", auth.ScopeSend: "", auth.ScopeManage: chat.CodeForbidden} {
		if err := who.May(scope); codeOf(t, err) != want {
			t.Errorf("%s: got %v, want %q", scope, err, want)
		}
		if err := identity(t, s, signIn(t, s)).May(scope); err != nil {
			t.Errorf("a member: got %v", err)
		}
	}
	written := store.extended
	for range 120 {
		clock.now = clock.now.Add(time.Minute)
		identity(t, s, token)
	}
	if store.extended != written+2 {
		t.Errorf("%d writes in two hours, want 2", store.extended-written)
	}
	store.accounts[bot.ID].Disabled = true
	wantUnauthorized(t, s, token)
}
