package rates_test

import (
	"testing"
	"time"

	"qun/internal/rates"
)

// clock is a time that stands still until it is moved.
type clock struct{ time.Time }

func (c *clock) now() time.Time { return c.Time }

func TestWhatIsGivenBackCanBeTakenAgain(t *testing.T) {
	c := &clock{time.Unix(1_000, 0)}
	r := rates.New[string](1, 2, c.now)
	r.Take("a")
	for range 10 {
		if wait := r.Take("a"); wait != 0 {
			t.Fatalf("got a wait of %v", wait)
		}
		r.GiveBack("a")
	}
	r.GiveBack("a")
	r.GiveBack("a") // more than was taken: the burst is no larger for it
	c.Time = c.Add(time.Second)
	for range 2 {
		r.Take("a")
	}
	if wait := r.Take("a"); wait != time.Second {
		t.Errorf("after the burst: got %v, want 1s", wait)
	}
	rates.New[string](0, 1, c.now).GiveBack("a") // no limit: nothing to give back
}

func TestABurstIsGivenAndThenTheRateHolds(t *testing.T) {
	c := &clock{time.Unix(1_000, 0)}
	r := rates.New[string](2, 3, c.now)
	for i := range 3 {
		if wait := r.Take("a"); wait != 0 {
			t.Fatalf("take %d of the burst: got a wait of %v", i, wait)
		}
	}
	if wait := r.Take("a"); wait != 500*time.Millisecond {
		t.Errorf("beyond the burst: got %v, want 500ms", wait)
	}
	if wait := r.Take("b"); wait != 0 {
		t.Errorf("somebody else: got a wait of %v", wait)
	}
	c.Time = c.Add(500 * time.Millisecond)
	if wait := r.Take("a"); wait != 0 {
		t.Errorf("after the wait: got another of %v", wait)
	}
}

func TestAnotherAllowanceHoldsAtOnce(t *testing.T) {
	c := &clock{time.Unix(1_000, 0)}
	r := rates.New[string](1, 1, c.now)
	r.Take("a")
	r.Set(1, 1) // the same: what was taken stays taken
	if wait := r.Take("a"); wait != time.Second {
		t.Errorf("of the same allowance: got a wait of %v", wait)
	}
	r.Set(2, 1)
	r.Take("a")
	if wait := r.Take("a"); wait != 500*time.Millisecond {
		t.Errorf("of twice as much: got a wait of %v", wait)
	}
	r.Set(0, 1)
	for range 2 {
		if wait := r.Take("a"); wait != 0 {
			t.Errorf("a limit that was lifted still holds for %v", wait)
		}
	}
}

func TestZeroLiftsTheLimit(t *testing.T) {
	r := rates.New[int](0, 1, nil)
	for range 1000 {
		if wait := r.Take(1); wait != 0 {
			t.Fatalf("got a wait of %v", wait)
		}
	}
}

// Who asks too fast must not be forgotten because many others come by.
func TestACrowdDoesNotMakeWhoIsLimitedForgotten(t *testing.T) {
	c := &clock{time.Unix(1_000, 0)}
	r := rates.New[int](0.001, 1, c.now)
	for key := 1; key < 1<<16; key++ {
		r.Take(key)
	}
	c.Time = c.Add(1000 * time.Second) // their buckets are full again
	r.Take(0)
	for key := 1 << 16; key < 1<<17-2; key++ {
		r.Take(key)
	}
	if wait := r.Take(0); wait == 0 {
		t.Error("who is limited was forgotten before those who rest")
	}
}
