package gateway

import (
	"net/http"
	"net/netip"
	"sync"
	"time"

	"qun/internal/auth"
)

// Admission counts the connections of each address, so that one guest cannot take all of them. An IPv6 address stands
// for its /64, which is what one household or machine gets. A nil Admission admits everybody.
type Admission struct {
	rate    float64 // handshakes per second, and as many at once; 0: no limit
	sockets int     // open at the same time; 0: no limit
	exempt  func(*http.Request) bool
	now     func() time.Time

	mu       sync.Mutex // guards below; never held while calling exempt
	visitors map[netip.Addr]*visitor
	sweep    int // size of visitors from which on those who left are forgotten
}

// visitor is an address.
type visitor struct {
	tokens  float64 // handshakes it may make now
	at      time.Time
	sockets int
	credits int // sockets of members, which do not count
}

const firstSweep = 1024

// NewAdmission limits handshakes per second and sockets per address; 0 lifts a limit. Exempt says whether a request that
// would be refused is a member's after all; it is asked only then.
func NewAdmission(rate float64, sockets int, exempt func(*http.Request) bool, now func() time.Time) *Admission {
	return &Admission{rate: rate, sockets: sockets, exempt: exempt, now: now, visitors: map[netip.Addr]*visitor{}, sweep: firstSweep}
}

// Crowd says why somebody is not admitted.
type Crowd int

const (
	Admitted   Crowd = iota
	TooFast          // too many handshakes; they may come again in a moment
	TooCrowded       // too many open sockets
)

// Admit counts one more socket of the request's address, until release is called, or says why not.
func (a *Admission) Admit(r *http.Request) (release func(), why Crowd, retry time.Duration) {
	if a == nil || a.rate == 0 && a.sockets == 0 {
		return nil, Admitted, 0
	}
	key := auth.Household(r.RemoteAddr)
	why, retry = a.take(key, false)
	if why != Admitted && a.exempt != nil && a.exempt(r) {
		why, retry = a.take(key, true)
	}
	if why != Admitted {
		return nil, why, retry
	}
	return sync.OnceFunc(func() { a.release(key) }), Admitted, 0
}

// Throttle takes one handshake of the address without a socket: for other requests of the kind. It says how long to wait.
func (a *Admission) Throttle(r *http.Request) time.Duration {
	if a == nil {
		return 0
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.spend(a.visitor(auth.Household(r.RemoteAddr)))
}

func (a *Admission) take(key netip.Addr, exempt bool) (Crowd, time.Duration) {
	a.mu.Lock()
	defer a.mu.Unlock()
	v := a.visitor(key)
	if !exempt {
		if a.sockets > 0 && v.sockets-v.credits >= a.sockets {
			return TooCrowded, 5 * time.Second
		}
		if wait := a.spend(v); wait > 0 {
			return TooFast, wait
		}
	}
	v.sockets++
	return Admitted, 0
}

// visitor is the state of an address, its handshakes refilled up to now.
func (a *Admission) visitor(key netip.Addr) *visitor {
	now := a.now()
	v := a.visitors[key]
	if v == nil {
		a.forget(now)
		v = &visitor{tokens: a.burst(), at: now}
		a.visitors[key] = v
	}
	v.tokens = min(a.burst(), v.tokens+max(0, now.Sub(v.at).Seconds())*a.rate)
	v.at = now
	return v
}

func (a *Admission) burst() float64 { return max(1, a.rate) }

// spend takes a handshake, or says how long until there is one.
func (a *Admission) spend(v *visitor) time.Duration {
	if a.rate == 0 {
		return 0
	}
	if v.tokens < 1 {
		return time.Duration((1 - v.tokens) / a.rate * float64(time.Second))
	}
	v.tokens--
	return 0
}

// forget drops those who are gone and rested, when there are twice as many as after the last time.
func (a *Admission) forget(now time.Time) {
	if len(a.visitors) < a.sweep {
		return
	}
	for key, v := range a.visitors {
		if v.sockets == 0 && v.credits == 0 && v.tokens+now.Sub(v.at).Seconds()*a.rate >= a.burst() {
			delete(a.visitors, key)
		}
	}
	a.sweep = max(firstSweep, 2*len(a.visitors))
}

func (a *Admission) release(key netip.Addr) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if v := a.visitors[key]; v != nil {
		v.sockets--
	}
}

// credit says that one socket of the address more, or less, is a member's.
func (a *Admission) credit(remote string, n int) {
	if a == nil || a.sockets == 0 {
		return
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	if v := a.visitors[auth.Household(remote)]; v != nil {
		v.credits += n
	}
}
