package engineio_test

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/gobwas/ws"

	"qun/engineio"
)

// upgradeRequest is the head of a request for a WebSocket, with further lines.
func upgradeRequest(query string, lines ...string) string {
	return "GET /engine.io/?" + query + " HTTP/1.1\r\nHost: qun.test\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\n" +
		"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n" + strings.Join(append(lines, "\r\n"), "\r\n")
}

// raw makes a connection, and writes in the background: the server may close it before it has read all.
func (w *world) raw(stream string) net.Conn {
	w.Helper()
	conn, err := w.dial()
	if err != nil {
		w.Fatal(err)
	}
	w.Cleanup(func() { conn.Close() })
	conn.SetDeadline(time.Now().Add(w.form.patience))
	go io.WriteString(conn, stream)
	return conn
}

// swallow reads until the server has nothing more to say, and closes.
func swallow(conn net.Conn) {
	io.Copy(io.Discard, conn)
	conn.Close()
}

// reset closes a connection in the rudest way that it has.
func reset(conn net.Conn) {
	if tcp, ok := conn.(*net.TCPConn); ok {
		tcp.SetLinger(0)
	}
	conn.Close()
}

// Whatever a stranger does, sessions that are not its own go on, and when it has gone nothing of it is left.
func TestStrangersDisturbNobody(t *testing.T) {
	const onWebSocket, onPolling = "EIO=4&transport=websocket", "EIO=4&transport=polling"
	badFrame := string(masked(ws.NewFrame(ws.OpCode(0xf), true, nil)))
	for name, attack := range map[string]func(w *world){
		"says nothing":    func(w *world) { w.raw("").Close() },
		"half a request":  func(w *world) { w.raw(upgradeRequest(onWebSocket)[:100]).Close() },
		"no HTTP":         func(w *world) { swallow(w.raw(strings.Repeat("\x16\x03\x01\x00", 100) + "\r\n\r\n")) },
		"reset at once":   func(w *world) { reset(w.raw(upgradeRequest(onWebSocket))) },
		"reset in answer": func(w *world) { c := w.raw(upgradeRequest(onWebSocket)); c.Read(make([]byte, 1)); reset(c) },
		"bad frame right behind the request": func(w *world) {
			swallow(w.raw(upgradeRequest(onWebSocket) + badFrame + badFrame))
		},
		"thousands of headers": func(w *world) {
			lines := slices.Repeat([]string{"X-Some: header"}, 3000)
			swallow(w.raw(upgradeRequest(onWebSocket, lines...) + badFrame))
		},
		"headers without an end": func(w *world) {
			swallow(w.raw("GET /engine.io/?" + onPolling + " HTTP/1.1\r\nHost: qun.test\r\nX-Long: " + repeat(3_000_000)))
		},
		"URL without an end": func(w *world) { swallow(w.raw("GET /engine.io/?" + repeat(3_000_000))) },
		"odd header values": func(w *world) {
			for _, line := range []string{
				"Sec-WebSocket-Extensions: " + strings.Repeat(";,=\"\\", 5000), "Sec-WebSocket-Extensions: permessage-deflate; a=" + strings.Repeat(`"\`, 5000),
				"Sec-WebSocket-Extensions: " + strings.Repeat("permessage-deflate; x, ", 1000) + "constructor", "Sec-WebSocket-Protocol: " + strings.Repeat(", ", 5000),
				"Origin: " + strings.Repeat("http://", 2000), "Accept-Encoding: " + strings.Repeat("gzip;q=0.1,", 5000), "Cookie: " + strings.Repeat("io=;", 3000),
			} {
				swallow(w.raw(upgradeRequest(onWebSocket, line) + badFrame))
			}
		},
		"odd queries": func(w *world) {
			for _, query := range []string{
				"EIO=4&transport=websocket&sid=__proto__", "EIO=4&transport=polling&sid=constructor", "EIO=4&transport=toString", "EIO=4&transport[]=polling",
				"EIO=4&transport=polling&sid=" + repeat(10_000), strings.Repeat("&", 10_000), "%zz=%", "EIO=4&transport=polling;sid=x",
			} {
				if got := w.do("GET", query, "", nil); got.status != http.StatusBadRequest {
					w.Errorf("%.40s: got %d %s, want 400", query, got.status, got.body)
				}
			}
			for _, transport := range []string{"constructor", "__proto__", "tachyon", "websocket%00", "polling", "websocket&transport=toString", ""} {
				swallow(w.raw(upgradeRequest("EIO=4&transport="+transport) + badFrame))
			}
		},
		"guessed sessions": func(w *world) {
			for i := range 100 {
				query := fmt.Sprintf("%s&sid=AAAAAAAAAAAAAAAAA%03d", onPolling, i)
				for _, method := range []string{"GET", "POST", "DELETE"} {
					if got := w.do(method, query, "4x", nil); got.body != `{"code":1,"message":"Session ID unknown"}` {
						w.Errorf("%s: got %d %s", method, got.status, got.body)
					}
				}
			}
		},
		"tiny packets in one post": func(w *world) {
			p, _ := w.poll()
			for _, packet := range []string{"4", "3", "6", "b", "0"} {
				p.send(strings.Repeat(packet+"\x1e", 100_000) + packet)
			}
			p.post("1")
		},
		"tiny frames": func(w *world) {
			p, _ := w.connect()
			for _, f := range []ws.Frame{ws.NewPongFrame(nil), ws.NewTextFrame([]byte("3")), ws.NewTextFrame([]byte("6")), ws.NewBinaryFrame(nil)} {
				p.write(bytes.Repeat(masked(f), 20_000))
			}
			p.conn.Close()
		},
		"one-byte fragments": func(w *world) {
			p, _ := w.connect()
			go p.conn.Write(append(masked(ws.NewFrame(ws.OpBinary, false, nil)), bytes.Repeat(masked(ws.NewFrame(ws.OpContinuation, false, []byte("x"))), 100_000)...))
			p.expectClose(ws.StatusPolicyViolation)
		},
		"probes that say nothing": func(w *world) {
			p, _ := w.poll()
			for range 20 {
				w.probe(p.sid)
			}
			p.post("1")
		},
		"half-open handshakes, each with more than the last": func(w *world) {
			for _, start := range []string{"", "G", "GET /engine.io/?" + onPolling, upgradeRequest(onWebSocket)[:150], "POST /engine.io/?" + onPolling + " HTTP/1.1\r\nHost: x\r\nContent-Length: 9\r\n\r\n4"} {
				for range 20 {
					w.raw(start) // which stays open
				}
			}
		},
		"oversize on a probe": func(w *world) {
			p, _ := w.poll()
			probe := w.probe(p.sid)
			go probe.conn.Write(masked(ws.NewBinaryFrame(make([]byte, 1_000_001))))
			for {
				if _, err := probe.frame(); err != nil {
					break
				}
			}
			p.post("1")
		},
	} {
		t.Run(name, func(t *testing.T) {
			overAll(t, func(t *testing.T, f form) {
				h := &handler{}
				h.onMessage = func(s *engineio.Session, m engineio.Message) {
					if string(m.Data) == "well?" {
						echo(s, m)
					}
				}
				g := &gate{}
				w := start(t, f, h, engineio.Config{PerMessageDeflate: true, Admit: g.admit, CheckOrigin: func(*http.Request) bool { return true }})
				bystander, _ := w.connect()
				attacked := make(chan struct{})
				go func() { defer close(attacked); attack(w) }()
				tick := time.NewTicker(5 * time.Millisecond)
				defer tick.Stop()
				for going := true; going; {
					bystander.send("4well?")
					bystander.expect("4well?")
					select {
					case <-attacked:
						going = false
					case <-tick.C:
					}
				}
				w.eventually("nothing of the stranger is left", func() bool {
					st := w.server.Stats()
					return st.Sessions == 1 && st.QueuedBytes == 0 && g.in.Load()-g.out.Load() == 1
				})
				bystander.send("4well?")
				bystander.expect("4well?")
			})
		})
	}
}

// A peer that drips bytes lives no longer than one that is silent, and what it has begun is kept for no longer.
func TestDrippingPeersAreClosedLikeSilentOnes(t *testing.T) {
	for name, c := range map[string]struct {
		begin string
		drip  string
	}{
		"one frame":       {string(masked(ws.NewBinaryFrame(make([]byte, 900_000)))[:20]), "x"},
		"a header":        {"", "\x82"},
		"empty fragments": {string(masked(ws.NewFrame(ws.OpText, false, []byte("4")))), string(masked(ws.NewFrame(ws.OpContinuation, false, nil)))},
		"pings":           {string(masked(ws.NewFrame(ws.OpText, false, []byte("4")))), string(masked(ws.NewPingFrame(nil)))}, // with one extension
	} {
		t.Run(name, func(t *testing.T) {
			inVirtualTime(t, func(t *testing.T, f form) {
				w := start(t, f, nil, beat)
				p, _ := w.connect()
				go io.Copy(io.Discard, p.conn)
				begun := time.Now()
				p.conn.SetWriteDeadline(time.Now().Add(time.Hour))
				io.WriteString(p.conn, c.begin)
				go func() {
					for {
						if _, err := io.WriteString(p.conn, c.drip[:1]); err != nil {
							return
						}
						io.WriteString(p.conn, c.drip[1:])
						time.Sleep(time.Second)
					}
				}()
				receive(w, w.handler.closed, "session ends")
				if lived := time.Since(begun); lived > 70*time.Second {
					t.Errorf("lived %v, want at most two patiences more than a silent one", lived)
				}
			})
		})
	}
}

func TestABodyThatDripsIsCut(t *testing.T) {
	inVirtualTime(t, func(t *testing.T, f form) {
		w := start(t, f, nil, beat)
		p, _ := w.poll()
		conn := w.raw("POST /engine.io/?" + p.query() + " HTTP/1.1\r\nHost: qun.test\r\nContent-Length: 1000\r\n\r\n")
		begun := time.Now()
		go func() {
			for {
				time.Sleep(time.Second)
				if _, err := io.WriteString(conn, "4"); err != nil {
					return
				}
			}
		}()
		w.expectEnd(engineio.ErrTransportError)
		if lived := time.Since(begun); lived < 29*time.Second || lived > 31*time.Second {
			t.Errorf("cut after %v, want 30s", lived)
		}
	})
}

// Who opens sessions and never comes back leaves them only as long as the heartbeat allows.
func TestHandshakesWithoutASequelAreForgotten(t *testing.T) {
	inVirtualTime(t, func(t *testing.T, f form) {
		w := start(t, f, nil, beat)
		for range 500 {
			w.do("GET", "EIO=4&transport=polling", "", nil)
		}
		if n := w.server.Stats().Sessions; n != 500 {
			t.Errorf("got %d sessions, want 500", n)
		}
		time.Sleep(46 * time.Second)
		settle()
		if n := w.server.Stats().Sessions; n != 0 {
			t.Errorf("46s later: got %d sessions, want none", n)
		}
		for range 500 {
			w.expectEnd(engineio.ErrPingTimeout)
		}
	})
}

// Pings that come faster than they are answered are answered together, and those of a peer that does not read not at all.
func TestPingFloodPilesNothingUp(t *testing.T) {
	overBoth(t, func(t *testing.T, f form) {
		w := start(t, f, nil, engineio.Config{VolatileBytes: 10_000})
		p, s := w.connect()
		ping := masked(ws.NewPingFrame([]byte(repeat(125))))
		worst := 0
		for range 200 {
			p.write(bytes.Repeat(ping, 200))
			worst = max(worst, engineio.Queued(s))
		}
		if worst > 10_000+200 {
			t.Errorf("queued %d bytes of pongs, want no more than volatile packets may fill", worst)
		}
		w.expectNoEnd()
	})
}

func TestTheLastOfManyPingsIsAnswered(t *testing.T) {
	overBoth(t, func(t *testing.T, f form) {
		w := start(t, f, nil, engineio.Config{})
		p, s := w.connect()
		release := make(chan struct{})
		held := make(chan struct{})
		s.Shard().Post(run(func(*engineio.Shard) { close(held); <-release })) // nothing is answered meanwhile
		receive(w, held, "shard is busy")
		for i := range 1000 {
			p.write(masked(ws.NewPingFrame(fmt.Append(nil, i))))
		}
		p.send("4x")
		w.eventually("all has been read", func() bool { return w.server.Stats().MessagesIn == 1 })
		close(release)
		if got := string(p.next(ws.OpPong)); got != "999" {
			t.Errorf("pong: got %q, want that to the last ping", got)
		}
		p.expect("4x")
	})
}

func TestHandshakesKeepNoMoreThanTheirLimit(t *testing.T) {
	overBoth(t, func(t *testing.T, f form) {
		w := start(t, f, nil, engineio.Config{KeepHeaders: []string{"User-Agent"}, MaxHandshake: 2000})
		for _, c := range []struct {
			query, agent int
			fine         bool
		}{{1000, 500, true}, {1000, 1000, false}, {2000, 0, false}, {0, 2000, false}} {
			query, header := "&x="+repeat(c.query), http.Header{"User-Agent": {repeat(c.agent)}}
			got := w.do("GET", "EIO=4&transport=polling"+query, "", header)
			if (got.status == http.StatusOK) != c.fine || !c.fine && got.status != http.StatusRequestHeaderFieldsTooLarge {
				t.Errorf("polling with %d+%d bytes: got %d %s, want fine %v", c.query, c.agent, got.status, got.body, c.fine)
			}
			if _, err := w.upgrade("EIO=4&transport=websocket"+query, header); (err == nil) != c.fine {
				t.Errorf("websocket with %d+%d bytes: got %v, want fine %v", c.query, c.agent, err, c.fine)
			}
		}
	})
}

func TestSessionIDsCannotBeGuessed(t *testing.T) {
	inVirtualTime(t, func(t *testing.T, f form) {
		w := start(t, f, nil, engineio.Config{})
		seen := map[string]bool{}
		var letters [20]map[byte]bool
		for range 1000 {
			sid := parseOpening(t, w.do("GET", "EIO=4&transport=polling", "", nil).body).SID
			if len(sid) != 20 || seen[sid] {
				t.Fatalf("sid: got %q, want 20 characters that were not there before", sid)
			}
			seen[sid] = true
			for i := range sid {
				if letters[i] == nil {
					letters[i] = map[byte]bool{}
				}
				letters[i][sid[i]] = true
			}
		}
		for i, set := range letters {
			if len(set) < 60 { // of 64; each is missing from a thousand with a chance of one in ten million
				t.Errorf("character %d takes %d values, want all 64", i, len(set))
			}
		}
	})
}

// Upgrades and closes meet at every moment: everybody is let go, and every place at the gate comes back.
func TestUpgradesRaceWithCloses(t *testing.T) {
	overBoth(t, func(t *testing.T, f form) {
		g := &gate{}
		w := start(t, f, nil, engineio.Config{Admit: g.admit})
		for i := range 60 {
			p, s := w.poll()
			ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
			answer := p.async(ctx, "GET", "")
			var racing sync.WaitGroup
			racing.Go(func() {
				if probe, err := w.upgrade("EIO=4&transport=websocket&sid="+p.sid, nil); err == nil {
					go probe.conn.Write(slices.Concat(masked(ws.NewTextFrame([]byte("2probe"))), masked(ws.NewTextFrame([]byte("5"))), masked(ws.NewTextFrame([]byte("4x")))))
					drain(probe)
				}
			})
			racing.Go(func() {
				switch i % 3 {
				case 0:
					s.Close(engineio.ErrForcedServerClose)
				case 1:
					p.request(ctx, "POST", p.query(), "1", nil)
					s.Close(nil) // the goodbye may have come too late
				case 2:
					s.Send(text(repeat(1000)))
					s.Close(engineio.ErrForcedClose)
				}
			})
			racing.Wait()
			receive(w, w.handler.closed, "session ends")
			receive(w, answer, "poll is let go")
			p.request(ctx, "GET", p.query(), "", nil) // for the close packet, if that is still to come
			cancel()
		}
		w.eventually("all have left", func() bool { return w.server.Stats().Sessions == 0 && g.in.Load() == g.out.Load() })
	})
}

// What a peer that leaves has not taken does not keep it from hearing that its close was understood.
func TestPeerThatClosesDuringAWriteIsAnswered(t *testing.T) {
	overAll(t, func(t *testing.T, f form) {
		w := start(t, f, nil, engineio.Config{})
		p, s := w.connect()
		w.fill(s, text(repeat(10_000)), 50_000)
		p.write(masked(ws.NewCloseFrame(ws.NewCloseFrameBody(ws.StatusNormalClosure, ""))))
		for {
			got, err := p.frame()
			if err != nil {
				t.Fatalf("got %v, want a close frame first", err)
			}
			if got.Header.OpCode == ws.OpClose {
				break
			}
		}
		p.expectCut()
		w.expectEnd(engineio.ErrTransportClose)
	})
}

func TestPeerThatClosesAndNeverReadsIsCut(t *testing.T) {
	overBoth(t, func(t *testing.T, f form) {
		w := start(t, f, nil, engineio.Config{})
		p, s := w.connect()
		w.fill(s, text(repeat(10_000)), 50_000)
		p.write(masked(ws.NewCloseFrame(nil)))
		w.expectEnd(engineio.ErrTransportClose)
		w.eventually("session is gone", func() bool { return w.server.Stats().Sessions == 0 })
	})
}

// Who keeps most goes first, on whatever shard it is, and nobody else goes when that was enough.
func TestTheSlowestOfAllShardsIsEvicted(t *testing.T) {
	inVirtualTime(t, func(t *testing.T, f form) {
		w := start(t, f, nil, engineio.Config{MemoryBytes: 100_000, OutboxBytes: 1 << 30, PingInterval: time.Hour})
		if len(w.server.Shards()) < 2 {
			t.Skip("impossible here: one processor makes one shard")
		}
		var hogs, modest []*engineio.Session
		for range 4 * len(w.server.Shards()) {
			_, s := w.poll() // nobody polls
			if last := w.server.Shards()[len(w.server.Shards())-1]; s.Shard() == last && len(hogs) < 2 {
				hogs = append(hogs, s)
			} else {
				modest = append(modest, s)
			}
		}
		hogs[0].Send(text(repeat(40_000)))
		hogs[1].Send(text(repeat(45_000)))
		settle()
		for i := 0; !hogs[0].Closed(); i++ {
			s := modest[i%len(modest)]
			if s.Shard() == hogs[0].Shard() {
				continue
			}
			s.Send(text(repeat(2000)))
			settle()
			if got := w.server.Stats().QueuedBytes; got > 100_000 {
				t.Fatalf("%d bytes are kept, want at most 100000", got)
			}
			if hogs[0].Closed() && !hogs[1].Closed() {
				t.Fatal("the second slowest went first")
			}
		}
		for range 2 {
			w.expectEnd(engineio.ErrSlowConsumer)
		}
		settle()
		w.expectNoEnd()
	})
}
