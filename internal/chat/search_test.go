package chat_test

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"qun/internal/chat"
)

func hitTexts(f *chat.Found) []string {
	list := make([]string, len(f.Hits))
	for i, hit := range f.Hits {
		list[i] = hit.Message.Text
	}
	return list
}

func (h *house) search(u *chat.User, q chat.SearchQuery) *chat.Found {
	h.t.Helper()
	found, err := h.Search(h.ctx, u, q)
	h.must(err)
	return found
}

func TestSearchLooksInOneGroupOrInAllOfMine(t *testing.T) {
	cfg, clock := noLimits(), time.Now() // two messages of one moment have no order across groups
	cfg.Now = func() time.Time { clock = clock.Add(time.Millisecond); return clock }
	h := newHouse(t, cfg)
	alice, bob := h.member("alice"), h.member("bob")
	home, work, other := h.enter(alice, "home"), h.enter(alice, "work"), h.enter(bob, "other")
	h.enter(bob, "home")
	h.send(alice, home, "我家在上海东边")
	h.send(bob, home, "no, in Shanghai")
	h.send(bob, other, "上海 is elsewhere")
	h.send(alice, work, "上海 office")
	for range 2 {
		for _, c := range []struct {
			who  *chat.User
			q    chat.SearchQuery
			want []string
		}{
			{alice, chat.SearchQuery{Text: "上海"}, []string{"上海 office", "我家在上海东边"}},
			{alice, chat.SearchQuery{Text: "上海", Group: home}, []string{"我家在上海东边"}},
			{alice, chat.SearchQuery{Text: "上海", From: bob.ID}, nil},
			{bob, chat.SearchQuery{Text: "上海"}, []string{"上海 is elsewhere", "我家在上海东边"}},
			{bob, chat.SearchQuery{Text: "shanghai", From: bob.ID}, []string{"no, in Shanghai"}},
			{bob, chat.SearchQuery{Text: "!?"}, nil},
		} {
			if got := hitTexts(h.search(c.who, c.q)); !slices.Equal(got, c.want) {
				t.Errorf("%s, %+v: got %q, want %q", c.who.Username, c.q, got, c.want)
			}
		}
		h.must(h.store.SettleIndex(h.ctx))
	}
	marks := h.search(alice, chat.SearchQuery{Text: "上海", Group: home}).Hits[0].Marks
	if fmt.Sprint(marks) != "[[3 2]]" {
		t.Errorf("marks are %v", marks)
	}
	if _, err := h.Search(h.ctx, bob, chat.SearchQuery{Text: "上海", Group: work}); code(err) != chat.CodeNotInRoom {
		t.Errorf("a room that bob is not in: got %v", err)
	}
	if _, err := h.Search(h.ctx, bob, chat.SearchQuery{Text: "上海", Group: "none"}); code(err) != chat.CodeNotFound {
		t.Errorf("no group: got %v", err)
	}
}

func TestWhatIsNotMineToReadIsNotFound(t *testing.T) {
	h := newHouse(t, noLimits())
	alice, bob := h.member("alice"), h.member("bob")
	g := h.enter(alice, "lobby")
	h.enter(bob, "lobby")
	h.send(alice, g, "before")
	h.send(alice, g, "words before")
	count := func(q chat.SearchQuery) int { return len(h.search(bob, q).Hits) }
	if n := count(chat.SearchQuery{Text: "words"}); n != 1 {
		t.Fatalf("found %d", n)
	}
	h.setGroup(g, func(row *chat.Group) { row.History = chat.ExtentJoined })
	h.setState(g, bob, chat.MemberLeft)
	h.enter(bob, "lobby")
	h.send(alice, g, "words after")
	if n, in := count(chat.SearchQuery{Text: "words"}), count(chat.SearchQuery{Text: "words", Group: g}); n != 1 || in != 1 {
		t.Errorf("of a hidden history: found %d, %d", n, in)
	}
	h.setState(g, bob, chat.MemberKicked)
	if n := count(chat.SearchQuery{Text: "words"}); n != 0 {
		t.Errorf("who was kicked finds %d", n)
	}
	if _, err := h.Search(h.ctx, bob, chat.SearchQuery{Text: "words", Group: g}); code(err) != chat.CodeNotInRoom {
		t.Errorf("who was kicked: got %v", err)
	}
}

// Pages of all groups together are what reading everything finds, newest first, and what is said meanwhile is not on them.
func TestSearchPagesMeetAcrossGroups(t *testing.T) {
	cfg, clock := noLimits(), time.Now()
	cfg.Now = func() time.Time { clock = clock.Add(time.Millisecond); return clock }
	h := newHouse(t, cfg)
	alice := h.member("alice")
	random := rand.New(rand.NewPCG(5, 6))
	var groups []chat.GroupID
	for i := range 30 {
		groups = append(groups, h.enter(alice, fmt.Sprint("room ", i)))
	}
	said := 0
	say := func() {
		h.send(alice, groups[random.IntN(10+10*random.IntN(3))], fmt.Sprint("needle ", said))
		said++
	}
	for i := range 150 {
		say()
		h.send(alice, groups[i%len(groups)], "hay")
	}
	for _, settle := range []bool{false, true} {
		if settle {
			h.must(h.store.SettleIndex(h.ctx))
		}
		want := said - 1
		for q := (chat.SearchQuery{Text: "needle", Limit: 7}); ; {
			page := h.search(alice, q)
			for _, text := range hitTexts(page) {
				if text != fmt.Sprint("needle ", want) {
					t.Fatalf("settled %v: got %s, want needle %d", settle, text, want)
				}
				want--
			}
			if q.Before = page.Before; q.Before == "" {
				break
			}
			say()
		}
		if want != -1 {
			t.Errorf("settled %v: %d were not found", settle, want+1)
		}
	}
}

func TestBadSearchesAreRefused(t *testing.T) {
	h := newHouse(t, noLimits())
	alice := h.member("alice")
	for _, c := range []struct {
		q    chat.SearchQuery
		want chat.Code
	}{
		{chat.SearchQuery{}, chat.CodeInvalid},
		{chat.SearchQuery{Text: " \n "}, chat.CodeInvalid},
		{chat.SearchQuery{Text: "a\x00b"}, chat.CodeInvalid},
		{chat.SearchQuery{Text: "\xff"}, chat.CodeInvalid},
		{chat.SearchQuery{Text: strings.Repeat("群", 101)}, chat.CodeTooLarge},
		{chat.SearchQuery{Text: strings.Repeat("群", 100)}, ""},
		{chat.SearchQuery{Text: "a", Limit: 51}, chat.CodeInvalid},
		{chat.SearchQuery{Text: "a", Limit: -1}, chat.CodeInvalid},
		{chat.SearchQuery{Text: "a", Before: "?"}, chat.CodeInvalid},
		{chat.SearchQuery{Text: "a", Before: "e30"}, ""},
	} {
		if _, err := h.Search(h.ctx, alice, c.q); code(err) != c.want {
			t.Errorf("%+v: got %v, want %q", c.q, err, c.want)
		}
	}
}

func TestSearchesAreRated(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newHouse(t, chat.Config{})
		defer h.close()
		alice, bob := h.member("alice"), h.member("bob")
		refused := 0
		for range 15 {
			if _, err := h.Search(h.ctx, alice, chat.SearchQuery{Text: "a"}); code(err) == chat.CodeRateLimited {
				refused++
			}
		}
		if refused != 5 {
			t.Errorf("%d of 15 searches were refused, want 5", refused)
		}
		h.search(bob, chat.SearchQuery{Text: "a"})
	})
}
