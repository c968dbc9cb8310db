// Package rates limits how often each of many does something: a user, an address, an account that is tried.
package rates

import (
	"sync"
	"time"

	"golang.org/x/time/rate"
)

// maxKeys bounds how many are remembered. Who rests is forgotten first: a full bucket is as good as none.
const maxKeys = 1 << 16

// Rates gives everybody the same allowance: so many a second, and a burst.
//
// Its methods may be called from any goroutine.
type Rates[K comparable] struct {
	// Set once.
	perSecond rate.Limit
	burst     int
	now       func() time.Time

	mu   sync.Mutex // guards below
	keys map[K]*rate.Limiter
}

// New makes an allowance of perSecond, after a burst of at least one. 0 lifts the limit; nil means time.Now.
func New[K comparable](perSecond float64, burst int, now func() time.Time) *Rates[K] {
	if now == nil {
		now = time.Now
	}
	return &Rates[K]{perSecond: rate.Limit(perSecond), burst: max(1, burst), now: now, keys: map[K]*rate.Limiter{}}
}

// Take takes one from k's allowance; it returns 0, or how long to wait for the next.
func (r *Rates[K]) Take(k K) time.Duration {
	if r.perSecond <= 0 {
		return 0
	}
	now := r.now()
	taken := r.limiter(k, now).ReserveN(now, 1)
	wait := taken.DelayFrom(now)
	if wait > 0 {
		taken.CancelAt(now)
	}
	return wait
}

// GiveBack gives back one that was taken and turned out well.
func (r *Rates[K]) GiveBack(k K) {
	if r.perSecond <= 0 {
		return
	}
	now := r.now()
	r.limiter(k, now).ReserveN(now, -1)
}

func (r *Rates[K]) limiter(k K, now time.Time) *rate.Limiter {
	r.mu.Lock()
	defer r.mu.Unlock()
	if l := r.keys[k]; l != nil {
		return l
	}
	if len(r.keys) >= maxKeys {
		r.forget(now)
	}
	l := rate.NewLimiter(r.perSecond, r.burst)
	r.keys[k] = l
	return l
}

// forget drops everybody whose bucket is full, and, if that is not enough, any: half of them, so that it is rare.
func (r *Rates[K]) forget(now time.Time) {
	for k, l := range r.keys {
		if l.TokensAt(now) >= float64(r.burst) {
			delete(r.keys, k)
		}
	}
	for k := range r.keys {
		if len(r.keys) <= maxKeys/2 {
			return
		}
		delete(r.keys, k)
	}
}
