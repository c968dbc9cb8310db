package main

import (
	"fmt"
	"log/slog"

	"github.com/redis/rueidis"

	"qun/internal/chat"
	"qun/internal/gateway"
	"qun/socketio"
	"qun/socketio/redisadapter"
)

// bridge joins this server to Node servers; the zero value joins it to none.
type bridge struct {
	*gateway.Bridge
	redis *redisadapter.Adapter
}

// newBridge is a bridge to the Node servers that --redis-node and --redis-open are for.
func newBridge(p *plan, hub *gateway.Hub, log *slog.Logger) (bridge, error) {
	if !p.settings.RedisNode && len(p.settings.RedisOpen) == 0 {
		return bridge{}, nil
	}
	options, err := rueidis.ParseURL(p.settings.Redis)
	if err != nil {
		return bridge{}, fmt.Errorf("--redis: correct the address, for example redis://localhost:6379") // err may hold a password
	}
	options.ClientName = "qun-bridge"
	var open []socketio.Room
	for _, room := range p.settings.RedisOpen {
		if room == "*" {
			room = ""
		}
		open = append(open, socketio.Room(room))
	}
	redis, err := redisadapter.New(redisadapter.Config{
		Redis: options, BroadcastsOnly: true, Allow: redisadapter.Rooms("/", open...), Logger: log,
	})
	if err != nil {
		return bridge{}, fmt.Errorf("--redis: %w", err)
	}
	return bridge{gateway.NewBridge(hub, gateway.BridgeConfig{Adapter: redis, Publish: p.settings.RedisNode, Open: open, Logger: log}), redis}, nil
}

// notifiers are those that hear what this node causes.
func (b bridge) notifiers() chat.Notifiers {
	if b.Bridge == nil {
		return nil
	}
	return chat.Notifiers{chat.Own(b)}
}

func (b bridge) start() {
	if b.Bridge != nil {
		b.Start()
	}
}

func (b bridge) close() error {
	if b.Bridge == nil {
		return nil
	}
	return b.Close()
}
