package storetest

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"qun/internal/chat"
	"qun/internal/words"
)

// find is what a search in g finds, newest first.
func (w *world) find(q chat.Search) (found []*chat.Message) {
	w.t.Helper()
	w.view(func(r chat.Reader) (err error) { found, err = r.Search(q); return err })
	return found
}

func (w *world) findWords(g chat.GroupID, text string) []string {
	w.t.Helper()
	return texts(w.find(chat.Search{Group: g, Words: words.Parse(text), Limit: 50}))
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
	q := chat.Search{Group: one, Words: words.Parse("tea"), Limit: 50}
	slices.Reverse(said)
	for name, c := range map[string]struct {
		change func(*chat.Search)
		want   []chat.Seq
	}{
		"all":            {func(*chat.Search) {}, said},
		"a page":         {func(q *chat.Search) { q.Limit = 3 }, said[:3]},
		"the next":       {func(q *chat.Search) { q.Limit, q.Before = 3, said[2] }, said[3:6]},
		"from a seq on":  {func(q *chat.Search) { q.First = said[5] }, said[:6]},
		"of bob":         {func(q *chat.Search) { q.From = bob.ID }, []chat.Seq{said[0], said[2], said[4], said[6]}},
		"of nobody":      {func(q *chat.Search) { q.From = "nobody" }, nil},
		"of no group":    {func(q *chat.Search) { q.Group = "none" }, nil},
		"before them":    {func(q *chat.Search) { q.Before = said[7] }, nil},
		"with two words": {func(q *chat.Search) { q.Words = words.Parse("time tea") }, said},
	} {
		asked := q
		c.change(&asked)
		if got := seqs(w.find(asked)); !slices.Equal(got, c.want) {
			t.Errorf("%s: got %v, want %v", name, got, c.want)
		}
	}
}

func testHoldingNamesTheGroupsWithSomething(t *testing.T, w *world) {
	alice := w.member("alice")
	with, without, silent := w.room("with", alice), w.room("without", alice), w.room("silent", alice)
	w.say(with, alice, "a needle")
	w.say(without, alice, "hay")
	w.must(w.store.SettleIndex(w.ctx))
	holding := func() (groups []chat.GroupID) {
		w.view(func(r chat.Reader) (err error) {
			groups, err = r.Holding(chat.Search{Words: words.Parse("needle")}, []chat.GroupID{silent, without, with, "none"})
			return err
		})
		return groups
	}
	if got := holding(); !slices.Equal(got, []chat.GroupID{with}) {
		t.Errorf("got %v, want %s", got, with)
	}
	w.say(without, alice, "another needle")
	if got := holding(); !slices.Contains(got, without) {
		t.Error("what is not in the index yet is not held")
	}
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
			if got := seqs(w.find(chat.Search{Group: g, Words: query, Limit: 1 << 20})); !slices.Equal(got, want) {
				t.Errorf("round %d, %s: got %v, want %v", round, word, got, want)
			}
		}
	}
}
