package soak_test

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"sync"
	"testing"
	"time"

	"qun/test/sioclient"
)

// circle is healthy clients who talk to each other in one room and hear everything that any of them says, once and in order.
type circle []*talker

// talker says numbers, and keeps the number that it expects next of everybody.
type talker struct {
	name int
	call func(ctx context.Context, event string, arg any) error
	gone func() error // why the connection ended; nil while it lives

	said int // of its own goroutine alone

	mu   sync.Mutex // guards below
	next [talkers]int
	err  error // the first thing that was wrong
}

func (s *server) gather(t *testing.T) (c circle) {
	t.Helper()
	for i := range talkers {
		p := &talker{name: i}
		if i == 0 {
			s.connectByPolling(t, p)
		} else {
			s.connect(t, p)
		}
		if err := p.call(t.Context(), "join", "circle"); err != nil {
			t.Fatalf("talker %d: %v", i, err)
		}
		c = append(c, p)
	}
	return c
}

func (s *server) connect(t *testing.T, p *talker) {
	t.Helper()
	client, err := sioclient.Dial(t.Context(), sioclient.Config{URL: s.url, OnEvent: p.hear})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(client.Close)
	p.call = func(ctx context.Context, event string, arg any) error {
		_, err := client.Call(ctx, event, arg)
		return err
	}
	p.gone = client.Err
}

// hear checks that nothing between this and the last message of the same talker is missing, and that it is not an old one.
func (p *talker) hear(event string, args []json.RawMessage) {
	var said utterance
	if event != "said" || len(args) == 0 {
		return
	}
	err := json.Unmarshal(args[0], &said)
	p.mu.Lock()
	defer p.mu.Unlock()
	if err == nil && said.Number != p.next[said.From] {
		err = fmt.Errorf("heard number %d of talker %d, want %d", said.Number, said.From, p.next[said.From])
	}
	if p.err == nil {
		p.err = err
	}
	p.next[said.From] = said.Number + 1
}

// talk has everybody talk for a while, and returns how much was said when everybody has heard it.
func (c circle) talk(t *testing.T, d time.Duration) (total int) {
	t.Helper()
	end := time.Now().Add(d)
	var all sync.WaitGroup
	for _, p := range c {
		all.Go(func() {
			for time.Now().Before(end) && p.say(t) {
				time.Sleep(between)
			}
		})
	}
	all.Wait()
	var want [talkers]int
	for i, p := range c {
		want[i] = p.said
		total += p.said
	}
	for _, p := range c {
		p.awaits(t, want)
	}
	return total
}

func (p *talker) say(t *testing.T) bool {
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
	defer cancel()
	if err := p.call(ctx, "say", utterance{Room: "circle", From: p.name, Number: p.said, Text: "is anybody there?"}); err != nil {
		t.Errorf("talker %d: %v", p.name, err)
		return false
	}
	p.said++
	return true
}

// awaits waits until the talker has heard all that was said.
func (p *talker) awaits(t *testing.T, want [talkers]int) {
	t.Helper()
	for deadline := time.Now().Add(30 * time.Second); ; time.Sleep(5 * time.Millisecond) {
		p.mu.Lock()
		next, err := p.next, p.err
		p.mu.Unlock()
		if err == nil {
			err = p.gone()
		}
		switch {
		case err != nil:
			t.Fatalf("talker %d: %v", p.name, err)
		case slices.Equal(next[:], want[:]):
			return
		case time.Now().After(deadline):
			t.Fatalf("talker %d heard %v, want %v", p.name, next, want)
		}
	}
}
