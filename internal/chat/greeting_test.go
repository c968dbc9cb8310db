package chat_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"sync"
	"testing"

	"qun/internal/chat"
)

// Whoever comes back in a crowd is told what it would be told alone, and costs much less.
func TestACrowdIsGreetedAsEachAloneAndForLess(t *testing.T) {
	h := newHouse(t, noLimits())
	const crowd = 100
	people := make([]*chat.User, crowd)
	heads := make([]map[chat.GroupID]chat.Seq, crowd)
	for i := range people {
		people[i], heads[i] = h.member(fmt.Sprint("member", i)), map[chat.GroupID]chat.Seq{}
		for n := range 2 {
			g := h.enter(people[i], fmt.Sprint("room ", (i+n)%10))
			heads[i][g] = h.send(people[i], g, fmt.Sprint("from ", i)).Seq
		}
	}
	since := make([]*chat.Seq, crowd)
	for i, u := range people {
		if i%3 > 0 {
			since[i] = new(chat.Seq)
			*since[i] = chat.Seq(i % 4)
		}
		if i%50 == 0 {
			_, err := h.OpenDirect(h.ctx, u, people[i+1].ID)
			h.must(err)
			h.must(h.Block(h.ctx, u, people[i+2].ID, true))
		}
	}
	greet := func(i int) string {
		overview, missed, err := h.Greet(h.ctx, people[i], &chat.SyncQuery{Epoch: h.Epoch(), Heads: heads[i], Me: since[i]})
		if err != nil {
			t.Error(err)
		}
		said, err := json.Marshal([]any{overview, missed})
		if err != nil {
			t.Error(err)
		}
		return string(said)
	}
	statements := h.store.Statements
	alone, before := make([]string, crowd), statements()
	for i := range people {
		alone[i] = greet(i)
	}
	each := statements() - before
	var all sync.WaitGroup
	start := make(chan struct{})
	before = statements()
	for i, u := range people {
		all.Go(func() {
			<-start
			if _, err := h.MyGroups(h.ctx, u); err != nil {
				t.Error(err)
			}
			if got := greet(i); got != alone[i] {
				t.Errorf("%s is told in a crowd\n%s, alone\n%s", u.NickName, got, alone[i])
			}
		})
	}
	close(start)
	all.Wait()
	if together := statements() - before; together > each/2 {
		t.Errorf("a crowd took %d statements, one by one it is %d", together, each)
	}
	t.Logf("alone %.1f statements each, in a crowd of %d %.1f", float64(each)/crowd, crowd, float64(statements()-before)/crowd)
}

// damaged is a store in which the rows of one user cannot be read.
type damaged struct {
	chat.Store
	user chat.UserID
}

func (d *damaged) View(ctx context.Context, read func(chat.Reader) error) error {
	return d.Store.View(ctx, func(r chat.Reader) error { return read(&damagedReader{r, d.user}) })
}

type damagedReader struct {
	chat.Reader
	user chat.UserID
}

func (r *damagedReader) Mine(users []chat.UserID) (map[chat.UserID]*chat.Mine, error) {
	if slices.Contains(users, r.user) {
		return nil, errors.New("the rows are damaged")
	}
	return r.Reader.Mine(users)
}

func TestDamagedRowsOfOneKeepNobodyElseOut(t *testing.T) {
	h := newHouse(t, noLimits())
	broken := h.member("broken")
	s := chat.New(&damaged{h.store, broken.ID}, h, noLimits())
	defer s.Close(h.ctx)
	var all sync.WaitGroup
	start := make(chan struct{})
	for i := range 30 {
		u := broken
		if i%10 > 0 {
			u = h.member(fmt.Sprint("member", i))
		}
		all.Go(func() {
			<-start
			if _, _, err := s.Greet(h.ctx, u, nil); (err != nil) != (u == broken) {
				t.Errorf("%s: %v", u.NickName, err)
			}
		})
	}
	close(start)
	all.Wait()
}
