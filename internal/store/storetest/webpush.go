package storetest

import (
	"fmt"
	"testing"
	"time"

	"qun/internal/auth"
	"qun/internal/chat"
)

// device lets a user be called.
func (w *world) device(u *chat.User, endpoint string, session []byte) {
	w.t.Helper()
	w.must(w.store.PutSubscription(w.ctx, &chat.Subscription{
		Endpoint: endpoint, P256DH: []byte{4, 0}, Auth: []byte{0, 1}, UserID: u.ID, Session: session, CreatedAt: w.now,
	}))
}

// callees are the endpoints that may have to be called because of a group.
func (w *world) callees(g chat.GroupID) (endpoints []string) {
	w.t.Helper()
	w.view(func(r chat.Reader) error {
		list, err := r.Callees(g, w.now)
		for _, c := range list {
			endpoints = append(endpoints, c.Endpoint)
		}
		return err
	})
	return endpoints
}

func (w *world) wantCallees(what string, g chat.GroupID, want ...string) {
	w.t.Helper()
	if got := w.callees(g); fmt.Sprint(got) != fmt.Sprint(want) {
		w.t.Errorf("%s: got %q, want %q", what, got, want)
	}
}

func testDevicesOfAbsentMembersAreFound(t *testing.T, w *world) {
	alice, bob, carol := w.member("alice"), w.member("bob"), w.member("carol")
	g := w.room("one", alice, bob)
	w.device(bob, "bob", nil)
	w.device(carol, "carol", nil)
	w.wantCallees("nothing said", g)
	said := w.say(g, alice, "hello")
	w.wantCallees("something said", g, "bob")
	w.view(func(r chat.Reader) error {
		list, err := r.Callees(g, w.now)
		if err != nil || len(list) != 1 {
			t.Fatalf("got %v, %v", list, err)
		}
		c := list[0]
		if c.UserID != bob.ID || string(c.P256DH) != "\x04\x00" || string(c.Auth) != "\x00\x01" || c.CreatedAt != w.now ||
			c.Notify != chat.NotifyAll || c.ReadSeq >= said.Seq || string(c.Settings) != "{}" || c.NickName != "bob" {
			t.Errorf("got %+v", c)
		}
		if n, err := r.Subscriptions(); n != 2 || err != nil {
			t.Errorf("%d devices, %v; want 2", n, err)
		}
		for _, failed := range []bool{false, true} {
			groups, err := r.CalleeGroups(w.now, w.now, failed)
			if err != nil || (len(groups) == 1 && groups[0] == g) == failed {
				t.Errorf("groups to call for: %v, %v", groups, err)
			}
		}
		if groups, err := r.CalleeGroups(w.now, w.now+1, false); len(groups) != 0 || err != nil {
			t.Errorf("groups in which something was said later: %v, %v", groups, err)
		}
		return nil
	})
	w.must(w.store.MoveCursors(w.ctx, []chat.Cursor{{Group: g, User: bob.ID, Read: said.Seq}}))
	w.wantCallees("read", g)
	w.say(g, alice, "again")
	w.wantCallees("unread again", g, "bob")
	w.must(w.store.Change(w.ctx, g, func(tx chat.GroupTx) error {
		m, err := tx.Membership(bob.ID)
		if err != nil {
			return err
		}
		m.Notify = chat.NotifyNothing
		return tx.PutMembership(m)
	}))
	w.wantCallees("muted", g)
	w.must(w.store.DropSubscription(w.ctx, alice.ID, "carol")) // not its own
	w.must(w.store.DropSubscription(w.ctx, carol.ID, "carol"))
	w.view(func(r chat.Reader) error {
		if n, err := r.Subscriptions(); n != 1 || err != nil {
			t.Errorf("%d devices, %v; want 1", n, err)
		}
		return nil
	})
}

func testDeviceEndsWithItsSession(t *testing.T, w *world) {
	alice, bob := w.member("alice"), w.member("bob")
	g := w.room("one", alice, bob)
	now := w.now.Std()
	session := auth.Session{Hash: auth.TokenHash{7}, UserID: bob.ID, CreatedAt: now, SeenAt: now, ExpiresAt: now.Add(time.Hour)}
	w.must(w.store.CreateSession(w.ctx, session))
	w.device(bob, "phone", session.Hash[:])
	w.device(bob, "laptop", nil)
	w.say(g, alice, "hello")
	w.wantCallees("signed in", g, "phone", "laptop")
	w.must(w.store.DeleteSession(w.ctx, session.Hash))
	w.wantCallees("signed out on one", g, "laptop")
}

func testEndpointIsOneUsersDevice(t *testing.T, w *world) {
	alice, bob, carol := w.member("alice"), w.member("bob"), w.member("carol")
	g := w.room("one", alice, bob, carol)
	w.device(bob, "browser", nil)
	said := w.say(g, alice, "hello")
	w.must(w.store.SettleCalls(w.ctx, []chat.Called{{Endpoint: "browser", Group: g, Seq: said.Seq, At: w.now}}))
	w.device(carol, "browser", nil)
	w.view(func(r chat.Reader) error {
		if list, err := r.Callees(g, w.now); err != nil || len(list) != 1 || list[0].UserID != carol.ID || list[0].Seq != 0 {
			t.Errorf("got %+v, %v", list, err)
		}
		return nil
	})
	for i := range 25 {
		w.now++
		w.device(bob, fmt.Sprint("device ", i), nil)
	}
	w.view(func(r chat.Reader) error {
		if n, err := r.Subscriptions(); n != 21 || err != nil {
			t.Errorf("%d devices, %v; want carol's and bob's newest 20", n, err)
		}
		return nil
	})
}

func testCallsAreSettled(t *testing.T, w *world) {
	alice, bob := w.member("alice"), w.member("bob")
	g := w.room("one", alice, bob)
	w.device(bob, "phone", nil)
	w.device(bob, "laptop", nil)
	said := w.say(g, alice, "hello")
	until := w.now + 1000
	lent, err := w.store.ClaimSubscriptions(w.ctx, w.now, until, []string{"phone", "laptop", "nobody's"})
	if err != nil || fmt.Sprint(lent) != "[phone laptop]" {
		t.Fatalf("lent %v, %v", lent, err)
	}
	if again, err := w.store.ClaimSubscriptions(w.ctx, w.now, until, []string{"phone"}); len(again) != 0 || err != nil {
		t.Errorf("lent twice: %v, %v", again, err)
	}
	w.wantCallees("lent", g, "phone", "laptop")
	w.must(w.store.SettleCalls(w.ctx, []chat.Called{
		{Endpoint: "phone", Group: g, Seq: said.Seq, At: w.now},
		{Endpoint: "laptop", Group: g, Calling: chat.Calling{Tries: 1, FailingAt: w.now, DueAt: w.now + 10}},
	}))
	w.wantCallees("one failed", g, "phone")
	w.now += 10
	w.view(func(r chat.Reader) error {
		list, err := r.Callees(g, w.now)
		if err != nil || len(list) != 2 || list[0].Seq != said.Seq || list[0].At != w.now-10 || list[1].Seq != 0 || list[1].Tries != 1 {
			t.Errorf("got %+v, %v", list, err)
		}
		if groups, err := r.CalleeGroups(w.now, 0, true); len(groups) != 1 || err != nil {
			t.Errorf("groups to call for again: %v, %v", groups, err)
		}
		return nil
	})
	w.must(w.store.SettleCalls(w.ctx, []chat.Called{{Endpoint: "laptop", Gone: true}}))
	w.wantCallees("one is gone", g, "phone")
}
