package engineio_test

import (
	"net/http"
	"testing"
	"time"

	"github.com/gobwas/ws"

	"qun/engineio"
)

// beat is a heartbeat in virtual time. A deadline may come early by two ticks of the wheel, each a 64th of PingTimeout.
var beat = engineio.Config{PingInterval: 25 * time.Second, PingTimeout: 20 * time.Second}

const early = 2 * 20 * time.Second / 64

// expectAfter wants that want has passed since begun, less what a deadline may be early.
func expectAfter(t *testing.T, what string, begun time.Time, want time.Duration) {
	t.Helper()
	if got := time.Since(begun); got < want-early || got > want+early {
		t.Errorf("%s: after %v, want %v", what, got, want)
	}
}

func TestSilentPeerIsClosed(t *testing.T) {
	t.Run("websocket", func(t *testing.T) {
		inVirtualTime(t, func(t *testing.T, f form) {
			w := start(t, f, nil, beat)
			p, _ := w.connect()
			begun := time.Now()
			p.expect("2")
			expectAfter(t, "ping", begun, 25*time.Second)
			p.expectClose(ws.StatusNoStatusRcvd)
			expectAfter(t, "close", begun, 45*time.Second)
			w.expectEnd(engineio.ErrPingTimeout)
		})
	})
	t.Run("polling", func(t *testing.T) {
		inVirtualTime(t, func(t *testing.T, f form) {
			w := start(t, f, nil, beat)
			p, _ := w.poll()
			begun := time.Now()
			p.expect("2")
			expectAfter(t, "ping", begun, 25*time.Second)
			w.expectEnd(engineio.ErrPingTimeout)
			expectAfter(t, "close", begun, 45*time.Second)
		})
	})
	t.Run("polling, while a poll waits", func(t *testing.T) {
		inVirtualTime(t, func(t *testing.T, f form) {
			w := start(t, f, nil, beat)
			p, s := w.poll()
			p.expect("2")
			if got := receive(w, p.waitingGet(s), "poll"); got.status != http.StatusOK || got.body != "1" {
				t.Errorf("poll: got %d %q, want 200 1", got.status, got.body)
			}
			w.expectEnd(engineio.ErrPingTimeout)
		})
	})
	t.Run("in real time", func(t *testing.T) {
		w := start(t, sockets, nil, engineio.Config{PingInterval: 30 * time.Millisecond, PingTimeout: 20 * time.Millisecond})
		w.connect()
		w.expectEnd(engineio.ErrPingTimeout)
		w.poll()
		w.expectEnd(engineio.ErrPingTimeout)
	})
}

func TestAnsweringPeerLives(t *testing.T) {
	for name, cfg := range map[string]engineio.Config{
		"interval longer": beat,
		"timeout longer":  {PingInterval: 5 * time.Second, PingTimeout: 20 * time.Second},
	} {
		t.Run(name, func(t *testing.T) {
			inVirtualTime(t, func(t *testing.T, f form) {
				w := start(t, f, nil, cfg)
				p, _ := w.connect()
				for range 50 {
					answered := time.Now()
					p.expect("2")
					if got := time.Since(answered); got < cfg.PingInterval-early || got > cfg.PingInterval+early {
						t.Fatalf("ping: %v after the pong, want %v", got, cfg.PingInterval)
					}
					p.send("3")
				}
				w.expectNoEnd()
			})
		})
	}
}

func TestALatePongIsInTime(t *testing.T) {
	inVirtualTime(t, func(t *testing.T, f form) {
		w := start(t, f, nil, beat)
		p, _ := w.connect()
		for range 5 {
			p.expect("2")
			time.Sleep(19 * time.Second)
			p.send("3")
		}
		w.expectNoEnd()
	})
}

func TestPollingPeerLivesByPongs(t *testing.T) {
	inVirtualTime(t, func(t *testing.T, f form) {
		w := start(t, f, nil, beat)
		p, _ := w.poll()
		for range 10 {
			p.expect("2")
			p.send("3")
		}
		w.expectNoEnd()
	})
}

// A peer that is heard but does not answer pings is given one more PingTimeout, once.
func TestTalkingPeerGetsOneExtension(t *testing.T) {
	inVirtualTime(t, func(t *testing.T, f form) {
		w := start(t, f, &handler{}, beat)
		p, _ := w.connect()
		begun := time.Now()
		p.expect("2")
		go func() {
			for range 60 {
				time.Sleep(time.Second)
				if p.conn.SetWriteDeadline(time.Now().Add(time.Minute)) != nil {
					return
				}
				if _, err := p.conn.Write(masked(ws.NewTextFrame([]byte("4talk")))); err != nil {
					return
				}
			}
		}()
		w.expectEnd(engineio.ErrPingTimeout)
		expectAfter(t, "close", begun, 65*time.Second)
		p.conn.Close()
		time.Sleep(2 * time.Minute)
	})
}

// What was said before the ping gives no more time to answer it.
func TestPeerThatFallsSilentGetsNoExtension(t *testing.T) {
	inVirtualTime(t, func(t *testing.T, f form) {
		w := start(t, f, nil, beat)
		p, _ := w.connect()
		begun := time.Now()
		p.send("4talk")
		p.expect("4talk", "2")
		p.expectClose(ws.StatusNoStatusRcvd)
		expectAfter(t, "close", begun, 45*time.Second)
		w.expectEnd(engineio.ErrPingTimeout)
	})
}

func TestExtendedPeerMayStillAnswer(t *testing.T) {
	inVirtualTime(t, func(t *testing.T, f form) {
		w := start(t, f, &handler{}, beat)
		p, _ := w.connect()
		p.expect("2")
		p.send("4busy")
		time.Sleep(35 * time.Second) // beyond PingTimeout, within the extension
		p.send("3")
		p.expect("2")
		w.expectNoEnd()
	})
}

// A flood of pongs changes nothing: no early ping, no more goroutines.
func TestPongFloodIsHarmless(t *testing.T) {
	inVirtualTime(t, func(t *testing.T, f form) {
		w := start(t, f, nil, beat)
		p, _ := w.connect()
		begun := time.Now()
		for range 1000 {
			p.send("3")
		}
		p.expect("2")
		expectAfter(t, "ping", begun, 25*time.Second)
		for range 1000 {
			p.send("3")
		}
		answered := time.Now()
		p.expect("2")
		expectAfter(t, "next ping", answered, 25*time.Second)
		if writes := w.server.Stats().PacketsOut; writes > 3 {
			t.Errorf("sent %d packets, want an opening and two pings", writes)
		}
	})
}

// A pong before the ping is no answer to it.
func TestPongInAdvanceDoesNotCount(t *testing.T) {
	inVirtualTime(t, func(t *testing.T, f form) {
		w := start(t, f, nil, beat)
		p, _ := w.connect()
		begun := time.Now()
		time.Sleep(24 * time.Second)
		p.send("3")
		p.expect("2")
		p.expectClose(ws.StatusNoStatusRcvd)
		expectAfter(t, "close", begun, 45*time.Second)
	})
}

// A process that was stopped for ten minutes, here by an entry that holds each shard, does not blame its peers.
func TestSleepingProcessDoesNotCloseEverybody(t *testing.T) {
	for name, before := range map[string]time.Duration{
		"no ping is under way": 10 * time.Second,
		"pings are under way":  27 * time.Second,
	} {
		t.Run(name, func(t *testing.T) {
			inVirtualTime(t, func(t *testing.T, f form) {
				w := start(t, f, nil, beat)
				var peers []*peer
				for range 10 {
					p, _ := w.connect()
					peers = append(peers, p)
				}
				time.Sleep(before)
				for _, sh := range w.server.Shards() {
					sh.Post(run(func(*engineio.Shard) { time.Sleep(10 * time.Minute) }))
				}
				time.Sleep(10*time.Minute + 5*time.Second) // the peers' pongs come late too
				for _, p := range peers {
					go func() {
						for { // answers every ping from now on
							f, err := p.frame()
							if err != nil {
								return
							}
							if string(f.Payload) == "2" {
								p.conn.Write(masked(ws.NewTextFrame([]byte("3"))))
							}
						}
					}()
				}
				time.Sleep(5 * time.Minute)
				w.expectNoEnd()
				if n := w.server.Stats().Sessions; n != 10 {
					t.Errorf("sessions: got %d, want 10", n)
				}
				for _, p := range peers {
					p.conn.Close()
				}
			})
		})
	}
}
