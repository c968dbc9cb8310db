package store

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"sync"
	"time"

	"qun/internal/chat"
	"qun/internal/words"
)

// index keeps which words messages have. It trails what is written: each group is followed up to some number, in order
// of rev. What comes after that number is read through by who searches, so nobody has to wait for it. An index may be
// thrown away at any time: it is made again of the messages.
type index interface {
	// progress says how far these groups are followed, nil: all groups. One that is missing is not followed yet.
	progress(r *reader, groups []int64) (map[int64]progress, error)
	// absorb replaces the words of some messages and moves the group from one progress to another: all or nothing.
	// errOvertaken if the group was not where it is moved from.
	absorb(ctx context.Context, group int64, from, to progress, messages []indexed) error
	// forget drops at most limit messages with seq < before, and says how many.
	forget(ctx context.Context, group int64, before chat.Seq, limit int) (int, error)
	// walk calls take with messages of these groups that have all the needles and were sent at upTo or before, the latest
	// first, first about some of them and then more at a time, until take wants no more. It names what is later than down
	// before anything else; of that moment itself there may be more. It may end on its own when it has looked at much: more
	// says that there may be something at down and before.
	walk(r *reader, groups map[int64]*searched, n needles, upTo chat.Time, some int, take func(named []moment, down chat.Time) (more bool, err error)) (down chat.Time, more bool, err error)
	// tidy does a little of what makes searching quicker; more says that there is more to do.
	tidy(ctx context.Context) (more bool, err error)
	// clear forgets everything.
	clear(ctx context.Context) error
	close() error
}

// progress is how far a group is followed: messages up to rev are in the index, those with a seq below floor are not.
type progress struct{ rev, floor chat.Seq }

// indexed is a message with its words; none: it is not to be found.
type indexed struct {
	moment
	words []string
}

// needles are what an index is asked for.
type needles struct {
	words []words.Needle
	user  int64 // who sent it; 0: anybody
}

// senderWord stands in an index for who sent a message. It begins with a character that no text has as a word.
func senderWord(user int64) string { return fmt.Sprintf("\ue000%d", user) }

// groupWord stands in an index for the group of a message: what is asked of one group is cut with it inside the index.
func groupWord(group int64) string { return fmt.Sprintf("\ue001%d", group) }

// errOvertaken says that another node follows the group, too, and was faster.
var errOvertaken = errors.New("another node was faster")

const (
	// indexEvery is how long what is written is left to be: then much of it is indexed at once.
	indexEvery = 250 * time.Millisecond
	// indexQuiet is how long nothing must have been written before the index is tidied, a little at a time.
	indexQuiet = 100 * time.Millisecond
	// indexAgain is how long after a failure it is tried again.
	indexAgain = time.Second
	// indexBatch is how many messages are indexed in one transaction.
	indexBatch = 256
	// indexShare bounds what indexing takes from who writes: one part of so many of the time.
	indexShare = 12
)

// indexer follows what is written, with an index.
type indexer struct {
	// Set once.
	store *Store
	index index
	log   *slog.Logger
	stop  context.CancelFunc
	bell  chan struct{} // capacity 1: something was written, or somebody waits
	hurry chan struct{} // capacity 1: somebody waits
	done  chan struct{} // closed when run has ended

	mu      sync.Mutex // guards below
	behind  map[chat.GroupID]bool
	waiting []chan struct{} // closed once nothing is behind
	written bool            // something was, since it was last asked
}

// startIndexer follows from where the index is; what was written before it started is found by run.
func startIndexer(s *Store, i index) *indexer {
	ctx, stop := context.WithCancel(context.Background())
	x := &indexer{
		store: s, index: i, log: s.log, stop: stop,
		bell: make(chan struct{}, 1), hurry: make(chan struct{}, 1), done: make(chan struct{}), behind: map[chat.GroupID]bool{},
	}
	s.indexer = x
	go x.run(ctx)
	return x
}

// note hears of what became durable.
func (x *indexer) note(events []chat.Event) {
	x.mu.Lock()
	defer x.mu.Unlock()
	var last chat.GroupID
	for i := range events {
		if g := events[i].Group; g != last && g != "" {
			x.behind[g], last = true, g
		}
	}
	x.written = true
	ring(x.bell)
}

func ring(bell chan struct{}) {
	select {
	case bell <- struct{}{}:
	default:
	}
}

// settle waits until everything written so far is in the index.
func (x *indexer) settle(ctx context.Context) error {
	settled := make(chan struct{})
	x.mu.Lock()
	x.waiting = append(x.waiting, settled)
	ring(x.bell)
	ring(x.hurry)
	x.mu.Unlock()
	select {
	case <-settled:
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	case <-x.done:
		return chat.ErrClosed
	}
}

// close ends run. Nobody may search any more.
func (x *indexer) close() error {
	x.stop()
	<-x.done
	return x.index.close()
}

// run is the only one here that writes to the index; close waits for it.
func (x *indexer) run(ctx context.Context) {
	defer close(x.done)
	if err := x.takeStock(ctx); err != nil {
		x.report(ctx, err)
	}
	untidy := true
	for ctx.Err() == nil {
		followed := x.followAll(ctx)
		var again, quiet <-chan time.Time
		switch {
		case !followed:
			again = time.After(indexAgain)
		case untidy:
			quiet = time.After(indexQuiet)
		}
		select {
		case <-x.bell:
			untidy = true
			x.rest(ctx, indexEvery)
		case <-again:
		case <-quiet:
			untidy = x.tidy(ctx)
		case <-ctx.Done():
		}
	}
}

// tidy makes use of a quiet moment.
func (x *indexer) tidy(ctx context.Context) (more bool) {
	more, err := x.index.tidy(ctx)
	if err != nil {
		x.report(ctx, fmt.Errorf("tidy: %w", err))
	}
	return more && err == nil
}

// takeStock finds the groups that changed while nobody followed. An index that knows of more than there is belongs to
// another life of the data, and is made anew.
func (x *indexer) takeStock(ctx context.Context) error {
	groups, known, err := x.store.stock(ctx)
	if err != nil {
		return err
	}
	for _, g := range groups {
		if p := known[g.key]; p.rev > g.head || p.floor > g.floor {
			clear(known)
			if err := x.index.clear(ctx); err != nil {
				return fmt.Errorf("clear the index: %w", err)
			}
			break
		}
	}
	x.mu.Lock()
	defer x.mu.Unlock()
	for _, g := range groups {
		if p := known[g.key]; p.rev < g.head || p.floor < g.floor {
			x.behind[g.id] = true
		}
	}
	return nil
}

// counters are what says how far a group is.
type counters struct {
	key         int64
	id          chat.GroupID
	head, floor chat.Seq
}

func scanCounters(s scanner) (g counters, err error) {
	err = s.Scan(&g.key, &g.id, &g.head, &g.floor)
	return g, err
}

// stock is where all groups are, and where the index is.
func (s *Store) stock(ctx context.Context) (groups []counters, known map[int64]progress, err error) {
	err = s.view(ctx, func(r *reader) error {
		if known, err = r.index.progress(r, nil); err != nil {
			return fmt.Errorf("read how far the index is: %w", err)
		}
		groups, err = collect(r.ctx, r.session, scanCounters, `SELECT key, id, head, floor FROM groups`)
		return err
	})
	return groups, known, err
}

// followAll brings every group up to date, unless something fails.
func (x *indexer) followAll(ctx context.Context) (done bool) {
	for ctx.Err() == nil {
		groups, waiting := x.take()
		if len(groups) == 0 {
			for _, settled := range waiting {
				close(settled)
			}
			return true
		}
		for g := range groups {
			if err := x.follow(ctx, g); err != nil {
				x.report(ctx, fmt.Errorf("index group %s: %w", g, err))
				x.again(groups)
				return false
			}
		}
	}
	return false
}

// take takes the groups that are behind; if there are none, those who wait for that.
func (x *indexer) take() (groups map[chat.GroupID]bool, waiting []chan struct{}) {
	x.mu.Lock()
	defer x.mu.Unlock()
	if len(x.behind) == 0 {
		waiting, x.waiting = x.waiting, nil
		return nil, waiting
	}
	groups, x.behind = x.behind, map[chat.GroupID]bool{}
	return groups, nil
}

// again puts groups back that were taken: those that are up to date by now cost a look.
func (x *indexer) again(groups map[chat.GroupID]bool) {
	x.mu.Lock()
	defer x.mu.Unlock()
	maps.Copy(x.behind, groups)
}

// report logs what went wrong, once a failure: nobody waits for the index.
func (x *indexer) report(ctx context.Context, err error) {
	if ctx.Err() == nil {
		x.log.Error("the search index does not follow", "error", err)
	}
}

// follow brings a group up to date, in steps that leave the processor and the disk to who writes.
func (x *indexer) follow(ctx context.Context, g chat.GroupID) error {
	for ctx.Err() == nil {
		began := time.Now()
		more, err := x.step(ctx, g)
		if errors.Is(err, chat.ErrNotFound) {
			return nil // a silent room that was dropped
		}
		if err != nil && !errors.Is(err, errOvertaken) {
			return err
		}
		if x.busy() {
			x.rest(ctx, (indexShare-1)*time.Since(began))
		}
		if !more {
			return nil
		}
	}
	return nil
}

// busy reports whether others write, and nobody waits for the index.
func (x *indexer) busy() bool {
	x.mu.Lock()
	defer x.mu.Unlock()
	written := x.written
	x.written = false
	return written && len(x.waiting) == 0
}

// rest does nothing for a while, unless somebody waits.
func (x *indexer) rest(ctx context.Context, d time.Duration) {
	pause := time.NewTimer(d)
	defer pause.Stop()
	select {
	case <-pause.C:
	case <-x.hurry:
	case <-ctx.Done():
	}
}

// step indexes some of what a group has beyond its progress; more says that there may be more.
func (x *indexer) step(ctx context.Context, id chat.GroupID) (more bool, err error) {
	var g counters
	var from progress
	var changed []indexed
	var upTo chat.Seq
	err = x.store.view(ctx, func(r *reader) (err error) {
		if g, err = one(r.ctx, r.session, scanCounters, `SELECT key, id, head, floor FROM groups WHERE id = $1`, id); err != nil {
			return err
		}
		known, err := x.index.progress(r, []int64{g.key})
		if err != nil {
			return fmt.Errorf("read how far the index is: %w", err)
		}
		from = known[g.key]
		changed, upTo, err = r.wordsAfter(&g, from.rev)
		return err
	})
	switch {
	case err != nil:
		return false, err
	case from.floor < g.floor:
		return true, x.forget(ctx, &g, from)
	case from.rev == upTo:
		return false, nil
	}
	return upTo < g.head, x.index.absorb(ctx, g.key, from, progress{upTo, from.floor}, changed)
}

// forget drops what retention erased, and notes that when all of it is gone.
func (x *indexer) forget(ctx context.Context, g *counters, from progress) error {
	n, err := x.index.forget(ctx, g.key, g.floor, indexBatch)
	if err != nil || n == indexBatch {
		return err
	}
	return x.index.absorb(ctx, g.key, from, progress{from.rev, g.floor}, nil)
}

// wordsAfter are the words of messages that changed after since, and up to which number these are all.
func (r *reader) wordsAfter(g *counters, since chat.Seq) (changed []indexed, upTo chat.Seq, err error) {
	rows, err := collect(r.ctx, r.session, scanSpoken, `SELECT `+spokenColumns+` FROM (
			SELECT * FROM (SELECT * FROM messages WHERE group_key = $1 AND seq > $2 AND rev = seq ORDER BY seq LIMIT $3) AS same
			UNION ALL
			SELECT * FROM (SELECT * FROM messages WHERE group_key = $1 AND rev > seq AND rev > $2 ORDER BY rev LIMIT $3) AS changed
		) AS m ORDER BY rev LIMIT $3`, g.key, since, indexBatch)
	if err != nil {
		return nil, 0, fmt.Errorf("read messages: %w", err)
	}
	for _, m := range rows {
		upTo = m.rev
		changed = append(changed, indexed{m.moment, m.words(g.floor)})
	}
	if len(rows) < indexBatch {
		upTo = g.head
	}
	return changed, upTo, nil
}

// words are what a message is found by; none if it is below the floor.
func (m *spoken) words(floor chat.Seq) []string {
	if m.seq < floor {
		return nil
	}
	all := words.Of(m.text)
	if len(all) > 0 && m.user != 0 {
		all = append(all, senderWord(m.user))
	}
	return all
}

// SettleIndex waits until everything written so far is in the search index. Nobody needs to who searches: what is not in
// it yet is read through.
func (s *Store) SettleIndex(ctx context.Context) error { return s.indexer.settle(ctx) }

// index is what readers search; nil while the store opens.
func (s *Store) index() index {
	if s.indexer == nil {
		return nil
	}
	return s.indexer.index
}
