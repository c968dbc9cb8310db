package main_test

import (
	"context"
	"encoding/json"
	"net/http"
	"sync"
	"testing"
	"time"

	"qun/test/sioclient"
)

// peer is a client that remembers what it heard.
type peer struct {
	*sioclient.Client
	t *testing.T

	mu    sync.Mutex // guards below
	heard []event
	more  chan struct{} // closed and replaced when something is heard
}

// event is what a peer heard.
type event struct {
	Name string
	Body json.RawMessage
}

// line is a `message`, as the seed's page reads it and a bit more.
type line struct {
	NickName, Message, Kind, Room, GroupID, UserID, ClientID string
	Seq                                                      int64
	Guest                                                    bool
}

// reply is an ack.
type reply struct {
	OK    bool
	Error struct {
		Code, Message, Suggestion string
		RetryAfter                int64
		Supported                 []int
	}
	Raw json.RawMessage
}

// into reads the fields of an answer.
func (r reply) into(t *testing.T, v any) {
	t.Helper()
	if err := json.Unmarshal(r.Raw, v); err != nil {
		t.Fatalf("read %s: %v", r.Raw, err)
	}
}

// dial connects a peer; credentials come by change.
func (p *program) dial(t *testing.T, change ...func(*sioclient.Config)) *peer {
	t.Helper()
	c, err := p.try(t, change...)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// try is dial where a refusal is possible.
func (p *program) try(t *testing.T, change ...func(*sioclient.Config)) (*peer, error) {
	t.Helper()
	c := &peer{t: t, more: make(chan struct{})}
	cfg := sioclient.Config{URL: p.url, OnEvent: c.hear}
	for _, f := range change {
		f(&cfg)
	}
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	var err error
	if c.Client, err = sioclient.Dial(ctx, cfg); err != nil {
		return nil, err
	}
	t.Cleanup(c.Close)
	return c, nil
}

func withToken(token string) func(*sioclient.Config) {
	return func(c *sioclient.Config) { c.Auth = map[string]any{"token": token} }
}

func withHeader(name, value string) func(*sioclient.Config) {
	return func(c *sioclient.Config) {
		if c.Header == nil {
			c.Header = http.Header{}
		}
		c.Header.Set(name, value)
	}
}

func (c *peer) hear(name string, args []json.RawMessage) {
	c.mu.Lock()
	defer c.mu.Unlock()
	e := event{Name: name}
	if len(args) > 0 {
		e.Body = args[0]
	}
	c.heard = append(c.heard, e)
	close(c.more)
	c.more = make(chan struct{})
}

// events are all so far.
func (c *peer) events() ([]event, <-chan struct{}) {
	c.mu.Lock()
	defer c.mu.Unlock()
	return append([]event(nil), c.heard...), c.more
}

// await waits until the events so far satisfy enough.
func (c *peer) await(what string, enough func([]event) bool) []event {
	c.t.Helper()
	deadline := time.After(patience)
	for {
		events, more := c.events()
		if enough(events) {
			return events
		}
		select {
		case <-more:
		case <-c.Done():
			c.t.Fatalf("waiting for %s: %v; heard %s", what, c.Err(), show(events))
		case <-deadline:
			c.t.Fatalf("waiting for %s; heard %s", what, show(events))
		}
	}
}

func show(events []event) (text string) {
	for _, e := range events {
		text += "\n  " + e.Name + " " + string(e.Body)
	}
	return text
}

// hears waits for n messages in all.
func (c *peer) hears(n int) []line {
	c.t.Helper()
	return lines(c.t, c.await("messages", func(all []event) bool { return len(named(all, "message")) >= n }))
}

// pushed waits for n events of that name in all.
func (c *peer) pushed(name string, n int) []event {
	c.t.Helper()
	return named(c.await(name, func(all []event) bool { return len(named(all, name)) >= n }), name)
}

func named(all []event, name string) (some []event) {
	for _, e := range all {
		if e.Name == name {
			some = append(some, e)
		}
	}
	return some
}

func lines(t *testing.T, events []event) (all []line) {
	t.Helper()
	for _, e := range named(events, "message") {
		var l line
		if err := json.Unmarshal(e.Body, &l); err != nil {
			t.Fatalf("read %s: %v", e.Body, err)
		}
		all = append(all, l)
	}
	return all
}

type object = map[string]any

// say emits without an ack, as the seed's page does.
func (c *peer) say(event string, payload any) {
	c.t.Helper()
	if err := c.Emit(event, payload); err != nil {
		c.t.Fatal(err)
	}
}

// ask emits and waits for the ack.
func (c *peer) ask(event string, payload any) reply {
	c.t.Helper()
	ctx, cancel := context.WithTimeout(c.t.Context(), patience)
	defer cancel()
	args, err := c.Call(ctx, event, payload)
	if err != nil {
		c.t.Fatalf("%s: %v", event, err)
	}
	if len(args) != 1 {
		c.t.Fatalf("%s was answered with %d arguments", event, len(args))
	}
	r := reply{Raw: args[0]}
	r.into(c.t, &r)
	return r
}

// must is ask where a refusal is an error.
func (c *peer) must(event string, payload any) reply {
	c.t.Helper()
	r := c.ask(event, payload)
	if !r.OK {
		c.t.Fatalf("%s: refused: %s", event, r.Raw)
	}
	return r
}

// refused is ask where a refusal with that code must come.
func (c *peer) refused(event string, payload any, code string) reply {
	c.t.Helper()
	r := c.ask(event, payload)
	if r.OK || r.Error.Code != code || r.Error.Message == "" {
		c.t.Fatalf("%s: got %s, want a refusal %s", event, r.Raw, code)
	}
	return r
}

// join enters a room as the seed's page does, and waits for its own line.
func (c *peer) join(room, nickName string) {
	c.t.Helper()
	n := len(c.hears(0))
	c.say("joinRoom", object{"roomName": room, "nickName": nickName})
	c.hears(n + 1)
}

// ends waits until the server has closed the connection.
func (c *peer) ends() {
	c.t.Helper()
	select {
	case <-c.Done():
		wantTransportClose(c.t, c)
	case <-time.After(patience):
		c.t.Fatal("the connection does not end")
	}
}

// settledEvents are the events after settled.
func (c *peer) settledEvents() []event {
	c.t.Helper()
	c.settled()
	events, _ := c.events()
	return events
}

// settled has handled everything the peer sent, and everything that was pushed to it before.
func (c *peer) settled() []line {
	c.t.Helper()
	c.ask("getUser", object{})
	return c.hears(0)
}

type sioConfig = sioclient.Config
