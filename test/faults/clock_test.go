package faults_test

import (
	"context"
	"errors"
	"log/slog"
	"net/http/httptest"
	"sync/atomic"
	"testing"
	"time"

	"qun/internal/auth"
	"qun/internal/chat"
	"qun/internal/cluster"
	"qun/internal/gateway"
	"qun/internal/store"
	"qun/internal/store/pgtest"
	"qun/socketio"
)

// Clocks of nodes that share a database are stepped by an hour, there and back, in opposite directions.
func TestStepsOfTheClockAreBorne(t *testing.T) {
	database := pgtest.For(t, pgtest.Config{})
	h, clocks := &house{database: database}, make([]clock, 3)
	for i := range clocks {
		h.nodes = append(h.nodes, startInside(t, database.URL("postgres"), &clocks[i]))
	}
	h.endure(t, []fault{{
		name: "clocks are stepped", lasts: 20 * time.Second, short: 2 * time.Second, heard: 0.3,
		strike: func(_ *testing.T, _ *house, w *town, lasts time.Duration) {
			for _, step := range []time.Duration{time.Hour, -time.Hour, 0} {
				clocks[0].step(step)
				clocks[1].step(-step)
				for _, r := range w.residents {
					r.drop() // and goes to a node of another time
				}
				w.bear(lasts / 3)
			}
		},
	}})
}

// clock may be stepped.
type clock struct{ offset atomic.Int64 }

func (c *clock) now() time.Time            { return time.Now().Add(time.Duration(c.offset.Load())) }
func (c *clock) step(offset time.Duration) { c.offset.Store(int64(offset)) }

// startInside starts a node in this process that looks at a clock of the test's.
func startInside(t *testing.T, database string, c *clock) *server {
	t.Helper()
	said := &tail{}
	log := slog.New(slog.NewTextHandler(said, nil))
	data, err := store.Open(t.Context(), store.Config{URL: database, Logger: log})
	if err != nil {
		t.Fatal(err)
	}
	who, err := auth.New(t.Context(), data, auth.Config{Now: c.now})
	if err != nil {
		t.Fatal(err)
	}
	key := []byte("key")
	bus, err := cluster.NewPostgres(database, cluster.Channel(key), log)
	if err != nil {
		t.Fatal(err)
	}
	node := cluster.New(bus, cluster.Config{Key: key, Logger: log})
	sockets := socketio.New(socketio.Config{Logger: log})
	hub := gateway.NewHub(sockets.Of("/"))
	limits := chat.DefaultLimits()
	limits.MessagesPerSecond = 0
	service := chat.New(data, hub, chat.Config{
		Limits: limits, Cluster: &chat.Cluster{Bus: node.Topic("chat"), Here: hub}, Now: c.now, Logger: log,
	})
	doors := gateway.Serve(sockets.Of("/"), hub, service, who, gateway.Config{
		Bus: node.Topic("gateway"), Node: node.ID(), Now: c.now, Logger: log,
	})
	node.Start()
	front := httptest.NewServer(sockets)
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), patience)
		defer cancel()
		err := sockets.Shutdown(ctx)
		doors.Close()
		if err := errors.Join(err, service.Close(ctx), node.Close(), data.Close()); err != nil {
			t.Error(err)
		}
		front.Close()
	})
	return &server{url: front.URL, said: said}
}
