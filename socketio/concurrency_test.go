package socketio_test

import (
	"context"
	"fmt"
	"math/rand/v2"
	"sync"
	"testing"
	"testing/synctest"

	"qun/socketio"
)

// TestManyGoroutinesAtOnce does everything from everywhere: what listeners hear of each sender stays in order, and
// nothing is left when all have gone.
func TestManyGoroutinesAtOnce(t *testing.T) {
	within(t, socketio.Config{}, func(w *world) {
		const listeners, restless, senders, rounds = 4, 12, 6, 150
		n := w.server.Of("/")
		n.Use(func(context.Context, *socketio.Socket) error { return nil })
		n.OnDisconnect(func(s *socketio.Socket, _ error) { s.Rooms() })
		socketio.Handle(n, "e", func(ctx context.Context, s *socketio.Socket, e *socketio.Event) {
			_ = s.Join("r")
			_ = e.Ack(s.In("r"))
			_ = s.To("r").Emit("noise")
		})
		steady := make([]*client, listeners)
		for i := range steady {
			steady[i] = w.dial()
			_ = n.Socket(steady[i].connect("/")).Join("all", "r")
		}
		var work sync.WaitGroup
		for i := range senders {
			work.Go(func() {
				for k := range rounds {
					_ = n.To("all").Emit("m", i, k)
					for _, s := range n.Sockets() {
						_ = s.EmitVolatile("v")
					}
				}
			})
		}
		for i := range restless {
			work.Go(func() { w.fidget(n, rand.New(rand.NewPCG(7, uint64(i))), rounds/10) })
		}
		work.Wait()
		for _, c := range steady {
			checkOrder(t, c.take(), senders, rounds)
			c.close()
		}
		synctest.Wait()
		if rooms := n.RoomsForTest(); rooms != 0 || n.Len() != 0 {
			t.Errorf("got %d rooms and %d sockets after all had gone", rooms, n.Len())
		}
	})
}

// fidget opens connections, and ends them in one of the ways that there are.
func (w *world) fidget(n *socketio.Namespace, r *rand.Rand, rounds int) {
	for range rounds {
		c := w.dialQuietly()
		c.send("0", "0/nowhere")
		c.send(`21["e"]`, `2["e"]`)
		for _, s := range n.Sockets() {
			if s.In("all") {
				continue // a listener
			}
			_ = s.Join("r", "x")
			s.Leave("r")
			switch r.IntN(6) {
			case 0:
				s.Disconnect()
			case 1:
				s.Close(nil)
			case 2:
				_ = n.To("x").Except("all").Disconnect()
			}
		}
		switch r.IntN(3) {
		case 0:
			c.send("1")
		case 1:
			c.send("garbage")
		}
		_ = c.conn.Close()
	}
}

// checkOrder checks that every sender's messages are there, each once, in order.
func checkOrder(t *testing.T, got []string, senders, rounds int) {
	t.Helper()
	next := make([]int, senders)
	for _, packet := range got {
		var i, k int
		if _, err := fmt.Sscanf(packet, `2["m",%d,%d]`, &i, &k); err != nil {
			continue
		}
		if k != next[i] {
			t.Fatalf("sender %d: got message %d, want %d", i, k, next[i])
		}
		next[i]++
	}
	for i, k := range next {
		if k != rounds {
			t.Errorf("sender %d: got %d messages, want %d", i, k, rounds)
		}
	}
}
