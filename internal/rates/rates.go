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
	now func() time.Time // set once

	mu        sync.Mutex // guards below
	perSecond rate.Limit
	burst     int
	keys      map[K]*rate.Limiter
}

// New makes an allowance of perSecond, after a burst of at least one. 0 lifts the limit; nil means time.Now.
func New[K comparable](perSecond float64, burst int, now func() time.Time) *Rates[K] {
	if now == nil {
		now = time.Now
	}
	return &Rates[K]{perSecond: rate.Limit(perSecond), burst: max(1, burst), now: now, keys: map[K]*rate.Limiter{}}
}

// Set changes the allowance. Who has taken of the one before begins anew, unless it is the same.
func (r *Rates[K]) Set(perSecond float64, burst int) {
	r.mu.Lock()
	defer r.mu.Unlock()
	burst = max(1, burst)
	if r.perSecond != rate.Limit(perSecond) || r.burst != burst {
		r.perSecond, r.burst = rate.Limit(perSecond), burst
		clear(r.keys)
	}
}

// Take takes one from k's allowance; it returns 0, or how long to wait for the next.
func (r *Rates[K]) Take(k K) time.Duration {
	now := r.now()
	l := r.limiter(k, now)
	if l == nil {
		return 0
	}
	taken := l.ReserveN(now, 1)
	wait := taken.DelayFrom(now)
	if wait > 0 {
		taken.CancelAt(now)
	}
	return wait
}

// GiveBack gives back one that was taken and turned out well.
func (r *Rates[K]) GiveBack(k K) {
	now := r.now()
	if l := r.limiter(k, now); l != nil {
		l.ReserveN(now, -1)
	}
}

// limiter is k's allowance; nil if there is no limit.
func (r *Rates[K]) limiter(k K, now time.Time) *rate.Limiter {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.perSecond <= 0 {
		return nil
	}
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
