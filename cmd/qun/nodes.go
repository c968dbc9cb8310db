package main

import (
	"context"
	"crypto/rand"
	"fmt"
	"log/slog"
	"time"

	"qun/internal/chat"
	"qun/internal/cluster"
	"qun/internal/metrics"
	"qun/internal/store"
)

// nodeKey is the setting under which the key is kept by which the nodes of one database know each other.
const nodeKey = "node-key"

// newNode makes this server one of those that share a database; nil where the data is a file that nobody shares.
func newNode(ctx context.Context, p *plan, data *store.Store, log *slog.Logger) (*cluster.Node, error) {
	if p.settings.Database == "" {
		return nil, nil
	}
	fresh := make([]byte, 32)
	rand.Read(fresh) // never fails, see crypto/rand
	key, err := data.Setting(ctx, nodeKey, fresh)
	if err != nil {
		return nil, fmt.Errorf("read the key of the nodes: %w", err)
	}
	bus, err := newBus(p, cluster.Channel(key), log)
	if err != nil {
		return nil, err
	}
	return cluster.New(bus, cluster.Config{Key: key, Logger: log}), nil
}

// newBus is Redis where there is one, else the database.
func newBus(p *plan, channel string, log *slog.Logger) (cluster.Bus, error) {
	if p.settings.Redis == "" {
		return cluster.NewPostgres(p.settings.Database, channel, log)
	}
	bus, err := cluster.NewRedis(p.settings.Redis, channel, log)
	if err != nil {
		return nil, fmt.Errorf("--redis: %w: correct it, for example redis://localhost:6379", err)
	}
	return bus, nil
}

// meetTime is how long a node that starts waits for the others to show themselves.
const meetTime = 300 * time.Millisecond

// startNode joins the other nodes, if there are any, and reports whether this one is alone: then nobody is in any room.
func startNode(ctx context.Context, node *cluster.Node) (alone bool) {
	if node == nil {
		return true
	}
	node.Start()
	timer := time.NewTimer(meetTime)
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-ctx.Done():
	}
	return ctx.Err() == nil && len(node.Peers()) == 0
}

// watchNodes shows what is counted of other servers, where there may be any.
func watchNodes(counts *metrics.Metrics, node *cluster.Node, service *chat.Service, others bridge) {
	if node != nil {
		counts.WatchBus(func() metrics.Bus {
			n, read := node.Stats(), service.NodeStats()
			return metrics.Bus{
				Up: n.Up, Peers: n.Peers, Sent: n.Sent, Dropped: n.Dropped, Received: n.Received, Refused: n.Refused, Missed: n.Gaps,
				Gaps: read.Gaps, Repairs: read.Repairs,
			}
		})
	}
	if others.Bridge != nil {
		counts.WatchBridge(func() metrics.Bridge {
			n := others.redis.Stats()
			return metrics.Bridge{
				Up: n.Connected, Sent: n.Published, Dropped: n.Lost + n.Dropped, Received: n.Received,
				Malformed: n.Malformed, Refused: n.Refused + others.Refused(),
			}
		})
	}
}
