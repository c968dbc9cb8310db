package faults_test

import (
	"math"
	"sync/atomic"
	"time"
)

// spell is the time that a fault lasts. In the short form that is not over before so much is acknowledged as must be in its
// time, if that comes within patience: how long a machine takes for it, which may be a slow one with other things to do, is not
// what is looked at. That anything is heard at all is.
type spell struct {
	town  *town
	ends  time.Time
	wants int64 // acks
}

func (w *town) spell(lasts time.Duration) *spell {
	return &spell{w, time.Now().Add(lasts), w.acks.Load() + w.due(lasts)}
}

// due is how many messages have to be acknowledged in a time.
func (w *town) due(d time.Duration) int64 { return int64(math.Ceil(w.heard * w.rate * d.Seconds())) }

func (s *spell) over() bool {
	left := time.Until(s.ends)
	return left <= 0 && (full || s.town.acks.Load() >= s.wants || left < -patience)
}

// bear lets a fault last.
func (w *town) bear(lasts time.Duration) {
	for s := w.spell(lasts); !s.over(); pause(5 * time.Millisecond) {
	}
}

// bearChance lets something happen by chance until it did, and says how often, of which counter counts. Two in a hundred may be
// none of the few that a second brings.
func (w *town) bearChance(share *atomic.Pointer[float64], p float64, counter *atomic.Int64, lasts time.Duration) int64 {
	before, s := counter.Load(), w.spell(lasts)
	share.Store(&p)
	for !s.over() || counter.Load() == before && time.Since(s.ends) < patience {
		pause(5 * time.Millisecond)
	}
	share.Store(nil)
	return counter.Load() - before
}
