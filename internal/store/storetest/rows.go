package storetest

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"sync"
	"testing"

	"qun/internal/chat"
)

// testRowsAfterARevComeOnceInOrder changes rows of all kinds at random and asks for what came after every number.
func testRowsAfterARevComeOnceInOrder(t *testing.T, w *world) {
	random := rand.New(rand.NewPCG(1, 2))
	alice, bob := w.member("alice"), w.member("bob")
	g := w.room("one", alice, bob)
	revs := map[string]chat.Seq{} // of each row
	for i := range 60 {
		var said []*chat.Message
		for range random.IntN(3) {
			m := w.say(g, alice, fmt.Sprint(i))
			revs[string(m.ID)] = m.Rev
		}
		if said = w.history(g); len(said) > 0 && random.IntN(2) == 0 {
			m := said[random.IntN(len(said))]
			w.must(w.store.Change(w.ctx, g, func(tx chat.GroupTx) error { return tx.PutMessage(m) }))
			revs[string(m.ID)] = m.Rev
		}
		if random.IntN(4) == 0 {
			w.put(g, bob, chat.MemberActive)
		}
	}
	revs["alice"], revs["bob"] = w.membership(g, alice).Rev, w.membership(g, bob).Rev
	revs["group"] = w.groupRow(g).Rev
	head := w.groupRow(g).Head
	w.view(func(r chat.Reader) error {
		for since := range head + 1 {
			checkRowsAfter(t, r, g, since, revs)
		}
		return nil
	})
	if largest := slices.Max(mapValues(revs)); largest != head {
		t.Errorf("the largest rev is %d, the head %d", largest, head)
	}
}

func mapValues(revs map[string]chat.Seq) (values []chat.Seq) {
	for _, rev := range revs {
		values = append(values, rev)
	}
	return values
}

func checkRowsAfter(t *testing.T, r chat.Reader, g chat.GroupID, since chat.Seq, revs map[string]chat.Seq) {
	t.Helper()
	const limit = 9
	var want, got []chat.Seq
	rows := 0
	for id, rev := range revs {
		if rev <= since {
			continue
		}
		rows++
		if id != "alice" && id != "bob" && id != "group" {
			want = append(want, rev)
		}
	}
	slices.Sort(want)
	messages, err := r.MessagesAfter(g, since, limit)
	for _, m := range messages {
		got = append(got, m.Rev)
		if revs[string(m.ID)] != m.Rev {
			t.Errorf("after %d: message %d has rev %d, want %d", since, m.Seq, m.Rev, revs[string(m.ID)])
		}
	}
	if want := want[:min(limit, len(want))]; err != nil || !slices.Equal(got, want) {
		t.Errorf("after %d: got revs %v, %v, want %v", since, got, err, want)
	}
	if n, err := r.CountAfter(g, since, 1<<20); n != rows || err != nil {
		t.Errorf("after %d: %d rows, %v, want %d", since, n, err, rows)
	}
	members, err := r.MembersAfter(g, since, 1)
	if first := slices.Min([]chat.Seq{revs["alice"], revs["bob"]}); err != nil || since < first && (len(members) != 1 || members[0].Rev != first) {
		t.Errorf("after %d: members %v, %v, want the one of rev %d", since, members, err, first)
	}
}

// testUnreadEqualsANaiveCount plays random histories and compares every member's unread with a count over all messages.
func testUnreadEqualsANaiveCount(t *testing.T, w *world) {
	for seed := range uint64(4) {
		random := rand.New(rand.NewPCG(seed, 7))
		var users []*chat.User
		for i := range 4 {
			users = append(users, w.member(fmt.Sprintf("user%d-%d", seed+2, i)))
		}
		g := w.room(fmt.Sprint("room", seed), users[:2]...)
		in := map[chat.UserID]bool{users[0].ID: true, users[1].ID: true}
		for range 80 {
			u := users[random.IntN(len(users))]
			switch random.IntN(8) {
			case 0:
				w.join(g, u) // again, if it is there
				in[u.ID] = true
			case 1, 2:
				read := chat.Seq(random.IntN(int(w.groupRow(g).Head) + 3))
				w.must(w.store.MoveCursors(w.ctx, []chat.Cursor{{Group: g, User: u.ID, Read: read}}))
			case 3:
				w.must(w.store.Change(w.ctx, g, func(tx chat.GroupTx) error {
					return tx.AddMessage(&chat.Message{ID: chat.MessageID(w.id()), UserID: users[0].ID, NickName: "x",
						Kind: chat.MessageJoin, Text: "joined", SentAt: w.now})
				}))
			case 4:
				if said := w.history(g); len(said) > 0 {
					m := said[random.IntN(len(said))]
					m.RecalledAt, m.Text = w.now, ""
					w.must(w.store.Change(w.ctx, g, func(tx chat.GroupTx) error { return tx.PutMessage(m) }))
				}
			default:
				if in[u.ID] {
					w.say(g, u, "text")
				}
			}
			for _, u := range users {
				if in[u.ID] {
					w.checkUnread(g, u)
				}
			}
		}
	}
	w.checkDense()
}

// checkUnread counts what is unread the slow way: all that others said after the cursor.
func (w *world) checkUnread(g chat.GroupID, u *chat.User) {
	w.t.Helper()
	m, naive := w.membership(g, u), int64(0)
	for _, said := range w.history(g) {
		if said.Kind.Countable() && said.UserID != u.ID && said.Seq > m.ReadSeq {
			naive++
		}
	}
	if unread := m.Unread(w.groupRow(g).Counted); unread != naive {
		w.t.Fatalf("%s has %d unread after %d, counted are %d", u.NickName, unread, m.ReadSeq, naive)
	}
}

// testNumbersOfAUserAreToldInOrder changes in many groups at once what belongs to the same users.
func testNumbersOfAUserAreToldInOrder(t *testing.T, w *world) {
	users := []*chat.User{w.member("alice"), w.member("bob"), w.member("carol")}
	var groups []chat.GroupID
	for i := range 12 {
		groups = append(groups, w.room(fmt.Sprint("room ", i)))
	}
	var all sync.WaitGroup
	for i, g := range groups {
		all.Go(func() {
			for n := range 12 {
				w.put(g, users[(i+n)%len(users)], chat.MemberActive)
			}
		})
	}
	all.Wait()
	w.checkDense()
	w.view(func(r chat.Reader) error {
		for _, u := range users {
			if head, _, err := r.UserCounter(u.ID); err != nil || head != chat.Seq(1+len(groups)*12/len(users)) {
				t.Errorf("%s's counter is %d, %v", u.NickName, head, err)
			}
		}
		return nil
	})
}

func testCursorsNeverGoBack(t *testing.T, w *world) {
	alice, bob := w.member("alice"), w.member("bob")
	g := w.room("one", alice)
	for i := range 10 {
		w.say(g, w.guest("guest"), fmt.Sprint(i))
	}
	head := w.groupRow(g).Head
	move := func(u *chat.User, to chat.Seq) {
		t.Helper()
		w.must(w.store.MoveCursors(w.ctx, []chat.Cursor{{Group: g, User: u.ID, Read: to}, {Group: "nowhere", User: u.ID, Read: to}}))
	}
	counter := func(u *chat.User) (head chat.Seq) {
		w.view(func(r chat.Reader) (err error) { head, _, err = r.UserCounter(u.ID); return err })
		return head
	}
	for _, c := range []struct{ to, want, takes chat.Seq }{{5, 5, 1}, {3, 5, 0}, {5, 5, 0}, {head + 50, head, 1}, {head, head, 0}} {
		before := counter(alice)
		move(alice, c.to)
		if m := w.membership(g, alice); m.ReadSeq != c.want || counter(alice) != before+c.takes {
			t.Errorf("read up to %d: at %d, counter from %d to %d; want %d, and %d numbers", c.to, m.ReadSeq, before, counter(alice), c.want, c.takes)
		}
	}
	move(bob, 3) // no member: passed over
	w.put(g, alice, chat.MemberLeft)
	before := w.membership(g, alice)
	w.say(g, w.guest("guest"), "more")
	move(alice, head+1)
	if m := w.membership(g, alice); m.ReadSeq != before.ReadSeq {
		t.Errorf("who left has read up to %d", m.ReadSeq)
	}
	if w.groupRow(g).Rev != 1 {
		t.Error("reading changed the group")
	}
	w.checkDense()
}

func testMembershipThatEndsAndBeginsAgainHasReadAll(t *testing.T, w *world) {
	alice, bob := w.member("alice"), w.member("bob")
	g := w.room("one", alice, bob)
	w.say(g, alice, "one")
	w.put(g, bob, chat.MemberLeft)
	if row := w.groupRow(g); row.MemberCount != 1 {
		t.Errorf("%d members after one left, want 1", row.MemberCount)
	}
	w.say(g, alice, "two")
	w.join(g, bob)
	if m, row := w.membership(g, bob), w.groupRow(g); m.Unread(row.Counted) != 0 || row.MemberCount != 2 {
		t.Errorf("unread %d, %d members; want 0, 2", m.Unread(row.Counted), row.MemberCount)
	}
	w.say(g, alice, "three")
	w.put(g, bob, chat.MemberActive) // a change is no beginning
	if m, row := w.membership(g, bob), w.groupRow(g); m.Unread(row.Counted) != 1 {
		t.Errorf("unread %d, want 1", m.Unread(row.Counted))
	}
	w.checkDense()
}

func testRoomIsMadeOnce(t *testing.T, w *world) {
	const times = 16
	alice := w.member("alice")
	groups := make([]*chat.Group, times)
	for i := range groups {
		groups[i] = w.group("lobby")
	}
	found := make(chan chat.GroupID, times)
	made := make(chan struct{}, times)
	var wait sync.WaitGroup
	for _, g := range groups {
		wait.Go(func() {
			got, fresh, err := w.store.OpenRoom(w.ctx, "lobby", g, func(tx chat.GroupTx) error {
				return tx.PutMembership(&chat.Membership{
					Member: chat.Member{UserID: alice.ID, Role: chat.RoleOwner, State: chat.MemberActive}, Notify: chat.NotifyAll})
			})
			if err != nil {
				t.Error(err)
				return
			}
			found <- got.ID
			if fresh {
				made <- struct{}{}
			}
		})
	}
	wait.Wait()
	close(found)
	first := <-found
	for id := range found {
		if id != first {
			t.Errorf("found %s and %s", first, id)
		}
	}
	if row := w.groupRow(first); len(made) != 1 || row.Head != 2 || row.MemberCount != 1 {
		t.Errorf("made %d times, head %d, %d members; want 1, 2, 1", len(made), row.Head, row.MemberCount)
	}
	_, _, err := w.store.OpenRoom(w.ctx, "other", w.group("other"), func(chat.GroupTx) error { return errChanged })
	w.view(func(r chat.Reader) error {
		if _, missing := r.GroupByRoom("other"); !errors.Is(err, errChanged) || !errors.Is(missing, chat.ErrNotFound) {
			t.Errorf("a refused room: %v, found %v", err, missing)
		}
		return nil
	})
	w.checkDense()
}

func testSilentRoomsAreDropped(t *testing.T, w *world) {
	silent, spoken := w.room("silent"), w.room("spoken")
	w.say(spoken, w.guest("guest"), "hello")
	refused := func(u *chat.User) { // by what is there now: nothing of the room is remembered
		t.Helper()
		var why *chat.Error
		if _, err := w.store.AppendMessage(w.ctx, w.posting(silent, u, "hello", "")); !errors.As(err, &why) {
			t.Errorf("a send of %s: got %v, want a refusal", u.NickName, err)
		}
	}
	refused(w.member("outsider"))
	w.now += 1000
	young := w.room("young")
	n, err := w.store.DropSilentRooms(w.ctx, w.now)
	if n != 1 || err != nil {
		t.Errorf("dropped %d, %v; want 1", n, err)
	}
	refused(w.guest("late"))
	w.view(func(r chat.Reader) error {
		heads, err := r.Heads([]chat.GroupID{silent, spoken, young, "nowhere"})
		if _, there := heads[silent]; err != nil || there || len(heads) != 2 || heads[spoken] != 3 || heads[young] != 1 {
			t.Errorf("left are %v, %v", heads, err)
		}
		return nil
	})
	if again := w.room("silent"); again == silent {
		t.Error("the room made anew is the old one")
	}
}

func testNamesOfMembersAreTheirs(t *testing.T, w *world) {
	alice := &chat.User{ID: chat.UserID(w.id()), NickName: "爱丽丝", Username: "alice", CreatedAt: w.now, Presence: chat.PresenceOffline}
	w.must(w.store.CreateUser(w.ctx, alice, chat.Credentials{Password: "hash", Admin: true}, []string{"爱丽丝", "allce"}))
	for _, c := range []struct {
		username  string
		skeletons []string
	}{{"alice", []string{"other"}}, {"bob", []string{"bob", "allce"}}, {"bob", []string{"爱丽丝", "bob"}}} {
		u := &chat.User{ID: chat.UserID(w.id()), NickName: "b", Username: c.username, CreatedAt: w.now}
		if err := w.store.CreateUser(w.ctx, u, chat.Credentials{}, c.skeletons); !errors.Is(err, chat.ErrNameTaken) {
			t.Errorf("%v: got %v, want %v", c, err, chat.ErrNameTaken)
		}
	}
	w.view(func(r chat.Reader) error {
		if id, err := r.NameOwner("allce"); id != alice.ID || err != nil {
			t.Errorf("owner is %q, %v", id, err)
		}
		for _, free := range []string{"bob", "other"} {
			if _, err := r.NameOwner(free); !errors.Is(err, chat.ErrNotFound) {
				t.Errorf("a refused user left the name %s: %v", free, err)
			}
		}
		if u, err := r.User(alice.ID); err != nil || *u != *alice {
			t.Errorf("user is %+v, %v", u, err)
		}
		return nil
	})
	w.member("bob")
}

func testBelongingsAndLastMessages(t *testing.T, w *world) {
	alice, bob := w.member("alice"), w.member("bob")
	silent, loud, left := w.room("silent", alice), w.room("loud", alice, bob), w.room("left", alice)
	w.say(loud, bob, "one")
	last := w.say(loud, bob, "two")
	w.say(left, alice, "bye")
	w.put(left, alice, chat.MemberLeft)
	w.view(func(r chat.Reader) error {
		mine, err := r.Belongings(alice.ID, 0)
		w.must(err)
		var order []chat.GroupID
		for _, b := range mine {
			order = append(order, b.Group.ID)
			if b.Membership.GroupID != b.Group.ID || b.Membership.UserID != alice.ID || b.Membership.Active() != (b.Group.ID != left) {
				t.Errorf("belonging %+v of group %+v", b.Membership, b.Group)
			}
		}
		if want := []chat.GroupID{silent, loud, left}; !slices.Equal(order, want) {
			t.Errorf("belongings %v, want %v", order, want)
		}
		head, rev, err := r.UserCounter(alice.ID)
		if head != 5 || rev != 1 || err != nil {
			t.Errorf("counter %d, %d, %v; want 5, 1", head, rev, err)
		}
		if newer, err := r.Belongings(alice.ID, head-1); len(newer) != 1 || err != nil {
			t.Errorf("after %d: %v, %v", head-1, newer, err)
		}
		messages, err := r.LastMessages([]chat.GroupID{silent, loud, "nowhere"})
		if len(messages) != 1 || err != nil || messages[loud].ID != last.ID {
			t.Errorf("last messages %v, %v", messages, err)
		}
		return nil
	})
}

func testWhatIsNotThereIsNotFound(t *testing.T, w *world) {
	g := w.room("one")
	w.view(func(r chat.Reader) error {
		for name, read := range map[string]func() error{
			"user":       func() error { _, err := r.User("x"); return err },
			"name":       func() error { _, err := r.NameOwner("x"); return err },
			"group":      func() error { _, err := r.Group("x"); return err },
			"room":       func() error { _, err := r.GroupByRoom("x"); return err },
			"membership": func() error { _, err := r.Membership(g, "x"); return err },
			"clientId":   func() error { _, _, err := r.MessageByClientID("x", "x"); return err },
		} {
			if err := read(); !errors.Is(err, chat.ErrNotFound) {
				t.Errorf("%s: got %v, want %v", name, err, chat.ErrNotFound)
			}
		}
		if head, rev, err := r.UserCounter("x"); head != 0 || rev != 0 || err != nil {
			t.Errorf("counter of nobody: %d, %d, %v", head, rev, err)
		}
		if rows, err := r.Oldest("x", 0, 10); len(rows) != 0 || rows == nil || err != nil {
			t.Errorf("messages of nowhere: %v, %v", rows, err)
		}
		return nil
	})
}

func testClosedStoreSaysSo(t *testing.T, w *world) {
	g := w.room("one")
	p := w.posting(g, w.guest("guest"), "late", "")
	w.must(w.store.Close())
	w.must(w.store.Close())
	if _, err := w.store.AppendMessage(w.ctx, p); !errors.Is(err, chat.ErrClosed) {
		t.Errorf("append: got %v", err)
	}
	if err := w.store.View(w.ctx, func(chat.Reader) error { return nil }); !errors.Is(err, chat.ErrClosed) {
		t.Errorf("view: got %v", err)
	}
}
