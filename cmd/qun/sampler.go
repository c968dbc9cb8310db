package main

import (
	"time"

	"qun/internal/metrics"
	"qun/internal/rest"
)

// sampler is the goroutine that notes the load now and then, from its start until stop.
type sampler struct{ end, done chan struct{} }

func startSampler(counts *metrics.Metrics) sampler {
	s := sampler{make(chan struct{}), make(chan struct{})}
	counts.Sample(time.Now())
	go func() {
		defer close(s.done)
		tick := time.NewTicker(metrics.SampleEvery)
		defer tick.Stop()
		for {
			select {
			case now := <-tick.C:
				counts.Sample(now)
			case <-s.end:
				return
			}
		}
	}()
	return s
}

// stop waits until it has ended.
func (s sampler) stop() {
	close(s.end)
	<-s.done
}

// load is the load as administrators are shown it.
func load(counts *metrics.Metrics) func() rest.Load {
	return func() rest.Load { return rest.Load(counts.Lately()) }
}
