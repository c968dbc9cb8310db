package engineio

import (
	"sync"
	"time"
)

// A wheel holds a deadline for each of a shard's sessions, without a timer or an allocation per session: a ring of
// slots, a list of sessions in each, and one timer that moves it on while there is any session. It counts its own
// ticks, so a process that was stopped for a while does not blame the peers for the silence.
type wheel struct {
	tick  time.Duration
	slots []*Session // each the first of a list, linked by Session.next and prev
	now   int        // the tick that it is
	count int

	turning  bool      // the timer is set
	slept    bool      // the last tick came so late that it was not counted
	expected time.Time // when the timer ought to fire
	elapsed  func()    // posts the tick to the shard

	mu      sync.Mutex // guards below, for stop
	timer   *time.Timer
	stopped bool
}

const (
	slotsPerDeadline = 64 // deadlines are this precise, relative to the shorter heartbeat time
	minTick          = time.Millisecond
	maxTick          = time.Second

	// When the timer is later than both, the process has slept, and the time does not count. Less is made up for.
	sleepTicks = 4
	minSleep   = 100 * time.Millisecond
)

func (w *wheel) init(cfg Config, elapsed func()) {
	w.tick = min(max(min(cfg.PingInterval, cfg.PingTimeout)/slotsPerDeadline, minTick), maxTick)
	longest := max(cfg.PingInterval, cfg.PingTimeout, lingerPolling, lingerWebSocket)
	w.slots = make([]*Session, longest/w.tick+2)
	w.elapsed = elapsed
}

// schedule sets the session's deadline to d from now, early by at most a tick. A session has one deadline.
func (w *wheel) schedule(s *Session, d time.Duration) {
	w.remove(s)
	ticks := int(d / w.tick)
	s.slot = (w.now + min(max(ticks, 1), len(w.slots)-1)) % len(w.slots)
	s.next = w.slots[s.slot]
	if s.next != nil {
		s.next.prev = s
	}
	w.slots[s.slot] = s
	s.scheduled = true
	w.count++
	if !w.turning {
		w.turning = true
		w.expected = time.Now().Add(w.tick)
		w.arm(w.tick)
	}
}

// time is how long the wheel has turned.
func (w *wheel) time() time.Duration { return time.Duration(w.now) * w.tick }

// remove takes the session's deadline away, if it has one.
func (w *wheel) remove(s *Session) {
	if !s.scheduled {
		return
	}
	if s.prev != nil {
		s.prev.next = s.next
	} else {
		w.slots[s.slot] = s.next
	}
	if s.next != nil {
		s.next.prev = s.prev
	}
	s.next, s.prev, s.scheduled = nil, nil, false
	w.count--
}

// advance moves the wheel by the time that has passed and tells the sessions whose deadline has come.
func (w *wheel) advance() {
	late := time.Since(w.expected)
	if late < 0 {
		w.arm(-late) // this tick was posted before the timer was set anew
		return
	}
	ticks := 1 + int(late/w.tick)
	if late > max(sleepTicks*w.tick, minSleep) {
		ticks = 1
		if !w.slept {
			ticks = 0 // what peers sent meanwhile has yet to be read
		}
		w.slept = !w.slept // late again and again is not sleep but load, and the wheel must turn
		w.expected = time.Now()
	} else {
		w.slept = false
		w.expected = w.expected.Add(time.Duration(ticks-1) * w.tick)
	}
	for range ticks {
		w.now++
		for s := w.slots[w.now%len(w.slots)]; s != nil; s = w.slots[w.now%len(w.slots)] {
			w.remove(s)
			s.deadline()
		}
	}
	if w.turning = w.count > 0; w.turning {
		w.expected = w.expected.Add(w.tick)
		w.arm(time.Until(w.expected))
	}
}

// each calls f for every session that has a deadline. f may remove that session.
func (w *wheel) each(f func(*Session)) {
	for _, s := range w.slots {
		for s != nil {
			next := s.next
			f(s)
			s = next
		}
	}
}

func (w *wheel) arm(d time.Duration) {
	w.mu.Lock()
	defer w.mu.Unlock()
	switch {
	case w.stopped:
	case w.timer == nil:
		w.timer = time.AfterFunc(d, w.elapsed)
	default:
		w.timer.Reset(d)
	}
}

func (w *wheel) stop() {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.stopped = true
	if w.timer != nil {
		w.timer.Stop()
	}
}
