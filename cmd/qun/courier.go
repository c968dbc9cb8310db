package main

import (
	"context"
	"log/slog"

	"qun/internal/gateway"
	"qun/internal/metrics"
	"qun/internal/push"
	"qun/internal/store"
)

// newCourier makes who tells the world outside, and knows from the hub who need not be called.
func newCourier(ctx context.Context, p *plan, data *store.Store, hub *gateway.Hub, counts *metrics.Metrics, log *slog.Logger) (*push.Courier, error) {
	networks, err := p.settings.Networks()
	if err != nil {
		return nil, err
	}
	return push.New(ctx, data, push.Config{
		Client: push.NewClient(&push.Dialer{Allow: networks}), Watching: hub.Watching, Contact: p.settings.PushContact(),
		Observer: counts, Logger: log,
	})
}
