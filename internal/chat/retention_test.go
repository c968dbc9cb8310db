package chat_test

import (
	"fmt"
	"testing"
	"time"

	"qun/internal/chat"
)

// aging is a house with a clock that tests move.
type aging struct {
	*house
	clock time.Time
}

func newAging(t *testing.T, days int) *aging {
	cfg := noLimits()
	a := &aging{clock: time.Now()}
	cfg.Retention, cfg.Now = days, func() time.Time { return a.clock }
	a.house = newHouse(t, cfg)
	return a
}

func (a *aging) pass(days int) { a.clock = a.clock.Add(time.Duration(days) * 24 * time.Hour) }

func (a *aging) row(g chat.GroupID, who *chat.User) *chat.Group {
	a.t.Helper()
	group, err := a.Group(a.ctx, who, g)
	a.must(err)
	return group
}

// texts are those of everything in g that is left.
func (a *aging) texts(g chat.GroupID, who *chat.User) (texts []string) {
	a.t.Helper()
	page, err := a.History(a.ctx, who, chat.HistoryQuery{Group: g, Limit: 100})
	a.must(err)
	if page.Before {
		a.t.Error("there is more before what is left")
	}
	for _, m := range page.Messages {
		if m.Kind == chat.MessageText {
			texts = append(texts, m.Text)
		}
	}
	return texts
}

func TestMessagesAreKeptAsLongAsTheShorterRuleSays(t *testing.T) {
	for _, c := range []struct{ server, group, age, left int }{
		{0, 0, 9999, 2}, {30, 0, 29, 2}, {30, 0, 30, 1}, {0, 7, 8, 1}, {30, 7, 8, 1}, {7, 30, 8, 1}, {30, 60, 31, 1},
	} {
		a := newAging(t, c.server)
		alice := a.member("alice")
		g := a.enter(alice, "lobby")
		a.setGroup(g, func(row *chat.Group) { row.Retention = c.group })
		a.send(alice, g, "old")
		a.clock = a.clock.Add(time.Second)
		a.pass(c.age)
		a.send(alice, g, "new")
		a.must(a.Expire(a.ctx))
		if left := a.texts(g, alice); len(left) != c.left {
			t.Errorf("%+v: left is %q", c, left)
		}
	}
}

func TestExpiryIsOneChangeOfTheGroup(t *testing.T) {
	a := newAging(t, 1)
	alice, bob := a.member("alice"), a.member("bob")
	g := a.enter(alice, "lobby")
	a.enter(bob, "lobby")
	for i := range 450 { // more than one step of erasing
		a.send(alice, g, fmt.Sprint("old ", i))
	}
	before := a.row(g, alice)
	a.must(a.store.SettleIndex(a.ctx))
	a.pass(2)
	a.must(a.Expire(a.ctx))
	after := a.row(g, bob)
	if after.Head != before.Head+1 || after.Rev != after.Head || after.Floor != before.Head+1 {
		t.Errorf("head went from %d to %d, rev is %d, floor %d", before.Head, after.Head, after.Rev, after.Floor)
	}
	if !a.await(g, after.Head) {
		t.Error("nobody was told")
	}
	if left := a.texts(g, alice); len(left) != 0 {
		t.Errorf("%d are left", len(left))
	}
	for _, settle := range []bool{false, true} {
		if settle {
			a.must(a.store.SettleIndex(a.ctx))
		}
		if hits := a.search(alice, chat.SearchQuery{Text: "old"}).Hits; len(hits) != 0 {
			t.Errorf("settled %v: %d are found", settle, len(hits))
		}
	}
	a.must(a.Expire(a.ctx))
	if again := a.row(g, bob); again.Head != after.Head {
		t.Error("nothing expired, and a number was taken")
	}
}

func TestUnreadStaysExactWhenMessagesExpire(t *testing.T) {
	a := newAging(t, 1)
	alice, bob, carol := a.member("alice"), a.member("bob"), a.member("carol")
	g := a.enter(alice, "lobby")
	a.enter(bob, "lobby")
	a.enter(carol, "lobby")
	for i := range 20 {
		a.send(alice, g, "old")
		if i%3 == 0 {
			a.send(bob, g, "old of bob")
		}
	}
	read := a.send(alice, g, "read by carol")
	_, err := a.ReadUpTo(a.ctx, carol, g, read.Seq)
	a.must(err)
	a.pass(2)
	a.setGroup(g, func(row *chat.Group) { row.Topic = "a number between" })
	gap := a.row(g, alice).Head
	a.send(alice, g, "new")
	a.send(bob, g, "new of bob")
	last := a.send(alice, g, "newest")
	unread := func(who *chat.User, want int64, when string) {
		t.Helper()
		if got := a.row(g, who).Me.Unread; got != want {
			t.Errorf("%s, %s has %d unread, want %d", when, who.Username, got, want)
		}
	}
	a.must(a.Expire(a.ctx))
	unread(bob, 2, "after expiry")
	unread(carol, 3, "after expiry")
	for _, who := range []*chat.User{bob, carol} { // where no message is left up to the cursor
		_, err := a.ReadUpTo(a.ctx, who, g, gap)
		a.must(err)
	}
	unread(bob, 2, "in the gap")
	unread(carol, 3, "in the gap")
	a.house.close()
	a.open()
	unread(bob, 2, "after a restart")
	unread(carol, 3, "after a restart")
	state, err := a.ReadUpTo(a.ctx, carol, g, last.Seq)
	a.must(err)
	if state.Unread != 0 {
		t.Errorf("all is read, and %d are not", state.Unread)
	}
	a.send(alice, g, "one more")
	unread(carol, 1, "later")
}

// A server that is stopped between raising the floor and erasing goes on the next time, even when the rule was lifted.
func TestExpiryGoesOnWhereItWasCutOff(t *testing.T) {
	a := newAging(t, 0)
	alice := a.member("alice")
	g := a.enter(alice, "lobby")
	a.send(alice, g, "old")
	kept := a.send(alice, g, "kept")
	a.setGroup(g, func(row *chat.Group) { row.Floor = kept.Seq })
	head := a.row(g, alice).Head
	a.must(a.Expire(a.ctx))
	if left := a.texts(g, alice); len(left) != 1 || left[0] != "kept" {
		t.Errorf("left is %q", left)
	}
	if got := a.row(g, alice).Head; got != head {
		t.Errorf("erasing took a number: %d after %d", got, head)
	}
}
