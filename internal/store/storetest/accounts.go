package storetest

import (
	"errors"
	"reflect"
	"slices"
	"sync"
	"testing"
	"time"

	"qun/internal/auth"
	"qun/internal/chat"
)

// signIn opens a session whose hash begins with n.
func (w *world) signIn(u *chat.User, n byte) auth.TokenHash {
	w.t.Helper()
	hash, now := auth.TokenHash{n}, w.now.Std()
	w.must(w.store.CreateSession(w.ctx, auth.Session{Hash: hash, UserID: u.ID, Device: "x",
		CreatedAt: now, SeenAt: now.Add(time.Duration(n) * time.Second), ExpiresAt: now.Add(time.Hour)}))
	return hash
}

// signedIn are the first bytes of the hashes of u's sessions.
func (w *world) signedIn(u *chat.User, at time.Time) (list []byte) {
	w.t.Helper()
	sessions, err := w.store.Sessions(w.ctx, u.ID, at)
	w.must(err)
	for _, s := range sessions {
		if s.UserID != u.ID || s.Device != "x" {
			w.t.Errorf("session %+v", s)
		}
		list = append(list, s.Hash[0])
	}
	return list
}

func testAPasswordEndsOtherSessions(t *testing.T, w *world) {
	alice, bob := w.member("alice"), w.member("bob")
	w.signIn(bob, 9)
	w.signIn(alice, 1)
	kept := w.signIn(alice, 2)
	w.signIn(alice, 3)
	if got := w.signedIn(alice, w.now.Std()); !slices.Equal(got, []byte{3, 2, 1}) {
		t.Errorf("signed in are %v, the latest first", got)
	}
	if got := w.signedIn(alice, w.now.Std().Add(time.Hour)); len(got) != 0 {
		t.Errorf("%v live for ever", got)
	}
	w.must(w.store.SetPassword(w.ctx, alice.ID, "hash", &kept))
	if got := w.signedIn(alice, w.now.Std()); !slices.Equal(got, []byte{2}) {
		t.Errorf("%v are left, want 2", got)
	}
	account, err := w.store.AccountNamed(w.ctx, "alice")
	if err != nil || account.User != *alice || account.Password != "hash" || account.Admin || account.Disabled {
		t.Errorf("account is %+v, %v", account, err)
	}
	w.must(w.store.DeleteSessions(w.ctx, alice.ID, nil))
	if got := w.signedIn(alice, w.now.Std()); len(got) != 0 || !slices.Equal(w.signedIn(bob, w.now.Std()), []byte{9}) {
		t.Errorf("%v are left of alice", got)
	}
	if err := w.store.SetPassword(w.ctx, "nobody", "hash", nil); !errors.Is(err, auth.ErrNotFound) {
		t.Errorf("nobody: %v", err)
	}
	if _, err := w.store.AccountNamed(w.ctx, ""); !errors.Is(err, auth.ErrNotFound) {
		t.Errorf("no name: %v", err)
	}
}

func testThereIsAlwaysAnAdministrator(t *testing.T, w *world) {
	alice, bob, guest := w.member("alice"), w.member("bob"), w.guest("guest")
	w.say(w.room("one"), guest, "hello")
	has := func(want bool) {
		t.Helper()
		if got, err := w.store.HasAdmin(w.ctx); err != nil || got != want {
			t.Errorf("there is an administrator: %v, %v; want %v", got, err, want)
		}
	}
	has(false)
	for _, nobody := range []chat.UserID{guest.ID, "nobody"} {
		if err := w.store.SetAdmin(w.ctx, nobody, true, auth.By{At: w.now}); !errors.Is(err, auth.ErrNotFound) {
			t.Errorf("%s: %v", nobody, err)
		}
	}
	w.must(w.store.SetAdmin(w.ctx, alice.ID, true, auth.By{At: w.now}))
	has(true)
	w.signIn(alice, 1)
	for _, err := range []error{w.store.SetAdmin(w.ctx, alice.ID, false, auth.By{At: w.now}), w.store.SetDisabled(w.ctx, alice.ID, true, auth.By{At: w.now})} {
		if !errors.Is(err, auth.ErrLastAdmin) {
			t.Errorf("the last one: %v", err)
		}
	}
	if len(w.signedIn(alice, w.now.Std())) != 1 {
		t.Error("a refused act ended a session")
	}
	w.must(w.store.SetAdmin(w.ctx, bob.ID, true, auth.By{At: w.now}))
	w.must(w.store.SetDisabled(w.ctx, alice.ID, true, auth.By{At: w.now}))
	if account, err := w.store.Account(w.ctx, alice.ID); err != nil || !account.Disabled || !account.Admin || len(w.signedIn(alice, w.now.Std())) != 0 {
		t.Errorf("a disabled account: %+v, %v", account, err)
	}
	if err := w.store.SetAdmin(w.ctx, bob.ID, false, auth.By{At: w.now}); !errors.Is(err, auth.ErrLastAdmin) {
		t.Errorf("the last one who may sign in: %v", err)
	}
	w.must(w.store.SetDisabled(w.ctx, alice.ID, false, auth.By{User: bob.ID, At: w.now}))
	w.must(w.store.SetAdmin(w.ctx, bob.ID, false, auth.By{At: w.now}))
	w.view(func(r chat.Reader) error {
		entries, err := r.AuditOf(chat.AuditQuery{Limit: 9})
		want := []string{"setAdmin false", "enable ", "disable ", "setAdmin true", "setAdmin true"}
		var got []string
		for _, e := range entries {
			got = append(got, e.Act+" "+e.Value)
		}
		if err != nil || !slices.Equal(got, want) || entries[1].By != bob.ID || entries[1].Target != alice.ID || entries[1].At != w.now {
			t.Errorf("the audit has %q, %v, want %q", got, err, want)
		}
		return nil
	})
	w.must(w.store.SetDisabled(w.ctx, guest.ID, true, auth.By{At: w.now})) // guests can be kept out, too
	if account, err := w.store.Account(w.ctx, guest.ID); err != nil || !account.Disabled {
		t.Errorf("a disabled guest: %+v, %v", account, err)
	}
}

func testAccountsAreListedAndFound(t *testing.T, w *world) {
	var ids []chat.UserID
	for _, name := range []string{"alice", "bob", "Alina", "50%_off", "小明"} {
		ids = append(ids, w.member(name).ID)
	}
	w.say(w.room("one"), w.guest("alien"), "guests are not listed")
	for _, c := range []struct {
		query auth.AccountQuery
		want  []chat.UserID
	}{
		{auth.AccountQuery{Limit: 9}, ids},
		{auth.AccountQuery{Limit: 2}, ids[:2]},
		{auth.AccountQuery{Limit: 2, After: ids[1]}, ids[2:4]},
		{auth.AccountQuery{Limit: 9, After: ids[4]}, nil},
		{auth.AccountQuery{Limit: 9, Search: "aLI"}, []chat.UserID{ids[0], ids[2]}},
		{auth.AccountQuery{Limit: 9, Search: "0%_"}, ids[3:4]},
		{auth.AccountQuery{Limit: 9, Search: "明"}, ids[4:]},
		{auth.AccountQuery{Limit: 9, Search: `\`}, nil},
	} {
		list, err := w.store.Accounts(w.ctx, c.query)
		var got []chat.UserID
		for _, a := range list {
			got = append(got, a.User.ID)
		}
		if err != nil || !slices.Equal(got, c.want) {
			t.Errorf("%+v: got %v, %v, want %v", c.query, got, err, c.want)
		}
	}
}

func testATicketIsUsedSoOften(t *testing.T, w *world) {
	now := w.now.Std()
	ticket := auth.Ticket{
		Hash: auth.TokenHash{1}, Kind: auth.TicketInvite, UserID: "somebody", Data: []byte{0, 1, 255}, Uses: 3,
		CreatedBy: "admin", CreatedAt: now, ExpiresAt: now.Add(time.Hour),
	}
	w.must(w.store.CreateTicket(w.ctx, ticket))
	w.restart()
	for _, c := range []struct {
		kind auth.TicketKind
		hash auth.TokenHash
		at   time.Time
	}{{auth.TicketReset, ticket.Hash, now}, {ticket.Kind, auth.TokenHash{2}, now}, {ticket.Kind, ticket.Hash, now.Add(time.Hour)}} {
		if _, err := w.store.TakeTicket(w.ctx, c.kind, c.hash, c.at); !errors.Is(err, auth.ErrNotFound) {
			t.Errorf("%v: got %v", c, err)
		}
	}
	var all sync.WaitGroup
	left := make(chan int, 10)
	for range 10 {
		all.Go(func() {
			got, err := w.store.TakeTicket(w.ctx, ticket.Kind, ticket.Hash, now)
			if err == nil {
				left <- got.Uses
				got.Uses = ticket.Uses
				if !reflect.DeepEqual(*got, ticket) {
					t.Errorf("got %+v, want %+v", got, ticket)
				}
			} else if !errors.Is(err, auth.ErrNotFound) {
				t.Error(err)
			}
		})
	}
	all.Wait()
	close(left)
	var uses []int
	for n := range left {
		uses = append(uses, n)
	}
	slices.Sort(uses)
	if !slices.Equal(uses, []int{0, 1, 2}) {
		t.Errorf("used with %v left, want once each with 0, 1, 2", uses)
	}
	w.must(w.store.ReturnTicket(w.ctx, ticket)) // used up, and given back
	w.must(w.store.DeleteTickets(w.ctx, ticket.Kind, "nobody"))
	if _, err := w.store.TakeTicket(w.ctx, ticket.Kind, ticket.Hash, now); err != nil {
		t.Error(err)
	}
	w.must(w.store.ReturnTicket(w.ctx, ticket))
	w.must(w.store.DeleteTickets(w.ctx, ticket.Kind, "somebody"))
	if _, err := w.store.TakeTicket(w.ctx, ticket.Kind, ticket.Hash, now); !errors.Is(err, auth.ErrNotFound) {
		t.Errorf("deleted: got %v", err)
	}
}

func testABotHasOneToken(t *testing.T, w *world) {
	owner := w.member("owner")
	bot := &chat.User{ID: chat.UserID(w.id()), NickName: "bot", Bot: true, Presence: chat.PresenceOffline, CreatedAt: w.now}
	w.must(w.store.CreateBot(w.ctx, bot, owner.ID, []string{"bot"}))
	now := w.now.Std()
	token := auth.BotToken{Hash: auth.TokenHash{1}, UserID: bot.ID, Scopes: []auth.Scope{auth.ScopeRead, auth.ScopeSend}, CreatedAt: now, SeenAt: now}
	if _, err := w.store.BotTokenOf(w.ctx, bot.ID); !errors.Is(err, auth.ErrNotFound) {
		t.Errorf("before: got %v", err)
	}
	w.must(w.store.SetBotToken(w.ctx, token))
	token.Hash = auth.TokenHash{2}
	w.must(w.store.SetBotToken(w.ctx, token))
	token.SeenAt = now.Add(time.Hour)
	w.must(w.store.TouchBotToken(w.ctx, token.Hash, token.SeenAt))
	w.must(w.store.TouchBotToken(w.ctx, auth.TokenHash{7}, now))
	got, account, err := w.store.BotToken(w.ctx, token.Hash)
	if err != nil || !reflect.DeepEqual(*got, token) || account.User != *bot || account.Disabled {
		t.Errorf("got %+v of %+v, %v", got, account, err)
	}
	if of, err := w.store.BotTokenOf(w.ctx, bot.ID); err != nil || !reflect.DeepEqual(*of, token) {
		t.Errorf("of the bot: %+v, %v", of, err)
	}
	if _, _, err := w.store.BotToken(w.ctx, auth.TokenHash{1}); !errors.Is(err, auth.ErrNotFound) {
		t.Errorf("the token of before: got %v", err)
	}
	w.must(w.store.SetDisabled(w.ctx, owner.ID, true, auth.By{At: w.now}))
	if _, account, err := w.store.BotToken(w.ctx, token.Hash); err != nil || !account.Disabled {
		t.Errorf("of a disabled owner: %+v, %v", account, err)
	}
	w.view(func(r chat.Reader) error {
		if bots, err := r.BotsOf(owner.ID); err != nil || len(bots) != 1 || *bots[0] != *bot {
			t.Errorf("the owner's bots are %v, %v", bots, err)
		}
		if id, err := r.BotOwner(bot.ID); id != owner.ID || err != nil {
			t.Errorf("the bot's owner is %v, %v", id, err)
		}
		if _, err := r.BotOwner(owner.ID); !errors.Is(err, chat.ErrNotFound) {
			t.Errorf("a member's owner: %v", err)
		}
		return nil
	})
	if err := w.store.CreateBot(w.ctx, &chat.User{ID: "x", NickName: "bot", Bot: true}, owner.ID, []string{"bot"}); !errors.Is(err, chat.ErrNameTaken) {
		t.Errorf("another of the same name: %v", err)
	}
}
