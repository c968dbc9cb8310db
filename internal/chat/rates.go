package chat

import (
	"sync"
	"time"

	"golang.org/x/time/rate"
)

// maxRates bounds how many users' rates are remembered. Who rests is forgotten first: a full bucket is as good as none.
const maxRates = 1 << 16

// rates limits how often each user does something.
type rates struct {
	// Set once.
	perSecond rate.Limit
	burst     int
	now       func() time.Time

	mu    sync.Mutex // guards below
	users map[UserID]*rate.Limiter
}

func newRates(limits Limits, now func() time.Time) *rates {
	return &rates{
		perSecond: rate.Limit(limits.MessagesPerSecond), burst: max(1, limits.MessageBurst), now: now,
		users: map[UserID]*rate.Limiter{},
	}
}

// take takes one from the user's allowance; it returns 0, or how long to wait for the next.
func (r *rates) take(u UserID) time.Duration {
	if r.perSecond <= 0 {
		return 0
	}
	now := r.now()
	taken := r.limiter(u, now).ReserveN(now, 1)
	wait := taken.DelayFrom(now)
	if wait > 0 {
		taken.CancelAt(now)
	}
	return wait
}

func (r *rates) limiter(u UserID, now time.Time) *rate.Limiter {
	r.mu.Lock()
	defer r.mu.Unlock()
	if l := r.users[u]; l != nil {
		return l
	}
	if len(r.users) >= maxRates {
		r.forget(now)
	}
	l := rate.NewLimiter(r.perSecond, r.burst)
	r.users[u] = l
	return l
}

// forget drops everybody whose bucket is full, and, if that is not enough, any: half of them, so that it is rare.
func (r *rates) forget(now time.Time) {
	for u, l := range r.users {
		if l.TokensAt(now) >= float64(r.burst) {
			delete(r.users, u)
		}
	}
	for u := range r.users {
		if len(r.users) <= maxRates/2 {
			return
		}
		delete(r.users, u)
	}
}
