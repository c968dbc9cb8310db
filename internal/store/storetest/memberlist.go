package storetest

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"qun/internal/chat"
)

// testMembersAreListedByRankThenName pages through a group with pages of every size and compares with a list by hand.
func testMembersAreListedByRankThenName(t *testing.T, w *world) {
	g := w.room("one")
	other := w.room("two")
	var want []string
	for i, name := range []string{"Zoe", "yan", "Xu", "小明", "ann", "Ann2", "bob"} {
		u := w.member(name)
		role := chat.RoleMember
		if i < 2 {
			role = []chat.Role{chat.RoleOwner, chat.RoleAdmin}[i]
		}
		w.must(w.store.Change(w.ctx, g, func(tx chat.GroupTx) error {
			return tx.PutMembership(&chat.Membership{Member: chat.Member{UserID: u.ID, Role: role, State: chat.MemberActive}, Notify: chat.NotifyAll})
		}))
	}
	want = []string{"Zoe", "yan", "ann", "Ann2", "bob", "Xu", "小明"}
	gone := w.member("aaa")
	w.join(g, gone)
	w.put(g, gone, chat.MemberLeft)
	w.join(other, gone)
	for size := 1; size <= len(want)+1; size++ {
		if got := w.pages(g, "", size); !slices.Equal(got, want) {
			t.Errorf("pages of %d: got %v, want %v", size, got, want)
		}
	}
}

// pages are the names of all members found, read in pages.
func (w *world) pages(g chat.GroupID, prefix string, size int) (found []string) {
	w.t.Helper()
	var after chat.MemberPlace
	for {
		var page []chat.ListedMember
		w.view(func(r chat.Reader) (err error) { page, err = r.Members(g, prefix, after, size); return err })
		for _, m := range page {
			found = append(found, m.Member.NickName)
		}
		if len(page) < size {
			return found
		}
		after = page[len(page)-1].Place
	}
}

func testMembersAreFoundByAnyOfTheirNames(t *testing.T, w *world) {
	g := w.room("one")
	owner := w.member("carla")
	for _, u := range []struct {
		*chat.User
		nick string // in the group
		role chat.Role
	}{{owner, "", chat.RoleOwner}, {w.member("carol"), "", chat.RoleMember}, {w.member("小红"), "carmen", chat.RoleMember}, {w.member("dave"), "car", chat.RoleMember}} {
		w.must(w.store.Change(w.ctx, g, func(tx chat.GroupTx) error {
			return tx.PutMembership(&chat.Membership{Member: chat.Member{UserID: u.ID, GroupNick: u.nick, NickName: u.NickName,
				Username: u.Username, Role: u.role, State: chat.MemberActive}, Notify: chat.NotifyAll})
		}))
	}
	both := &chat.User{ID: chat.UserID(w.id()), NickName: "Carwash", Username: "carwash2", CreatedAt: w.now}
	w.must(w.store.CreateUser(w.ctx, both, chat.Credentials{}, []string{"carwash", "carwash2"}))
	w.join(g, both)
	for prefix, want := range map[string][]string{
		"car": {"carla", "dave", "小红", "carol", "Carwash"}, "小": {"小红"}, "carw": {"Carwash"}, "carwash2": {"Carwash"}, "da": {"dave"},
		"x": nil, "%": nil, "carolx": nil,
	} {
		for size := 1; size <= len(want)+1; size++ {
			if got := w.pages(g, prefix, size); !slices.Equal(got, want) {
				t.Errorf("%q in pages of %d: got %v, want %v", prefix, size, got, want)
			}
		}
	}
	w.must(w.store.Change(w.ctx, g, func(tx chat.GroupTx) error { // another name in the group: found by it, and not by the old one
		m, err := tx.Membership(both.ID)
		if err != nil {
			return err
		}
		m.GroupNick = "xaver"
		return tx.PutMembership(m)
	}))
	if got := w.pages(g, "xa", 10); !slices.Equal(got, []string{"Carwash"}) {
		t.Errorf("by the new name: %v", got)
	}
}

func testGroupsAreFoundByThoseWhoMay(t *testing.T, w *world) {
	alice := w.member("alice")
	make := func(name string, v chat.Visibility) chat.GroupID {
		g := w.group(name)
		g.Visibility = v
		key := strings.ToLower(name)
		if v == chat.VisibilityPrivate {
			g.Room, key = "", ""
		}
		w.must(w.store.CreateGroup(w.ctx, &chat.Founding{Group: g, Key: key}, func(tx chat.GroupTx) error {
			return tx.PutMembership(&chat.Membership{Member: chat.Member{UserID: alice.ID, Role: chat.RoleOwner, State: chat.MemberActive}, Notify: chat.NotifyAll})
		}))
		return g.ID
	}
	for i := range 3 {
		make(fmt.Sprint("Open 上海", i), chat.VisibilityOpen)
		make(fmt.Sprint("Public 上海", i), chat.VisibilityPublic)
		make(fmt.Sprint("Secret 上海", i), chat.VisibilityPrivate)
	}
	make("100%", chat.VisibilityOpen)
	dissolved := make("Gone 上海", chat.VisibilityOpen)
	w.must(w.store.Change(w.ctx, dissolved, func(tx chat.GroupTx) error {
		g := tx.Group()
		g.DissolvedAt = w.now
		return tx.PutGroup(g)
	}))
	for _, c := range []struct {
		text   string
		public bool
		want   []string
	}{
		{"上海", true, []string{"Open 上海0", "Open 上海1", "Open 上海2", "Public 上海0", "Public 上海1", "Public 上海2"}},
		{"上海", false, []string{"Open 上海0", "Open 上海1", "Open 上海2"}},
		{"海1", true, []string{"Open 上海1", "Public 上海1"}},
		{"", false, []string{"100%", "Open 上海0", "Open 上海1", "Open 上海2"}},
		{"0%", true, []string{"100%"}}, {"_", true, nil}, {"secret", true, nil},
	} {
		for size := 1; size < 8; size++ {
			if got := w.foundGroups(c.text, c.public, size); !slices.Equal(got, c.want) {
				t.Errorf("%q, public %v, pages of %d: got %v, want %v", c.text, c.public, size, got, c.want)
			}
		}
	}
}

func (w *world) foundGroups(text string, public bool, size int) (found []string) {
	w.t.Helper()
	var after chat.GroupPlace
	for {
		var page []*chat.Group
		w.view(func(r chat.Reader) (err error) { page, err = r.FindGroups(text, public, after, size); return err })
		for _, g := range page {
			found = append(found, g.Name)
		}
		if len(page) < size {
			return found
		}
		last := page[len(page)-1]
		after = chat.GroupPlace{Name: last.SearchKey(), Group: last.ID}
	}
}
