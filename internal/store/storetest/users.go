package storetest

import (
	"encoding/json"
	"errors"
	"fmt"
	"reflect"
	"sync"
	"testing"

	"qun/internal/chat"
)

func testUserChangesUnderItsOwnNumbers(t *testing.T, w *world) {
	alice := w.member("alice")
	w.room("one", alice) // takes the user's second number
	settings := json.RawMessage(`{"theme": "dark", "big": 12345678901234567890}`)
	w.must(w.store.ChangeUser(w.ctx, alice.ID, func(tx chat.UserTx) error {
		if string(tx.Settings()) != "{}" || *tx.User() != *alice || tx.Credentials() != (chat.Credentials{}) {
			t.Errorf("at first: %s, %+v, %+v", tx.Settings(), tx.User(), tx.Credentials())
		}
		if err := tx.PutSettings(settings); err != nil {
			return err
		}
		u := tx.User()
		u.NickName, u.Avatar = "爱丽丝", "/files/1"
		if err := tx.PutCredentials(chat.Credentials{Password: "hash", Admin: true}); err != nil {
			return err
		}
		return tx.PutUser(u, []string{"alice", "爱丽丝"})
	}))
	alice.NickName, alice.Avatar = "爱丽丝", "/files/1"
	w.restart()
	w.view(func(r chat.Reader) error {
		if u, err := r.User(alice.ID); err != nil || *u != *alice {
			t.Errorf("user is %+v, %v, want %+v", u, err, alice)
		}
		if got, rev, err := r.Settings(alice.ID); err != nil || string(got) != string(settings) || rev != 3 {
			t.Errorf("settings are %s of %d, %v", got, rev, err)
		}
		if head, rev, err := r.UserCounter(alice.ID); head != 4 || rev != 4 || err != nil {
			t.Errorf("counter is %d, %d, %v; want 4, 4", head, rev, err)
		}
		if got, rev, err := r.Settings("nobody"); string(got) != "{}" || rev != 0 || err != nil {
			t.Errorf("nobody's settings are %s of %d, %v", got, rev, err)
		}
		return nil
	})
	w.must(w.store.ChangeUser(w.ctx, alice.ID, func(tx chat.UserTx) error {
		if want := (chat.Credentials{Password: "hash", Admin: true}); tx.Credentials() != want {
			t.Errorf("credentials are %+v, want %+v", tx.Credentials(), want)
		}
		return nil
	}))
	told := w.toldTo(alice.ID)
	want := []chat.Event{chat.SettingsEvent(alice.ID, settings, 3), chat.UserEvent(alice, 4)}
	if !reflect.DeepEqual(told[len(told)-2:], want) {
		t.Errorf("told %+v, want %+v", told, want)
	}
	w.checkDense()
}

// toldTo are the events of a user's own counter, in the order they came.
func (w *world) toldTo(u chat.UserID) []chat.Event {
	w.mu.Lock()
	defer w.mu.Unlock()
	var events []chat.Event
	for _, e := range w.events {
		if e.User == u {
			events = append(events, e)
		}
	}
	return events
}

func testRenamedUserFreesItsNameAndTakesNoOthers(t *testing.T, w *world) {
	alice, bob := w.member("alice"), w.member("bob")
	rename := func(u *chat.User, name string, skeletons ...string) error {
		return w.store.ChangeUser(w.ctx, u.ID, func(tx chat.UserTx) error {
			now := tx.User()
			now.NickName, now.Username = name, name
			return tx.PutUser(now, skeletons)
		})
	}
	for _, taken := range []error{rename(bob, "alice", "bob"), rename(bob, "other", "bob", "alice")} {
		if !errors.Is(taken, chat.ErrNameTaken) {
			t.Errorf("got %v, want %v", taken, chat.ErrNameTaken)
		}
	}
	w.must(rename(alice, "carol", "carol"))
	w.must(rename(bob, "alice", "alice"))
	w.view(func(r chat.Reader) error {
		if id, err := r.NameOwner("alice"); id != bob.ID || err != nil {
			t.Errorf("alice is %q, %v", id, err)
		}
		if _, err := r.NameOwner("bob"); !errors.Is(err, chat.ErrNotFound) {
			t.Errorf("bob is %v", err)
		}
		if head, _, err := r.UserCounter(bob.ID); head != 2 || err != nil {
			t.Errorf("a refused rename took a number: %d, %v", head, err)
		}
		return nil
	})
	if err := rename(&chat.User{ID: "nobody"}, "x"); !errors.Is(err, chat.ErrNotFound) {
		t.Errorf("nobody: got %v", err)
	}
	w.checkDense()
}

func testGuestBecomesMemberAndStaysTheSame(t *testing.T, w *world) {
	guest := w.guest("小明")
	g := w.room("one")
	said := w.say(g, guest, "hello")
	w.must(w.store.ChangeUser(w.ctx, guest.ID, func(tx chat.UserTx) error {
		u := tx.User()
		u.Guest, u.Username = false, "xiaoming"
		return tx.PutUser(u, []string{"小明", "xiaoming"})
	}))
	if m := w.membership(g, guest); m.Guest || m.Username != "xiaoming" {
		t.Errorf("the membership is %+v", m)
	}
	if history := w.history(g); len(history) != 1 || history[0].ID != said.ID || history[0].UserID != guest.ID {
		t.Errorf("history is %v", history)
	}
}

// testOfTwoWhoWantANameOneGetsIt races on a name, and changes of users with changes of groups.
func testOfTwoWhoWantANameOneGetsIt(t *testing.T, w *world) {
	const times = 8
	users := make([]*chat.User, times)
	for i := range users {
		users[i] = w.member(fmt.Sprint("user", i))
	}
	g := w.room("one")
	won := make(chan chat.UserID, times)
	var all sync.WaitGroup
	for _, u := range users {
		all.Go(func() { w.put(g, u, chat.MemberActive) })
		all.Go(func() {
			err := w.store.ChangeUser(w.ctx, u.ID, func(tx chat.UserTx) error {
				now := tx.User()
				now.Username = "wanted"
				return tx.PutUser(now, []string{"wanted"})
			})
			switch {
			case err == nil:
				won <- u.ID
			case !errors.Is(err, chat.ErrNameTaken):
				t.Error(err)
			}
		})
	}
	all.Wait()
	if len(won) != 1 {
		t.Errorf("%d users got the name, want 1", len(won))
	}
	w.checkDense()
}
