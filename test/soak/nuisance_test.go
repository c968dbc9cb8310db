package soak_test

import (
	"context"
	"fmt"
	"math/rand/v2"
	"net"
	"net/http"
	"strings"
	"time"

	"github.com/gobwas/ws"
	"github.com/gobwas/ws/wsutil"

	"qun/socketio"
	"qun/test/sioclient"
)

// kinds are what people do to a server. Each returns when it is over, and says whether it got as far as it wanted to.
var kinds = []struct {
	name   string
	commit func(*server, *rand.Rand) bool
}{
	{"come, talk and go", (*server).visit},
	{"upgrade", func(s *server, r *rand.Rand) bool { return s.upgrade(r, true) }},
	{"break off an upgrade", func(s *server, r *rand.Rand) bool { return s.upgrade(r, false) }},
	{"abandon a session that polls", (*server).abandon},
	{"hang up on a poll", (*server).hangUp},
	{"never read", (*server).neverRead},
	{"send garbage for HTTP", (*server).garbleHTTP},
	{"send garbage for frames", (*server).garbleFrames},
	{"send garbage for packets", (*server).garblePackets},
}

func noisyRoom(r *rand.Rand) socketio.Room { return socketio.Room(fmt.Sprint("noise ", r.IntN(5))) }

// visit joins and leaves rooms, talks, and goes politely or without a word.
func (s *server) visit(r *rand.Rand) bool {
	ctx, cancel := brief()
	defer cancel()
	client, err := sioclient.Dial(ctx, sioclient.Config{URL: s.url})
	if err != nil {
		return false
	}
	defer client.Close()
	for range r.IntN(10) {
		room := noisyRoom(r)
		if _, err := client.Call(ctx, "join", room); err != nil {
			return false
		}
		if client.Emit("say", utterance{Room: room, Text: strings.Repeat("noise ", r.IntN(2000))}) != nil {
			return false
		}
		if r.IntN(2) == 0 {
			_ = client.Emit("leave", room) // the next call tells
		}
	}
	if r.IntN(2) == 0 {
		_ = client.Disconnect() // Close ends it anyway
	}
	return true
}

// upgrade goes from polling to WebSocket, or stops somewhere on the way.
func (s *server) upgrade(r *rand.Rand, whole bool) bool {
	ctx, cancel := brief()
	defer cancel()
	web := &http.Client{Transport: &http.Transport{DisableKeepAlives: true}}
	p, err := s.openPolling(ctx, web)
	if err != nil {
		return false
	}
	address := strings.Replace(strings.Replace(p.url, "http", "ws", 1), "transport=polling", "transport=websocket", 1)
	conn, err := dialFrames(ctx, address)
	if err != nil {
		return false
	}
	defer conn.Close()
	steps := []string{"2probe", "5", `42["echo",1]`}
	if !whole {
		steps = steps[:r.IntN(len(steps))]
	}
	for i, step := range steps {
		if wsutil.WriteClientText(conn, []byte(step)) != nil {
			return false
		}
		if i == 0 {
			if answer, err := wsutil.ReadServerText(conn); err != nil || string(answer) != "3probe" {
				return false
			}
		}
	}
	for whole {
		packet, err := wsutil.ReadServerText(conn)
		if err != nil {
			return false
		}
		if strings.HasPrefix(string(packet), `42["echo",1`) { // an offset follows
			return true
		}
	}
	return true
}

func (s *server) abandon(*rand.Rand) bool {
	ctx, cancel := brief()
	defer cancel()
	_, err := s.openPolling(ctx, &http.Client{Transport: &http.Transport{DisableKeepAlives: true}})
	return err == nil
}

func (s *server) hangUp(r *rand.Rand) bool {
	ctx, cancel := brief()
	defer cancel()
	p, err := s.openPolling(ctx, &http.Client{Transport: &http.Transport{DisableKeepAlives: true}})
	if err != nil {
		return false
	}
	_, _ = p.get(ctx) // what came with CONNECT
	impatient, hang := context.WithTimeout(ctx, time.Duration(r.IntN(50))*time.Millisecond)
	defer hang()
	_, err = p.get(impatient)
	return err != nil
}

// neverRead joins a noisy room and takes nothing.
func (s *server) neverRead(r *rand.Rand) bool {
	ctx, cancel := brief()
	defer cancel()
	conn, err := dialFrames(ctx, "ws://"+s.address+"/socket.io/?EIO=4&transport=websocket")
	if err != nil {
		return false
	}
	defer conn.Close()
	if tcp, ok := conn.Conn.(*net.TCPConn); ok {
		_ = tcp.SetReadBuffer(4096) // so that it is full soon
	}
	large := `42["echo","` + strings.Repeat("x", 900_000) + `"]`
	for _, packet := range []string{"40", "42" + mustJSON([]any{"join", noisyRoom(r)}), large, large, large} {
		if wsutil.WriteClientText(conn, []byte(packet)) != nil {
			return false
		}
	}
	time.Sleep(time.Duration(r.IntN(2000)) * time.Millisecond)
	return true
}

func (s *server) garbleHTTP(r *rand.Rand) bool {
	return s.garble(r, []byte("POST /socket.io/?EIO=4&transport=polling HTTP/1.1\r\nHost: a\r\nContent-Length: 100\r\n\r\n"))
}

func (s *server) garbleFrames(r *rand.Rand) bool {
	return s.garble(r, []byte("GET /socket.io/?EIO=4&transport=websocket HTTP/1.1\r\nHost: "+s.address+"\r\nConnection: Upgrade\r\n"+
		"Upgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n"))
}

// garble sends a beginning that makes sense, and then bytes that do not.
func (s *server) garble(r *rand.Rand, beginning []byte) bool {
	conn, err := net.DialTimeout("tcp", s.address, 5*time.Second)
	if err != nil {
		return false
	}
	defer conn.Close()
	bytes := make([]byte, r.IntN(5000))
	for i := range bytes {
		bytes[i] = byte(r.Uint32())
	}
	_, err = conn.Write(append(beginning, bytes...))
	return err == nil
}

// garblePackets sends packets of which pieces are exchanged.
func (s *server) garblePackets(r *rand.Rand) bool {
	ctx, cancel := brief()
	defer cancel()
	conn, err := dialFrames(ctx, "ws://"+s.address+"/socket.io/?EIO=4&transport=websocket")
	if err != nil {
		return false
	}
	defer conn.Close()
	pieces := []string{"4", "0", "2", "5", "1", "-", "/", ",", "[", "]", "{", "}", `"`, `"echo"`, `{"_placeholder":true,"num":0}`, "\x1e", "\xff", "999999999"}
	sent := wsutil.WriteClientText(conn, []byte("40"))
	for range r.IntN(20) {
		var packet strings.Builder
		packet.WriteByte('4')
		for range r.IntN(12) {
			packet.WriteString(pieces[r.IntN(len(pieces))])
		}
		_ = wsutil.WriteClientText(conn, []byte(packet.String())) // the server may have had enough
	}
	return sent == nil
}

// frames is a WebSocket as a stream of frames.
type frames struct {
	net.Conn
	read func([]byte) (int, error)
}

func (f frames) Read(b []byte) (int, error) { return f.read(b) }

// dialFrames opens a WebSocket that ends with the context's deadline.
func dialFrames(ctx context.Context, address string) (frames, error) {
	conn, early, _, err := ws.Dial(ctx, address)
	if err != nil {
		return frames{}, err
	}
	if deadline, ok := ctx.Deadline(); ok {
		_ = conn.SetDeadline(deadline) // a connection that has ended says so when it is used
	}
	if early != nil {
		return frames{conn, early.Read}, nil
	}
	return frames{conn, conn.Read}, nil
}
