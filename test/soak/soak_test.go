// Package soak_test keeps a server of the engine under random load for as long as one likes: people who come and go, who upgrade,
// break off in the middle, send garbage, or never read. Between healthy clients nothing may be lost or doubled meanwhile, and
// when the load has gone nothing of it may be left.
//
//	make soak                 twenty minutes
//	make soak SOAKTIME=2h     longer
package soak_test

import (
	"math/rand/v2"
	"os"
	"runtime"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

const (
	talkers   = 8                      // healthy clients, one of them over polling
	nuisances = 24                     // at a time
	between   = 5 * time.Millisecond   // messages of one talker
	warmUp    = 500 * time.Millisecond // makes what is made once and kept
)

func TestNothingIsLostDoubledOrLeftBehindUnderRandomLoad(t *testing.T) {
	load := duration(t)
	s := startServer(t)
	circle := s.gather(t)
	s.annoy(warmUp)
	circle.talk(t, warmUp)
	before := s.settledAfter(t, unlimited)

	done := make(chan counts)
	go func() { done <- s.annoy(load) }()
	said := circle.talk(t, load)
	annoyed := <-done

	allowed := usage{before.goroutines + crews(), before.descriptors + 4, before.heap + 4<<20}
	after := s.settledAfter(t, allowed)
	t.Logf("%d messages were said, each heard by %d; nuisances: %v", said, talkers, annoyed)
	t.Logf("before %+v, after %+v", before, after)
	if !after.within(allowed) {
		t.Errorf("got %+v after the load, want at most %+v", after, allowed)
	}
	for kind, n := range annoyed {
		if n == 0 {
			t.Errorf("nobody did %q: the load was not what it should be", kind)
		}
	}
}

// crews is how many goroutines the engine keeps for its next Handler calls, 32 for each shard, however long the load lasts.
func crews() int { return 32*runtime.GOMAXPROCS(0) + 8 }

// duration is what QUN_SOAK asks for, or a few seconds.
func duration(t *testing.T) time.Duration {
	t.Helper()
	text := os.Getenv("QUN_SOAK")
	if text == "" {
		return 3 * time.Second
	}
	d, err := time.ParseDuration(text)
	if err != nil {
		t.Fatalf("QUN_SOAK: %v; write 20m, say", err)
	}
	return d
}

// counts says how often each kind of nuisance was committed.
type counts map[string]int64

// annoy has nuisances come and go for a while, and until each kind was committed, and returns when all have gone.
func (s *server) annoy(d time.Duration) counts {
	done := make([]*atomic.Int64, len(kinds))
	for i := range done {
		done[i] = new(atomic.Int64)
	}
	var all sync.WaitGroup
	end := time.Now().Add(d)
	never := func(n *atomic.Int64) bool { return n.Load() == 0 }
	over := func() bool { // a busy machine may have no time for some before the end
		late := time.Since(end)
		return late > time.Minute || late >= 0 && !slices.ContainsFunc(done, never)
	}
	for i := range nuisances {
		all.Go(func() {
			random := rand.New(rand.NewPCG(uint64(i), uint64(end.UnixNano())))
			for turn := i; !over(); turn = random.IntN(len(kinds)) {
				kind := turn % len(kinds)
				if kinds[kind].commit(s, random) {
					done[kind].Add(1)
				}
				time.Sleep(time.Duration(random.IntN(20)) * time.Millisecond)
			}
		})
	}
	all.Wait()
	total := make(counts, len(kinds))
	for i, kind := range kinds {
		total[kind.name] = done[i].Load()
	}
	return total
}
