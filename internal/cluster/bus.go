package cluster

import (
	"context"
	"time"
)

// A Bus carries payloads from each node to all, the sender included. It may lose, double, delay and reorder them.
type Bus interface {
	// Run hears payloads, from one goroutine at a time, until ctx ends; when it has returned nothing is heard any more. It connects by itself, again and again: up is called
	// each time it hears (again), for what was published before that may have been missed.
	Run(ctx context.Context, hear func(payload []byte), up func())
	// Publish hands a payload over; one goroutine at a time calls it. An error says that nobody may have heard it.
	Publish(ctx context.Context, payload []byte) error
	// Limit is the size of the largest payload, in bytes.
	Limit() int
	// Close lets go of what Publish holds.
	Close() error
}

const (
	// silence is after how much of it a bus connects anew: each node hears itself once a second.
	silence = 4 * beatEvery
	// A lost connection is tried again after shortPause, and then after twice as long each time, up to longPause.
	shortPause = 50 * time.Millisecond
	longPause  = time.Second
)

// again runs do over and over until ctx ends, with growing pauses while it fails before it called up.
func again(ctx context.Context, up func(), do func(ctx context.Context, up func()) error, failed func(error)) {
	pause := shortPause
	for ctx.Err() == nil {
		err := do(ctx, func() {
			pause = shortPause
			up()
		})
		if ctx.Err() != nil {
			return
		}
		failed(err)
		rest(ctx, pause)
		pause = min(2*pause, longPause)
	}
}

func rest(ctx context.Context, d time.Duration) {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-ctx.Done():
	}
}
