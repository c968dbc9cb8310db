package faults_test

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"runtime"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"qun/test/sioclient"
)

// Sockets that came and went leave nothing behind: no goroutine, no descriptor, no memory.
func TestSocketsLeaveNothingBehind(t *testing.T) {
	waves, size := 4, 250
	if full {
		waves, size = 10, 1000
	}
	s := startServer(t)
	fresh := s.settledAfter(t, usage{1 << 30, 1 << 30, 1 << 60})
	allowed := usage{fresh.goroutines + 8 + atRest*int64(runtime.GOMAXPROCS(0)), fresh.descriptors + 8, 1 << 60}
	crowd := s.crowd(size)
	crowd.passThrough(t) // what is made once and kept (pools, prepared statements, maps) is made now
	before := s.settledAfter(t, allowed)
	for range waves {
		crowd.passThrough(t)
	}
	allowed.heap = before.heap + 2<<20 // of a goal that is twice what lives: 100 bytes for each of 10,000 would be too much
	after := s.settledAfter(t, allowed)
	t.Logf("before %+v, after %d sockets %+v", before, waves*size, after)
	if after.goroutines > allowed.goroutines || after.descriptors > allowed.descriptors || after.heap > allowed.heap {
		t.Errorf("got %+v after %d sockets, want at most %+v", after, waves*size, allowed)
	}
}

// atRest is how many goroutines the engine may keep for each processor, once there was work for them: see engineio/crew.go.
const atRest = 32

// crowd is people who come again and again, a third of them as plain clients, which nobody knows again.
type crowd []*person

func (s *server) crowd(size int) (c crowd) {
	for i := range size {
		c = append(c, &person{server: s, name: fmt.Sprintf("passer-by %d", i)})
	}
	return c
}

// passThrough lets everybody connect and enter a room, and, when all are there, go: some politely, most without a word.
func (c crowd) passThrough(t *testing.T) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 2*time.Minute)
	defer cancel()
	var all, coming sync.WaitGroup
	coming.Add(len(c))
	door := make(chan struct{}, 50) // as many at a time as a listen queue takes
	for i, p := range c {
		all.Go(func() {
			door <- struct{}{}
			client, err := p.come(ctx, i)
			<-door
			coming.Done()
			if err != nil {
				t.Errorf("%s: %v", p.name, err)
				return
			}
			coming.Wait()
			if i%4 == 0 {
				_ = client.Disconnect() // Close ends it anyway
			}
			client.Close()
		})
	}
	all.Wait()
}

func (p *person) come(ctx context.Context, i int) (*sioclient.Client, error) {
	square := fmt.Sprintf("square %d", i%50)
	if i%3 == 0 {
		return p.comePlainly(ctx, square)
	}
	visit, err := p.arrive(ctx, nil, func(push) {}, nil)
	if err != nil {
		return nil, err
	}
	if _, err := visit.enter(ctx, square); err != nil {
		visit.leave()
		return nil, err
	}
	return visit.client, nil
}

// comePlainly enters as a page of the seed's kind does, and is there when it hears its own join line.
func (p *person) comePlainly(ctx context.Context, square string) (*sioclient.Client, error) {
	heard := make(chan struct{})
	once := sync.OnceFunc(func() { close(heard) })
	client, err := sioclient.Dial(ctx, sioclient.Config{URL: p.server.url, OnEvent: func(string, []json.RawMessage) { once() }})
	if err != nil {
		return nil, err
	}
	if err := client.Emit("joinRoom", map[string]string{"roomName": square, "nickName": p.name}); err != nil {
		client.Close()
		return nil, err
	}
	select {
	case <-heard:
		return client, nil
	case <-client.Done():
		return nil, client.Err()
	case <-ctx.Done():
		client.Close()
		return nil, fmt.Errorf("wait for the join line: %w", context.Cause(ctx))
	}
}

// usage is what the server holds.
type usage struct{ goroutines, descriptors, heap int64 }

// settledAfter waits until the server holds no more than allowed, or 90 s, and gives what it holds. The heap is what the last
// collection found alive, and only collections after the call count: asking for metrics is itself what makes them happen.
func (s *server) settledAfter(t *testing.T, allowed usage) (now usage) {
	t.Helper()
	begin := s.metrics(t)
	for deadline := time.Now().Add(90 * time.Second); time.Now().Before(deadline); pause(5 * time.Millisecond) {
		m := s.metrics(t)
		now = usage{int64(m["go_goroutines"]), int64(m["process_open_fds"]), int64(m["go_memstats_next_gc_bytes"])}
		collected := m["go_gc_duration_seconds_count"] >= begin["go_gc_duration_seconds_count"]+3
		if collected && now.goroutines <= allowed.goroutines && now.descriptors <= allowed.descriptors && now.heap <= allowed.heap {
			return now
		}
	}
	return now
}

// metrics reads /metrics: the plain numbers, without those that have labels.
func (s *server) metrics(t *testing.T) map[string]float64 {
	t.Helper()
	text, err := s.get("/metrics")
	if err != nil {
		t.Fatal(err)
	}
	values := map[string]float64{}
	for lines := bufio.NewScanner(strings.NewReader(text)); lines.Scan(); {
		name, value, found := strings.Cut(lines.Text(), " ")
		if number, err := strconv.ParseFloat(value, 64); found && err == nil {
			values[name] = number
		}
	}
	for _, needed := range []string{"go_goroutines", "process_open_fds", "go_memstats_next_gc_bytes", "go_gc_duration_seconds_count"} {
		if _, ok := values[needed]; !ok {
			t.Fatalf("/metrics does not tell %s", needed)
		}
	}
	return values
}
