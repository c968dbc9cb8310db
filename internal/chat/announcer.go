package chat

import (
	"context"
	"hash/maphash"
	"log/slog"
	"runtime"
	"sync"
)

// announcer tells the Notifier what became durable: the events of each counter in order, each number once, none left
// out. The store feeds it after the commit and before the writers wake.
//
// Counters are spread over lanes, a goroutine each. A lane's queue is bounded and feeding it never blocks: what finds no
// place is dropped, remembered as a span of numbers, and read from the store when its turn comes.
type announcer struct {
	seed  maphash.Seed
	lanes []*lane
	done  sync.WaitGroup
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

func startAnnouncer(n Notifier, read missing, log *slog.Logger) *announcer {
	a := &announcer{seed: maphash.MakeSeed(), lanes: make([]*lane, runtime.GOMAXPROCS(0))}
	for i := range a.lanes {
		l := newLane(n, read, log)
		a.lanes[i] = l
		a.done.Go(l.run)
	}
	return a
}

func (a *announcer) lane(c counter) *lane {
	return a.lanes[maphash.Comparable(a.seed, c)%uint64(len(a.lanes))]
}

// hear takes what became durable. It never blocks.
func (a *announcer) hear(events []Event) {
	for i := range events {
		a.lane(events[i].counter()).feed(events[i])
	}
	for _, l := range a.lanes {
		l.ring()
	}
}

// settle waits until everything is told that c was fed so far, or ctx ends.
func (a *announcer) settle(ctx context.Context, c counter) { a.lane(c).settle(ctx) }

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
)

// lane announces the counters that fall to it.
type lane struct {
	// Set once.
	notifier Notifier
	missing  missing
	log      *slog.Logger
	bell     chan struct{} // capacity 1: something is to be done

	// Owned by run.
	told map[counter]Seq // the number told last

	mu      sync.Mutex // guards below; never held while the Notifier or the store is called
	queue   []Event
	dropped map[counter]span // what found no place, after all of that counter in queue
	fed     uint64           // events fed so far, dropped ones too
	passed  uint64           // of these, told
	waiters []waiter         // in order of until
	stopped bool
}

// waiter wants to know when so many were told.
type waiter struct {
	until uint64
	told  chan struct{}
}

func newLane(n Notifier, read missing, log *slog.Logger) *lane {
	return &lane{
		notifier: n, missing: read, log: log, bell: make(chan struct{}, 1),
		told: map[counter]Seq{}, dropped: map[counter]span{},
	}
}

func (l *lane) ring() {
	select {
	case l.bell <- struct{}{}:
	default:
	}
}

func (l *lane) feed(e Event) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.fed++
	if len(l.queue) < maxFed {
		l.queue = append(l.queue, e)
		return
	}
	s, ok := l.dropped[e.counter()]
	if !ok {
		s.from = e.Number
	}
	s.to = e.Number
	l.dropped[e.counter()] = s
}

func (l *lane) settle(ctx context.Context) {
	l.mu.Lock()
	if l.passed >= l.fed {
		l.mu.Unlock()
		return
	}
	w := waiter{l.fed, make(chan struct{})}
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
	for range l.bell {
		for l.pass() {
		}
		l.mu.Lock()
		over := l.stopped && len(l.queue) == 0
		l.mu.Unlock()
		if over {
			return
		}
	}
}

// pass tells everything that waits and reports whether there was anything.
func (l *lane) pass() bool {
	l.mu.Lock()
	queue, dropped, fed := l.queue, l.dropped, l.fed
	l.queue = nil
	if len(dropped) > 0 {
		l.dropped = map[counter]span{}
	}
	l.mu.Unlock()
	if len(queue) == 0 {
		return false
	}
	for i := range queue {
		l.tell(&queue[i])
	}
	for c, s := range dropped {
		l.fill(c, span{l.next(c, s.from), s.to})
	}
	if len(l.told) > maxTold {
		clear(l.told)
	}
	l.release(fed)
	return true
}

// next is the number of c that is due; first, if nothing of c was told yet.
func (l *lane) next(c counter, first Seq) Seq {
	if last, ok := l.told[c]; ok {
		return last + 1
	}
	return first
}

func (l *lane) tell(e *Event) {
	c := e.counter()
	due := l.next(c, e.Number)
	if e.Number < due {
		return
	}
	if e.Number > due {
		l.fill(c, span{due, e.Number - 1})
	}
	l.notifier.Notify(*e)
	l.told[c] = e.Number
}

// maxFill bounds how many numbers are read from the store at a time.
const maxFill = 1000

// fill tells what the store knows of a span. When it cannot be read the numbers stay out: clients see the gap and sync.
func (l *lane) fill(c counter, s span) {
	for s.from <= s.to {
		part := span{s.from, min(s.to, s.from+maxFill-1)}
		events, err := l.missing(context.Background(), c, part)
		if err != nil {
			l.log.Error("read missed events", "from", part.from, "to", part.to, "error", err)
		}
		for i := range events {
			l.notifier.Notify(events[i])
		}
		l.told[c] = part.to
		s.from = part.to + 1
	}
}

// release wakes who waited for what was fed before passed.
func (l *lane) release(passed uint64) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.passed = passed
	n := 0
	for n < len(l.waiters) && l.waiters[n].until <= passed {
		close(l.waiters[n].told)
		n++
	}
	l.waiters = l.waiters[n:]
	if len(l.waiters) == 0 {
		l.waiters = nil
	}
}
