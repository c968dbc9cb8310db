package main

import (
	"context"
	"log/slog"

	"qun/internal/gateway"
	"qun/internal/metrics"
	"qun/internal/push"
	"qun/internal/store"
)

// newPreviewer makes who looks at the links that people send; with --previews off none are lent to it.
func newPreviewer(p *plan, log *slog.Logger) (*push.Previewer, error) {
	networks, err := p.settings.PreviewNetworks()
	if err != nil {
		return nil, err
	}
	return push.NewPreviewer(push.PreviewConfig{Client: push.NewPageClient(&push.Dialer{Allow: networks, Web: true}), Logger: log}), nil
}

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
