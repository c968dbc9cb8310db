// Floor is the peers' job done with as little as possible: no limits, no acknowledged delivery, no slow peers, no heartbeat,
// one namespace, and requests that look exactly as the load generator writes them. It shows what the system calls alone
// cost. By default everything that waits for a member leaves in one write; with -each every message is a write of its own.
package main

import (
	"bufio"
	"bytes"
	"crypto/sha1"
	"encoding/base64"
	"encoding/binary"
	"flag"
	"io"
	"log"
	"net"
	"net/http"
	"runtime"
	"sync"
)

type member struct {
	conn    net.Conn
	pending []byte // guarded by hall.mu
	spare   []byte // owned by the flusher
	queued  bool   // guarded by hall.mu
}

// hall is all there is: the rooms, and the members with something pending.
type hall struct {
	each  bool
	mu    sync.Mutex
	rooms map[string][]*member
	dirty []*member
	bell  chan struct{}
}

func main() {
	each := flag.Bool("each", false, "one write for every message")
	flag.Parse()
	listener, err := net.Listen("tcp", flag.Arg(0))
	if err != nil {
		log.Fatal(err)
	}
	h := &hall{each: *each, rooms: map[string][]*member{}, bell: make(chan struct{}, 1)}
	go h.flush()
	for {
		conn, err := listener.Accept()
		if err != nil {
			log.Fatal(err)
		}
		go h.serve(conn)
	}
}

func (h *hall) serve(conn net.Conn) {
	defer conn.Close()
	r := bufio.NewReaderSize(conn, 1024)
	if upgrade(conn, r) != nil {
		return
	}
	m := &member{conn: conn}
	h.send(frame([]byte(`0{"sid":"x","upgrades":[],"pingInterval":25000,"pingTimeout":20000,"maxPayload":1000000}`)), m)
	for {
		text, err := readFrame(r)
		if err != nil {
			return
		}
		h.handle(m, text)
	}
}

func upgrade(conn net.Conn, r *bufio.Reader) error {
	request, err := http.ReadRequest(r)
	if err != nil {
		return err
	}
	sum := sha1.Sum([]byte(request.Header.Get("Sec-WebSocket-Key") + "258EAFA5-E914-47DA-95CA-C5AB0DC85B11"))
	_, err = io.WriteString(conn, "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: "+
		base64.StdEncoding.EncodeToString(sum[:])+"\r\n\r\n")
	return err
}

// handle takes texts by their look; nothing is decoded.
func (h *hall) handle(m *member, text []byte) {
	switch {
	case bytes.Equal(text, []byte("40")):
		h.send(frame([]byte(`40{"sid":"x"}`)), m)
	case bytes.Contains(text, []byte(`["joinRoom"`)):
		h.join(m, string(value(text, `"roomName":"`)))
		h.send(answer(text, nil), m)
	case bytes.Contains(text, []byte(`["sendMessage"`)):
		h.broadcast(text)
	case bytes.Contains(text, []byte(`["echo"`)):
		_, body, _ := bytes.Cut(text, []byte(`,`))
		h.send(answer(text, body[:len(body)-1]), m)
	}
}

func (h *hall) join(m *member, room string) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.rooms[room] = append(h.rooms[room], m)
}

func (h *hall) broadcast(text []byte) {
	out := append([]byte(`42["message",{"nickName":"`), value(text, `"nickName":"`)...)
	out = append(append(append(out, `","message":"`...), value(text, `"message":"`)...), `"}]`...)
	h.mu.Lock()
	members := h.rooms[string(value(text, `"room":"`))]
	h.mu.Unlock()
	h.send(frame(out), members...)
}

// send writes at once, or leaves that to the flusher.
func (h *hall) send(frame []byte, members ...*member) {
	if h.each {
		for _, m := range members {
			m.conn.Write(frame) // net.Conn lets one writer in at a time
		}
		return
	}
	h.mu.Lock()
	for _, m := range members {
		m.pending = append(m.pending, frame...)
		if !m.queued {
			m.queued = true
			h.dirty = append(h.dirty, m)
		}
	}
	h.mu.Unlock()
	select {
	case h.bell <- struct{}{}:
	default:
	}
}

// flush writes everything that is pending, one write for each member, whenever the bell rings.
func (h *hall) flush() {
	var batch []*member
	var outs [][]byte
	for range h.bell {
		runtime.Gosched() // who is ready to send goes first
		h.mu.Lock()
		batch, h.dirty = h.dirty, batch[:0]
		outs = outs[:0]
		for _, m := range batch {
			outs = append(outs, m.pending)
			m.pending, m.spare, m.queued = m.spare[:0], m.pending, false
		}
		h.mu.Unlock()
		for i, m := range batch {
			m.conn.Write(outs[i])
		}
	}
}

// value is the text of a string field.
func value(text []byte, key string) []byte {
	_, rest, _ := bytes.Cut(text, []byte(key))
	v, _, _ := bytes.Cut(rest, []byte(`"`))
	return v
}

// answer acknowledges the request in text.
func answer(text, body []byte) []byte {
	id, _, _ := bytes.Cut(text[2:], []byte("["))
	out := append(append([]byte("43"), id...), '[')
	return frame(append(append(out, body...), ']'))
}

func frame(payload []byte) []byte {
	if len(payload) < 126 {
		return append([]byte{0x81, byte(len(payload))}, payload...)
	}
	return append(binary.BigEndian.AppendUint16([]byte{0x81, 126}, uint16(len(payload))), payload...)
}

func readFrame(r *bufio.Reader) ([]byte, error) {
	var header [8]byte
	if _, err := io.ReadFull(r, header[:6]); err != nil {
		return nil, err
	}
	size, mask := int(header[1]&0x7f), header[2:6]
	if size == 126 {
		if _, err := io.ReadFull(r, header[6:8]); err != nil {
			return nil, err
		}
		size, mask = int(binary.BigEndian.Uint16(header[2:])), header[4:8]
	}
	text := make([]byte, size)
	_, err := io.ReadFull(r, text)
	for i := range text {
		text[i] ^= mask[i&3]
	}
	return text, err
}
