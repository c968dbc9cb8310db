package engineio_test

import (
	"encoding/base64"
	"fmt"
	"runtime"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/gobwas/ws"

	"qun/engineio"
)

func TestWebSocketMessagesComeBack(t *testing.T) {
	overBoth(t, func(t *testing.T, f form) {
		w := start(t, f, nil, engineio.Config{})
		p, _ := w.connect()
		for _, size := range []int{0, 1, 124, 125, 126, 65534, 65535, 65536, 200_000} {
			message := "4" + repeat(size)
			go p.send(message)
			if got := p.text(); got != message {
				t.Errorf("text of %d bytes: got %d bytes", size, len(got)-1)
			}
			go p.write(masked(ws.NewBinaryFrame([]byte(repeat(size)))))
			if got := p.next(ws.OpBinary); len(got) != size {
				t.Errorf("%d bytes: got %d", size, len(got))
			}
		}
		p.send("4 🍊 ünï")
		p.expect("4 🍊 ünï")
	})
}

func TestPollingMessagesComeBack(t *testing.T) {
	overBoth(t, func(t *testing.T, f form) {
		w := start(t, f, nil, engineio.Config{})
		p, _ := w.poll()
		p.send("4a", "4🍊", "bAQID", "4")
		p.expect("4a", "4🍊", "bAQID", "4")
		big := "b" + base64.StdEncoding.EncodeToString([]byte(repeat(100_000)))
		p.send(big)
		p.expect(big)
	})
}

func TestEverythingQueuedFitsIntoOnePoll(t *testing.T) {
	overBoth(t, func(t *testing.T, f form) {
		w := start(t, f, nil, engineio.Config{})
		p, s := w.poll()
		s.Send(text("a"), engineio.NewBinary([]byte{1, 2, 3}), text("c"))
		w.onShard(s, func(*engineio.Shard) {})
		if got := p.get().body; got != "4a\x1ebAQID\x1e4c" {
			t.Errorf("poll: got %q", got)
		}
	})
}

func TestAWaitingPollIsAnswered(t *testing.T) {
	overBoth(t, func(t *testing.T, f form) {
		w := start(t, f, nil, engineio.Config{})
		p, s := w.poll()
		answer := p.waitingGet(s)
		s.Send(text("late"))
		if got := receive(w, answer, "poll"); got.body != "4late" {
			t.Errorf("poll: got %q", got.body)
		}
	})
}

func TestFragmentsMakeOneMessage(t *testing.T) {
	overBoth(t, func(t *testing.T, f form) {
		w := start(t, f, nil, engineio.Config{})
		p, _ := w.connect()
		fruit := "4🍊 orange"
		frames := []ws.Frame{
			ws.NewFrame(ws.OpText, false, []byte(fruit[:2])), // in the middle of a character
			ws.NewFrame(ws.OpContinuation, false, nil),
			ws.NewPingFrame([]byte("between")),
			ws.NewFrame(ws.OpContinuation, true, []byte(fruit[2:])),
			ws.NewFrame(ws.OpBinary, false, []byte{1}),
			ws.NewFrame(ws.OpContinuation, true, []byte{2}),
		}
		for _, f := range frames {
			p.write(masked(f))
		}
		if got := p.next(ws.OpPong); string(got) != "between" {
			t.Errorf("pong: got %q", got)
		}
		p.expect(fruit)
		if got := p.next(ws.OpBinary); !slices.Equal(got, []byte{1, 2}) {
			t.Errorf("binary: got %v", got)
		}
	})
}

func TestFramesMayArriveByteByByte(t *testing.T) {
	overBoth(t, func(t *testing.T, f form) {
		w := start(t, f, nil, engineio.Config{})
		p, _ := w.connect()
		for _, b := range slices.Concat(masked(ws.NewTextFrame([]byte("4slowly"))), masked(ws.NewTextFrame([]byte("4"+repeat(200))))) {
			p.write([]byte{b})
		}
		p.expect("4slowly", "4"+repeat(200))
	})
}

func TestManyFramesMayArriveAtOnce(t *testing.T) {
	overBoth(t, func(t *testing.T, f form) {
		w := start(t, f, nil, engineio.Config{})
		p, _ := w.connect()
		var all []byte
		for i := range 500 {
			all = append(all, masked(ws.NewTextFrame(fmt.Appendf(nil, "4%d", i)))...)
		}
		go p.write(all)
		for i := range 500 {
			p.expect(fmt.Sprintf("4%d", i))
		}
	})
}

// What a client sends right behind its upgrade request arrives in net/http's buffer.
func TestFramesRightBehindTheHandshakeAreRead(t *testing.T) {
	overBoth(t, func(t *testing.T, f form) {
		w := start(t, f, nil, engineio.Config{})
		conn, err := w.dial()
		if err != nil {
			t.Fatal(err)
		}
		p := &peer{t: t, patience: f.patience, conn: conn, in: conn}
		defer conn.Close()
		request := "GET /engine.io/?EIO=4&transport=websocket HTTP/1.1\r\nHost: qun.test\r\n"
		for name, values := range upgradeHeader {
			request += name + ": " + values[0] + "\r\n"
		}
		go p.write(append([]byte(request+"\r\n"), masked(ws.NewTextFrame([]byte("4eager")))...))
		answer := make([]byte, 0, 512)
		for !strings.HasSuffix(string(answer), "\r\n\r\n") {
			b := make([]byte, 1)
			if _, err := conn.Read(b); err != nil {
				t.Fatalf("read: %v", err)
			}
			answer = append(answer, b[0])
		}
		parseOpening(t, p.text())
		p.expect("4eager")
	})
}

func TestHandlerIsCalledOneAtATimeAndInOrder(t *testing.T) {
	overBoth(t, func(t *testing.T, f form) {
		var busy atomic.Int32
		var calls []string
		call := func(what string) {
			if busy.Add(1) != 1 {
				t.Error("two calls at the same time")
			}
			calls = append(calls, what)
			runtime.Gosched() // a chance for another call to come in between
			busy.Add(-1)
		}
		w := start(t, f, &handler{
			onOpen:    func(*engineio.Session) { call("open") },
			onMessage: func(_ *engineio.Session, m engineio.Message) { call(string(m.Data)) },
			onClose:   func(_ *engineio.Session, reason error) { call(reason.Error()) },
		}, engineio.Config{})
		want := []string{"open"}
		p, _ := w.connect()
		for i := range 200 {
			p.send(fmt.Sprintf("4%d", i))
			want = append(want, fmt.Sprint(i))
		}
		p.write(masked(ws.NewCloseFrame(ws.NewCloseFrameBody(ws.StatusNormalClosure, ""))))
		w.expectEnd(engineio.ErrTransportClose)
		if want = append(want, "transport close"); !slices.Equal(calls, want) {
			t.Errorf("calls: got %q", calls)
		}
	})
}

func TestAMessageIsTheHandlersOwn(t *testing.T) {
	overBoth(t, func(t *testing.T, f form) {
		var kept []engineio.Message
		w := start(t, f, &handler{onMessage: func(s *engineio.Session, m engineio.Message) {
			kept = append(kept, m)
			_ = append(m.Data, "spoilt"...)
			if string(m.Data) == "last" {
				s.Send(text("done"))
			}
		}}, engineio.Config{})
		p, _ := w.connect()
		p.send("4first", "4other", "4last")
		p.expect("4done")
		polling, _ := w.poll()
		polling.send("4first", "4other", "4last")
		polling.expect("4done")
		for i, want := range []string{"first", "other", "last", "first", "other", "last"} {
			if got := string(kept[i].Data); got != want {
				t.Errorf("message %d: got %q, want %q", i, got, want)
			}
		}
	})
}

func TestPanickingHandlerCostsOneSession(t *testing.T) {
	for _, where := range []string{"open", "message", "close"} {
		t.Run(where, func(t *testing.T) {
			overBoth(t, func(t *testing.T, f form) {
				var victim atomic.Pointer[engineio.Session]
				trap := func(s *engineio.Session, at string) {
					if at == where && victim.CompareAndSwap(nil, s) {
						panic("a handler's bug")
					}
				}
				h := &handler{
					onMessage: func(s *engineio.Session, m engineio.Message) { trap(s, "message"); echo(s, m) },
					onClose:   func(s *engineio.Session, _ error) { trap(s, "close") },
				}
				if where == "open" {
					h.onOpen = func(s *engineio.Session) { trap(s, "open") }
				}
				w := start(t, f, h, engineio.Config{})
				p, err := w.upgrade("EIO=4&transport=websocket", nil)
				if err != nil {
					t.Fatal(err)
				}
				parseOpening(t, p.text())
				switch where {
				case "open":
					p.expectClose(ws.StatusNoStatusRcvd)
					w.expectEnd(engineio.ErrForcedClose)
				case "message":
					p.send("4x", "4never seen")
					p.expectClose(ws.StatusNoStatusRcvd)
					w.expectEnd(engineio.ErrForcedClose)
				case "close":
					p.conn.Close()
				}
				w.eventually("session is gone", func() bool { return w.server.Stats().Sessions == 0 })
				other, _ := w.connect()
				other.send("4fine")
				other.expect("4fine")
			})
		})
	}
}

func TestFullInputQueueStopsReadingAndResumes(t *testing.T) {
	for name, cfg := range map[string]engineio.Config{
		"messages": {InputMessages: 8},
		"bytes":    {InputBytes: 8 << 10},
	} {
		t.Run(name, func(t *testing.T) {
			overBoth(t, func(t *testing.T, f form) {
				const messages = 4000
				hold := make(chan struct{})
				var seen atomic.Int64
				h := &handler{}
				h.onMessage = func(s *engineio.Session, m engineio.Message) {
					<-hold
					if want := fmt.Sprintf("%d ", seen.Add(1)-1); !strings.HasPrefix(string(m.Data), want) {
						t.Errorf("message: got %.10q, want %q first", m.Data, want)
					}
				}
				w := start(t, f, h, cfg)
				p, _ := w.connect()
				sent := make(chan struct{})
				var written atomic.Int64
				go func() {
					defer close(sent)
					for i := range messages {
						p.send(fmt.Sprintf("4%d %s", i, repeat(1000)))
						written.Add(1)
					}
				}()
				w.eventually("queue is full", func() bool { return w.server.Stats().MessagesIn >= 9 })
				if f.virtual {
					settle()
					if n := written.Load(); n > 40 {
						t.Errorf("sent while the handler blocks: got %d messages, want the peer to wait", n)
					}
				}
				if n := w.server.Stats().MessagesIn; n > 40 {
					t.Errorf("read while the handler blocks: got %d messages", n)
				}
				close(hold)
				receive(w, sent, "all is sent")
				w.eventually("all is handled", func() bool { return seen.Load() == messages })
			})
		})
	}
}

// A POST waits for room, and a session that ends meanwhile lets it go.
func TestPostWaitsForRoomInTheInputQueue(t *testing.T) {
	overBoth(t, func(t *testing.T, f form) {
		hold := make(chan struct{})
		h := &handler{onMessage: func(*engineio.Session, engineio.Message) { <-hold }}
		w := start(t, f, h, engineio.Config{InputMessages: 2})
		p, s := w.poll()
		answer := p.async(t.Context(), "POST", strings.Repeat("4x\x1e", 20)+"4x")
		w.eventually("queue is full", func() bool { return w.server.Stats().MessagesIn >= 4 })
		select {
		case got := <-answer:
			t.Errorf("post: got %d %q while the queue is full", got.status, got.body)
		default:
		}
		s.Close(engineio.ErrForcedServerClose)
		receive(w, answer, "post is let go")
		close(hold)
		w.expectEnd(engineio.ErrForcedServerClose)
	})
}

func TestSessionsDoNotWaitForEachOther(t *testing.T) {
	overBoth(t, func(t *testing.T, f form) {
		hold := make(chan struct{})
		w := start(t, f, &handler{onMessage: func(s *engineio.Session, m engineio.Message) {
			if string(m.Data) == "block" {
				<-hold
			}
			echo(s, m)
		}}, engineio.Config{})
		blocked, _ := w.connect()
		blocked.send("4block")
		for range 4 { // on every shard
			p, _ := w.connect()
			p.send("4free")
			p.expect("4free")
		}
		// The engine answers for a session whose handler is busy.
		blocked.write(masked(ws.NewPingFrame([]byte("alive?"))))
		if got := blocked.next(ws.OpPong); string(got) != "alive?" {
			t.Errorf("pong: got %q", got)
		}
		close(hold)
		blocked.expect("4block")
	})
}

func TestSendThenCloseThenSend(t *testing.T) {
	overBoth(t, func(t *testing.T, f form) {
		w := start(t, f, nil, engineio.Config{})
		p, s := w.connect()
		if err := s.Send(text("last words")); err != nil {
			t.Errorf("send: %v", err)
		}
		s.Close(engineio.ErrForcedServerClose)
		if err := s.Send(text("too late")); err != engineio.ErrClosed {
			t.Errorf("send after close: got %v, want ErrClosed", err)
		}
		if err := s.SendVolatile(text("too late")); err != engineio.ErrClosed || !s.Closed() {
			t.Errorf("volatile after close: got %v, want ErrClosed", err)
		}
		s.Close(engineio.ErrForcedClose) // the first reason counts
		p.expect("4last words")
		p.expectClose(ws.StatusNoStatusRcvd)
		w.expectEnd(engineio.ErrForcedServerClose)
	})
}

// One goroutine's sends, broadcasts and closes take effect in its order, for many goroutines at once.
func TestShardKeepsEachGoroutinesOrder(t *testing.T) {
	overBoth(t, func(t *testing.T, f form) {
		const senders, each = 4, 200
		w := start(t, f, nil, engineio.Config{})
		p, s := w.connect()
		var wg sync.WaitGroup
		for g := range senders {
			wg.Go(func() {
				for i := range each {
					packet := text(fmt.Sprintf("%d %d", g, i))
					if i%3 == 0 {
						s.Shard().Post(run(func(sh *engineio.Shard) { sh.Send(s, false, packet) }))
					} else {
						s.Send(packet)
					}
				}
			})
		}
		next := make([]int, senders)
		for range senders * each {
			var g, i int
			fmt.Sscanf(p.text(), "4%d %d", &g, &i)
			if i != next[g] {
				t.Fatalf("sender %d: got %d, want %d", g, i, next[g])
			}
			next[g]++
		}
		wg.Wait()
	})
}

func TestPacketsOfOneSendStayTogether(t *testing.T) {
	overBoth(t, func(t *testing.T, f form) {
		w := start(t, f, nil, engineio.Config{})
		p, s := w.connect()
		var wg sync.WaitGroup
		for range 4 {
			wg.Go(func() {
				for range 100 {
					s.Send(text("event"), engineio.NewBinary([]byte("attachment")))
				}
			})
		}
		for range 400 {
			p.expect("4event")
			if got := p.next(ws.OpBinary); string(got) != "attachment" {
				t.Fatalf("got %q", got)
			}
		}
		wg.Wait()
	})
}

func TestValueBelongsToTheHandler(t *testing.T) {
	inVirtualTime(t, func(t *testing.T, f form) {
		h := &handler{onOpen: func(s *engineio.Session) { s.SetValue("mine") }}
		h.onMessage = func(s *engineio.Session, _ engineio.Message) { s.Send(text(s.Value().(string))) }
		w := start(t, f, h, engineio.Config{})
		p, _ := w.connect()
		p.send("4what is it?")
		p.expect("4mine")
	})
}

func TestCloseWithoutAReasonHasOne(t *testing.T) {
	overBoth(t, func(t *testing.T, f form) {
		w := start(t, f, nil, engineio.Config{})
		p, s := w.connect()
		s.Close(nil)
		p.expectClose(ws.StatusNoStatusRcvd)
		w.expectEnd(engineio.ErrForcedServerClose)
	})
}

// Packets share a write when they are queued in the same pass.
func TestManyPacketsShareOneWrite(t *testing.T) {
	overBoth(t, func(t *testing.T, f form) {
		w := start(t, f, nil, engineio.Config{})
		p, s := w.connect()
		w.eventually("open packet is counted", func() bool { return w.server.Stats().PacketsOut == 1 })
		before := w.server.Stats()
		w.onShard(s, func(sh *engineio.Shard) {
			for i := range 100 {
				sh.Send(s, false, text(fmt.Sprint(i)))
			}
		})
		for i := range 100 {
			p.expect(fmt.Sprint("4", i))
		}
		w.eventually("packets are counted", func() bool { return w.server.Stats().PacketsOut == before.PacketsOut+100 })
		after := w.server.Stats()
		if writes, packets := after.Writes-before.Writes, after.PacketsOut-before.PacketsOut; writes != 1 {
			t.Errorf("got %d packets in %d writes, want 100 in 1", packets, writes)
		}
	})
}

func TestPanickingEntryCostsNothingElse(t *testing.T) {
	overBoth(t, func(t *testing.T, f form) {
		w := start(t, f, nil, engineio.Config{})
		p, s := w.connect()
		s.Shard().Post(run(func(sh *engineio.Shard) {
			sh.Send(s, false, text("before"))
			panic("a bug above")
		}))
		s.Send(text("after"))
		p.expect("4before", "4after")
	})
}

func TestWhatWaitsIsDroppedByAClose(t *testing.T) {
	overBoth(t, func(t *testing.T, f form) {
		begun, release := make(chan struct{}), make(chan struct{})
		var seen []string
		h := &handler{onMessage: func(s *engineio.Session, m engineio.Message) {
			switch seen = append(seen, string(m.Data)); string(m.Data) {
			case "wait":
				close(begun)
				<-release
			case "last":
				s.Close(nil)
			}
		}}
		w := start(t, f, h, engineio.Config{})
		p, _ := w.connect()
		p.send("4wait")
		receive(w, begun, "handler is called")
		p.send("4last", "4late", "4later")
		w.eventually("all has been read", func() bool { return w.server.Stats().MessagesIn == 4 })
		close(release)
		w.expectEnd(engineio.ErrForcedServerClose)
		if got := strings.Join(seen, " "); got != "wait last" {
			t.Errorf("handled %s, want nothing behind the close", got)
		}
	})
}
