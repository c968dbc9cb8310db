package store_test

import (
	"context"
	"testing"
	"time"

	"qun/internal/chat"
)

func TestOnPostgreSQLOthersMoveTheMark(t *testing.T) {
	url := database(t)
	here, there := openPostgres(t, url), openPostgres(t, url)
	mark := func() string {
		t.Helper()
		mark, err := here.Elsewhere(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		return mark
	}
	last := mark()
	for n := range 3 {
		u := &chat.User{ID: chat.UserID(string(rune('a' + n))), NickName: "n", Presence: chat.PresenceOffline, CreatedAt: 1}
		if err := there.CreateUser(t.Context(), u, chat.Credentials{}, []string{string(u.ID)}); err != nil {
			t.Fatal(err)
		}
		now := mark()
		if now == last {
			t.Errorf("write %d elsewhere leaves the mark at %q", n, now)
		}
		last = now
	}
	if now := mark(); now != last {
		t.Errorf("nobody wrote, and the mark moves from %q to %q", last, now)
	}
}

func TestOnPostgreSQLOneDoesItAlone(t *testing.T) {
	url := database(t)
	here, there := openPostgres(t, url), openPostgres(t, url)
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	try := func(name string) bool {
		t.Helper()
		did, err := there.Exclusive(ctx, name, func(context.Context) error { return nil })
		if err != nil {
			t.Fatal(err)
		}
		return did
	}
	did, err := here.Exclusive(ctx, "sweep", func(context.Context) error {
		if try("sweep") {
			t.Error("two do it at once")
		}
		if !try("something else") {
			t.Error("who does one thing keeps others from another")
		}
		return nil
	})
	if err != nil || !did {
		t.Fatal(did, err)
	}
	for end := time.Now().Add(30 * time.Second); !try("sweep"); {
		if time.Now().After(end) {
			t.Fatal("who is done does not let go")
		}
	}
}
