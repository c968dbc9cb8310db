package engineio_test

import (
	"context"
	"net"
	"net/http"
	"runtime"
	"slices"
	"testing"
	"time"

	"github.com/gobwas/ws"

	"qun/engineio"
)

// serve makes a server on loopback for a benchmark.
func serve(b *testing.B, h *handler) (*engineio.Server, func() (net.Conn, error)) {
	b.Helper()
	h.opened, h.closed = make(chan *engineio.Session, 4096), make(chan error, 4096)
	s := engineio.NewServer(h, engineio.Config{})
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		b.Fatal(err)
	}
	web := &http.Server{Handler: s}
	go web.Serve(l)
	b.Cleanup(func() {
		impatient, cancel := context.WithTimeout(context.Background(), time.Millisecond)
		defer cancel()
		s.Shutdown(impatient)
		s.Shutdown(context.Background())
		web.Close()
	})
	return s, func() (net.Conn, error) { return net.Dial("tcp", l.Addr().String()) }
}

// One packet to a thousand sessions, posted as one entry per shard. A round is over when every byte has been read, so
// nothing is measured that is only queued.
func BenchmarkBroadcastTo1000(b *testing.B) {
	h := &handler{}
	s, dial := serve(b, h)
	all := gather(b, dial, h.opened, 1000)
	for s.Stats().PacketsOut < 1000 {
		runtime.Gosched()
	}
	sent := int64(s.Stats().BytesOut)
	all.await(sent)
	packet := text(repeat(100))
	var parts []*broadcast
	for _, sh := range s.Shards() {
		members := slices.DeleteFunc(slices.Clone(all.sessions), func(s *engineio.Session) bool { return s.Shard() != sh })
		parts = append(parts, &broadcast{sessions: members, packet: packet, done: make(chan struct{}, 1)})
	}
	b.SetBytes(int64(1000 * packet.Size()))
	b.ReportAllocs()
	for b.Loop() {
		for i, sh := range s.Shards() {
			sh.Post(parts[i])
		}
		for i := range parts {
			<-parts[i].done
		}
		sent += int64(1000 * packet.Size())
		all.await(sent)
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/1000, "ns/delivery")
}

// A message there and back, one at a time.
func BenchmarkEcho(b *testing.B) {
	h := &handler{onMessage: echo}
	_, dial := serve(b, h)
	conn, err := dial()
	if err != nil {
		b.Fatal(err)
	}
	defer conn.Close()
	br, _, err := ws.Dialer{}.Upgrade(conn, wsURL("EIO=4&transport=websocket"))
	if err != nil {
		b.Fatal(err)
	}
	p := &peer{t: b, patience: time.Hour, conn: conn, in: conn}
	if br != nil {
		p.in = br
	}
	parseOpening(b, p.text())
	message := masked(ws.NewTextFrame([]byte("4" + repeat(100))))
	answer := make([]byte, 2+101)
	b.ReportAllocs()
	for b.Loop() {
		p.write(message)
		for n := 0; n < len(answer); {
			m, err := p.in.Read(answer[n:])
			if err != nil {
				b.Fatal(err)
			}
			n += m
		}
	}
}
