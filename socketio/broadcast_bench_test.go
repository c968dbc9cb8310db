package socketio_test

import (
	"bufio"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"qun/engineio"
	"qun/socketio"
)

// BenchmarkBroadcast sends messages of 64 bytes to rooms over loopback, and waits until every member has received all.
func BenchmarkBroadcast(b *testing.B) {
	for _, c := range []struct{ rooms, members int }{{1, 1000}, {100, 10}} {
		b.Run(fmt.Sprintf("%dx%d", c.rooms, c.members), func(b *testing.B) { benchmarkBroadcast(b, c.rooms, c.members) })
	}
}

func benchmarkBroadcast(b *testing.B, rooms, members int) {
	server := socketio.New(socketio.Config{Engine: engineio.Config{OutboxBytes: 64 << 20}})
	web := httptest.NewServer(server)
	defer web.Close()
	defer stop(b, server)
	var received atomic.Int64
	for range rooms * members {
		go swallow(b, web.Listener.Addr().String(), func(n int) { received.Add(int64(n)) })
	}
	n := server.Of("/")
	for n.Len() < rooms*members {
		time.Sleep(time.Millisecond)
	}
	name := func(i int) socketio.Room { return socketio.Room(fmt.Sprint("room ", i%rooms)) }
	for i, s := range n.Sockets() {
		_ = s.Join(name(i))
	}
	message := json.RawMessage(`"` + strings.Repeat("x", 50) + `"`)
	size := int64(len(`..42["m",]`) + len(message))
	received.Store(0)
	b.ReportAllocs()
	b.ResetTimer()
	for i := range b.N {
		_ = n.To(name(i)).Emit("m", message)
		for want := int64(i-512) * int64(members) * size; received.Load() < want; { // no further ahead than 512 messages
			time.Sleep(100 * time.Microsecond)
		}
	}
	for want := int64(b.N) * int64(members) * size; received.Load() < want; {
		time.Sleep(100 * time.Microsecond)
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N*members), "ns/delivery")
}

// swallow joins the main namespace and tells of the bytes that come then.
func swallow(b testing.TB, address string, received func(n int)) {
	c, err := net.Dial("tcp", address)
	if err != nil {
		b.Error(err)
		return
	}
	defer c.Close()
	fmt.Fprintf(c, "GET /socket.io/?EIO=4&transport=websocket HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"+
		"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n\r\n")
	r := bufio.NewReaderSize(c, 16<<10)
	if _, err := http.ReadResponse(r, nil); err != nil {
		b.Error(err)
		return
	}
	_, _ = c.Write([]byte{0x81, 0x82, 0, 0, 0, 0, '4', '0'})
	_, _ = r.ReadString('}') // the open packet
	_, _ = r.ReadString('}') // CONNECT
	for buf := make([]byte, 16<<10); ; {
		n, err := r.Read(buf)
		received(n)
		if err != nil {
			if err != io.EOF && !strings.Contains(err.Error(), "reset") {
				b.Log(err)
			}
			return
		}
	}
}
