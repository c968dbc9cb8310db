package cluster

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"time"

	"github.com/redis/rueidis"
)

// redisLimit is the size of the largest payload: far below what Redis takes, so that none holds up others for long.
const redisLimit = 64 << 10

// Redis is a Bus on a channel of a Redis server, which keeps nothing.
type Redis struct {
	options rueidis.ClientOption
	channel string
	log     *slog.Logger

	mu     sync.Mutex // guards below; held while a client is made
	client rueidis.Client
}

var _ Bus = (*Redis)(nil)

// NewRedis is a bus on a channel of the server at redis://user:password@host:port/database, or rediss:// over TLS. The
// server need not be there yet.
func NewRedis(url, channel string, log *slog.Logger) (*Redis, error) {
	options, err := rueidis.ParseURL(url)
	if err != nil {
		return nil, errors.New("read the address of Redis") // which may hold a password
	}
	options.ClientName = "qun-nodes"
	options.DisableCache = true
	options.DisableRetry = true
	options.ConnWriteTimeout = publishTime
	options.Dialer.Timeout = connectTime
	return &Redis{options: options, channel: channel, log: log}, nil
}

// Limit is the size of the largest payload.
func (b *Redis) Limit() int { return redisLimit }

// connected is the client, which is made when the server can be reached first.
func (b *Redis) connected() (rueidis.Client, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.client != nil {
		return b.client, nil
	}
	client, err := rueidis.NewClient(b.options)
	if err != nil {
		return nil, fmt.Errorf("connect: %w", err)
	}
	b.client = client
	return client, nil
}

// Run hears: see Bus.
func (b *Redis) Run(ctx context.Context, hear func([]byte), up func()) {
	again(ctx, up, func(ctx context.Context, up func()) error { return b.listen(ctx, hear, up) }, func(err error) {
		b.log.Warn("Redis tells nothing of other nodes for now", "error", err)
	})
}

func (b *Redis) listen(ctx context.Context, hear func([]byte), up func()) error {
	client, err := b.connected()
	if err != nil {
		return err
	}
	conn, release := client.Dedicate()
	defer release()
	defer conn.Close()
	ear := &ear{heard: make(chan struct{}, 1)}
	defer ear.close()
	gone := conn.SetPubSubHooks(rueidis.PubSubHooks{
		OnSubscription: func(s rueidis.PubSubSubscription) {
			if s.Kind == "subscribe" {
				ear.call(up)
			}
		},
		OnMessage: func(m rueidis.PubSubMessage) { ear.call(func() { hear([]byte(m.Message)) }) },
	})
	subscribing, cancel := context.WithTimeout(ctx, connectTime)
	defer cancel()
	if err := conn.Do(subscribing, conn.B().Subscribe().Channel(b.channel).Build()).Error(); err != nil {
		return fmt.Errorf("subscribe: %w", err)
	}
	quiet := time.NewTimer(silence)
	defer quiet.Stop()
	for {
		select {
		case err := <-gone:
			return fmt.Errorf("listen: %w", err)
		case <-ear.heard:
			quiet.Reset(silence)
		case <-quiet.C:
			return errors.New("listen: nothing was heard, not even this node")
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

// ear lets what the client calls through until it is closed.
type ear struct {
	heard chan struct{} // capacity 1

	mu   sync.Mutex // guards below; held during calls
	over bool
}

func (e *ear) call(what func()) {
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.over {
		return
	}
	what()
	select {
	case e.heard <- struct{}{}:
	default:
	}
}

func (e *ear) close() {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.over = true
}

// Publish publishes: see Bus.
func (b *Redis) Publish(ctx context.Context, payload []byte) error {
	client, err := b.connected()
	if err != nil {
		return err
	}
	if err := client.Do(ctx, client.B().Publish().Channel(b.channel).Message(string(payload)).Build()).Error(); err != nil {
		return fmt.Errorf("publish: %w", err)
	}
	return nil
}

// Close hangs up.
func (b *Redis) Close() error {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.client != nil {
		b.client.Close()
		b.client = nil
	}
	return nil
}
