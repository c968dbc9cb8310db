package main

import (
	"context"
	"errors"
	"log/slog"
	"time"

	"qun/internal/chat"
	"qun/internal/store"
)

// sweepEvery is how often what nobody can see any more is looked for.
const sweepEvery = time.Hour

// sweep erases what is kept no longer, and then the files that went with it. Of several nodes one at a time does it.
func sweep(service *chat.Service, data *store.Store) func(context.Context) error {
	return func(ctx context.Context) error {
		_, err := data.Exclusive(ctx, "sweep", func(ctx context.Context) error {
			return errors.Join(service.Expire(ctx), service.SweepFiles(ctx))
		})
		return err
	}
}

// sweeper is the goroutine that does that, from its start until stop.
type sweeper struct {
	cancel context.CancelFunc
	done   chan struct{}
}

func startSweeper(sweep func(context.Context) error, log *slog.Logger) sweeper {
	ctx, cancel := context.WithCancel(context.Background())
	s := sweeper{cancel, make(chan struct{})}
	go func() {
		defer close(s.done)
		tick := time.NewTicker(sweepEvery)
		defer tick.Stop()
		for {
			if err := sweep(ctx); err != nil && ctx.Err() == nil {
				log.Warn("look for what can go", "error", err)
			}
			select {
			case <-tick.C:
			case <-ctx.Done():
				return
			}
		}
	}()
	return s
}

// stop waits until it has ended.
func (s sweeper) stop() {
	s.cancel()
	<-s.done
}
