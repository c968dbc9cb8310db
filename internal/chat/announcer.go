package chat

import (
	"context"
	"hash/maphash"
	"log/slog"
	"runtime"
	"slices"
	"sync"
	"sync/atomic"
	"time"
)

// announcer tells the Notifier what became durable: the events of each counter in order, each number once, none left
// out. The store feeds it after the commit and before the writers wake; on one of several nodes, so does who hears of the
// others' commits, in any order.
//
// Counters are spread over lanes, a goroutine each. A lane's queue is bounded and feeding it never blocks: what finds no
// place is dropped, remembered as a span of numbers, and read from the store when its turn comes.
type announcer struct {
	seed  maphash.Seed
	lanes []*lane
	done  sync.WaitGroup
	reads reads
}

// reads is how often numbers were missing so long that they were read from the store.
type reads struct {
	gaps    atomic.Uint64 // an event came without those before it
	repairs atomic.Uint64 // nothing came, and only the store told of it
}

// counter is whose numbers an event bears: a group's, or a user's own.
type counter struct {
	group GroupID
	user  UserID
}

func (e *Event) counter() counter { return counter{e.Group, e.User} }

// span is the numbers from..to of a counter.
type span struct{ from, to Seq }

func (s span) holds(n Seq) bool { return s.from <= n && n <= s.to }

// missing reads from the store what a span of numbers of a counter announced.
type missing func(ctx context.Context, c counter, s span) ([]Event, error)

// startAnnouncer starts an announcer. here says which counters somebody here listens to; nil: this is the only node.
func startAnnouncer(n Notifier, read missing, here func(counter) bool, log *slog.Logger) *announcer {
	a := &announcer{seed: maphash.MakeSeed(), lanes: make([]*lane, runtime.GOMAXPROCS(0))}
	for i := range a.lanes {
		l := newLane(n, read, here, &a.reads, log)
		a.lanes[i] = l
		a.done.Go(l.run)
	}
	return a
}

func (a *announcer) lane(c counter) *lane {
	return a.lanes[maphash.Comparable(a.seed, c)%uint64(len(a.lanes))]
}

// hear takes what became durable here. It never blocks.
func (a *announcer) hear(events []Event) {
	for i := range events {
		a.lane(events[i].counter()).feed(tiding{events[i], happened})
	}
	for _, l := range a.lanes {
		l.ring()
	}
}

// overhear takes one thing that somebody said of a counter. It never blocks.
func (a *announcer) overhear(t tiding) {
	l := a.lane(t.counter())
	l.feed(t)
	l.ring()
}

// forget lets go of what is known of counters that nobody here listens to.
func (a *announcer) forget() {
	for _, l := range a.lanes {
		l.mu.Lock()
		l.tidy = true
		l.mu.Unlock()
		l.ring()
	}
}

// settle waits until everything is told that c was fed so far, or ctx ends.
func (a *announcer) settle(ctx context.Context, c counter) { a.lane(c).settle(ctx, c) }

// close waits until everything fed is told. The store must not feed any more.
func (a *announcer) close() {
	for _, l := range a.lanes {
		l.stop()
	}
	a.done.Wait()
}

const (
	// maxFed bounds the events waiting in a lane; more are read from the store later.
	maxFed = 4096
	// maxTold bounds the counters a lane remembers. One that is forgotten starts anew with its next event, which is
	// right as long as nothing of it waits: so they are forgotten between two passes.
	maxTold = 1 << 16
	// maxHeld bounds the events of one counter that wait for those before them.
	maxHeld = 1024
	// gapWait is how long a number may be missing before it is read from the store: it may be on its way from another node.
	gapWait = 25 * time.Millisecond
	// gapRetry is when a store that could not be read is asked again.
	gapRetry = 500 * time.Millisecond
)

// tiding is something said of a counter.
type tiding struct {
	Event
	what word
}

// word says what a tiding is.
type word uint8

const (
	// happened is an event that became durable: with its row, or, where that was too much to be carried, without.
	happened word = iota
	// reached says that the store's counter is at Number.
	reached
	// began says that somebody begins to listen who has everything up to Number.
	began
)

// bare says that the event's row was left out.
func (t *tiding) bare() bool { return t.Message == nil && t.Change == nil && t.Me == nil }

// lane announces the counters that fall to it.
type lane struct {
	// Set once.
	notifier Notifier
	missing  missing
	here     func(counter) bool // nil: this is the only node
	reads    *reads
	log      *slog.Logger
	bell     chan struct{} // capacity 1: something is to be done

	// Owned by run.
	told  map[counter]Seq // the number told last
	bound int             // of told; beyond it some are forgotten
	late  []waiter        // those whose events are held

	mu      sync.Mutex // guards below; never held while the Notifier or the store is called
	queue   []tiding
	dropped map[counter]span // what found no place, after all of that counter in queue
	fed     uint64           // events fed so far, dropped ones too
	passed  uint64           // of these, told or held
	waiters []waiter         // in order of until
	held    map[counter]*gap // changed by run alone, which reads it without the lock
	tidy    bool
	stopped bool
}

// waiter wants to know when so many were told, those of its counter among them.
type waiter struct {
	counter counter
	until   uint64
	told    chan struct{}
}

// gap is what waits for a number that is missing.
type gap struct {
	due    time.Time // when it is read from the store
	events map[Seq]Event
	head   Seq  // the greatest number there is, as far as anybody said
	said   bool // an event told of it, and not only the store
}

func newLane(n Notifier, read missing, here func(counter) bool, reads *reads, log *slog.Logger) *lane {
	return &lane{
		notifier: n, missing: read, here: here, reads: reads, log: log, bell: make(chan struct{}, 1),
		told: map[counter]Seq{}, bound: maxTold, dropped: map[counter]span{}, held: map[counter]*gap{},
	}
}

func (l *lane) ring() {
	select {
	case l.bell <- struct{}{}:
	default:
	}
}

func (l *lane) feed(t tiding) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.fed++
	if len(l.queue) < maxFed {
		l.queue = append(l.queue, t)
		return
	}
	if t.what != happened {
		return // it is said again
	}
	s, ok := l.dropped[t.counter()]
	if !ok {
		s.from = t.Number
	}
	l.dropped[t.counter()] = span{min(s.from, t.Number), max(s.to, t.Number)}
}

func (l *lane) settle(ctx context.Context, c counter) {
	l.mu.Lock()
	if l.passed >= l.fed && l.held[c] == nil {
		l.mu.Unlock()
		return
	}
	w := waiter{c, l.fed, make(chan struct{})}
	l.waiters = append(l.waiters, w)
	l.mu.Unlock()
	select {
	case <-w.told:
	case <-ctx.Done():
	}
}

func (l *lane) stop() {
	l.mu.Lock()
	l.stopped = true
	l.mu.Unlock()
	l.ring()
}

// run is the only one who tells; close waits for it.
func (l *lane) run() {
	var alarm *time.Timer
	for range l.bell {
		for l.pass() {
		}
		l.mu.Lock()
		over := l.stopped && len(l.queue) == 0
		l.mu.Unlock()
		if alarm != nil {
			alarm.Stop()
		}
		if over {
			l.closeGaps(time.Time{})
			l.release(l.passed)
			return
		}
		if next, waits := l.closeGaps(time.Now()); waits {
			alarm = time.AfterFunc(time.Until(next), l.ring)
		}
		l.release(l.passed)
	}
}

// pass tells everything that waits and reports whether there was anything.
func (l *lane) pass() bool {
	l.mu.Lock()
	queue, dropped, fed, tidy := l.queue, l.dropped, l.fed, l.tidy
	l.queue, l.tidy = nil, false
	if len(dropped) > 0 {
		l.dropped = map[counter]span{}
	}
	l.mu.Unlock()
	if tidy {
		l.forget()
	}
	if len(queue) == 0 {
		return false
	}
	for i := range queue {
		l.take(&queue[i])
	}
	for c, s := range dropped {
		if l.here == nil {
			l.fill(c, span{l.next(c, s.from), s.to})
			continue
		}
		l.told[c] = l.next(c, s.from) - 1
		l.take(&tiding{Event{Group: c.group, User: c.user, Number: s.to}, reached})
	}
	if len(l.held) > 0 {
		l.closeGaps(time.Now())
	}
	if len(l.told) > l.bound {
		l.forget()
	}
	l.release(fed)
	return true
}

// forget drops the counters nobody here listens to; the only node drops all, for nothing of them waits.
func (l *lane) forget() {
	if l.here == nil {
		clear(l.told)
		return
	}
	for c := range l.told {
		if l.held[c] == nil && !l.here(c) {
			delete(l.told, c)
		}
	}
	l.bound = max(maxTold, 2*len(l.told))
}

// next is the number of c that is due; first, if nothing of c was told yet.
func (l *lane) next(c counter, first Seq) Seq {
	if last, ok := l.told[c]; ok {
		return last + 1
	}
	return first
}

// take tells an event whose turn it is. On the only node a number that is missing is read at once; on one of several it
// may be on its way.
func (l *lane) take(t *tiding) {
	c := t.counter()
	if _, known := l.told[c]; !known && t.what != happened {
		l.told[c] = t.Number
		return
	}
	due := l.next(c, t.Number)
	switch {
	case t.Number < due || t.what == began:
	case t.what == happened && t.Number == due && !t.bare():
		l.tell(&t.Event)
		l.proceed(c)
	case l.here == nil:
		l.fill(c, span{due, t.Number - 1})
		l.tell(&t.Event)
	default:
		l.told[c] = due - 1
		l.hold(c, t)
	}
}

func (l *lane) tell(e *Event) {
	l.notifier.Notify(*e)
	l.told[e.counter()] = e.Number
}

// hold keeps an event that comes too early.
func (l *lane) hold(c counter, t *tiding) {
	g := l.held[c]
	if g == nil {
		g = &gap{due: time.Now().Add(gapWait), events: map[Seq]Event{}}
		l.mu.Lock()
		l.held[c] = g
		l.mu.Unlock()
	}
	g.head = max(g.head, t.Number)
	g.said = g.said || t.what == happened
	if t.what == happened && !t.bare() && len(g.events) < maxHeld {
		g.events[t.Number] = t.Event
	}
}

// proceed tells what was held of a counter and is due now.
func (l *lane) proceed(c counter) {
	g := l.held[c]
	if g == nil {
		return
	}
	for {
		last := l.told[c]
		delete(g.events, last)
		e, there := g.events[last+1]
		if !there {
			break
		}
		l.tell(&e)
	}
	if l.told[c] >= g.head {
		l.mu.Lock()
		delete(l.held, c)
		l.mu.Unlock()
	}
}

// closeGaps reads from the store what was missing for long enough; with now zero, all of it. It says when to look again.
func (l *lane) closeGaps(now time.Time) (next time.Time, waits bool) {
	for c, g := range l.held {
		if !now.IsZero() && now.Before(g.due) {
			next, waits = earlier(next, g.due, waits)
			continue
		}
		for l.held[c] == g {
			from := l.told[c] + 1
			if !l.fill(c, span{from, g.before(from)}) {
				g.due = time.Now().Add(gapRetry)
				next, waits = earlier(next, g.due, waits)
				break
			}
			l.reads.count(g)
			l.proceed(c)
		}
	}
	return next, waits
}

func (r *reads) count(g *gap) {
	if g.said {
		r.gaps.Add(1)
	} else {
		r.repairs.Add(1)
	}
}

func earlier(a, b time.Time, is bool) (time.Time, bool) {
	if is && a.Before(b) {
		return a, true
	}
	return b, true
}

// before is the last number from one on of which nothing is held.
func (g *gap) before(from Seq) Seq {
	for n := from; n < g.head; n++ {
		if _, there := g.events[n+1]; there {
			return n
		}
	}
	return g.head
}

// maxFill bounds how many numbers are read from the store at a time.
const maxFill = 1000

// fill tells what the store knows of a span. When it cannot be read, the only node leaves the numbers out: clients see
// the gap and sync. One of several reports false, and tries again.
func (l *lane) fill(c counter, s span) bool {
	for s.from <= s.to {
		part := span{s.from, min(s.to, s.from+maxFill-1)}
		events, err := l.missing(context.Background(), c, part)
		if err != nil {
			l.log.Error("read missed events", "from", part.from, "to", part.to, "error", err)
			if l.here != nil && l.here(c) {
				return false
			}
		}
		for i := range events {
			events[i].Elsewhere = l.here != nil
			l.notifier.Notify(events[i])
		}
		l.told[c] = part.to
		s.from = part.to + 1
	}
	return true
}

// release wakes who waited for what was fed before passed, unless it is held.
func (l *lane) release(passed uint64) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.passed = passed
	n := 0
	for n < len(l.waiters) && l.waiters[n].until <= passed {
		l.late = append(l.late, l.waiters[n])
		n++
	}
	l.waiters = l.waiters[n:]
	if len(l.waiters) == 0 {
		l.waiters = nil
	}
	l.late = slices.DeleteFunc(l.late, func(w waiter) bool {
		if l.held[w.counter] != nil {
			return false
		}
		close(w.told)
		return true
	})
}
