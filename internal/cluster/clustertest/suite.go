package clustertest

import (
	"bytes"
	"context"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"qun/internal/cluster"
)

// Join makes one more bus of a cluster that belongs to the test.
type Join func(t *testing.T) cluster.Bus

// Run is what every bus must do that works.
func Run(t *testing.T, cluster func(t *testing.T) Join) {
	for name, test := range map[string]func(*testing.T, Join){
		"EverybodyHearsEverything":      everybodyHearsEverything,
		"TheLargestPayloadArrives":      theLargestPayloadArrives,
		"PayloadsOfOneComeInOrder":      payloadsOfOneComeInOrder,
		"WhoComesLaterHearsWhatIsSaid":  whoComesLaterHears,
		"RunEndsWithItsContext":         runEndsWithItsContext,
		"PublishAfterAnErrorConnectsIt": publishAfterAnError,
	} {
		t.Run(name, func(t *testing.T) { test(t, cluster(t)) })
	}
}

// ear is a bus that is heard.
type ear struct {
	cluster.Bus
	t    *testing.T
	stop context.CancelFunc
	done chan struct{}

	mu    sync.Mutex // guards below
	heard [][]byte
	more  chan struct{}
}

// listen hears a bus, and waits until it does.
func listen(t *testing.T, b cluster.Bus) *ear {
	t.Helper()
	ctx, stop := context.WithCancel(t.Context())
	e := &ear{Bus: b, t: t, stop: stop, done: make(chan struct{}), more: make(chan struct{})}
	up := make(chan struct{}, 1)
	go func() {
		defer close(e.done)
		b.Run(ctx, e.hear, func() {
			select {
			case up <- struct{}{}:
			default:
			}
		})
	}()
	t.Cleanup(func() {
		stop()
		<-e.done
		if err := b.Close(); err != nil {
			t.Error(err)
		}
	})
	select {
	case <-up:
	case <-time.After(10 * time.Second):
		t.Fatal("the bus does not come up")
	}
	return e
}

func (e *ear) hear(payload []byte) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.heard = append(e.heard, bytes.Clone(payload))
	close(e.more)
	e.more = make(chan struct{})
}

// wants waits until so many payloads are heard, and returns them.
func (e *ear) wants(n int) [][]byte {
	e.t.Helper()
	for deadline := time.After(10 * time.Second); ; {
		e.mu.Lock()
		heard, more := e.heard, e.more
		e.mu.Unlock()
		if len(heard) >= n {
			return heard
		}
		select {
		case <-more:
		case <-deadline:
			e.t.Fatalf("heard %d of %d payloads", len(heard), n)
		}
	}
}

func (e *ear) say(payload string) {
	e.t.Helper()
	if err := e.Publish(e.t.Context(), []byte(payload)); err != nil {
		e.t.Fatal(err)
	}
}

func everybodyHearsEverything(t *testing.T, join Join) {
	ears := []*ear{listen(t, join(t)), listen(t, join(t)), listen(t, join(t))}
	for i, e := range ears {
		e.say(fmt.Sprint("from ", i))
	}
	for i, e := range ears {
		got := map[string]int{}
		for _, payload := range e.wants(3) {
			got[string(payload)]++
		}
		if len(got) != 3 {
			t.Errorf("%d heard %v, want one of each, itself included", i, got)
		}
	}
}

func theLargestPayloadArrives(t *testing.T, join Join) {
	a, b := listen(t, join(t)), listen(t, join(t))
	largest := strings.Repeat("群'\"\\", a.Limit()/6)
	a.say(largest)
	if got := b.wants(1)[0]; string(got) != largest {
		t.Errorf("got %d bytes, want %d", len(got), len(largest))
	}
}

func payloadsOfOneComeInOrder(t *testing.T, join Join) {
	a, b := listen(t, join(t)), listen(t, join(t))
	for i := range 200 {
		a.say(fmt.Sprint(i))
	}
	for i, payload := range b.wants(200) {
		if string(payload) != fmt.Sprint(i) {
			t.Fatalf("payload %d is %s", i, payload)
		}
	}
}

func whoComesLaterHears(t *testing.T, join Join) {
	a := listen(t, join(t))
	a.say("before")
	a.wants(1)
	b := listen(t, join(t))
	a.say("after")
	if got := b.wants(1)[0]; string(got) != "after" {
		t.Errorf("heard %q first", got)
	}
}

func runEndsWithItsContext(t *testing.T, join Join) {
	e := listen(t, join(t))
	e.stop()
	select {
	case <-e.done:
	case <-time.After(10 * time.Second):
		t.Error("Run does not end")
	}
}

func publishAfterAnError(t *testing.T, join Join) {
	a, b := listen(t, join(t)), listen(t, join(t))
	ended, cancel := context.WithCancel(t.Context())
	cancel()
	_ = a.Publish(ended, []byte("perhaps")) // whether it is heard nobody says
	a.say("surely")
	for heard := 1; ; heard++ {
		if string(b.wants(heard)[heard-1]) == "surely" {
			return
		}
	}
}
