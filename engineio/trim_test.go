package engineio_test

import (
	"runtime"
	"testing"
	"time"

	"qun/engineio"
)

// Memory is given back twice when many sessions have come: when no more come, and some time later.
func TestMemoryIsGivenBackWhenGrowthHasStopped(t *testing.T) {
	inVirtualTime(t, func(t *testing.T, f form) {
		w := start(t, f, nil, engineio.Config{PingInterval: time.Hour, PingTimeout: time.Hour})
		before := collections()
		for range 520 {
			w.connect()
			time.Sleep(10 * time.Millisecond)
		}
		for _, at := range []struct {
			wait time.Duration
			want uint32
		}{{0, 0}, {10 * time.Second, 1}, {10 * time.Second, 1}, {20 * time.Second, 2}, {30 * time.Minute, 2}} {
			time.Sleep(at.wait)
			settle()
			if n := collections() - before; n != at.want {
				t.Errorf("after %v more: memory was given back %d times, want %d", at.wait, n, at.want)
			}
		}
	})
}

// collections is how many collections were asked for.
func collections() uint32 {
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return m.NumForcedGC
}
