package chat_test

import (
	"fmt"
	"slices"
	"testing"

	"qun/internal/chat"
)

func TestHistoryPagesMeetWithoutGapOrOverlap(t *testing.T) {
	h := newHouse(t, noLimits())
	guest := h.guest("guest")
	g := h.enter(guest, "lobby")
	var all []chat.Seq
	for i := range 25 {
		all = append(all, h.send(guest, g, fmt.Sprint(i)).Seq)
		h.setGroup(g, func(*chat.Group) {}) // takes a number: seqs are not dense
	}
	page := func(q chat.HistoryQuery) *chat.History {
		t.Helper()
		q.Group = g
		p, err := h.History(h.ctx, guest, q)
		h.must(err)
		if p.Head != all[24]+1 {
			t.Errorf("head is %d, want %d", p.Head, all[24]+1)
		}
		return p
	}
	var back, forth []chat.Seq
	for p := page(chat.HistoryQuery{Limit: 4}); ; p = page(chat.HistoryQuery{Limit: 4, Before: &p.Messages[0].Seq}) {
		back = append(seqs(p), back...)
		if !p.Before {
			break
		}
	}
	for p := page(chat.HistoryQuery{Limit: 4, After: new(chat.Seq)}); ; p = page(chat.HistoryQuery{Limit: 4, After: &p.Messages[len(p.Messages)-1].Seq}) {
		forth = append(forth, seqs(p)...)
		if !p.After {
			break
		}
	}
	if !slices.Equal(back, all) || !slices.Equal(forth, all) {
		t.Errorf("back %v, forth %v, want %v", back, forth, all)
	}
}

func seqs(p *chat.History) []chat.Seq {
	list := make([]chat.Seq, len(p.Messages))
	for i, m := range p.Messages {
		list[i] = m.Seq
	}
	return list
}

func TestHistoryAroundHasTheNearestInTheMiddle(t *testing.T) {
	h := newHouse(t, noLimits())
	guest := h.guest("guest")
	g := h.enter(guest, "lobby")
	all := []chat.Seq{}
	for len(all) < 9 { // 3, 6, 9 … 27: two numbers between any two messages
		all = append(all, h.send(guest, g, "x").Seq)
		h.setGroup(g, func(*chat.Group) {})
		h.setGroup(g, func(*chat.Group) {})
	}
	for _, c := range []struct {
		around        chat.Seq
		limit         int
		want          []chat.Seq
		before, after bool
	}{
		{15, 3, all[3:6], true, true},
		{16, 3, all[3:6], true, true},
		{17, 3, all[4:7], true, true},
		{15, 1, all[4:5], true, true},
		{15, 4, all[2:6], true, true},
		{0, 3, all[:3], false, true},
		{3, 3, all[:3], false, true},
		{99, 3, all[6:], true, false},
		{-5, 3, all[:3], false, true},
		{15, 100, all, false, false},
	} {
		p, err := h.History(h.ctx, guest, chat.HistoryQuery{Group: g, Around: &c.around, Limit: c.limit})
		h.must(err)
		if got := seqs(p); !slices.Equal(got, c.want) || p.Before != c.before || p.After != c.after {
			t.Errorf("around %d, %d: got %v %v %v, want %v %v %v", c.around, c.limit, got, p.Before, p.After, c.want, c.before, c.after)
		}
	}
}

func TestHistorySaysWhatIsOnBothSides(t *testing.T) {
	h := newHouse(t, noLimits())
	guest := h.guest("guest")
	g := h.enter(guest, "lobby")
	check := func(q chat.HistoryQuery, n int, before, after bool) {
		t.Helper()
		q.Group = g
		p, err := h.History(h.ctx, guest, q)
		h.must(err)
		if len(p.Messages) != n || p.Messages == nil || p.Before != before || p.After != after {
			t.Errorf("%d messages, before %v, after %v; want %d, %v, %v", len(p.Messages), p.Before, p.After, n, before, after)
		}
	}
	at := func(seq chat.Seq) *chat.Seq { return &seq }
	check(chat.HistoryQuery{}, 0, false, false)
	check(chat.HistoryQuery{Around: at(7)}, 0, false, false)
	first := h.send(guest, g, "one").Seq
	last := h.send(guest, g, "two").Seq
	check(chat.HistoryQuery{Before: at(first)}, 0, false, true)
	check(chat.HistoryQuery{Before: at(0)}, 0, false, true)
	check(chat.HistoryQuery{Before: at(last)}, 1, false, true)
	check(chat.HistoryQuery{Before: at(last + 1)}, 2, false, false)
	check(chat.HistoryQuery{After: at(first)}, 1, true, false)
	check(chat.HistoryQuery{After: at(last)}, 0, true, false)
	check(chat.HistoryQuery{After: at(0)}, 2, false, false)
}

func TestBadHistoryQueriesAreRefused(t *testing.T) {
	h := newHouse(t, noLimits())
	alice := h.member("alice")
	g := h.enter(alice, "lobby")
	for _, q := range []chat.HistoryQuery{
		{Limit: 101}, {Limit: -1}, {Before: new(chat.Seq), After: new(chat.Seq)}, {Around: new(chat.Seq), After: new(chat.Seq)},
	} {
		q.Group = g
		if _, err := h.History(h.ctx, alice, q); code(err) != chat.CodeInvalid {
			t.Errorf("%+v: got %v", q, err)
		}
	}
}
