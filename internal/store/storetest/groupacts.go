package storetest

import (
	"errors"
	"fmt"
	"reflect"
	"sync"
	"testing"

	"qun/internal/chat"
)

func testAddressBelongsToOneGroup(t *testing.T, w *world) {
	alice := w.member("alice")
	begin := func(tx chat.GroupTx) error {
		return tx.PutMembership(&chat.Membership{Member: chat.Member{UserID: alice.ID, Role: chat.RoleOwner, State: chat.MemberActive}, Notify: chat.NotifyAll})
	}
	first, second, private := w.group("one"), w.group("two"), w.group("")
	w.must(w.store.CreateGroup(w.ctx, &chat.Founding{Group: first, Key: "one"}, begin))
	w.must(w.store.CreateGroup(w.ctx, &chat.Founding{Group: second, Key: "two"}, begin))
	w.must(w.store.CreateGroup(w.ctx, &chat.Founding{Group: private, Key: ""}, begin))
	w.must(w.store.CreateGroup(w.ctx, &chat.Founding{Group: w.group(""), Key: ""}, begin)) // those without an address do not meet
	if err := w.store.CreateGroup(w.ctx, &chat.Founding{Group: w.group("one"), Key: "one"}, begin); !errors.Is(err, chat.ErrNameTaken) {
		t.Errorf("a second group at one: got %v", err)
	}
	move := func(g chat.GroupID, room string) error {
		return w.store.Change(w.ctx, g, func(tx chat.GroupTx) error {
			if err := tx.SetAddress(room, room); err != nil {
				return err
			}
			return tx.PutGroup(tx.Group())
		})
	}
	if err := move(second.ID, "one"); !errors.Is(err, chat.ErrNameTaken) {
		t.Errorf("moved to one: got %v", err)
	}
	w.must(move(first.ID, ""))
	w.must(move(second.ID, "one"))
	w.must(move(private.ID, "three"))
	w.view(func(r chat.Reader) error {
		for key, want := range map[string]chat.GroupID{"one": second.ID, "three": private.ID} {
			if g, err := r.GroupByRoom(key); err != nil || g.ID != want || g.Room != key {
				t.Errorf("at %s: %+v, %v", key, g, err)
			}
		}
		if _, err := r.GroupByRoom("two"); !errors.Is(err, chat.ErrNotFound) {
			t.Errorf("at two: %v", err)
		}
		return nil
	})
	w.checkDense()
}

// A request that is sent again makes no second group, whoever takes it and however many at once.
func testAGroupIsMadeOnceUnderAClientID(t *testing.T, w *world) {
	alice, bob := w.member("alice"), w.member("bob")
	hash := chat.RequestHash{1, 2, 3}
	create := func(by *chat.User, key string, hash chat.RequestHash) (chat.GroupID, error) {
		g := w.group(key)
		return g.ID, w.store.CreateGroup(w.ctx, &chat.Founding{Group: g, Key: key, By: by.ID, ClientID: "once", Hash: hash}, func(tx chat.GroupTx) error {
			return tx.PutMembership(&chat.Membership{Member: chat.Member{UserID: by.ID, Role: chat.RoleOwner, State: chat.MemberActive}, Notify: chat.NotifyAll})
		})
	}
	type answer struct {
		group chat.GroupID
		err   error
	}
	answers := make(chan answer, 8)
	var all sync.WaitGroup
	for range cap(answers) {
		all.Go(func() {
			g, err := create(alice, "", hash)
			answers <- answer{g, err}
		})
	}
	all.Wait()
	close(answers)
	var made []chat.GroupID
	for a := range answers {
		if a.err == nil {
			made = append(made, a.group)
		} else if !errors.Is(a.err, chat.ErrClientIDUsed) {
			t.Errorf("asked again: got %v", a.err)
		}
	}
	if len(made) != 1 {
		t.Fatalf("made %v, want one group", made)
	}
	if _, err := create(alice, "hall", chat.RequestHash{9}); !errors.Is(err, chat.ErrClientIDUsed) {
		t.Errorf("another one under the same clientId: got %v", err)
	}
	other, err := create(bob, "hall", hash) // a clientId is its user's
	w.must(err)
	w.view(func(r chat.Reader) error {
		for u, want := range map[chat.UserID]chat.GroupID{alice.ID: made[0], bob.ID: other} {
			if g, asked, err := r.GroupByClientID(u, "once"); g != want || asked != hash || err != nil {
				t.Errorf("%s made %s of %v, %v; want %s", u, g, asked, err, want)
			}
		}
		for _, u := range []chat.UserID{"nobody", alice.ID} {
			if _, _, err := r.GroupByClientID(u, "never"); !errors.Is(err, chat.ErrNotFound) {
				t.Errorf("nothing was made, and found: %v", err)
			}
		}
		return nil
	})
	w.checkDense()
}

func testInvitesAreKept(t *testing.T, w *world) {
	alice := w.member("alice")
	g, other := w.room("one", alice), w.room("two", alice)
	head := w.groupRow(g).Head
	invite := &chat.Invite{ID: "i1", Group: g, Token: "secret", By: alice.ID, CreatedAt: w.now, ExpiresAt: w.now + 10, MaxUses: 2}
	put := func(i *chat.Invite) {
		t.Helper()
		w.must(w.store.Change(w.ctx, g, func(tx chat.GroupTx) error { return tx.PutInvite(i) }))
	}
	put(invite)
	put(&chat.Invite{ID: "i2", Group: g, Token: "other", By: alice.ID, CreatedAt: w.now})
	invite.Uses = 1
	put(invite)
	w.restart()
	hold := func(at chat.Time) int {
		t.Helper()
		var list []*chat.Invite
		w.view(func(r chat.Reader) (err error) { list, err = r.Invites(g, at); return err })
		return len(list)
	}
	w.view(func(r chat.Reader) error {
		if got, err := r.InviteByToken("secret"); err != nil || *got != *invite {
			t.Errorf("got %+v, %v, want %+v", got, err, invite)
		}
		if _, err := r.InviteByToken("guess"); !errors.Is(err, chat.ErrNotFound) {
			t.Errorf("a guess: got %v", err)
		}
		return nil
	})
	if hold(w.now) != 2 || hold(w.now+10) != 1 {
		t.Errorf("%d hold now, %d when one has ended; want 2, 1", hold(w.now), hold(w.now+10))
	}
	invite.Uses = 2
	put(invite)
	if hold(w.now) != 1 {
		t.Error("one that is used up holds")
	}
	w.must(w.store.Change(w.ctx, other, func(tx chat.GroupTx) error {
		if _, err := tx.Invite("i1"); !errors.Is(err, chat.ErrNotFound) {
			t.Errorf("another group's invite: got %v", err)
		}
		return nil
	}))
	if now := w.groupRow(g).Head; now != head {
		t.Errorf("invites took %d numbers of the group", now-head)
	}
}

func testJoinRequestsArePrivateAndCounted(t *testing.T, w *world) {
	alice := w.member("alice")
	g := w.room("one", alice)
	head := w.groupRow(g).Head
	var users []*chat.User
	for i := range 5 {
		users = append(users, w.member(fmt.Sprint("user", i)))
		q := &chat.JoinRequest{Group: g, User: users[i], State: chat.RequestWaiting, Text: fmt.Sprint("let me in ", i), AskedAt: w.now + chat.Time(i/2)}
		w.must(w.store.Change(w.ctx, g, func(tx chat.GroupTx) error { return tx.PutJoinRequest(q) }))
	}
	w.must(w.store.Change(w.ctx, g, func(tx chat.GroupTx) error {
		q, err := tx.JoinRequest(users[1].ID)
		if err != nil {
			return err
		}
		q.State = chat.RequestRejected
		return tx.PutJoinRequest(q)
	}))
	w.restart()
	if row := w.groupRow(g); row.Requests != 4 || row.Head != head {
		t.Errorf("%d requests wait, head %d; want 4 and %d", row.Requests, row.Head, head)
	}
	w.view(func(r chat.Reader) error {
		var since chat.Time
		var after chat.UserID
		var got []chat.UserID
		for {
			page, err := r.JoinRequests(g, since, after, 1)
			w.must(err)
			if len(page) == 0 {
				break
			}
			got, since, after = append(got, page[0].User.ID), page[0].AskedAt, page[0].User.ID
		}
		if want := []chat.UserID{users[0].ID, users[2].ID, users[3].ID, users[4].ID}; !reflect.DeepEqual(got, want) {
			t.Errorf("waiting are %v, want %v", got, want)
		}
		mine, err := r.JoinRequestsOf(users[1].ID, 1)
		if err != nil || len(mine) != 1 || mine[0].State != chat.RequestRejected || mine[0].UserRev != 3 || mine[0].Text != "let me in 1" {
			t.Errorf("the rejected's own: %+v, %v", mine, err)
		}
		if none, err := r.JoinRequestsOf(users[1].ID, 3); len(none) != 0 || err != nil {
			t.Errorf("after 3: %v, %v", none, err)
		}
		return nil
	})
	told := w.toldTo(users[1].ID)
	if len(told) != 2 || told[0].Me.Pending.State != chat.RequestWaiting || told[1].Me.Pending.State != chat.RequestRejected {
		t.Errorf("told %+v", told)
	}
	w.checkDense()
}

func testPairHasOneGroup(t *testing.T, w *world) {
	alice, bob, carol := w.member("alice"), w.member("bob"), w.member("carol")
	open := func(a, b *chat.User) *chat.Group {
		g := w.group("")
		g.Kind, g.Visibility = chat.KindDirect, chat.VisibilityPrivate
		got, err := w.store.OpenDirect(w.ctx, chat.DirectKey(a.ID, b.ID), g, func(tx chat.GroupTx) error {
			for _, u := range []*chat.User{a, b} {
				err := tx.PutMembership(&chat.Membership{Member: chat.Member{UserID: u.ID, Role: chat.RoleMember, State: chat.MemberActive}, Notify: chat.NotifyAll})
				if err != nil {
					return err
				}
			}
			return nil
		})
		w.must(err)
		return got
	}
	first := open(alice, bob)
	if again := open(bob, alice); again.ID != first.ID || again.MemberCount != 2 || again.Head != 3 {
		t.Errorf("got %+v, want %s with two members", again, first.ID)
	}
	second := open(alice, carol)
	w.room("one", alice, bob)
	w.view(func(r chat.Reader) error {
		for _, pair := range []struct {
			who, peer *chat.User
			g         chat.GroupID
		}{{alice, bob, first.ID}, {alice, carol, second.ID}, {bob, alice, first.ID}} {
			if peer, err := r.Peer(pair.who.ID, pair.g); err != nil || *peer != *pair.peer {
				t.Errorf("%s's peer is %v, %v, want %v", pair.who.NickName, peer, err, pair.peer)
			}
		}
		if peer, err := r.Peer(bob.ID, second.ID); !errors.Is(err, chat.ErrNotFound) {
			t.Errorf("in a group of others bob has the peer %v, %v", peer, err)
		}
		return nil
	})
	_, err := w.store.OpenDirect(w.ctx, chat.DirectKey(bob.ID, carol.ID), w.group(""), func(chat.GroupTx) error { return errChanged })
	w.view(func(r chat.Reader) error {
		if mine, _ := r.Belongings(carol.ID, 0); !errors.Is(err, errChanged) || len(mine) != 1 {
			t.Errorf("a refused pair: %v, left %v", err, mine)
		}
		return nil
	})
	w.checkDense()
}

func testBlocksBarBothAndAreToldToOne(t *testing.T, w *world) {
	alice, bob := w.member("alice"), w.member("bob")
	w.must(w.store.PutBlock(w.ctx, chat.Block{By: alice.ID, User: bob.ID, On: true}))
	w.must(w.store.PutBlock(w.ctx, chat.Block{By: alice.ID, User: bob.ID, On: true}))
	w.must(w.store.PutBlock(w.ctx, chat.Block{By: bob.ID, User: alice.ID, On: false}))
	if err := w.store.PutBlock(w.ctx, chat.Block{By: alice.ID, User: "nobody", On: true}); !errors.Is(err, chat.ErrNotFound) {
		t.Errorf("nobody: got %v", err)
	}
	w.view(func(r chat.Reader) error {
		mine, err := r.Blocks(alice.ID, 1)
		if want := []chat.Block{{User: bob.ID, On: true, By: alice.ID, UserRev: 2}}; err != nil || !reflect.DeepEqual(mine, want) {
			t.Errorf("alice's blocks are %+v, %v, want %+v", mine, err, want)
		}
		to, err := r.Blocked(alice.ID, bob.ID)
		from, err2 := r.Blocked(bob.ID, alice.ID)
		if !to || from || errors.Join(err, err2) != nil {
			t.Errorf("alice blocks bob: %v, bob alice: %v, %v", to, from, errors.Join(err, err2))
		}
		return nil
	})
	g := w.group("")
	g.Kind, g.Visibility = chat.KindDirect, chat.VisibilityPrivate
	_, err := w.store.OpenDirect(w.ctx, chat.DirectKey(alice.ID, bob.ID), g, func(tx chat.GroupTx) error {
		for _, u := range []*chat.User{alice, bob} {
			err := tx.PutMembership(&chat.Membership{Member: chat.Member{UserID: u.ID, Role: chat.RoleMember, State: chat.MemberActive}, Notify: chat.NotifyAll})
			if err != nil {
				return err
			}
		}
		return nil
	})
	w.must(err)
	told := len(w.toldTo(bob.ID))
	for _, c := range []struct {
		by, user   *chat.User
		on         bool
		alice, bob chat.Bar
	}{
		{alice, bob, false, chat.Unbarred, chat.Unbarred}, {alice, bob, true, chat.BarredByMe, chat.BarredByPeer},
		{bob, alice, true, chat.BarredByMe | chat.BarredByPeer, chat.BarredByMe | chat.BarredByPeer},
		{alice, bob, false, chat.BarredByPeer, chat.BarredByMe},
	} {
		w.must(w.store.PutBlock(w.ctx, chat.Block{By: c.by.ID, User: c.user.ID, On: c.on}))
		if a, b := w.membership(g.ID, alice).Barred, w.membership(g.ID, bob).Barred; a != c.alice || b != c.bob {
			t.Errorf("%s blocks %s: %v; barred are %d, %d, want %d, %d", c.by.NickName, c.user.NickName, c.on, a, b, c.alice, c.bob)
		}
		var refused *chat.Error
		if _, err := w.store.AppendMessage(w.ctx, w.posting(g.ID, alice, "hello", "")); errors.As(err, &refused) != (c.alice != chat.Unbarred) {
			t.Errorf("alice speaks: %v", err)
		}
	}
	for _, e := range w.toldTo(bob.ID)[told:] { // of bob's own block alone, beside the cursor
		if e.Me.Group != nil || e.Me.Block != nil && e.Me.Block.User != alice.ID {
			t.Errorf("bob was told %+v", e.Me)
		}
	}
	w.checkDense()
}

// testBlockAndPairMeet opens groups of two while one of them blocks the other: there is never a group that lacks the bar.
func testBlockAndPairMeet(t *testing.T, w *world) {
	for i := range 12 {
		a, b := w.member(fmt.Sprint("a", i)), w.member(fmt.Sprint("b", i))
		g := w.group("")
		g.Kind, g.Visibility = chat.KindDirect, chat.VisibilityPrivate
		var both sync.WaitGroup
		both.Go(func() {
			if err := w.store.PutBlock(w.ctx, chat.Block{By: a.ID, User: b.ID, On: true}); err != nil {
				t.Error(err)
			}
		})
		both.Go(func() {
			_, err := w.store.OpenDirect(w.ctx, chat.DirectKey(a.ID, b.ID), g, func(tx chat.GroupTx) error {
				blocked, err := tx.Blocked(a.ID, b.ID)
				if err != nil {
					return err
				}
				if blocked {
					return errChanged
				}
				for _, u := range []*chat.User{a, b} {
					err := tx.PutMembership(&chat.Membership{Member: chat.Member{UserID: u.ID, Role: chat.RoleMember, State: chat.MemberActive}, Notify: chat.NotifyAll})
					if err != nil {
						return err
					}
				}
				return nil
			})
			if err != nil && !errors.Is(err, errChanged) {
				t.Error(err)
			}
		})
		both.Wait()
		w.view(func(r chat.Reader) error {
			m, err := r.Membership(g.ID, b.ID)
			if !errors.Is(err, chat.ErrNotFound) && (err != nil || m.Barred != chat.BarredByPeer) {
				t.Errorf("the group was made, and who is blocked has %+v, %v", m, err)
			}
			return nil
		})
	}
}

func testAuditIsPagedBackwards(t *testing.T, w *world) {
	alice := w.member("alice")
	one, two := w.room("one", alice), w.room("two", alice)
	for i := range 6 {
		g := []chat.GroupID{one, two}[i%2]
		w.must(w.store.Change(w.ctx, g, func(tx chat.GroupTx) error {
			return tx.Audit(&chat.AuditEntry{At: w.now + chat.Time(i), Act: "kick", By: alice.ID, Group: g, Target: "x", Value: fmt.Sprint(i)})
		}))
	}
	w.must(w.store.Change(w.ctx, one, func(tx chat.GroupTx) error { return nil }))
	_ = w.store.Change(w.ctx, one, func(tx chat.GroupTx) error {
		if err := tx.Audit(&chat.AuditEntry{Act: "undone"}); err != nil {
			return err
		}
		return errChanged
	})
	values := func(g chat.GroupID) (all []string) {
		w.view(func(r chat.Reader) error {
			for before := int64(0); ; {
				page, err := r.AuditOf(chat.AuditQuery{Group: g, Before: before, Limit: 2})
				w.must(err)
				if len(page) == 0 {
					return nil
				}
				for _, e := range page {
					all, before = append(all, e.Value), e.Number
				}
			}
		})
		return all
	}
	if got, want := values(one), []string{"4", "2", "0"}; !reflect.DeepEqual(got, want) {
		t.Errorf("of one group: %v, want %v", got, want)
	}
	if got, want := values(""), []string{"5", "4", "3", "2", "1", "0"}; !reflect.DeepEqual(got, want) {
		t.Errorf("of all: %v, want %v", got, want)
	}
}

func testAnnouncementIsReadByThoseWhoAreIn(t *testing.T, w *world) {
	alice, bob := w.member("alice"), w.member("bob")
	g := w.room("one", alice, bob)
	announce := func(text string) {
		w.must(w.store.Change(w.ctx, g, func(tx chat.GroupTx) error {
			row := tx.Group()
			row.Announcement, row.AnnouncedAt = text, w.now
			return tx.PutGroup(row)
		}))
	}
	read := func(u *chat.User) {
		w.must(w.store.Change(w.ctx, g, func(tx chat.GroupTx) error {
			m, err := tx.Membership(u.ID)
			if err != nil {
				return err
			}
			m.Announced = tx.Group().Announced
			return tx.PutPrivate(m)
		}))
	}
	readers := func() int { return w.groupRow(g).Informed }
	announce("hello")
	head := w.groupRow(g).Head
	if row := w.groupRow(g); row.Announced != row.Rev || row.AnnouncedAt != w.now || readers() != 0 {
		t.Errorf("announced: %+v, read by %d", row, readers())
	}
	read(alice)
	read(bob)
	if readers() != 2 || w.groupRow(g).Head != head {
		t.Errorf("read by %d, want 2, and no number: head %d, was %d", readers(), w.groupRow(g).Head, head)
	}
	w.put(g, bob, chat.MemberLeft)
	if readers() != 1 {
		t.Errorf("read by %d of those who are in, want 1", readers())
	}
	read(alice)
	if readers() != 1 {
		t.Errorf("read twice by one it counts %d", readers())
	}
	announce("again")
	if readers() != 0 {
		t.Errorf("a new one is read by %d", readers())
	}
	told := w.toldTo(alice.ID)
	if last := told[len(told)-1].Me; last.Group == nil || !last.Group.Me.AnnouncementRead {
		t.Errorf("alice's devices were told %+v", last)
	}
	w.checkDense()
}

func testStaffHeirsAndTheBanned(t *testing.T, w *world) {
	alice, bob := w.member("alice"), w.member("bob")
	g := w.room("one", alice)
	ming := w.guest("小明")
	w.say(g, ming, "hello")
	ask := func() (staff int, heir bool) {
		w.must(w.store.Change(w.ctx, g, func(tx chat.GroupTx) error {
			list, err := tx.Staff()
			if err != nil {
				return err
			}
			staff = len(list)
			heir, err = tx.HasHeir(alice.ID)
			return err
		}))
		return staff, heir
	}
	if staff, heir := ask(); staff != 0 || heir {
		t.Errorf("of a member and a guest: staff %d, heir %v", staff, heir)
	}
	w.join(g, bob)
	w.must(w.store.Change(w.ctx, g, func(tx chat.GroupTx) error {
		m, err := tx.Membership(bob.ID)
		if err != nil {
			return err
		}
		m.Role = chat.RoleAdmin
		return tx.PutMembership(m)
	}))
	if staff, heir := ask(); staff != 1 || !heir {
		t.Errorf("with an admin: staff %d, heir %v", staff, heir)
	}
	fresh := w.guest("visitor")
	for i, u := range []*chat.User{bob, fresh} {
		w.must(w.store.Change(w.ctx, g, func(tx chat.GroupTx) error {
			if err := tx.PutGuest(u); err != nil {
				return err
			}
			return tx.PutMembership(&chat.Membership{
				Member:   chat.Member{UserID: u.ID, NickName: u.NickName, Role: chat.RoleMember, State: chat.MemberBanned},
				OutUntil: w.now + chat.Time(i), Notify: chat.NotifyAll,
			})
		}))
	}
	w.view(func(r chat.Reader) error {
		all, err := r.Banned(g, 0, 10)
		if err != nil || len(all) != 2 || all[0].Member.UserID != fresh.ID || all[0].Until != w.now+1 || all[1].Member.UserID != bob.ID {
			t.Errorf("banned are %+v, %v", all, err)
		}
		if older, err := r.Banned(g, all[0].Member.Rev, 10); err != nil || len(older) != 1 {
			t.Errorf("before the first: %+v, %v", older, err)
		}
		if n, err := r.GroupCount(bob.ID); n != 0 || err != nil {
			t.Errorf("bob is in %d groups, %v", n, err)
		}
		if n, err := r.GroupCount(alice.ID); n != 1 || err != nil {
			t.Errorf("alice is in %d groups, %v", n, err)
		}
		return nil
	})
	w.checkDense()
}
