package redisadapter_test

import (
	"slices"
	"strconv"
	"sync"
	"testing"
	"time"

	"qun/internal/redistest"
	"qun/socketio"
	"qun/socketio/redisadapter"
)

// A track notes when the numbered events came that a server heard.
type track struct {
	mu   sync.Mutex // guards below
	came []time.Time
	all  chan struct{} // closed when as many as wanted have come
	want int
}

func (k *track) hear(*socketio.Command) {
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.came = append(k.came, time.Now()); len(k.came) == k.want {
		close(k.all)
	}
}

// line is a message as a chat has it.
func line(b *testing.B, from socketio.ServerID, n int) *socketio.Command {
	b.Helper()
	args, err := socketio.ParseArgs([]byte(`[{"id":`+strconv.Itoa(n)+`,"nickName":"Zoë","text":"sixty-four bytes of what people say to one another, or nearly so"}]`), nil)
	if err != nil {
		b.Fatal(err)
	}
	return &socketio.Command{Kind: socketio.KindBroadcast, From: from, Namespace: "/", Rooms: []socketio.Room{"r"}, Event: "message", Args: args}
}

// between opens two servers, of which the second hears n events.
func between(b *testing.B, mode redisadapter.Mode, n int) (*server, *track) {
	b.Helper()
	redis := redistest.For(b)
	cfg := redisadapter.Config{Redis: option(b, redis), Mode: mode, MaxQueued: 1 << 20, MaxQueuedBytes: 1 << 30}
	from := open(b, "aaaaaaaaaaaaaaaaaaaa", cfg)
	k := &track{all: make(chan struct{}), want: n}
	to := newAdapter(b, cfg)
	if err := to.Open(b.Context(), "bbbbbbbbbbbbbbbbbbbb", k.hear); err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { _ = to.Close() })
	for _, room := range []socketio.Room{"", "r"} {
		if err := to.Watch(b.Context(), "/", room); err != nil {
			b.Fatal(err)
		}
	}
	return from, k
}

func (k *track) wait(b *testing.B) {
	b.Helper()
	select {
	case <-k.all:
	case <-time.After(time.Minute):
		b.Fatal("messages are missing")
	}
}

// How many commands cross from one server to another, through a Redis on the same machine, until the last has come.
func BenchmarkThroughput(b *testing.B) {
	for name, mode := range modes {
		b.Run(name, func(b *testing.B) {
			from, k := between(b, mode, b.N)
			b.ReportAllocs()
			b.ResetTimer()
			for i := range b.N {
				for from.Publish(line(b, from.id, i)) != nil {
					time.Sleep(time.Millisecond)
				}
			}
			k.wait(b)
		})
	}
}

// How long one of them takes while there are 5,000 in a second.
func BenchmarkLatencyAt5000PerSecond(b *testing.B) {
	for name, mode := range modes {
		b.Run(name, func(b *testing.B) {
			from, k := between(b, mode, b.N)
			sent := make([]time.Time, b.N)
			b.ResetTimer()
			start := time.Now()
			for i := range b.N {
				if i%5 == 0 {
					time.Sleep(time.Until(start.Add(time.Duration(i) * time.Second / 5000)))
				}
				sent[i] = time.Now()
				if err := from.Publish(line(b, from.id, i)); err != nil {
					b.Fatal(err)
				}
			}
			k.wait(b)
			b.StopTimer()
			took := make([]time.Duration, b.N)
			for i := range took {
				took[i] = k.came[i].Sub(sent[i])
			}
			slices.Sort(took)
			b.ReportMetric(float64(took[b.N/2].Microseconds()), "p50-µs")
			b.ReportMetric(float64(took[b.N*99/100].Microseconds()), "p99-µs")
		})
	}
}
