package main_test

import (
	"fmt"
	"net"
	"strings"
	"sync"
	"testing"
)

func TestStoppingClosesTransportsWithoutAWord(t *testing.T) {
	p := start(t)
	c := p.dial(t)
	c.join("hall", "Anna")
	p.stop()
	c.ends()
	p.end(t)
	if _, err := net.Dial("tcp", strings.TrimPrefix(p.url, "http://")); err == nil {
		t.Error("somebody still listens")
	}
}

func TestWhatWasAcknowledgedIsThereAfterARestart(t *testing.T) {
	folder := t.TempDir()
	p := start(t, "--data", folder, "--limit-messages", "0")
	var (
		mu           sync.Mutex
		acknowledged []string
		senders      sync.WaitGroup
	)
	watcher := p.dial(t)
	in := watcher.enter("hall", "Watcher")
	for i := range 8 {
		c := p.dial(t)
		c.enter("hall", fmt.Sprint("sender", i))
		senders.Go(func() {
			for n := 0; ; n++ {
				text := fmt.Sprint(i, "/", n)
				args, err := c.Call(t.Context(), "sendMessage", object{"groupId": in.Group.GroupID, "message": text})
				if err != nil || !strings.Contains(string(args[0]), `"ok":true`) {
					return // the server went away
				}
				mu.Lock()
				acknowledged = append(acknowledged, text)
				mu.Unlock()
			}
		})
	}
	watcher.hears(100)
	p.end(t)
	senders.Wait()

	again := start(t, "--data", folder)
	reader := again.dial(t)
	reader.enter("hall", "Reader")
	stored := map[string]int{}
	var after int64
	for {
		var page struct {
			Messages []line
			After    bool
		}
		reader.must("history", object{"groupId": in.Group.GroupID, "after": after, "limit": 100}).into(t, &page)
		for _, m := range page.Messages {
			if m.Seq <= after {
				t.Fatalf("%d comes after %d", m.Seq, after)
			}
			after = m.Seq
			stored[m.Message]++
		}
		if !page.After {
			break
		}
	}
	for _, text := range acknowledged {
		if stored[text] != 1 {
			t.Errorf("%s was acknowledged and is there %d times", text, stored[text])
		}
	}
	if len(acknowledged) < 50 { // of the hundred that were heard, each sender has one on its way
		t.Errorf("only %d were acknowledged", len(acknowledged))
	}
}

func TestATokenOutlivesARestart(t *testing.T) {
	folder := t.TempDir()
	p := start(t, "--data", folder)
	in := p.dial(t).enter("hall", "Anna")
	p.end(t)
	again := start(t, "--data", folder)
	if got := again.dial(t, withToken(in.Token)).me(); got != in.Me.UserID {
		t.Errorf("got %s, want %s", got, in.Me.UserID)
	}
}
