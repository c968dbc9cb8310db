package engineio_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"sync"
	"testing"
	"time"

	"github.com/gobwas/ws"

	"qun/engineio"
)

func TestShutdownTellsEverybodyAndLeavesNothing(t *testing.T) {
	overBoth(t, func(t *testing.T, f form) {
		w := start(t, f, nil, engineio.Config{})
		var peers []*peer
		for range 5 {
			p, s := w.connect()
			s.Send(text("before"))
			peers = append(peers, p)
		}
		p, s := w.poll()
		waiting := p.waitingGet(s)
		var heard sync.WaitGroup
		for _, p := range peers {
			heard.Go(func() {
				p.expect("4before")
				p.expectClose(ws.StatusNoStatusRcvd)
			})
		}
		if err := w.server.Shutdown(t.Context()); err != nil {
			t.Errorf("shutdown: %v", err)
		}
		heard.Wait()
		if got := receive(w, waiting, "poll"); got.body != "1" {
			t.Errorf("poll: got %q, want the close packet", got.body)
		}
		for range 6 {
			w.expectEnd(engineio.ErrServerShutdown)
		}
		if got := w.server.Stats(); got.Sessions != 0 || got.QueuedBytes != 0 || engineio.Deadlines(w.server) != 0 {
			t.Errorf("left behind: %+v, %d deadlines", got, engineio.Deadlines(w.server))
		}
	})
}

func TestShutdownCutsAStuckPeerAtItsDeadline(t *testing.T) {
	overBoth(t, func(t *testing.T, f form) {
		w := start(t, f, nil, engineio.Config{})
		stuck, s := w.connect()
		w.fill(s, text(repeat(10_000)), 200_000)
		w.poll() // and one that does not poll
		ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
		defer cancel()
		begun := time.Now()
		if err := w.server.Shutdown(ctx); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("shutdown: got %v, want the deadline", err)
		}
		if f.virtual && time.Since(begun) != 50*time.Millisecond {
			t.Errorf("shutdown took %v", time.Since(begun))
		}
		drain(stuck)
		if err := w.server.Shutdown(t.Context()); err != nil {
			t.Errorf("second shutdown: %v", err)
		}
		w.expectEnd(engineio.ErrServerShutdown)
		w.expectEnd(engineio.ErrServerShutdown)
	})
}

func TestShutdownEndsByItselfWithAStuckPeer(t *testing.T) {
	inVirtualTime(t, func(t *testing.T, f form) {
		w := start(t, f, nil, engineio.Config{})
		w.connect() // reads nothing
		w.poll()
		begun := time.Now()
		if err := w.server.Shutdown(context.Background()); err != nil {
			t.Errorf("shutdown: %v", err)
		}
		if took := time.Since(begun); took > 31*time.Second {
			t.Errorf("shutdown took %v, want the time of the last poll", took)
		}
	})
}

func TestShutdownWaitsForHandlers(t *testing.T) {
	overBoth(t, func(t *testing.T, f form) {
		begun, hold := make(chan struct{}), make(chan struct{})
		h := &handler{onMessage: func(*engineio.Session, engineio.Message) { close(begun); <-hold }}
		w := start(t, f, h, engineio.Config{})
		p, _ := w.connect()
		p.send("4x")
		receive(w, begun, "handler is called")
		impatient, cancel := context.WithCancel(t.Context())
		cancel()
		if err := w.server.Shutdown(impatient); !errors.Is(err, context.Canceled) {
			t.Errorf("shutdown while a handler works: got %v", err)
		}
		close(hold)
		if err := w.server.Shutdown(t.Context()); err != nil {
			t.Errorf("shutdown: %v", err)
		}
		w.expectEnd(engineio.ErrServerShutdown)
	})
}

// What is left of earlier answers may fill the way, so that even the answer to an upgrade does not get out.
func TestUpgradeWhoseAnswerIsNotReadIsGivenUp(t *testing.T) {
	inVirtualTime(t, func(t *testing.T, f form) {
		g := &gate{}
		w := start(t, f, nil, engineio.Config{Admit: g.admit})
		conn, err := w.dial()
		if err != nil {
			t.Fatal(err)
		}
		defer conn.Close()
		fmt.Fprint(conn, "GET /engine.io/?EIO=4&transport=websocket HTTP/1.1\r\nHost: qun.test\r\nUpgrade: websocket\r\n"+
			"Connection: Upgrade\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n")
		time.Sleep(time.Minute)
		if in, out := g.in.Load(), g.out.Load(); in != 1 || out != 1 {
			t.Errorf("admitted %d, released %d, want 1 and 1", in, out)
		}
	})
}

func TestEntriesRunAfterTheShutdown(t *testing.T) {
	overBoth(t, func(t *testing.T, f form) {
		w := start(t, f, nil, engineio.Config{})
		_, s := w.connect()
		w.shutdownNow()
		var wg sync.WaitGroup
		var mu sync.Mutex
		ran := 0
		for range 8 {
			wg.Go(func() {
				for range 100 {
					w.onShard(s, func(sh *engineio.Shard) {
						sh.Send(s, false, text("into the void"))
						mu.Lock()
						defer mu.Unlock()
						ran++
					})
				}
			})
		}
		wg.Wait()
		if ran != 800 {
			t.Errorf("got %d entries run, want 800", ran)
		}
		if err := s.Send(text("x")); err != engineio.ErrClosed {
			t.Errorf("send: got %v, want ErrClosed", err)
		}
		s.Close(engineio.ErrForcedClose)
	})
}

// Handshakes and the shutdown meet at every moment: who was opened is closed, once, and for this reason.
func TestHandshakesDuringShutdown(t *testing.T) {
	overBoth(t, func(t *testing.T, f form) {
		for range 10 {
			g := &gate{}
			w := start(t, f, nil, engineio.Config{Admit: g.admit})
			var wg sync.WaitGroup
			for range 4 {
				wg.Go(func() {
					if p, err := w.upgrade("EIO=4&transport=websocket", nil); err == nil {
						drain(p)
					}
				})
				wg.Go(func() {
					got := w.do("GET", "EIO=4&transport=polling", "", nil)
					if got.status != http.StatusOK && got.status != http.StatusServiceUnavailable {
						t.Errorf("handshake: got %d %s", got.status, got.body)
					}
				})
			}
			w.shutdownNow()
			wg.Wait()
			if opened, closed := len(w.handler.opened), len(w.handler.closed); opened != closed {
				t.Errorf("opened %d sessions, closed %d", opened, closed)
			}
			w.eventually("all are released", func() bool { return g.in.Load() == g.out.Load() })
		}
	})
}
