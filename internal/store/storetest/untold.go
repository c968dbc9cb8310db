package storetest

import (
	"errors"
	"fmt"
	"slices"
	"testing"
	"time"

	"qun/internal/auth"
	"qun/internal/chat"
)

// untold are the groups that have to be told of users, as "user group news upto".
func (w *world) untold(limit int) (list []string) {
	w.t.Helper()
	all, err := w.store.Untold(w.ctx, limit)
	w.must(err)
	for _, u := range all {
		list = append(list, fmt.Sprint(u.User, " ", u.Group, " ", u.News, " ", u.UpTo))
	}
	return list
}

func owed(u *chat.User, g chat.GroupID, news chat.News, upTo chat.Seq) string {
	return fmt.Sprint(u.ID, " ", g, " ", news, " ", upTo)
}

func (w *world) rename(u *chat.User, name string) {
	w.t.Helper()
	w.must(w.store.ChangeUser(w.ctx, u.ID, func(tx chat.UserTx) error {
		row := tx.User()
		row.NickName = name
		return tx.PutUser(row, []string{name})
	}))
}

func testGroupsThatHaveToBeToldAreRemembered(t *testing.T, w *world) {
	alice, bob := w.member("alice"), w.member("bob")
	one, two, left := w.room("one", alice, bob), w.room("two", alice), w.room("left", alice)
	w.room("other", bob)
	w.put(left, alice, chat.MemberLeft)
	w.rename(alice, "alice") // is called so already
	if got := w.untold(9); len(got) != 0 {
		t.Errorf("of no change: %v", got)
	}
	w.rename(alice, "alicia")
	w.restart()
	want := []string{owed(alice, one, chat.NewsRenamed, 0), owed(alice, two, chat.NewsRenamed, 0)}
	if got := w.untold(9); !slices.Equal(got, want) {
		t.Errorf("got %v, want %v", got, want)
	}
	if got := w.untold(1); len(got) != 1 {
		t.Errorf("one of them: %v", got)
	}
	w.must(w.store.Change(w.ctx, one, func(tx chat.GroupTx) error {
		u, err := tx.Untold(alice.ID)
		if err != nil || u.News != chat.NewsRenamed || u.Group != one || u.User != alice.ID {
			t.Errorf("in the group: %+v, %v", u, err)
		}
		if _, err := tx.Untold(bob.ID); !errors.Is(err, chat.ErrNotFound) {
			t.Errorf("of bob: %v", err)
		}
		u.UpTo = 7
		return tx.PutUntold(u)
	}))
	if got := w.untold(1); !slices.Equal(got, []string{owed(alice, one, chat.NewsRenamed, 7)}) {
		t.Errorf("a step further: %v", got)
	}
	w.must(w.store.Change(w.ctx, two, func(tx chat.GroupTx) error { return tx.DropUntold(alice.ID) }))
	if got := w.untold(9); len(got) != 1 {
		t.Errorf("one is told: %v", got)
	}
	w.must(w.store.ChangeUser(w.ctx, alice.ID, func(tx chat.UserTx) error { return tx.Delete("gone", w.now, chat.NewsErased) }))
	want = []string{owed(alice, one, chat.NewsErased, 0), owed(alice, two, chat.NewsErased, 0), owed(alice, left, chat.NewsErased, 0)}
	if got := w.untold(9); !slices.Equal(got, want) {
		t.Errorf("deleted: got %v, want %v", got, want)
	}
	w.checkDense()
}

func testADeletedUserLeavesNoWayIn(t *testing.T, w *world) {
	alice, bob := w.member("alice"), w.member("bob")
	w.must(w.store.SetAdmin(w.ctx, alice.ID, true, auth.By{At: w.now}))
	remove := func(u *chat.User) error {
		return w.store.ChangeUser(w.ctx, u.ID, func(tx chat.UserTx) error { return tx.Delete("gone", w.now, chat.NewsParted) })
	}
	if err := remove(alice); !errors.Is(err, chat.ErrLastAdmin) {
		t.Errorf("the last administrator: %v", err)
	}
	w.must(w.store.SetAdmin(w.ctx, bob.ID, true, auth.By{At: w.now}))
	session := w.signIn(alice, 1)
	ticket := auth.Ticket{Hash: auth.TokenHash{5}, Kind: auth.TicketReset, UserID: alice.ID, Uses: 1, CreatedAt: w.now.Std(), ExpiresAt: w.now.Std().Add(time.Hour)}
	w.must(w.store.CreateTicket(w.ctx, ticket))
	w.must(w.store.SetPassword(w.ctx, alice.ID, "hash", &session))
	w.must(remove(alice))
	if err := remove(alice); !errors.Is(err, chat.ErrNotFound) {
		t.Errorf("the second time: %v", err)
	}
	if _, _, err := w.store.Session(w.ctx, session); !errors.Is(err, auth.ErrNotFound) {
		t.Errorf("the session: %v", err)
	}
	if _, err := w.store.TakeTicket(w.ctx, ticket.Kind, ticket.Hash, w.now.Std()); !errors.Is(err, auth.ErrNotFound) {
		t.Errorf("the ticket: %v", err)
	}
	if _, err := w.store.AccountNamed(w.ctx, "alice"); !errors.Is(err, auth.ErrNotFound) {
		t.Errorf("the name: %v", err)
	}
	account, err := w.store.Account(w.ctx, alice.ID)
	w.must(err)
	if !account.Disabled || account.Admin || account.Password != "" || account.User.NickName != "gone" || account.User.Username != "" || account.TokenVersion != 1 {
		t.Errorf("the account is %+v", account)
	}
	if list, err := w.store.Accounts(w.ctx, auth.AccountQuery{Limit: 9}); err != nil || len(list) != 1 {
		t.Errorf("listed are %v, %v", list, err)
	}
	w.member("alice") // the name is free again
}

func testAUserIsOpenedOnceAndKeepsItsRow(t *testing.T, w *world) {
	guest := w.guest("小明")
	openIt := func(want chat.Seq) {
		t.Helper()
		w.must(w.store.OpenUser(w.ctx, guest, func(tx chat.UserTx) error {
			if u := tx.User(); *u != *guest {
				t.Errorf("opened %+v, want %+v", u, guest)
			}
			return tx.PutSettings([]byte(fmt.Sprintf(`{"n":%d}`, want)))
		}))
		w.view(func(r chat.Reader) error {
			if head, _, err := r.UserCounter(guest.ID); head != want || err != nil {
				t.Errorf("the counter is %d, %v, want %d", head, err, want)
			}
			return nil
		})
	}
	openIt(2)
	openIt(3)
	silent := w.guest("silent")
	if err := w.store.OpenUser(w.ctx, silent, func(chat.UserTx) error { return errChanged }); !errors.Is(err, errChanged) {
		t.Errorf("got %v", err)
	}
	w.view(func(r chat.Reader) error {
		if _, err := r.User(silent.ID); !errors.Is(err, chat.ErrNotFound) {
			t.Errorf("a refused act left a row: %v", err)
		}
		return nil
	})
}

func testMessagesOfOneAndWhoLeadsNext(t *testing.T, w *world) {
	alice, bob, carol := w.member("alice"), w.member("bob"), w.member("carol")
	g := w.room("one", alice)
	w.now++
	w.join(g, bob)
	w.now++
	w.join(g, carol)
	var own []chat.Seq
	for i := range 6 {
		if m := w.say(g, []*chat.User{alice, bob}[i%2], fmt.Sprint(i)); i%2 == 0 {
			own = append(own, m.Seq)
		}
	}
	head := w.groupRow(g).Head
	heir := func(tx chat.GroupTx, without *chat.User) chat.UserID {
		t.Helper()
		m, err := tx.Heir(without.ID)
		w.must(err)
		return m.UserID
	}
	w.must(w.store.Change(w.ctx, g, func(tx chat.GroupTx) error {
		all, err := tx.MessagesOf(alice.ID, 0, head)
		if err != nil || !slices.Equal(seqs(all), own) {
			t.Errorf("all: got %v, %v, want %v", seqs(all), err, own)
		}
		some, err := tx.MessagesOf(alice.ID, own[0], own[2]-1)
		if err != nil || !slices.Equal(seqs(some), own[1:2]) {
			t.Errorf("some: got %v, %v, want %v", seqs(some), err, own[1:2])
		}
		if got := heir(tx, alice); got != bob.ID {
			t.Errorf("the eldest member is %s", got)
		}
		m, err := tx.Membership(carol.ID)
		if err != nil {
			return err
		}
		m.Role = chat.RoleAdmin
		if err := tx.PutMembership(m); err != nil {
			return err
		}
		if got := heir(tx, alice); got != carol.ID {
			t.Errorf("the admin is %s", got)
		}
		all[0].NickName, all[0].Text = "gone", "emptied"
		return tx.PutMessage(all[0])
	}))
	if m := w.history(g)[0]; m.NickName != "gone" || m.Text != "emptied" {
		t.Errorf("the message is %+v", m)
	}
	alone := w.room("two", alice)
	w.must(w.store.Change(w.ctx, alone, func(tx chat.GroupTx) error {
		if m, err := tx.Heir(alice.ID); !errors.Is(err, chat.ErrNotFound) {
			t.Errorf("heir of nobody: %+v, %v", m, err)
		}
		return nil
	}))
}
