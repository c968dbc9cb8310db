package load_test

import (
	"bufio"
	"bytes"
	"encoding/binary"
	"io"
	"net"
	"net/http"
	"net/netip"
	"sync"
	"testing"
	"time"

	"qun/bench/load"
)

// room is a server with one room that everybody is in. It delivers each message to each member as often as copies says.
type room struct {
	copies func(message, member int) int

	mu       sync.Mutex
	members  []net.Conn
	messages int
}

func serve(t *testing.T, copies func(message, member int) int) load.Config {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	r := &room{copies: copies}
	var serving sync.WaitGroup
	serving.Go(func() {
		for {
			conn, err := listener.Accept()
			if err != nil {
				return
			}
			serving.Go(func() { r.serve(conn) })
		}
	})
	t.Cleanup(func() { listener.Close(); serving.Wait() })
	return load.Config{Server: load.At(netip.MustParseAddrPort(listener.Addr().String())), Dialect: load.SocketIO}
}

func (r *room) serve(conn net.Conn) {
	defer conn.Close()
	in := bufio.NewReader(conn)
	if _, err := http.ReadRequest(in); err != nil {
		return
	}
	io.WriteString(conn, "HTTP/1.1 101 Switching Protocols\r\n\r\n")
	conn.Write(frame(`0{}`))
	for {
		text, err := read(in)
		switch {
		case err != nil:
			return
		case bytes.Equal(text, []byte("40")):
			conn.Write(frame(`40{}`))
		case bytes.HasPrefix(text, []byte(`420["joinRoom"`)):
			r.join(conn)
			conn.Write(frame(`430[]`))
		case bytes.HasPrefix(text, []byte(`42["sendMessage"`)):
			r.deliver(text)
		}
	}
}

func (r *room) join(conn net.Conn) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.members = append(r.members, conn)
}

func (r *room) deliver(text []byte) {
	_, body, _ := bytes.Cut(text, []byte(","))
	r.mu.Lock()
	defer r.mu.Unlock()
	r.messages++
	for i, member := range r.members {
		for range r.copies(r.messages, i) {
			member.Write(frame(`42["message",` + string(body)))
		}
	}
}

func frame(text string) []byte {
	b := []byte{0x81, byte(len(text))}
	if len(text) >= 126 {
		b = binary.BigEndian.AppendUint16([]byte{0x81, 126}, uint16(len(text)))
	}
	return append(b, text...)
}

func read(in *bufio.Reader) ([]byte, error) {
	var header [8]byte
	if _, err := io.ReadFull(in, header[:6]); err != nil {
		return nil, err
	}
	size, mask := int(header[1]&0x7f), header[2:6]
	if size == 126 {
		if _, err := io.ReadFull(in, header[6:8]); err != nil {
			return nil, err
		}
		size, mask = int(binary.BigEndian.Uint16(header[2:])), header[4:8]
	}
	text := make([]byte, size)
	_, err := io.ReadFull(in, text)
	for i := range text {
		text[i] ^= mask[i&3]
	}
	return text, err
}

const members = 5

func crowd(t *testing.T, cfg load.Config) *load.Crowd {
	t.Helper()
	c, err := load.NewCrowd(cfg)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(c.Close)
	if _, err := c.Connect(members); err != nil {
		t.Fatal(err)
	}
	if err := c.Join(load.Shape{Rooms: 1, Members: members, Senders: 2}); err != nil {
		t.Fatal(err)
	}
	return c
}

// short is a measurement with nothing before it, so that every message counts.
func short(edge func()) load.Timing { return load.Timing{Measure: 100 * time.Millisecond, Edge: edge} }

func TestEveryCopyIsCounted(t *testing.T) {
	c := crowd(t, serve(t, func(int, int) int { return 1 }))
	edges := 0
	w, err := c.Closed(short(func() { edges++ }))
	if err != nil {
		t.Fatal(err)
	}
	all := c.Counts()
	if all.Deliveries != members*all.Sent || all.Sent < 10 || w.Lost+w.Doubled+w.Dead > 0 || edges != 2 {
		t.Errorf("got %+v and %d edges, want %d copies of each message, no trouble, 2 edges", all, edges, members)
	}
	if w.Latency.Quantile(0.5) <= 0 || w.Latency.Quantile(0.5) > w.Latency.Quantile(0.99) || w.Latency.Quantile(0.99) > w.Latency.Worst() {
		t.Errorf("latencies are out of order: %v, %v, %v", w.Latency.Quantile(0.5), w.Latency.Quantile(0.99), w.Latency.Worst())
	}
}

func TestFixedRateIsNotExceeded(t *testing.T) {
	c := crowd(t, serve(t, func(int, int) int { return 1 }))
	w, err := c.Fixed(200, short(func() {}))
	if err != nil {
		t.Fatal(err)
	}
	if most := uint64(200*w.Took.Seconds()) + 2; w.Sent == 0 || w.Sent > most {
		t.Errorf("got %d messages in %v, want some, and at most %d", w.Sent, w.Took, most)
	}
}

func TestLostCopyIsNoticed(t *testing.T) {
	c := crowd(t, serve(t, func(message, member int) int {
		if message == 3 && member == 2 {
			return 0
		}
		return 1
	}))
	w, err := c.Fixed(200, short(func() {}))
	if err != nil {
		t.Fatal(err)
	}
	if w.Lost != 1 || w.Doubled != 0 {
		t.Errorf("got %d lost and %d doubled, want 1 and 0", w.Lost, w.Doubled)
	}
}

func TestDoubledCopyIsNoticed(t *testing.T) {
	c := crowd(t, serve(t, func(message, member int) int {
		if message == 3 && member == 2 {
			return 2
		}
		return 1
	}))
	w, err := c.Fixed(200, short(func() {}))
	if err != nil {
		t.Fatal(err)
	}
	if w.Lost != 0 || w.Doubled != 1 {
		t.Errorf("got %d lost and %d doubled, want 0 and 1", w.Lost, w.Doubled)
	}
}
