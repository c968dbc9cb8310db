package engineio_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/gobwas/ws"

	"qun/engineio"
)

// fill sends to a session until what waits in its outbox exceeds size: what the connection takes does not count.
func (w *world) fill(s *engineio.Session, p *engineio.Packet, size int64) {
	w.Helper()
	w.eventually("outbox fills", func() bool {
		for range 10 {
			s.Send(p)
		}
		w.onShard(s, func(*engineio.Shard) {})
		return w.server.Stats().QueuedBytes+int64(engineio.Queued(s)) > size
	})
}

func TestSlowConsumerIsClosedAndNobodyElse(t *testing.T) {
	overBoth(t, func(t *testing.T, f form) {
		w := start(t, f, nil, engineio.Config{OutboxBytes: 100_000})
		_, slow := w.connect() // never reads
		fast, other := w.connect()
		received := make(chan int)
		go func() {
			n := 0
			for {
				f, err := fast.frame()
				if err != nil {
					return
				}
				if n++; string(f.Payload) == "4end" {
					received <- n - 1
					return
				}
			}
		}()
		sent := 0
		for !slow.Closed() {
			p := text(fmt.Sprintf("%d %s", sent, repeat(1000)))
			slow.Send(p)
			other.Send(p)
			if sent++; sent%50 == 0 {
				w.eventually("fast peer has read", func() bool { return engineio.Queued(other) == 0 })
			}
		}
		w.expectEnd(engineio.ErrSlowConsumer)
		other.Send(text("end"))
		if got := receive(w, received, "fast peer"); got != sent {
			t.Errorf("fast peer: got %d packets, want %d", got, sent)
		}
		w.expectNoEnd()
		w.eventually("nothing is kept", func() bool {
			st := w.server.Stats()
			return st.QueuedBytes == 0 && st.SlowSessions == 0 && st.Sessions == 1
		})
	})
}

func TestFullOutboxClosesTheSession(t *testing.T) {
	inVirtualTime(t, func(t *testing.T, f form) {
		w := start(t, f, nil, engineio.Config{OutboxBytes: 100_000})
		_, s := w.connect() // never reads
		for range 90 {
			s.Send(text(repeat(1000)))
		}
		settle()
		w.expectNoEnd()
		for range 10 {
			s.Send(text(repeat(1000)))
		}
		settle()
		if !s.Closed() {
			t.Error("an outbox of 100 packets of 1,000 bytes, which must hold 100,000, did not close the session")
		}
		w.expectEnd(engineio.ErrSlowConsumer)
	})
}

func TestEmptyOutboxTakesAnyOnePacket(t *testing.T) {
	overBoth(t, func(t *testing.T, f form) {
		w := start(t, f, nil, engineio.Config{OutboxBytes: 1000})
		p, s := w.connect()
		w.eventually("opening is written", func() bool { return w.server.Stats().PacketsOut == 1 })
		big := repeat(3_000_000)
		s.Send(text(big))
		if got := p.text(); got != "4"+big {
			t.Errorf("got %d bytes, want %d", len(got), len(big)+1)
		}
		w.eventually("all is taken", func() bool { return engineio.Queued(s) == 0 })
		s.Send(text("small"))
		p.expect("4small")
		w.expectNoEnd()
	})
}

// What a peer has not been offered yet does not count against it.
func TestBurstThatTheConnectionTakesClosesNobody(t *testing.T) {
	w := start(t, sockets, nil, engineio.Config{OutboxBytes: 10_000})
	p, s := w.connect()
	w.onShard(s, func(sh *engineio.Shard) {
		for i := range 60 {
			sh.Send(s, false, text(fmt.Sprintf("%d %s", i, repeat(900))))
		}
	})
	for i := range 60 {
		p.expect(fmt.Sprintf("4%d %s", i, repeat(900)))
	}
}

func TestVolatilePacketsAreDroppedForABusyPeer(t *testing.T) {
	t.Run("websocket", func(t *testing.T) {
		overBoth(t, func(t *testing.T, f form) {
			w := start(t, f, nil, engineio.Config{})
			p, s := w.connect()
			w.eventually("opening is written", func() bool { return w.server.Stats().PacketsOut == 1 })
			s.SendVolatile(text("ready"))
			p.expect("4ready")
			w.fill(s, text(repeat(10_000)), 0)
			s.SendVolatile(text("event"), engineio.NewBinary([]byte("dropped with it")))
			w.onShard(s, func(*engineio.Shard) {})
			if n := w.server.Stats().Dropped; n != 2 {
				t.Errorf("dropped: got %d, want the event and its attachment", n)
			}
			s.Send(text("end"))
			for {
				got := p.text()
				if got == "4end" {
					break
				}
				if got != "4"+repeat(10_000) {
					t.Fatalf("got %.20q", got)
				}
			}
			w.eventually("peer has caught up", func() bool { return engineio.Queued(s) == 0 })
			s.SendVolatile(text("again"))
			p.expect("4again")
		})
	})
	t.Run("polling", func(t *testing.T) {
		overBoth(t, func(t *testing.T, f form) {
			w := start(t, f, nil, engineio.Config{})
			p, s := w.poll()
			s.SendVolatile(text("nobody polls"))
			answer := p.waitingGet(s)
			s.SendVolatile(text("somebody polls"))
			if got := receive(w, answer, "poll"); got.body != "4somebody polls" {
				t.Errorf("poll: got %q", got.body)
			}
		})
	})
}

func TestVolatilePacketsStopAtTheirFill(t *testing.T) {
	for name, cfg := range map[string]engineio.Config{
		"packets": {VolatilePackets: 10},
		"bytes":   {VolatileBytes: 10 * (64 + 3)},
	} {
		t.Run(name, func(t *testing.T) {
			overBoth(t, func(t *testing.T, f form) {
				w := start(t, f, nil, cfg)
				p, s := w.connect()
				w.eventually("opening is written", func() bool { return w.server.Stats().PacketsOut == 1 })
				w.onShard(s, func(sh *engineio.Shard) {
					for range 15 {
						sh.Send(s, true, text(""))
					}
					sh.Send(s, false, text("end"))
				})
				for range 10 {
					p.expect("4")
				}
				p.expect("4end")
				if n := w.server.Stats().Dropped; n != 5 {
					t.Errorf("dropped: got %d, want 5", n)
				}
			})
		})
	}
}

func TestOutboxIsClosedWhenItIsTooOld(t *testing.T) {
	for name, open := range map[string]func(*world) *engineio.Session{
		"websocket": func(w *world) *engineio.Session { _, s := w.connect(); return s },
		"polling":   func(w *world) *engineio.Session { _, s := w.poll(); return s },
	} {
		t.Run(name, func(t *testing.T) {
			inVirtualTime(t, func(t *testing.T, f form) {
				w := start(t, f, nil, engineio.Config{PingInterval: time.Hour, PingTimeout: time.Hour, OutboxAge: 30 * time.Second})
				s := open(w)
				time.Sleep(time.Second)
				begun := time.Now()
				s.Send(text("x"))
				s.Send(text("y"))
				w.expectEnd(engineio.ErrSlowConsumer)
				if got := time.Since(begun); got < 29*time.Second || got > 32*time.Second {
					t.Errorf("closed after %v, want 30s", got)
				}
			})
		})
	}
}

func TestPeerThatKeepsTakingIsNotTooOld(t *testing.T) {
	inVirtualTime(t, func(t *testing.T, f form) {
		w := start(t, f, nil, engineio.Config{PingInterval: time.Hour, PingTimeout: time.Hour, OutboxAge: 30 * time.Second})
		p, s := w.connect()
		for range 20 {
			for range 10 {
				s.Send(text("x"))
			}
			time.Sleep(20 * time.Second)
			for range 10 {
				p.expect("4x")
			}
		}
		w.expectNoEnd()
	})
}

// Shared packets are counted once, and who keeps most goes first.
func TestGlobalMemoryEvictsTheSlowest(t *testing.T) {
	inVirtualTime(t, func(t *testing.T, f form) {
		w := start(t, f, nil, engineio.Config{MemoryBytes: 50_000, OutboxBytes: 1 << 30})
		var sessions []*engineio.Session
		for range 10 {
			_, s := w.poll() // nobody polls
			sessions = append(sessions, s)
		}
		shared := text(repeat(10_000))
		for _, s := range sessions {
			for range 3 {
				s.Send(shared)
			}
		}
		settle()
		if got := w.server.Stats(); got.QueuedBytes < 10_000 || got.QueuedBytes > 10_200 || got.SlowSessions != 10 {
			t.Errorf("shared packet: got %d bytes in %d sessions, want one packet's in 10", got.QueuedBytes, got.SlowSessions)
		}
		w.expectNoEnd()
		hog := sessions[4]
		for range 5 {
			hog.Send(text(repeat(10_000)))
		}
		w.expectEnd(engineio.ErrSlowConsumer)
		settle()
		w.expectNoEnd()
		if !hog.Closed() {
			t.Error("somebody else was closed")
		}
		if got := w.server.Stats(); got.QueuedBytes > 50_000 || got.SlowSessions != 9 {
			t.Errorf("afterwards: got %d bytes in %d sessions", got.QueuedBytes, got.SlowSessions)
		}
	})
}

// The count of kept memory comes back to zero however a session with a full outbox ends.
func TestKeptMemoryIsGivenBack(t *testing.T) {
	for name, end := range map[string]func(w *world, p *peer, s *engineio.Session){
		"cut":   func(_ *world, p *peer, _ *engineio.Session) { p.conn.Close() },
		"close": func(_ *world, p *peer, s *engineio.Session) { s.Close(engineio.ErrForcedClose); drain(p) },
		"taken": func(w *world, p *peer, s *engineio.Session) { s.Send(text("end")); drainTo(w, p, "4end") },
		"stuck": func(w *world, _ *peer, _ *engineio.Session) { w.shutdownNow() },
	} {
		t.Run(name, func(t *testing.T) {
			overBoth(t, func(t *testing.T, f form) {
				w := start(t, f, nil, engineio.Config{})
				p, s := w.connect()
				w.fill(s, text(repeat(5000)), 300_000)
				end(w, p, s)
				w.eventually("nothing is kept", func() bool {
					got := w.server.Stats()
					return got.QueuedBytes == 0 && got.SlowSessions == 0
				})
			})
		})
	}
}

func drain(p *peer) {
	for {
		if f, err := p.frame(); err != nil || f.Header.OpCode == ws.OpClose {
			p.conn.Close()
			return
		}
	}
}

func drainTo(w *world, p *peer, last string) {
	w.Helper()
	for p.text() != last {
	}
}
