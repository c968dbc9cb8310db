package gateway_test

import (
	"fmt"
	"net/http"
	"testing"
	"time"

	"qun/internal/gateway"
)

// entrance is an Admission with a clock that the test moves.
type entrance struct {
	*gateway.Admission
	now time.Time
}

func newEntrance(rate float64, sockets int, exempt func(*http.Request) bool) *entrance {
	e := &entrance{now: time.Unix(1_000_000, 0)}
	e.Admission = gateway.NewAdmission(rate, sockets, exempt, func() time.Time { return e.now })
	return e
}

func from(address string) *http.Request { return &http.Request{RemoteAddr: address} }

func (e *entrance) want(t *testing.T, address string, want gateway.Crowd) (release func()) {
	t.Helper()
	release, got, retry := e.Admit(from(address))
	if got != want {
		t.Fatalf("%s: got %v, want %v", address, got, want)
	}
	if (got != gateway.Admitted) != (retry > 0) {
		t.Fatalf("%s: told to come back in %v", address, retry)
	}
	return release
}

func TestHandshakesPerSecondAreLimited(t *testing.T) {
	e := newEntrance(20, 0, nil)
	for range 20 {
		e.want(t, "192.0.2.1:5000", gateway.Admitted)
	}
	e.want(t, "192.0.2.1:5001", gateway.TooFast)
	e.want(t, "192.0.2.2:5000", gateway.Admitted)
	e.now = e.now.Add(50 * time.Millisecond)
	e.want(t, "192.0.2.1:5002", gateway.Admitted)
	e.want(t, "192.0.2.1:5003", gateway.TooFast)
	e.now = e.now.Add(time.Hour)
	for range 20 {
		e.want(t, "192.0.2.1:5000", gateway.Admitted)
	}
	e.want(t, "192.0.2.1:5001", gateway.TooFast)
}

func TestOpenSocketsAreLimitedAndGivenBack(t *testing.T) {
	e := newEntrance(0, 2, nil)
	first := e.want(t, "192.0.2.1:1", gateway.Admitted)
	e.want(t, "192.0.2.1:2", gateway.Admitted)
	e.want(t, "192.0.2.1:3", gateway.TooCrowded)
	first()
	first() // counts once
	e.want(t, "192.0.2.1:4", gateway.Admitted)
	e.want(t, "192.0.2.1:5", gateway.TooCrowded)
}

func TestAnIPv6NetworkIsOneAddress(t *testing.T) {
	e := newEntrance(0, 1, nil)
	e.want(t, "[2001:db8:1:2::1]:1", gateway.Admitted)
	e.want(t, "[2001:db8:1:2:ffff::9]:1", gateway.TooCrowded)
	e.want(t, "[2001:db8:1:3::1]:1", gateway.Admitted)
	e.want(t, "192.0.2.1:1", gateway.Admitted)
	e.want(t, "[::ffff:192.0.2.1]:1", gateway.TooCrowded)
}

func TestMembersAreExemptAndAskedForOnlyWhenItMatters(t *testing.T) {
	asked := 0
	e := newEntrance(1, 1, func(r *http.Request) bool {
		asked++
		return r.RemoteAddr == "192.0.2.1:9"
	})
	e.want(t, "192.0.2.1:1", gateway.Admitted)
	if asked != 0 {
		t.Errorf("asked %d times before a limit was reached", asked)
	}
	e.want(t, "192.0.2.1:2", gateway.TooCrowded)
	e.want(t, "192.0.2.1:9", gateway.Admitted)
}

func TestZeroLiftsBothLimits(t *testing.T) {
	e := newEntrance(0, 0, nil)
	for range 1000 {
		e.want(t, "192.0.2.1:1", gateway.Admitted)
	}
}

func TestASlowRateStillLetsTheFirstIn(t *testing.T) {
	e := newEntrance(0.1, 0, nil)
	e.want(t, "192.0.2.1:1", gateway.Admitted)
	e.want(t, "192.0.2.1:1", gateway.TooFast)
	e.now = e.now.Add(10 * time.Second)
	e.want(t, "192.0.2.1:1", gateway.Admitted)
}

func TestThrottleSharesTheHandshakes(t *testing.T) {
	e := newEntrance(2, 0, nil)
	for range 2 {
		if wait := e.Throttle(from("192.0.2.1:1")); wait != 0 {
			t.Fatalf("got a wait of %v", wait)
		}
	}
	if wait := e.Throttle(from("192.0.2.1:1")); wait <= 0 || wait > 500*time.Millisecond {
		t.Errorf("got a wait of %v, want up to 0.5 s", wait)
	}
}

func TestAddressesThatLeftAreForgotten(t *testing.T) {
	e := newEntrance(20, 100, nil)
	for i := range 100_000 {
		e.now = e.now.Add(10 * time.Millisecond)
		e.want(t, fmt.Sprintf("10.%d.%d.%d:1", i>>16, i>>8&255, i&255), gateway.Admitted)()
	}
	if n := e.Visitors(); n > 3000 {
		t.Errorf("%d of 100,000 addresses are remembered", n)
	}
}
