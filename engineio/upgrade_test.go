package engineio_test

import (
	"context"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/gobwas/ws"

	"qun/engineio"
)

func TestPollingSessionBecomesAWebSocket(t *testing.T) {
	overBoth(t, func(t *testing.T, f form) {
		w := start(t, f, nil, engineio.Config{})
		p, s := w.poll()
		waiting := p.waitingGet(s)
		probe := w.probe(p.sid)
		probe.send("2probe")
		probe.expect("3probe")
		if got := receive(w, waiting, "poll is let go"); got.body != "6" {
			t.Errorf("poll: got %q, want a noop", got.body)
		}
		if s.Transport() != engineio.Polling {
			t.Error("the probe alone changed the transport")
		}
		p.send("4by post") // polling goes on until the switch
		p.expect("4by post")
		probe.send("5", "4by frame")
		probe.expect("4by frame")
		if s.Transport() != engineio.WebSocket {
			t.Errorf("transport: got %s, want websocket", s.Transport())
		}
		for name, got := range map[string]response{"get": p.get(), "post": p.post("4x")} {
			if got.status != http.StatusBadRequest || got.body != `{"code":3,"message":"Bad request"}` {
				t.Errorf("%s after the switch: got %d %s", name, got.status, got.body)
			}
		}
		w.expectNoEnd()
		s.Close(engineio.ErrForcedServerClose)
		probe.expectClose(ws.StatusNoStatusRcvd)
	})
}

// While the server sends without a pause and the client posts without a pause, the transport changes. Everything
// arrives once, in order, in both directions.
func TestNothingIsLostOrDoubledAcrossAnUpgrade(t *testing.T) {
	overBoth(t, func(t *testing.T, f form) {
		for range 5 {
			crossUpgrade(t, f)
		}
	})
}

func crossUpgrade(t *testing.T, f form) {
	const down, up = 2000, 60
	taken := make(chan string, up)
	w := start(t, f, &handler{onMessage: func(_ *engineio.Session, m engineio.Message) { taken <- string(m.Data) }}, engineio.Config{})
	p, s := w.poll()
	go func() {
		for i := range down {
			s.Send(text(fmt.Sprintf("%d", i)))
			if i%50 == 0 {
				time.Sleep(time.Millisecond) // spread over the whole upgrade
			}
		}
	}()

	polled, stop := make(chan []string, 1), make(chan struct{})
	go func() { // polls until the transport has changed, as the official client does
		var packets []string
		for {
			got := p.get()
			packets = append(packets, strings.Split(got.body, "\x1e")...)
			select {
			case <-stop:
				polled <- packets
				return
			default:
			}
		}
	}()
	for i := range up / 2 {
		p.send(fmt.Sprintf("4%d", i))
	}
	probe := w.probe(p.sid)
	probe.send("2probe")
	probe.expect("3probe")
	close(stop)
	received := receive(w, polled, "last poll returns")
	probe.send("5")
	for i := up / 2; i < up; i++ {
		probe.send(fmt.Sprintf("4%d", i))
	}

	next := 0
	check := func(packet string) {
		if packet == "6" {
			return
		}
		if want := fmt.Sprintf("4%d", next); packet != want {
			t.Fatalf("packet: got %q, want %q", packet, want)
		}
		next++
	}
	for _, packet := range received {
		check(packet)
	}
	for next < down {
		check(probe.text())
	}
	for i := range up {
		if got := receive(w, taken, "message"); got != fmt.Sprint(i) {
			t.Fatalf("message: got %s, want %d", got, i)
		}
	}
}

// A client that switches without waiting for its poll leaves the poll behind, and loses nothing.
func TestSwitchBeforeThePollReturns(t *testing.T) {
	overBoth(t, func(t *testing.T, f form) {
		w := start(t, f, nil, engineio.Config{})
		p, s := w.poll()
		waiting := p.waitingGet(s)
		probe := w.probe(p.sid)
		probe.send("2probe", "5")
		probe.expect("3probe")
		got := receive(w, waiting, "poll")
		if got.status != http.StatusBadRequest && got.body != "6" {
			t.Errorf("poll: got %d %q, want a refusal or a noop", got.status, got.body)
		}
		probe.send("4here")
		probe.expect("4here")
		w.expectNoEnd()
	})
}

func TestEachPollIsLetGoWhileProbing(t *testing.T) {
	inVirtualTime(t, func(t *testing.T, f form) {
		w := start(t, f, nil, engineio.Config{})
		p, _ := w.poll()
		probe := w.probe(p.sid)
		probe.send("2probe")
		probe.expect("3probe")
		for range 3 {
			begun := time.Now()
			if got := p.get(); got.body != "6" {
				t.Errorf("poll: got %q, want a noop", got.body)
			}
			if waited := time.Since(begun); waited > 100*time.Millisecond {
				t.Errorf("poll: waited %v, want at most 100ms", waited)
			}
		}
	})
}

func TestProbeThatMisbehavesIsDroppedAlone(t *testing.T) {
	for name, frames := range map[string][]ws.Frame{
		"message":       {ws.NewTextFrame([]byte("4x"))},
		"plain ping":    {ws.NewTextFrame([]byte("2"))},
		"other probe":   {ws.NewTextFrame([]byte("2other"))},
		"empty":         {ws.NewTextFrame(nil)},
		"binary":        {ws.NewBinaryFrame([]byte("2probe"))},
		"close frame":   {ws.NewCloseFrame(nil)},
		"close packet":  {ws.NewTextFrame([]byte("1"))},
		"bad frame":     {ws.NewFrame(ws.OpContinuation, true, nil)},
		"after a probe": {ws.NewTextFrame([]byte("2probe")), ws.NewTextFrame([]byte("4x"))},
	} {
		t.Run(name, func(t *testing.T) {
			overBoth(t, func(t *testing.T, f form) {
				w := start(t, f, nil, engineio.Config{})
				p, s := w.poll()
				probe := w.probe(p.sid)
				for _, frame := range frames {
					probe.write(masked(frame))
				}
				for {
					if _, err := probe.frame(); err != nil {
						if isTimeout(err) {
							t.Fatal("probe is still open")
						}
						break
					}
				}
				w.eventually("probe is forgotten", func() bool { return !engineio.Probes(s) })
				p.send("4still polling")
				p.expect("4still polling")
				w.expectNoEnd()
				again := w.probe(p.sid) // the next one may try
				again.send("2probe")
				again.expect("3probe")
			})
		})
	}
}

func TestProbeMayPingAndBeCutIntoPieces(t *testing.T) {
	overBoth(t, func(t *testing.T, f form) {
		w := start(t, f, nil, engineio.Config{})
		p, _ := w.poll()
		probe := w.probe(p.sid)
		probe.write(masked(ws.NewPingFrame([]byte("x"))))
		probe.next(ws.OpPong)
		probe.write(masked(ws.NewFrame(ws.OpText, false, []byte("2pr"))))
		probe.write(masked(ws.NewFrame(ws.OpContinuation, true, []byte("obe"))))
		probe.expect("3probe")
		probe.send("5", "4a")
		probe.expect("4a")
	})
}

// A probe that asks and never reads must not hold anything up.
func TestProbeThatNeverReadsHoldsNothingUp(t *testing.T) {
	overBoth(t, func(t *testing.T, f form) {
		w := start(t, f, nil, engineio.Config{UpgradeTimeout: 500 * time.Millisecond})
		p, s := w.poll()
		probe := w.probe(p.sid)
		ping := masked(ws.NewPingFrame([]byte(repeat(125))))
		flood := []byte(strings.Repeat(string(ping), 100))
		flooding := make(chan struct{})
		go func() {
			defer close(flooding)
			probe.conn.SetWriteDeadline(time.Now().Add(f.patience))
			for range 200 {
				if _, err := probe.conn.Write(flood); err != nil {
					return
				}
			}
		}()
		for i := range 20 {
			p.send(fmt.Sprintf("4%d", i))
			p.expect(fmt.Sprintf("4%d", i))
		}
		receive(w, flooding, "flood ends")
		w.eventually("probe is dropped", func() bool { return !engineio.Probes(s) })
		w.expectNoEnd()
	})
}

func TestSwitchWithoutAProbeIsTaken(t *testing.T) {
	overBoth(t, func(t *testing.T, f form) {
		w := start(t, f, nil, engineio.Config{})
		p, _ := w.poll()
		probe := w.probe(p.sid)
		probe.send("5", "4direct")
		probe.expect("4direct")
	})
}

func TestSecondProbeIsClosed(t *testing.T) {
	overBoth(t, func(t *testing.T, f form) {
		w := start(t, f, nil, engineio.Config{})
		p, _ := w.poll()
		first := w.probe(p.sid)
		first.send("2probe")
		first.expect("3probe")
		w.probe(p.sid).expectCut()
		first.send("5", "4first")
		first.expect("4first")
	})
}

func TestSecondWebSocketOfASessionIsClosed(t *testing.T) {
	overBoth(t, func(t *testing.T, f form) {
		w := start(t, f, nil, engineio.Config{})
		p, s := w.connect()
		w.probe(s.ID()).expectCutAtOnce()
		p.send("4mine")
		p.expect("4mine")
		w.expectNoEnd()
	})
}

func TestProbeIsClosedWhereUpgradesAreDisabled(t *testing.T) {
	overBoth(t, func(t *testing.T, f form) {
		w := start(t, f, nil, engineio.Config{DisableUpgrades: true})
		p, _ := w.poll()
		w.probe(p.sid).expectCutAtOnce()
		p.send("4here")
		p.expect("4here")
	})
}

// expectCutAtOnce is expectCut, and does not wait until an upgrade would time out.
func (p *peer) expectCutAtOnce() {
	p.t.Helper()
	begun := time.Now()
	p.expectCut()
	if waited := time.Since(begun); waited > 8*time.Second {
		p.t.Errorf("closed after %v, want at once", waited)
	}
}

func TestSlowProbeIsDropped(t *testing.T) {
	inVirtualTime(t, func(t *testing.T, f form) {
		w := start(t, f, nil, engineio.Config{UpgradeTimeout: 3 * time.Second})
		p, _ := w.poll()
		probe := w.probe(p.sid)
		begun := time.Now()
		probe.expectCut()
		if waited := time.Since(begun); waited < 2900*time.Millisecond || waited > 3100*time.Millisecond {
			t.Errorf("dropped after %v, want 3s", waited)
		}
		p.send("4here")
		p.expect("4here")
		// The timeout of a probe that succeeded does nothing.
		again := w.probe(p.sid)
		again.send("2probe", "5")
		again.expect("3probe")
		time.Sleep(4 * time.Second)
		again.send("4switched")
		again.expect("4switched")
	})
}

func TestClosingSessionTakesItsProbeAlong(t *testing.T) {
	overBoth(t, func(t *testing.T, f form) {
		w := start(t, f, nil, engineio.Config{UpgradeTimeout: time.Hour})
		p, s := w.poll()
		probe := w.probe(p.sid)
		probe.send("2probe")
		probe.expect("3probe")
		s.Send(text("last"))
		s.Close(engineio.ErrForcedServerClose)
		probe.expectCut()
		p.expect("4last", "1")
		w.expectEnd(engineio.ErrForcedServerClose)
		if _, err := w.upgrade("EIO=4&transport=websocket&sid="+p.sid, nil); err == nil {
			w.eventually("forgotten", func() bool { return w.server.Stats().Sessions == 0 })
		}
	})
}

// A session that is closing is still known, so that its last packets can be fetched. It changes its transport no more.
func TestProbeOfAClosingSessionIsClosed(t *testing.T) {
	inVirtualTime(t, func(t *testing.T, f form) {
		w := start(t, f, nil, engineio.Config{})
		p, s := w.poll()
		s.Close(nil)
		settle()
		w.probe(p.sid).expectCutAtOnce()
		p.expect("1")
		w.expectEnd(engineio.ErrForcedServerClose)
	})
}

func TestSwitchBehindACloseComesTooLate(t *testing.T) {
	inVirtualTime(t, func(t *testing.T, f form) {
		w := start(t, f, nil, engineio.Config{})
		p, s := w.poll()
		probe := w.probe(p.sid)
		probe.send("2probe")
		probe.expect("3probe")
		held, release := make(chan struct{}), make(chan struct{})
		s.Shard().Post(run(func(*engineio.Shard) { close(held); <-release }))
		receive(w, held, "shard is busy")
		s.Close(nil)
		probe.send("5")
		settle() // it has been read
		close(release)
		probe.expectCut()
		p.expect("1")
		w.expectEnd(engineio.ErrForcedServerClose)
	})
}

func TestHeartbeatGoesOnAfterAnUpgrade(t *testing.T) {
	inVirtualTime(t, func(t *testing.T, f form) {
		w := start(t, f, nil, engineio.Config{})
		p := upgraded(w)
		begun := time.Now()
		for i := range 3 {
			p.expect("2")
			if at, want := time.Since(begun), time.Duration(i+1)*25*time.Second; at < want-time.Second*time.Duration(i+1) || at > want+time.Second {
				t.Errorf("ping %d: at %v, want %v", i, at, want)
			}
			p.send("3")
		}
		w.expectNoEnd()
	})
}

// Probes and shutdowns meet at every moment; the connections are closed all the same.
func TestProbeDuringShutdownIsNotLeaked(t *testing.T) {
	overBoth(t, func(t *testing.T, f form) {
		for range 20 {
			w := start(t, f, nil, engineio.Config{})
			p, _ := w.poll()
			down := make(chan struct{})
			go func() {
				defer close(down)
				ctx, cancel := context.WithCancel(context.Background())
				cancel()
				w.server.Shutdown(ctx)
			}()
			if probe, err := w.upgrade("EIO=4&transport=websocket&sid="+p.sid, nil); err == nil {
				for {
					if _, err := probe.frame(); err != nil {
						if isTimeout(err) {
							t.Error("probe was left open")
						}
						break
					}
				}
			}
			receive(w, down, "shutdown")
		}
	})
}
