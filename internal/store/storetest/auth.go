package storetest

import (
	"errors"
	"reflect"
	"sync"
	"testing"
	"time"

	"qun/internal/auth"
)

func testSettingsKeepTheFirstValue(t *testing.T, w *world) {
	values := make([]string, 8)
	var wait sync.WaitGroup
	for i := range values {
		wait.Go(func() {
			value, err := w.store.Setting(w.ctx, "secret", []byte{byte(i), 0, 255})
			if err != nil {
				t.Error(err)
			}
			values[i] = string(value)
		})
	}
	wait.Wait()
	w.restart()
	value, err := w.store.Setting(w.ctx, "secret", []byte("other"))
	w.must(err)
	for _, got := range values {
		if got != string(value) || len(got) != 3 {
			t.Errorf("got %q, now it is %q", got, value)
		}
	}
}

func testSessionsLiveAndEnd(t *testing.T, w *world) {
	alice := w.member("alice")
	now := w.now.Std()
	session := auth.Session{
		Hash: auth.TokenHash{1, 2, 3}, UserID: alice.ID, Device: "a browser",
		CreatedAt: now, SeenAt: now, ExpiresAt: now.Add(time.Hour),
	}
	w.must(w.store.CreateSession(w.ctx, session))
	check := func() {
		t.Helper()
		got, account, err := w.store.Session(w.ctx, session.Hash)
		if err != nil || !reflect.DeepEqual(*got, session) || account.User != *alice || account.Disabled || account.TokenVersion != 0 {
			t.Errorf("got %+v of %+v, %v; want %+v", got, account, err, session)
		}
	}
	check()
	live, err := w.store.LiveSessions(w.ctx, []auth.TokenHash{session.Hash, {4, 5, 6}})
	if err != nil || !reflect.DeepEqual(live, []auth.TokenHash{session.Hash}) {
		t.Errorf("live are %v, %v", live, err)
	}
	session.SeenAt, session.ExpiresAt = now.Add(time.Minute), now.Add(2*time.Hour)
	w.must(w.store.ExtendSession(w.ctx, session.Hash, session.SeenAt, session.ExpiresAt))
	check()
	if account, err := w.store.Account(w.ctx, alice.ID); err != nil || account.User != *alice {
		t.Errorf("account is %+v, %v", account, err)
	}
	w.must(w.store.DeleteSession(w.ctx, session.Hash))
	w.must(w.store.DeleteSession(w.ctx, session.Hash))
	w.must(w.store.ExtendSession(w.ctx, session.Hash, now, now))
	if live, err := w.store.LiveSessions(w.ctx, []auth.TokenHash{session.Hash}); err != nil || len(live) != 0 {
		t.Errorf("an ended session lives: %v, %v", live, err)
	}
	if _, _, err := w.store.Session(w.ctx, session.Hash); !errors.Is(err, auth.ErrNotFound) {
		t.Errorf("an ended session: got %v, want %v", err, auth.ErrNotFound)
	}
	if _, err := w.store.Account(w.ctx, w.guest("guest").ID); !errors.Is(err, auth.ErrNotFound) {
		t.Errorf("account of a guest that never spoke: got %v, want %v", err, auth.ErrNotFound)
	}
	if err := w.store.CreateSession(w.ctx, auth.Session{UserID: "nobody", Hash: auth.TokenHash{9}}); err == nil {
		t.Error("a session of nobody was kept")
	}
}
