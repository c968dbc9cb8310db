package storetest

import (
	"errors"
	"maps"
	"reflect"
	"testing"

	"qun/internal/chat"
)

// testManyAreReadAsOneByOne compares what is read of many at once with what each of them has.
func testManyAreReadAsOneByOne(t *testing.T, w *world) {
	alice, bob, carol := w.member("alice"), w.member("bob"), w.member("carol")
	w.room("one", alice, bob)
	two, gone := w.room("two", bob, alice), w.room("gone", alice)
	w.put(two, bob, chat.MemberLeft)
	w.must(w.store.Change(w.ctx, gone, func(tx chat.GroupTx) error {
		g := tx.Group()
		g.DissolvedAt = 1
		return tx.PutGroup(g)
	}))
	w.say(two, alice, "@bob")
	wanted := w.room("wanted")
	w.must(w.store.Change(w.ctx, wanted, func(tx chat.GroupTx) error {
		return tx.PutJoinRequest(&chat.JoinRequest{Group: wanted, User: alice, State: chat.RequestWaiting, AskedAt: 1})
	}))
	direct := w.group("")
	direct.Kind, direct.Visibility = chat.KindDirect, chat.VisibilityPrivate
	_, err := w.store.OpenDirect(w.ctx, chat.DirectKey(alice.ID, bob.ID), direct, func(tx chat.GroupTx) error {
		for _, u := range []*chat.User{alice, bob} {
			m := &chat.Membership{Member: chat.Member{UserID: u.ID, Role: chat.RoleMember, State: chat.MemberActive}, Notify: chat.NotifyAll}
			if err := tx.PutMembership(m); err != nil {
				return err
			}
		}
		return nil
	})
	w.must(err)
	w.must(w.store.PutBlock(w.ctx, chat.Block{By: bob.ID, User: carol.ID, On: true}))
	w.must(w.store.PutBlock(w.ctx, chat.Block{By: bob.ID, User: alice.ID, On: true}))
	w.must(w.store.ChangeUser(w.ctx, alice.ID, func(tx chat.UserTx) error { return tx.PutSettings([]byte(`{"a": 1}`)) }))

	users := []chat.UserID{alice.ID, bob.ID, carol.ID, "nobody"}
	w.view(func(r chat.Reader) error {
		many, err := r.Mine(users)
		w.must(err)
		if len(many) != len(users) {
			t.Errorf("%d are read, want %d", len(many), len(users))
		}
		places, err := w.store.GroupsOf(w.ctx, users)
		w.must(err)
		for _, u := range users {
			one := w.mine(r, u)
			if got := *many[u]; !alike(got, one) {
				t.Errorf("%s has\n%+v, alone\n%+v", u, got, one)
			}
			var in []chat.MyGroup
			for _, b := range one.Belongings {
				if b.Membership.Active() && b.Group.DissolvedAt == 0 {
					in = append(in, chat.MyGroup{ID: b.Group.ID, Rev: b.Membership.Rev, Members: b.Group.MemberCount})
				}
			}
			if !reflect.DeepEqual(places[u], in) {
				t.Errorf("%s is in %v, want %v", u, places[u], in)
			}
			searchable, err := r.Searchable(u)
			w.must(err)
			if got, want := asRead(searchable), asRead(one.Belongings); !maps.Equal(got, want) {
				t.Errorf("%s may search %v, want %v", u, got, want)
			}
		}
		if none, err := r.Mine(nil); len(none) != 0 || err != nil {
			t.Errorf("of nobody: %v, %v", none, err)
		}
		return nil
	})
	if none, err := w.store.GroupsOf(w.ctx, nil); len(none) != 0 || err != nil {
		t.Errorf("nobody is in %v, %v", none, err)
	}
}

// read is what says whether, and how far back, a group is read.
type read struct {
	group chat.Group
	role  chat.Role
	from  chat.Seq
}

func asRead(all []chat.Belonging) map[chat.GroupID]read {
	groups := map[chat.GroupID]read{}
	for _, b := range all {
		if g, m := b.Group, b.Membership; m.Active() && g.DissolvedAt == 0 {
			groups[g.ID] = read{chat.Group{Kind: g.Kind, Joining: g.Joining, History: g.History, Floor: g.Floor, Head: g.Head}, m.Role, m.FromSeq}
		}
	}
	return groups
}

// mine is what a user has of its own, read piece by piece.
func (w *world) mine(r chat.Reader, u chat.UserID) (m chat.Mine) {
	w.t.Helper()
	var errs [6]error
	if m.User, errs[0] = r.User(u); errors.Is(errs[0], chat.ErrNotFound) {
		m.User, errs[0] = nil, nil
	}
	m.Head, m.Rev, errs[1] = r.UserCounter(u)
	m.Settings, m.SettingsRev, errs[2] = r.Settings(u)
	m.Belongings, errs[3] = r.Belongings(u, 0)
	m.Requests, errs[4] = r.JoinRequestsOf(u, 0)
	m.Blocks, errs[5] = r.Blocks(u, 0)
	w.must(errors.Join(errs[:]...))
	m.Peers = map[chat.GroupID]*chat.User{}
	for _, b := range m.Belongings {
		if b.Group.Kind == chat.KindDirect {
			peer, err := r.Peer(u, b.Group.ID)
			w.must(err)
			m.Peers[b.Group.ID] = peer
		}
	}
	return m
}

// alike compares them; nothing at all is as good as an empty list.
func alike(a, b chat.Mine) bool {
	for _, m := range []*chat.Mine{&a, &b} {
		m.Belongings = append([]chat.Belonging{}, m.Belongings...)
		m.Requests = append([]*chat.JoinRequest{}, m.Requests...)
		m.Blocks = append([]chat.Block{}, m.Blocks...)
	}
	return reflect.DeepEqual(a, b)
}
