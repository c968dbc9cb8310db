package engineio_test

import (
	"bytes"
	"net"
	"os"
	"runtime"
	"slices"
	"sync/atomic"
	"testing"

	"github.com/gobwas/ws"

	"qun/engineio"
)

func TestSessionsThatEndLeaveNothing(t *testing.T) {
	const rounds, each = 10, 200
	w := start(t, sockets, &handler{onMessage: echo}, engineio.Config{})
	own := len(w.server.Shards())
	for range own {
		w.connect() // what each shard makes once is made now
	}
	w.eventually("quiet", func() bool { return w.server.Stats().PacketsOut == uint64(own) })
	goroutines, files := runtime.NumGoroutine()-engineio.Resting(w.server), openFiles(t)
	for range rounds {
		var peers []*peer
		for i := range each {
			p, s := w.connect()
			peers = append(peers, p)
			switch i % 4 {
			case 0:
				p.send("4hello")
				p.expect("4hello")
			case 1:
				s.Send(text("hello"))
			case 2:
				s.Close(engineio.ErrForcedServerClose)
			}
		}
		for _, p := range peers {
			p.conn.Close()
		}
		for range each {
			receive(w, w.handler.closed, "session ends")
		}
	}
	w.eventually("sessions are forgotten", func() bool { return w.server.Stats().Sessions == own })
	if n := engineio.Deadlines(w.server); n != own {
		t.Errorf("deadlines: got %d, want %d", n, own)
	}
	w.eventually("goroutines end", func() bool { return runtime.NumGoroutine()-engineio.Resting(w.server) <= goroutines })
	w.eventually("files are closed", func() bool { return openFiles(t) <= files })
}

// openFiles is the number of descriptors of the process, or 0 where that cannot be known.
func openFiles(t *testing.T) int {
	t.Helper()
	names, err := os.ReadDir("/proc/self/fd")
	if os.IsNotExist(err) {
		return 0
	}
	if err != nil {
		t.Fatal(err)
	}
	return len(names)
}

// A broadcast is an Entry that sends one packet to sessions of its shard, and is used again and again.
type broadcast struct {
	sessions []*engineio.Session
	packet   *engineio.Packet
	done     chan struct{}
}

func (b *broadcast) Run(sh *engineio.Shard) {
	for _, s := range b.sessions {
		sh.Send(s, false, b.packet)
	}
	b.done <- struct{}{}
}

// An audience is peers that read and forget.
type audience struct {
	sessions []*engineio.Session
	read     atomic.Int64 // bytes, by all together
	awaited  atomic.Int64
	reached  chan struct{} // told when read reaches awaited
}

// await waits until the audience has read n bytes altogether. Spinning would keep the runtime from polling the network.
func (a *audience) await(n int64) {
	a.awaited.Store(n)
	for a.read.Load() < n {
		<-a.reached
	}
}

func (a *audience) note(n int) {
	if read := a.read.Add(int64(n)); read >= a.awaited.Load() {
		select {
		case a.reached <- struct{}{}:
		default:
		}
	}
}

// gather connects an audience of n.
func gather(tb testing.TB, dial func() (net.Conn, error), opened <-chan *engineio.Session, n int) *audience {
	tb.Helper()
	a := &audience{reached: make(chan struct{}, 1)}
	for range n {
		conn, err := dial()
		if err != nil {
			tb.Fatal(err)
		}
		tb.Cleanup(func() { conn.Close() })
		br, _, err := ws.Dialer{}.Upgrade(conn, wsURL("EIO=4&transport=websocket"))
		if err != nil {
			tb.Fatal(err)
		}
		early := 0
		if br != nil {
			early = br.Buffered()
		}
		a.sessions = append(a.sessions, <-opened)
		go func() {
			a.note(early)
			buf := make([]byte, 32<<10)
			for {
				n, err := conn.Read(buf)
				a.note(n)
				if err != nil {
					return
				}
			}
		}()
	}
	return a
}

func TestBroadcastAllocatesNothingPerDelivery(t *testing.T) {
	if underRace {
		t.Skip("impossible here: the race detector empties pools at random; make check runs this test once more without it")
	}
	w := start(t, sockets, nil, engineio.Config{})
	all := gather(t, w.dial, w.handler.opened, 600)
	sh := w.server.Shards()[0]
	members := slices.DeleteFunc(slices.Clone(all.sessions), func(s *engineio.Session) bool { return s.Shard() != sh })
	b := &broadcast{sessions: members, packet: text(repeat(100)), done: make(chan struct{}, 1)}
	w.eventually("opening packets are written", func() bool { return w.server.Stats().PacketsOut == 600 })
	sent := int64(w.server.Stats().BytesOut)
	all.await(sent)
	perRun := testing.AllocsPerRun(50, func() {
		sh.Post(b)
		<-b.done
		sent += int64(len(members) * b.packet.Size())
		all.await(sent)
	})
	if perRun >= 1 {
		t.Errorf("got %.1f allocations for %d deliveries, want none", perRun, len(members))
	}
}

func TestInboundMessageAllocatesLittle(t *testing.T) {
	if underRace {
		t.Skip("impossible here: the race detector allocates too; make check runs this test once more without it")
	}
	const batch = 100
	handled, all := 0, make(chan struct{})
	w := start(t, sockets, &handler{onMessage: func(*engineio.Session, engineio.Message) {
		if handled++; handled%batch == 0 {
			all <- struct{}{}
		}
	}}, engineio.Config{})
	p, _ := w.connect()
	frames := bytes.Repeat(masked(ws.NewTextFrame([]byte("4"+repeat(100)))), batch)
	perRun := testing.AllocsPerRun(30, func() {
		p.write(frames)
		<-all
	})
	if perMessage := perRun / batch; perMessage > 1.5 { // the message, and what a pool has lost
		t.Errorf("got %.2f allocations per message, want at most 1", perMessage)
	}
}
