package soak_test

import (
	"context"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"os"
	"runtime"
	"strings"
	"testing"
	"time"

	"qun/engineio"
	"qun/socketio"
)

// server is one that relays what is said to the room it is said to.
type server struct {
	url, address string
	engine       *socketio.Server
}

type utterance struct {
	Room   socketio.Room `json:"room"`
	From   int           `json:"from"`
	Number int           `json:"number"`
	Text   string        `json:"text"`
}

func startServer(t *testing.T) *server {
	t.Helper()
	engine := socketio.New(socketio.Config{
		Engine: engineio.Config{
			PingInterval: time.Second, PingTimeout: 5 * time.Second, UpgradeTimeout: time.Second, OutboxAge: 3 * time.Second,
		},
		Recovery:       &socketio.Recovery{MaxDisconnection: time.Second},
		ConnectTimeout: time.Second,
	})
	root := engine.Of("/")
	socketio.On(root, "join", func(_ context.Context, s *socketio.Socket, room socketio.Room) (bool, error) {
		return true, s.Join(room)
	})
	socketio.On(root, "leave", func(_ context.Context, s *socketio.Socket, room socketio.Room) (bool, error) {
		s.Leave(room)
		return true, nil
	})
	socketio.On(root, "say", func(_ context.Context, s *socketio.Socket, said utterance) (bool, error) {
		return true, s.Namespace().To(said.Room).Emit("said", said)
	})
	socketio.Handle(root, "echo", func(_ context.Context, s *socketio.Socket, e *socketio.Event) { s.Emit("echo", e.Args) })
	web := httptest.NewServer(engine)
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
		defer cancel()
		if err := engine.Shutdown(ctx); err != nil {
			t.Errorf("shut down: %v", err)
		}
		web.Close()
	})
	return &server{url: web.URL, address: strings.TrimPrefix(web.URL, "http://"), engine: engine}
}

// usage is what the whole process holds: the server, and the clients that are still there.
type usage struct {
	goroutines, descriptors int
	heap                    uint64
}

var unlimited = usage{1 << 30, 1 << 30, 1 << 60}

func (u usage) within(allowed usage) bool {
	return u.goroutines <= allowed.goroutines && u.descriptors <= allowed.descriptors && u.heap <= allowed.heap
}

// settledAfter waits until nobody but the talkers is connected and no more than allowed is held, or a minute, and gives what is held.
func (s *server) settledAfter(t *testing.T, allowed usage) (now usage) {
	t.Helper()
	for deadline := time.Now().Add(time.Minute); time.Now().Before(deadline); time.Sleep(20 * time.Millisecond) {
		if s.engine.Stats().Sessions > talkers {
			continue
		}
		http.DefaultClient.CloseIdleConnections()
		if now = held(t); now.within(allowed) {
			return now
		}
	}
	t.Logf("waited in vain; sessions: %d", s.engine.Stats().Sessions)
	return held(t)
}

func held(t *testing.T) usage {
	t.Helper()
	runtime.GC()
	runtime.GC() // what pools kept goes with the second
	var memory runtime.MemStats
	runtime.ReadMemStats(&memory)
	return usage{runtime.NumGoroutine(), descriptors(t), memory.HeapAlloc}
}

// descriptors counts this process's open files; 0 where the system does not show them.
func descriptors(t *testing.T) int {
	t.Helper()
	entries, err := os.ReadDir("/proc/self/fd")
	if err != nil && runtime.GOOS == "linux" {
		t.Fatal(err)
	}
	return len(entries)
}

func mustJSON(v any) string {
	text, err := json.Marshal(v)
	if err != nil {
		panic(err)
	}
	return string(text)
}
