package storetest

import (
	"cmp"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"qun/internal/chat"
	"qun/internal/words"
)

// find is the first page that a search finds.
func (w *world) find(q chat.Search) (found []*chat.Message) {
	found, _ = w.findPage(q)
	return found
}

func (w *world) findPage(q chat.Search) (found []*chat.Message, next *chat.SearchPlace) {
	w.t.Helper()
	w.view(func(r chat.Reader) (err error) { found, next, err = r.Search(q); return err })
	return found, next
}

func (w *world) findWords(g chat.GroupID, text string) []string {
	w.t.Helper()
	return texts(w.find(chat.Search{Where: []chat.Searched{{Group: g}}, Words: words.Parse(text), Limit: 50}))
}

// wantFound fails unless a search finds these texts, before and after the index follows.
func (w *world) wantFound(g chat.GroupID, text string, want ...string) {
	w.t.Helper()
	for _, when := range []string{"at once", "from the index"} {
		if got := w.findWords(g, text); !slices.Equal(got, want) {
			w.t.Errorf("%s, %s: got %q, want %q", text, when, got, want)
		}
		w.must(w.store.SettleIndex(w.ctx))
	}
}

// chatter says enough that what was said before is no longer among the newest, which are read through in any case.
func (w *world) chatter(g chat.GroupID, u *chat.User) {
	w.t.Helper()
	w.must(w.store.Change(w.ctx, g, func(tx chat.GroupTx) error {
		for i := range 400 {
			m := &chat.Message{ID: chat.MessageID(w.id()), UserID: u.ID, NickName: u.NickName, Kind: chat.MessageText, Text: fmt.Sprint("filler", i), SentAt: w.now}
			if err := tx.AddMessage(m); err != nil {
				return err
			}
		}
		return nil
	}))
}

// change changes one message.
func (w *world) change(g chat.GroupID, seq chat.Seq, change func(*chat.Message)) {
	w.t.Helper()
	w.must(w.store.Change(w.ctx, g, func(tx chat.GroupTx) error {
		m, err := tx.Message(seq)
		if err != nil {
			return err
		}
		change(m)
		return tx.PutMessage(m)
	}))
}

func testSearchFindsWords(t *testing.T, w *world) {
	alice := w.member("alice")
	g := w.room("one", alice)
	w.say(g, alice, "我家在上海东边")
	w.say(g, alice, "海上的船")
	w.say(g, alice, "they were running away")
	w.say(g, alice, "Café del Mar 👍")
	for range 2 {
		w.wantFound(g, "上海", "我家在上海东边")
		w.wantFound(g, "海", "海上的船", "我家在上海东边")
		w.wantFound(g, "上海东边", "我家在上海东边")
		w.wantFound(g, "上东")
		w.wantFound(g, "runs", "they were running away")
		w.wantFound(g, "runn", "they were running away")
		w.wantFound(g, "CAFE mar", "Café del Mar 👍")
		w.wantFound(g, "👍", "Café del Mar 👍")
		w.wantFound(g, `"del" NEAR* OR - (`)
		w.wantFound(g, `"del" *`, "Café del Mar 👍")
		w.chatter(g, alice)
	}
}

func testSearchFollowsChanges(t *testing.T, w *world) {
	alice := w.member("alice")
	g := w.room("one", alice)
	edited, recalled := w.say(g, alice, "apples"), w.say(g, alice, "a secret")
	for range 2 {
		w.chatter(g, alice)
		w.wantFound(g, "secret", "a secret")
		w.wantFound(g, "apples", "apples")
	}
	w.change(g, edited.Seq, func(m *chat.Message) { m.Text, m.EditedAt = "oranges", w.now })
	w.change(g, recalled.Seq, func(m *chat.Message) { m.Text, m.RecalledAt = "", w.now })
	w.wantFound(g, "secret")
	w.wantFound(g, "apples")
	w.wantFound(g, "oranges", "oranges")
	w.restart()
	w.wantFound(g, "secret")
	w.wantFound(g, "oranges", "oranges")
}

// A text is never found once it was recalled, even where its row keeps it.
func testRecalledIsNeverFound(t *testing.T, w *world) {
	alice := w.member("alice")
	g := w.room("one", alice)
	m := w.say(g, alice, "a secret")
	w.change(g, m.Seq, func(m *chat.Message) { m.RecalledAt = w.now })
	w.wantFound(g, "secret")
	w.chatter(g, alice)
	w.wantFound(g, "secret")
}

func testSearchStaysInItsBounds(t *testing.T, w *world) {
	alice, bob := w.member("alice"), w.member("bob")
	one, two := w.room("one", alice, bob), w.room("two", alice)
	var said []chat.Seq
	for i := range 8 {
		said = append(said, w.say(one, []*chat.User{alice, bob}[i%2], "tea time").Seq)
		w.say(two, alice, "tea in two")
	}
	w.chatter(one, alice)
	w.must(w.store.SettleIndex(w.ctx))
	q := chat.Search{Where: []chat.Searched{{Group: one}}, Words: words.Parse("tea"), Limit: 50}
	at := func(seq chat.Seq) *chat.SearchPlace { return &chat.SearchPlace{At: w.now, Group: one, Seq: seq} }
	slices.Reverse(said)
	for name, c := range map[string]struct {
		change func(*chat.Search)
		want   []chat.Seq
	}{
		"all":            {func(*chat.Search) {}, said},
		"a page":         {func(q *chat.Search) { q.Limit = 3 }, said[:3]},
		"the next":       {func(q *chat.Search) { q.Limit, q.Before = 3, at(said[2]) }, said[3:6]},
		"from a seq on":  {func(q *chat.Search) { q.Where = []chat.Searched{{Group: one, First: said[5]}} }, said[:6]},
		"of bob":         {func(q *chat.Search) { q.From = bob.ID }, []chat.Seq{said[0], said[2], said[4], said[6]}},
		"of nobody":      {func(q *chat.Search) { q.From = "nobody" }, nil},
		"of no group":    {func(q *chat.Search) { q.Where = []chat.Searched{{Group: "none"}} }, nil},
		"before them":    {func(q *chat.Search) { q.Before = at(said[7]) }, nil},
		"with two words": {func(q *chat.Search) { q.Words = words.Parse("time tea") }, said},
	} {
		asked := q
		c.change(&asked)
		if got := seqs(w.find(asked)); !slices.Equal(got, c.want) {
			t.Errorf("%s: got %v, want %v", name, got, c.want)
		}
	}
}

// SearchPages looks whether pages of a search meet; it is part of Run.
func SearchPages(t *testing.T, open Open) { testPagesOfManyGroupsMeet(t, newWorld(t, open)) }

// Pages of many groups together are what reading everything finds, by time and then by group and number, however much of it
// the index has; and nothing of other groups is on them.
func testPagesOfManyGroupsMeet(t *testing.T, w *world) {
	random := rand.New(rand.NewPCG(7, 8))
	alice := w.member("alice")
	var where []chat.Searched
	var all []chat.GroupID
	for i := range 12 {
		all = append(all, w.room(fmt.Sprint("room ", i), alice))
		if i%3 != 2 {
			where = append(where, chat.Searched{Group: all[i]})
		}
	}
	for round := range 3 {
		for range 70 {
			w.now += chat.Time(random.IntN(3)) - 1 // clocks go back, too
			m := w.say(all[random.IntN(len(all))], alice, []string{"needle", "hay", "needle and 针"}[random.IntN(3)])
			if random.IntN(5) == 0 {
				w.change(m.GroupID, m.Seq, func(m *chat.Message) { m.Text, m.EditedAt = "needle 针 again", w.now })
			}
		}
		if round > 0 {
			w.must(w.store.SettleIndex(w.ctx))
		}
		for _, text := range []string{"needle", "针", "needle 针", "hay", "nothing"} {
			query := words.Parse(text)
			want := w.readThrough(where, query)
			for _, limit := range []int{1, 7, 50, 1000} {
				if got := w.findAll(chat.Search{Where: where, Words: query, Limit: limit}); !slices.Equal(got, want) {
					t.Fatalf("round %d, %s, pages of %d: got %d, want %d:\n%v\n%v", round, text, limit, len(got), len(want), got, want)
				}
			}
		}
	}
}

// findAll is all that a search finds, page by page.
func (w *world) findAll(q chat.Search) (found []chat.SearchPlace) {
	w.t.Helper()
	for {
		page, next := w.findPage(q)
		if len(page) > q.Limit {
			w.t.Fatalf("a page of %d has %d", q.Limit, len(page))
		}
		for _, m := range page {
			found = append(found, chat.SearchPlace{At: m.SentAt, Group: m.GroupID, Seq: m.Seq})
		}
		if q.Before = next; next == nil {
			return found
		}
	}
}

// readThrough is what a search should find.
func (w *world) readThrough(where []chat.Searched, query words.Query) (found []chat.SearchPlace) {
	w.t.Helper()
	made := map[chat.GroupID]int{}
	for i, s := range where {
		made[s.Group] = i
		for _, m := range w.history(s.Group) {
			if _, holds := query.Find(m.Text); holds && m.Kind.Countable() {
				found = append(found, chat.SearchPlace{At: m.SentAt, Group: m.GroupID, Seq: m.Seq})
			}
		}
	}
	slices.SortFunc(found, func(a, b chat.SearchPlace) int {
		return cmp.Or(cmp.Compare(b.At, a.At), cmp.Compare(made[b.Group], made[a.Group]), cmp.Compare(b.Seq, a.Seq))
	})
	return found
}

// testSearchAgreesWithReading compares searches with what reading everything finds, over random histories.
func testSearchAgreesWithReading(t *testing.T, w *world) {
	random := rand.New(rand.NewPCG(3, 4))
	alice, bob := w.member("alice"), w.member("bob")
	g := w.room("one", alice, bob)
	vocabulary := strings.Fields("上 海 东 北京 上海 东京 run running runs tea teapot 茶 🍵 x2")
	text := func() string {
		var parts []string
		for range 1 + random.IntN(4) {
			parts = append(parts, vocabulary[random.IntN(len(vocabulary))])
		}
		return strings.Join(parts, []string{"", " "}[random.IntN(2)])
	}
	for round := range 6 {
		w.chatter(g, bob)
		for range 40 {
			w.say(g, []*chat.User{alice, bob}[random.IntN(2)], text())
		}
		all := w.history(g)
		for range 30 {
			m := all[random.IntN(len(all))]
			if m.RecalledAt != 0 {
				continue
			}
			w.change(g, m.Seq, func(m *chat.Message) {
				if m.Text = text(); random.IntN(3) == 0 {
					m.Text, m.RecalledAt = "", w.now
				}
			})
		}
		if round%2 == 0 {
			w.must(w.store.SettleIndex(w.ctx))
		}
		all = w.history(g)
		slices.Reverse(all)
		for _, word := range vocabulary {
			query := words.Parse(word)
			var want []chat.Seq
			for _, m := range all {
				if _, found := query.Find(m.Text); found && m.RecalledAt == 0 {
					want = append(want, m.Seq)
				}
			}
			if got := seqs(w.find(chat.Search{Where: []chat.Searched{{Group: g}}, Words: query, Limit: 1 << 20})); !slices.Equal(got, want) {
				t.Errorf("round %d, %s: got %v, want %v", round, word, got, want)
			}
		}
	}
}
