package storetest

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"

	"qun/internal/chat"
)

// testMentionsEqualANaiveCount mentions, edits, recalls, reads, leaves and joins at random, and compares every count with
// one over all messages.
func testMentionsEqualANaiveCount(t *testing.T, w *world) {
	random := rand.New(rand.NewPCG(5, 6))
	var users []*chat.User
	for i := range 4 {
		users = append(users, w.member(fmt.Sprint("user", i+2)))
	}
	g := w.room("one", users...)
	for _, u := range users { // who may call everybody
		w.must(w.store.Change(w.ctx, g, func(tx chat.GroupTx) error {
			m, err := tx.Membership(u.ID)
			if err != nil {
				return err
			}
			m.Role = chat.RoleAdmin
			return tx.PutMembership(m)
		}))
	}
	someone := func() []chat.UserID {
		var ids []chat.UserID
		for _, u := range users {
			if random.IntN(3) == 0 {
				ids = append(ids, u.ID)
			}
		}
		if random.IntN(4) == 0 {
			ids = append(ids, chat.MentionAll)
		}
		return ids
	}
	for range 150 {
		u := users[random.IntN(len(users))]
		said := w.history(g)
		switch n := random.IntN(10); {
		case n < 5 || len(said) == 0:
			p := w.posting(g, u, "text", "")
			p.Message.Mentions = someone()
			sent, err := w.store.AppendMessage(w.ctx, p)
			w.must(err)
			if !slices.Equal(sent.Message.Mentions, p.Message.Mentions) {
				t.Fatalf("mentions %v, want %v", sent.Message.Mentions, p.Message.Mentions)
			}
		case n < 8:
			m := said[random.IntN(len(said))]
			m.Mentions = someone()
			if n == 7 || m.RecalledAt != 0 {
				m.Text, m.Mentions, m.RecalledAt = "", nil, w.now
			}
			w.must(w.store.Change(w.ctx, g, func(tx chat.GroupTx) error { return tx.PutMessage(m) }))
		case n < 9:
			read := chat.Seq(random.IntN(int(w.groupRow(g).Head) + 1))
			w.must(w.store.MoveCursors(w.ctx, []chat.Cursor{{Group: g, User: u.ID, Read: read}}))
		default:
			w.put(g, u, chat.MemberLeft)
			w.put(g, u, chat.MemberActive)
		}
		for _, u := range users {
			w.checkMentioned(g, u)
		}
	}
	w.checkDense()
}

// checkMentioned counts mentions the slow way, and compares what is read and what was told last.
func (w *world) checkMentioned(g chat.GroupID, u *chat.User) {
	w.t.Helper()
	m, naive := w.membership(g, u), int64(0)
	for _, said := range w.history(g) {
		calls := slices.Contains(said.Mentions, u.ID) || slices.Contains(said.Mentions, chat.MentionAll)
		if calls && said.UserID != u.ID && said.Seq > m.ReadSeq && said.RecalledAt == 0 {
			naive++
		}
	}
	var counted int64
	w.view(func(r chat.Reader) (err error) { counted, err = r.CountMentions(g, u.ID, m.ReadSeq); return err })
	if m.Mentioned != naive || counted != naive {
		w.t.Fatalf("%s has %d mentions after %d, or %d; by hand %d", u.NickName, m.Mentioned, m.ReadSeq, counted, naive)
	}
	w.view(func(r chat.Reader) error {
		mine, err := r.Belongings(u.ID, 0)
		if err == nil && mine[0].Membership.Mentioned != naive {
			w.t.Fatalf("%s belongs with %d mentions, by hand %d", u.NickName, mine[0].Membership.Mentioned, naive)
		}
		return err
	})
}

// testAMentionIsToldToMembersAlone mentions members, others and nobody.
func testAMentionIsToldToMembersAlone(t *testing.T, w *world) {
	alice, bob, gone, stranger := w.member("alice"), w.member("bob"), w.member("gone"), w.member("stranger")
	g := w.room("one", alice, bob, gone)
	w.put(g, gone, chat.MemberLeft)
	counters := func() (list [4]chat.Seq) {
		w.view(func(r chat.Reader) (err error) {
			for i, u := range []*chat.User{alice, bob, gone, stranger} {
				if list[i], _, err = r.UserCounter(u.ID); err != nil {
					return err
				}
			}
			return nil
		})
		return list
	}
	before := counters()
	p := w.posting(g, alice, "text", "id")
	p.Message.Mentions = []chat.UserID{bob.ID, alice.ID, gone.ID, stranger.ID, "nobody"}
	sent, err := w.store.AppendMessage(w.ctx, p)
	w.must(err)
	if want := []chat.UserID{bob.ID, alice.ID}; !slices.Equal(sent.Message.Mentions, want) {
		t.Errorf("mentions %v, want %v", sent.Message.Mentions, want)
	}
	before[1]++
	if now := counters(); now != before {
		t.Errorf("the users' counters are %v, want %v", now, before)
	}
	told := w.toldTo(bob.ID)
	if last := told[len(told)-1]; last.Me.Group == nil || last.Me.Group.Me.Mentioned != 1 || last.Me.Group.Me.Unread != 1 {
		t.Errorf("told %+v", last.Me.Group)
	}
	if again, err := w.store.AppendMessage(w.ctx, p); err != nil || !again.Duplicate || counters() != before {
		t.Errorf("again: %+v, %v", again, err)
	}
	if n := w.membership(g, bob).Mentioned; n != 1 {
		t.Errorf("%d mentions, want 1", n)
	}
	p = w.posting(g, alice, "all", "")
	p.Message.Mentions = []chat.UserID{chat.MentionAll}
	if _, err := w.store.AppendMessage(w.ctx, p); err == nil || counters() != before {
		t.Errorf("a member may not call everybody: %v", err)
	}
}
