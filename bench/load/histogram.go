package load

import (
	"math/bits"
	"time"
)

// A Histogram counts durations in buckets that are at most 1/64 wide of what they hold.
type Histogram struct {
	buckets [64 * 64]uint64
	count   uint64
	worst   int64
}

func (h *Histogram) add(ns int64) {
	ns = max(ns, 0)
	h.buckets[bucket(uint64(ns))]++
	h.count++
	h.worst = max(h.worst, ns)
}

func bucket(v uint64) int {
	if v < 64 {
		return int(v)
	}
	shift := bits.Len64(v) - 7
	return (shift+1)*64 + int(v>>shift) - 64
}

// top is the largest value of a bucket.
func top(i int) uint64 {
	if i < 64 {
		return uint64(i)
	}
	shift := i/64 - 1
	return (uint64(i%64)+65)<<shift - 1
}

// Quantile is a duration that the share q of all did not exceed.
func (h *Histogram) Quantile(q float64) time.Duration {
	if h.count == 0 {
		return 0
	}
	rank, seen := uint64(q*float64(h.count-1))+1, uint64(0)
	for i, n := range h.buckets {
		if seen += n; seen >= rank {
			return time.Duration(min(int64(top(i)), h.worst))
		}
	}
	return time.Duration(h.worst)
}

// Worst is the longest.
func (h *Histogram) Worst() time.Duration { return time.Duration(h.worst) }
