package adaptertest

import (
	"context"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"qun/socketio"
)

// Faults are what a bad network does to the commands that a server hears. Each is the probability, from 0 to 1, for one command.
type Faults struct {
	Drop   float64 // it does not come
	Repeat float64 // it comes twice, at once
	Delay  float64 // it comes late, and all behind it too
	By     time.Duration
	Seed   uint64 // of the dice
}

// A Weather does the same faults to several adapters, until it clears.
type Weather struct {
	mu     sync.Mutex // guards below
	faults Faults
	dice   *rand.Rand
}

// NewWeather makes a weather.
func NewWeather(f Faults) *Weather {
	return &Weather{faults: f, dice: rand.New(rand.NewPCG(f.Seed, f.Seed))}
}

// Clear ends the faults.
func (w *Weather) Clear() {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.faults = Faults{}
}

// fate says how often a command comes, and how late.
func (w *Weather) fate() (times int, late time.Duration) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.dice.Float64() < w.faults.Delay {
		late = w.faults.By
	}
	switch dice := w.dice.Float64(); {
	case dice < w.faults.Drop:
		return 0, late
	case dice < w.faults.Drop+w.faults.Repeat:
		return 2, late
	default:
		return 1, late
	}
}

// Faulty returns an adapter that is as a, in that weather.
func Faulty(a socketio.Adapter, w *Weather) socketio.Adapter {
	return withInterest(&faulty{Adapter: a, weather: w}, a)
}

type faulty struct {
	socketio.Adapter
	weather *Weather
}

func (f *faulty) Open(ctx context.Context, self socketio.ServerID, deliver func(*socketio.Command)) error {
	return f.Adapter.Open(ctx, self, func(c *socketio.Command) {
		times, late := f.weather.fate()
		time.Sleep(late)
		for range times {
			deliver(c)
		}
	})
}

// RunFaulty checks what servers owe to their applications while commands are lost, late and repeated, and when that is over.
// Join is that of Run. What must hold:
//
//   - Nothing comes that was not sent, and nothing to whom it was not meant.
//   - Of one server's events each client hears the first time in the order in which they were sent.
//   - Whoever asks gets an answer or an error by the timeout, and each server's sockets at most once.
//   - Joins, leaves and disconnects that come twice are as good as once.
//   - When the faults end, everything arrives again, once, without a restart.
func RunFaulty(t *testing.T, join func(t *testing.T, n int) []socketio.Adapter) {
	w := NewWeather(Faults{Drop: 0.1, Repeat: 0.1, Delay: 0.1, By: 2 * time.Millisecond, Seed: 1})
	adapters := join(t, 3)
	for i := range adapters {
		adapters[i] = Faulty(adapters[i], w)
	}
	n, p := servers(t, adapters)
	for _, p := range p[:2] {
		if err := p.socket.Join("a"); err != nil {
			t.Fatal(err)
		}
	}
	sent := make([]string, 300)
	for i := range sent {
		sent[i] = fmt.Sprintf(`["m",%d]`, i)
		if err := n[2].To("a").Emit("m", i); err != nil {
			t.Fatal(err)
		}
	}
	askInBadWeather(t, n, p)
	for range 20 {
		_ = n[2].To("a").Join("b")
		_ = n[2].To("b").Leave("a")
		_ = n[2].To("b").Join("a")
	}
	w.Clear()
	time.Sleep(20 * time.Millisecond) // what is late comes
	for i, p := range p {
		checkHeard(t, i, p, sent)
	}
	goodWeather(t, n, p)
}

// askInBadWeather asks for sockets and for acks.
func askInBadWeather(t *testing.T, n []*socketio.Namespace, p []*peer) {
	t.Helper()
	const limit, unasked = 200 * time.Millisecond, 5 * time.Second // how long is waited for answers where nothing is said
	for range 10 {
		start := time.Now()
		sockets, err := n[0].To().Timeout(limit).FetchSockets(context.Background())
		if took := time.Since(start); took >= unasked {
			t.Errorf("asking for sockets took %v", took)
		}
		seen := map[socketio.SocketID]bool{}
		for _, s := range sockets {
			if seen[s.ID] {
				t.Errorf("socket %s was listed twice", s.ID)
			}
			seen[s.ID] = true
		}
		if err == nil && len(sockets) != len(p) {
			t.Errorf("got %d sockets without an error, want %d", len(sockets), len(p))
		}
		start = time.Now()
		answers, err := n[0].To("nobody").Timeout(limit).EmitWithAck(context.Background(), "ask")
		if took := time.Since(start); took >= unasked || len(answers) > 0 {
			t.Errorf("asking nobody took %v and gave %d answers, %v", took, len(answers), err)
		}
	}
}

// checkHeard checks what one client heard of what was sent to the first two.
func checkHeard(t *testing.T, i int, p *peer, sent []string) {
	t.Helper()
	var first []string
	for _, event := range p.got() {
		if !slices.Contains(first, event) {
			first = append(first, event)
		}
	}
	at := 0
	for _, event := range first {
		next := slices.Index(sent[at:], event)
		if next < 0 {
			t.Errorf("client %d heard %s, which was not sent, or too late", i, event)
			return
		}
		at += next + 1
	}
	if lucky := len(first) == len(sent); i < 2 && (lucky || len(first) < len(sent)/2) || i == 2 && len(first) > 0 {
		t.Errorf("client %d heard %d of %d events; want most of them, or none if it was not meant", i, len(first), len(sent))
	}
}

// goodWeather checks that everything arrives.
func goodWeather(t *testing.T, n []*socketio.Namespace, p []*peer) {
	t.Helper()
	if err := n[2].To().Join("all"); err != nil {
		t.Error(err)
	}
	for _, p := range p {
		waitFor(t, "a client to have joined", func() bool { return p.socket.In("all") })
		p.mu.Lock()
		p.events = nil
		p.mu.Unlock()
	}
	var want []string
	for i := range 50 {
		want = append(want, fmt.Sprintf(`["fine",%d]`, i))
		if err := n[1].To("all").Emit("fine", i); err != nil {
			t.Error(err)
		}
	}
	for _, p := range p {
		p.gets(t, want...)
	}
	sockets, err := n[0].FetchSockets(t.Context())
	if err != nil || len(sockets) != len(p) {
		t.Errorf("got %d sockets, %v; want %d", len(sockets), err, len(p))
	}
	if err := n[0].To("all").Disconnect(); err != nil {
		t.Error(err)
	}
	for _, p := range p {
		waitFor(t, "a client to be disconnected", func() bool {
			got := p.got()
			return strings.HasPrefix(got[len(got)-1], "1/chat")
		})
	}
}
