package cluster_test

import (
	"fmt"
	"log/slog"
	"sync"
	"testing"
	"time"

	"qun/internal/cluster"
	"qun/internal/cluster/clustertest"
	"qun/internal/redistest"
	"qun/internal/store/pgtest"
)

func TestMemoryIsABus(t *testing.T) {
	clustertest.Run(t, func(*testing.T) clustertest.Join {
		network := clustertest.NewNetwork(1, clustertest.Faults{})
		return func(*testing.T) cluster.Bus { return network.Bus() }
	})
}

func TestPostgresIsABus(t *testing.T) {
	server := pgtest.For(t, pgtest.Config{})
	clustertest.Run(t, func(*testing.T) clustertest.Join {
		return func(t *testing.T) cluster.Bus { return onPostgres(t, server) }
	})
}

func onPostgres(t *testing.T, server *pgtest.Server) *cluster.Postgres {
	t.Helper()
	bus, err := cluster.NewPostgres(server.URL("postgres"), cluster.Channel([]byte("key")), slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	return bus
}

func TestRedisIsABus(t *testing.T) {
	server := redistest.For(t)
	clustertest.Run(t, func(*testing.T) clustertest.Join {
		return func(t *testing.T) cluster.Bus { return onRedis(t, server) }
	})
}

func onRedis(t *testing.T, server *redistest.Server) *cluster.Redis {
	t.Helper()
	bus, err := cluster.NewRedis(server.URL(), cluster.Channel([]byte("key")), slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	return bus
}

// Redis may be missing when nodes start, go away and come back empty, or stand still: they find each other again, and know
// that they may have missed something.
func TestRedisComesBack(t *testing.T) {
	server := redistest.For(t)
	if err := server.Kill(); err != nil {
		t.Fatal(err)
	}
	a, b := newMember(onRedis(t, server), "key"), newMember(onRedis(t, server), "key")
	defer a.Close()
	defer b.Close()
	again := func(after string) {
		t.Helper()
		b.take()
		missed := 0
		wait(t, "they hear each other after it "+after, func() bool {
			a.topic.Publish([]byte(`"again"`))
			heard, more, _ := b.take()
			missed += more
			return len(heard) > 0 && missed > 0
		})
	}
	try := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	try(server.Run())
	again("started")
	try(server.Kill())
	try(server.Run())
	again("was killed")
	try(server.Pause())
	<-time.After(silenceOfRedis)
	try(server.Resume())
	again("stood still")
}

// silenceOfRedis is longer than a bus waits for a sign of life.
const silenceOfRedis = 5 * time.Second

// A database that is killed under two nodes brings them together again, and both know that they may have missed something.
func TestPostgresComesBack(t *testing.T) {
	server := pgtest.For(t, pgtest.Config{})
	a, b := newMember(onPostgres(t, server), "key"), newMember(onPostgres(t, server), "key")
	defer a.Close()
	defer b.Close()
	wait(t, "they meet", func() bool { return len(a.Peers()) == 1 && len(b.Peers()) == 1 })
	b.take()
	if err := server.Kill(); err != nil {
		t.Fatal(err)
	}
	if err := server.Run(); err != nil {
		t.Fatal(err)
	}
	missed := 0
	wait(t, "it hears again", func() bool {
		a.topic.Publish([]byte(`"again"`))
		heard, more, _ := b.take()
		missed += more
		return len(heard) > 0 && missed > 0
	})
}

// wait waits until something is so.
func wait(t *testing.T, what string, so func() bool) {
	t.Helper()
	for deadline := time.Now().Add(20 * time.Second); !so(); {
		if time.Now().After(deadline) {
			t.Fatalf("not within 20 s: %s", what)
		}
		<-time.After(10 * time.Millisecond)
	}
}

// BenchmarkPostgres is how long a note takes from one node to another, one at a time and a thousand at once.
func BenchmarkPostgres(b *testing.B) {
	server, err := pgtest.Start(pgtest.Config{Durable: true})
	pgtest.Need(b, err)
	defer server.Close()
	open := func() *cluster.Node {
		bus, err := cluster.NewPostgres(server.URL("postgres"), cluster.Channel([]byte("key")), slog.New(slog.DiscardHandler))
		if err != nil {
			b.Fatal(err)
		}
		return cluster.New(bus, cluster.Config{Key: []byte("key")})
	}
	for _, burst := range []int{1, 1000} {
		b.Run(fmt.Sprint(burst), func(b *testing.B) {
			from, to := open(), open()
			defer from.Close()
			defer to.Close()
			topic := from.Topic("bench")
			var heard sync.WaitGroup
			to.Topic("bench").Hear(func(string, []byte) { heard.Done() }, nil, nil)
			from.Start()
			to.Start()
			for topic.Alone() || to.Stats().Peers == 0 {
				time.Sleep(time.Millisecond)
			}
			body := fmt.Appendf(nil, `{"text":"%0400d"}`, 1)
			b.ResetTimer()
			for range b.N {
				heard.Add(burst)
				for range burst {
					topic.Publish(body)
				}
				heard.Wait()
			}
		})
	}
}
