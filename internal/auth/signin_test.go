package auth_test

import (
	"errors"
	"fmt"
	"runtime"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"qun/internal/auth"
	"qun/internal/chat"
)

const password = "correct horse"

// withPassword is a service on which the member may sign in.
func withPassword(t *testing.T) (*auth.Service, *memory, *clock) {
	t.Helper()
	s, store, clock := newService(t)
	if err := s.SetPassword(t.Context(), member.ID, password); err != nil {
		t.Fatal(err)
	}
	return s, store, clock
}

func login(username, password string) auth.Login {
	return auth.Login{Username: username, Password: password, Remote: "192.0.2.1:1000", Device: "Firefox"}
}

// codeOf is the code of a refusal; "" for no error.
func codeOf(t *testing.T, err error) chat.Code {
	t.Helper()
	if err == nil {
		return ""
	}
	return refusalOf(t, err).Code
}

func refusalOf(t *testing.T, err error) *chat.Error {
	t.Helper()
	refused, ok := errors.AsType[*chat.Error](err)
	if !ok {
		t.Fatalf("got %v, want a refusal", err)
	}
	return refused
}

func TestWhoKnowsThePasswordIsSignedIn(t *testing.T) {
	s, _, _ := withPassword(t)
	user, token, err := s.SignInByPassword(t.Context(), login(" LIN", password))
	if err != nil || user.ID != member.ID {
		t.Fatalf("got %+v, %v", user, err)
	}
	wantUser(t, s, token, member)
}

func TestComposedAndDecomposedPasswordsAreOne(t *testing.T) {
	s, _, _ := newService(t)
	if err := s.SetPassword(t.Context(), member.ID, "caf\u00e9 caf\u00e9"); err != nil {
		t.Fatal(err)
	}
	if _, _, err := s.SignInByPassword(t.Context(), login("lin", "cafe\u0301 cafe\u0301")); err != nil {
		t.Error(err)
	}
}

// TestUnknownWrongAndDisabledAreAlike compares answers, and what is computed for each.
func TestUnknownWrongAndDisabledAreAlike(t *testing.T) {
	s, store, _ := withPassword(t)
	bot := chat.User{ID: "0190-bot", NickName: "bot", Username: "bot", Bot: true}
	store.accounts[bot.ID] = &auth.Account{User: bot} // has no password
	out := chat.User{ID: "0190-out", NickName: "out", Username: "out"}
	store.accounts[out.ID] = &auth.Account{User: out, Password: store.accounts[member.ID].Password, Disabled: true}
	var work []string
	s.HashWith(func(_, salt []byte, cost auth.Cost) []byte {
		work = append(work, fmt.Sprint(len(salt), cost))
		return make([]byte, 32)
	})
	var answers []string
	for _, in := range []auth.Login{login("lin", "wrong"), login("nobody", "wrong"), login("", ""), login("a b", "x"), login("bot", ""), login("out", password)} {
		_, _, err := s.SignInByPassword(t.Context(), in)
		answers = append(answers, fmt.Sprintf("%+v", refusalOf(t, err)))
	}
	for i := range answers {
		if answers[i] != answers[0] || len(work) != len(answers) || work[i] != work[0] {
			t.Errorf("answers %q after %q", answers, work)
			break
		}
	}
}

func TestADisabledMemberCannotSignInThoughThePasswordIsRight(t *testing.T) {
	s, store, _ := withPassword(t)
	store.accounts[member.ID].Disabled = true
	if _, _, err := s.SignInByPassword(t.Context(), login("lin", password)); codeOf(t, err) != chat.CodeUnauthorized {
		t.Errorf("got %v", err)
	}
}

func TestAnAccountIsTriedOnlySoOften(t *testing.T) {
	s, _, clock := withPassword(t)
	try := func(n int, name, password string) error {
		in := login(name, password)
		in.Remote = fmt.Sprintf("198.51.100.%d:1", n)
		_, _, err := s.SignInByPassword(t.Context(), in)
		return err
	}
	for _, name := range []string{"lin", "nobody", "no name at all"} {
		for n := range 10 {
			if err := try(n, name, "wrong"); codeOf(t, err) != chat.CodeUnauthorized {
				t.Fatalf("%s, %d: got %v", name, n, err)
			}
		}
		refused := refusalOf(t, try(11, strings.ToUpper(name[:1])+name[1:], password))
		if refused.Code != chat.CodeRateLimited || refused.RetryAfter != 30*time.Second {
			t.Errorf("%s: the eleventh: got %+v", name, refused)
		}
	}
	clock.now = clock.now.Add(30 * time.Second)
	for range 30 { // what is right costs nothing
		if err := try(12, "lin", password); err != nil {
			t.Fatal(err)
		}
	}
}

func TestAnAddressTriesOnlySoOften(t *testing.T) {
	s, _, clock := withPassword(t)
	try := func(n int, remote string) error {
		in := login(fmt.Sprint("user", n), "wrong")
		in.Remote = remote
		_, _, err := s.SignInByPassword(t.Context(), in)
		return err
	}
	for n := range 30 {
		if err := try(n, fmt.Sprintf("[2001:db8::%x]:1", n)); codeOf(t, err) != chat.CodeUnauthorized {
			t.Fatalf("%d: got %v", n, err)
		}
	}
	if refused := refusalOf(t, try(31, "[2001:db8::ffff]:9")); refused.Code != chat.CodeRateLimited || refused.RetryAfter != 6*time.Second {
		t.Errorf("the same /64: got %+v", refused)
	}
	if err := try(32, "[2001:db8:0:1::1]:9"); codeOf(t, err) != chat.CodeUnauthorized {
		t.Errorf("another /64: got %v", err)
	}
	clock.now = clock.now.Add(6 * time.Second)
	if err := try(33, "[2001:db8::1]:9"); codeOf(t, err) != chat.CodeUnauthorized {
		t.Errorf("a while later: got %v", err)
	}
}

func TestOnlySoManyAccountsAreMadeFromAnAddress(t *testing.T) {
	s, _, clock := newService(t)
	for n := range 40 {
		if err := s.ThrottleRegistering(fmt.Sprintf("203.0.113.5:%d", n)); err != nil {
			t.Fatal(err)
		}
	}
	if err := s.ThrottleRegistering("203.0.113.5:99"); codeOf(t, err) != chat.CodeRateLimited {
		t.Errorf("got %v", err)
	}
	clock.now = clock.now.Add(30 * time.Second)
	if err := s.ThrottleRegistering("203.0.113.5:99"); err != nil {
		t.Error(err)
	}
}

func TestOnlyAFewPasswordsAreHashedAtOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s, _, _ := newService(t)
		var running, most atomic.Int32
		s.HashWith(func([]byte, []byte, auth.Cost) []byte {
			most.Store(max(most.Load(), running.Add(1)))
			time.Sleep(time.Second)
			running.Add(-1)
			return make([]byte, 32)
		})
		var busy, done atomic.Int32
		var all sync.WaitGroup
		for range auth.MaxHashing + 5 {
			all.Go(func() {
				switch _, err := s.HashPassword(t.Context(), password); codeOf(t, err) {
				case "":
					done.Add(1)
				case chat.CodeBusy:
					busy.Add(1)
				}
			})
		}
		all.Wait()
		if limit := int32(max(1, runtime.GOMAXPROCS(0)/2)); most.Load() != limit {
			t.Errorf("%d at once, want %d", most.Load(), limit)
		}
		if done.Load() != auth.MaxHashing || busy.Load() != 5 {
			t.Errorf("%d hashed, %d told to come again; want %d and 5", done.Load(), busy.Load(), auth.MaxHashing)
		}
		if _, err := s.HashPassword(t.Context(), password); err != nil {
			t.Errorf("afterwards: %v", err)
		}
	})
}

func TestPasswordsHaveRules(t *testing.T) {
	s, _, _ := newService(t)
	for chosen, want := range map[string]chat.Code{
		"1234567": chat.CodeInvalid, "一二三四五六七": chat.CodeInvalid, "一二三四五六七八": "", strings.Repeat("x", 200): "",
		strings.Repeat("x", 201): chat.CodeInvalid, "with\x00zero": chat.CodeInvalid, "broken\xff8bytes": chat.CodeInvalid,
		"Lin Laoshi": chat.CodeInvalid, "lin laoshi 2": "",
	} {
		if _, err := s.HashPassword(t.Context(), chosen, "lin laoshi"); codeOf(t, err) != want {
			t.Errorf("%q: got %v, want %q", chosen, err, want)
		}
	}
}

func TestChangingThePasswordAsksForItAndEndsOtherSessions(t *testing.T) {
	s, _, _ := withPassword(t)
	mine, other := signIn(t, s), signIn(t, s)
	who, err := s.Authenticate(t.Context(), mine)
	if err != nil {
		t.Fatal(err)
	}
	if err := s.ChangePassword(t.Context(), who, "wrong", "another password", "192.0.2.1:1"); codeOf(t, err) != chat.CodeForbidden {
		t.Errorf("with a wrong password: got %v", err)
	}
	wantUser(t, s, other, member)
	if err := s.ChangePassword(t.Context(), who, password, "another password", "192.0.2.1:1"); err != nil {
		t.Fatal(err)
	}
	wantUser(t, s, mine, member)
	wantUnauthorized(t, s, other)
	if _, _, err := s.SignInByPassword(t.Context(), login("lin", password)); codeOf(t, err) != chat.CodeUnauthorized {
		t.Errorf("the old password: got %v", err)
	}
	if _, _, err := s.SignInByPassword(t.Context(), login("lin", "another password")); err != nil {
		t.Errorf("the new password: got %v", err)
	}
}

func TestAGuestHasNoPassword(t *testing.T) {
	s, _, _ := newService(t)
	who, err := s.Authenticate(t.Context(), s.GuestToken(guest))
	if err != nil {
		t.Fatal(err)
	}
	if err := s.ChangePassword(t.Context(), who, "", password, ""); codeOf(t, err) != chat.CodeForbidden {
		t.Errorf("got %v", err)
	}
}

func TestDevicesAreListedAndRevoked(t *testing.T) {
	s, _, clock := newService(t)
	mine := signIn(t, s)
	clock.now = clock.now.Add(time.Minute)
	phone, err := s.SignIn(t.Context(), member.ID, "Phone")
	if err != nil {
		t.Fatal(err)
	}
	who, err := s.Authenticate(t.Context(), mine)
	if err != nil {
		t.Fatal(err)
	}
	list, err := s.Devices(t.Context(), who)
	if err != nil || len(list) != 2 {
		t.Fatalf("got %+v, %v", list, err)
	}
	for _, device := range list {
		if device.Current != (device.Name == "Firefox") {
			t.Errorf("got %+v", device)
		}
		if device.Current {
			continue
		}
		if _, err := s.Revoke(t.Context(), who, "x"+device.ID); codeOf(t, err) != chat.CodeNotFound {
			t.Errorf("an unknown device: got %v", err)
		}
		ended, err := s.Revoke(t.Context(), who, device.ID)
		if err != nil || ended.User.ID != member.ID || *ended.Session == *who.Session {
			t.Errorf("got %+v, %v", ended, err)
		}
	}
	wantUnauthorized(t, s, phone)
	wantUser(t, s, mine, member)
	third := signIn(t, s)
	if err := s.RevokeOthers(t.Context(), who); err != nil {
		t.Fatal(err)
	}
	wantUnauthorized(t, s, third)
	wantUser(t, s, mine, member)
}
