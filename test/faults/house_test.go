package faults_test

import (
	"context"
	"math/rand/v2"
	"net/url"
	"sync/atomic"
	"testing"

	"github.com/jackc/pgx/v5"

	"qun/internal/cluster"
	"qun/internal/faultproxy"
	"qun/internal/redistest"
	"qun/internal/store/pgtest"
)

// house is three nodes on one database, which tell each other by Redis or by the database. Every way from a node to a server
// leads through a proxy.
type house struct {
	database   *pgtest.Server
	redis      *redistest.Server // nil: the database is the bus
	nodes      []*server
	toDatabase []*faultproxy.Proxy // of each node
	toRedis    []*faultproxy.Proxy

	loss    atomic.Pointer[float64] // the part of what the bus brings that is lost
	cutting atomic.Pointer[float64] // the part of commits at which the connection is cut
	wasCut  atomic.Int64
	wasLost atomic.Int64
}

func build(t *testing.T, redis bool) *house {
	t.Helper()
	h := &house{database: pgtest.For(t, pgtest.Config{Durable: true})}
	if redis {
		h.redis = redistest.For(t)
	}
	for range 3 {
		at, err := url.Parse(h.database.URL("postgres"))
		if err != nil {
			t.Fatal(err)
		}
		toDatabase := faultproxy.New(t, faultproxy.Config{
			Server: at.Host, Up: faultproxy.PostgresUp, Down: faultproxy.PostgresDown, Judge: h.judgePostgres,
		})
		h.toDatabase = append(h.toDatabase, toDatabase)
		at.Host = toDatabase.Addr()
		var args []string
		if redis {
			toRedis := faultproxy.New(t, faultproxy.Config{
				Server: h.redis.Addr(), Up: faultproxy.Redis, Down: faultproxy.Redis, Judge: h.judgeRedis,
			})
			h.toRedis = append(h.toRedis, toRedis)
			args = []string{"--redis", "redis://" + toRedis.Addr()}
		}
		h.nodes = append(h.nodes, startServerOn(t, at.String(), args...))
	}
	return h
}

func (h *house) judgePostgres(up bool, message []byte) faultproxy.Fate {
	switch {
	case faultproxy.IsCommit(up, message) && happens(&h.cutting):
		h.wasCut.Add(1)
		return faultproxy.Cut
	case h.redis == nil && !up && faultproxy.IsNotification(message) && happens(&h.loss):
		h.wasLost.Add(1)
		return faultproxy.Drop
	}
	return faultproxy.Pass
}

func (h *house) judgeRedis(up bool, message []byte) faultproxy.Fate {
	if !up && faultproxy.IsPublished(message) && happens(&h.loss) {
		h.wasLost.Add(1)
		return faultproxy.Drop
	}
	return faultproxy.Pass
}

// happens decides by chance.
func happens(share *atomic.Pointer[float64]) bool {
	p := share.Load()
	return p != nil && rand.Float64() < *p
}

// sql runs statements on the database itself, and calls do before it hangs up.
func (h *house) sql(t *testing.T, do func(*pgx.Conn) error, statements string, args ...any) {
	t.Helper()
	conn, err := pgx.Connect(t.Context(), h.database.URL("postgres"))
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close(context.Background())
	if _, err := conn.Exec(t.Context(), statements, args...); err != nil {
		t.Fatal(err)
	}
	if do == nil {
		return
	}
	if err := do(conn); err != nil {
		t.Fatal(err)
	}
}

// key is what the nodes know each other by.
func (h *house) key(t *testing.T) (key []byte) {
	t.Helper()
	h.sql(t, func(c *pgx.Conn) error {
		return c.QueryRow(t.Context(), `SELECT value FROM settings WHERE name = 'node-key'`).Scan(&key)
	}, `SELECT 1`)
	return key
}

// bus is a place on the nodes' bus for who is none of them.
func (h *house) bus(t *testing.T, key []byte) (bus cluster.Bus) {
	t.Helper()
	var err error
	if h.redis != nil {
		bus, err = cluster.NewRedis(h.redis.URL(), cluster.Channel(key), silent)
	} else {
		bus, err = cluster.NewPostgres(h.database.URL("postgres"), cluster.Channel(key), silent)
	}
	if err != nil {
		t.Fatal(err)
	}
	return bus
}
