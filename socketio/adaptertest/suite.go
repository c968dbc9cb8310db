package adaptertest

import (
	"bytes"
	"encoding/json"
	"fmt"
	"reflect"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"qun/socketio"
)

// patience is how long the suite waits for what must happen.
const patience = 10 * time.Second

// Run checks an adapter: first that commands travel as they should, then that servers on top of it act as one. Join
// returns n adapters, not opened yet, that will be in one cluster of their own. Waits are in real time, or in virtual
// time within a synctest bubble.
func Run(t *testing.T, join func(t *testing.T, n int) []socketio.Adapter) {
	for _, c := range []struct {
		name string
		test func(*testing.T, func(*testing.T, int) []socketio.Adapter)
	}{
		{"commands reach every other server once", testReach},
		{"commands keep their content", testContent},
		{"commands of a server stay in order", testOrder},
		{"a command to one server reaches that one alone", testAddress},
		{"requests are answered to who asked", testRequests},
		{"servers are counted", testServers},
		{"a closed adapter is silent", testClose},
		{"publishing never blocks", testFlood},
		{"a deaf server harms nobody else", testDeaf},
		{"broadcasts reach the sockets of all servers", testBroadcast},
		{"acts reach the sockets of all servers", testActs},
		{"a room that was joined is heard", testJoinIsHeard},
		{"servers with a deaf one among them go on", testDeafServer},
	} {
		t.Run(c.name, func(t *testing.T) { c.test(t, join) })
	}
}

// A station is an adapter, and what its server has heard.
type station struct {
	socketio.Adapter
	id socketio.ServerID

	mu     sync.Mutex
	heard  []*socketio.Command
	onHear func(*socketio.Command)
}

// stations opens adapters as servers that are interested in what the suite sends.
func stations(t *testing.T, adapters []socketio.Adapter) []*station {
	all := make([]*station, len(adapters))
	for i, a := range adapters {
		s := &station{Adapter: a, id: socketio.ServerID(fmt.Sprintf("server-%013d", i))}
		all[i] = s
		if err := a.Open(t.Context(), s.id, s.hear); err != nil {
			t.Fatalf("open: %v", err)
		}
		t.Cleanup(func() { a.Close() })
		s.watch(t)
	}
	waitFor(t, "all servers to know each other", func() bool {
		return !slices.ContainsFunc(all, func(s *station) bool { return s.count(t) != len(all) })
	})
	return all
}

func (s *station) watch(t *testing.T) {
	interest, ok := s.Adapter.(socketio.Interest)
	if !ok {
		return
	}
	for _, room := range []socketio.Room{"", "room", "other"} {
		if err := interest.Watch(t.Context(), "/chat", room); err != nil {
			t.Fatalf("watch: %v", err)
		}
	}
}

func (s *station) count(t *testing.T) int {
	n, err := s.Servers(t.Context(), "/chat")
	if err != nil {
		t.Fatalf("servers: %v", err)
	}
	return n
}

func (s *station) hear(c *socketio.Command) {
	s.mu.Lock()
	s.heard = append(s.heard, c)
	onHear := s.onHear
	s.mu.Unlock()
	if onHear != nil {
		onHear(c)
	}
}

// publish sends a command to the namespace that everybody watches.
func (s *station) publish(t *testing.T, c *socketio.Command) {
	t.Helper()
	c.From, c.Namespace = s.id, "/chat"
	if err := s.Publish(c); err != nil {
		t.Fatalf("publish: %v", err)
	}
}

// events are the Event fields of what was heard.
func (s *station) events() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	events := make([]string, len(s.heard))
	for i, c := range s.heard {
		events[i] = c.Event
	}
	return events
}

// hears waits until exactly these events were heard. The last must be one that is published after all others.
func (s *station) hears(t *testing.T, want ...string) {
	t.Helper()
	waitFor(t, fmt.Sprintf("%s to hear %q", s.id, want), func() bool {
		got := s.events()
		return len(got) > 0 && len(want) > 0 && got[len(got)-1] == want[len(want)-1]
	})
	if got := s.events(); !slices.Equal(got, want) {
		t.Errorf("%s heard %q, want %q", s.id, got, want)
	}
}

// waitFor waits until ok returns true.
func waitFor(t *testing.T, what string, ok func() bool) {
	t.Helper()
	for deadline := time.Now().Add(patience); !ok(); time.Sleep(2 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("waited %v for %s", patience, what)
		}
	}
}

func broadcast(event string, args ...string) *socketio.Command {
	array, err := json.Marshal(append([]string{}, args...))
	if err != nil {
		panic(err)
	}
	parsed, err := socketio.ParseArgs(array, nil)
	if err != nil {
		panic(err)
	}
	return &socketio.Command{Kind: socketio.KindBroadcast, Event: event, Args: parsed}
}

func testReach(t *testing.T, join func(*testing.T, int) []socketio.Adapter) {
	s := stations(t, join(t, 3))
	s[0].publish(t, broadcast("from 0"))
	s[1].hears(t, "from 0")
	s[2].hears(t, "from 0")
	s[1].publish(t, broadcast("from 1"))
	s[0].hears(t, "from 1") // and not its own
	s[2].hears(t, "from 0", "from 1")
}

func testContent(t *testing.T, join func(*testing.T, int) []socketio.Adapter) {
	s := stations(t, join(t, 2))
	args, err := socketio.ParseArgs([]byte(`["你好 \u2028",12345678901234567890,{"b":1,"a":{"_placeholder":true,"num":1}},[{"_placeholder":true,"num":0}]]`), [][]byte{{0, 1, 254, 255}, {}})
	if err != nil {
		t.Fatal(err)
	}
	event, err := socketio.ParseArgs([]byte(`["event",{"_placeholder":true,"num":0},"x"]`), [][]byte{{1, 2}})
	if err != nil {
		t.Fatal(err)
	}
	list, err := socketio.ParseArgs([]byte(`[["a","大厅 🙂"]]`), nil)
	if err != nil {
		t.Fatal(err)
	}
	commands := []*socketio.Command{
		{Kind: socketio.KindBroadcast, Rooms: []socketio.Room{"room", "大厅 🙂"}, Except: []socketio.Room{"a,b/c"}, Event: "e", Args: args, Volatile: true},
		{Kind: socketio.KindBroadcast, Rooms: []socketio.Room{"room"}, Event: "大厅", Raw: true},
		{Kind: socketio.KindBroadcast, Event: "ask", Args: args, ID: s[0].newID(1), Timeout: 1500 * time.Millisecond},
		{Kind: socketio.KindJoin, Rooms: []socketio.Room{"room"}, Joins: []socketio.Room{"x", "y"}},
		{Kind: socketio.KindLeave, Except: []socketio.Room{"x"}, Joins: []socketio.Room{"y"}},
		{Kind: socketio.KindDisconnect, Rooms: []socketio.Room{"room"}, Close: true},
		{Kind: socketio.KindDisconnect, Rooms: []socketio.Room{"room"}, All: true},
		{Kind: socketio.KindRequest, Event: socketio.RequestSockets, ID: s[0].newID(2), Rooms: []socketio.Room{"room"}, Except: []socketio.Room{"x"}},
		{Kind: socketio.KindRequest, Event: socketio.RequestRooms, ID: s[0].newID(3)},
		{Kind: socketio.KindRequest, Event: socketio.RequestEvent, ID: s[0].newID(4), Args: event},
		{Kind: socketio.KindRequest, Event: socketio.RequestEvent, Args: event},
		{Kind: socketio.KindResponse, To: s[1].id, ID: s[1].newID(2), Event: socketio.RequestSockets, Args: list},
		{Kind: socketio.KindResponse, To: s[1].id, ID: s[1].newID(3), Event: socketio.RequestRooms, Args: list},
		{Kind: socketio.KindResponse, To: s[1].id, ID: s[1].newID(4), Event: socketio.RequestEvent, Args: list},
		{Kind: socketio.KindResponse, To: s[1].id, ID: s[1].newID(4), Event: socketio.RequestEvent, Args: args},
		{Kind: socketio.KindResponse, To: s[1].id, ID: s[1].newID(4), Event: socketio.RequestEvent},
		{Kind: socketio.KindCount, To: s[1].id, ID: s[1].newID(1), Count: 3},
		{Kind: socketio.KindCount, To: s[1].id, ID: s[1].newID(1)},
		{Kind: socketio.KindAck, To: s[1].id, ID: s[1].newID(1), Args: list},
		{Kind: socketio.KindAck, To: s[1].id, ID: s[1].newID(1), Args: args},
		{Kind: socketio.KindAck, To: s[1].id, ID: s[1].newID(1)},
	}
	for _, c := range commands {
		s[0].publish(t, c)
	}
	waitFor(t, "all commands", func() bool { return len(s[1].events()) >= len(commands) })
	for i, want := range commands {
		if got := s[1].heard[i]; show(got) != show(want) {
			t.Errorf("got %s, want %s", show(got), show(want))
		}
	}
}

// newID is the id of a question of the station's.
func (s *station) newID(n int) string { return fmt.Sprintf("%s.%d", s.id, n) }

// show makes commands comparable: nil and empty are the same, as is what is the same to JSON.
func show(c *socketio.Command) string {
	plain := *c
	plain.Args = socketio.Args{}
	v := reflect.ValueOf(&plain).Elem()
	for i := range v.NumField() {
		if f := v.Field(i); f.Kind() == reflect.Slice && f.Len() == 0 {
			f.SetZero()
		}
	}
	return fmt.Sprintf("%+v %s, %d attachments", plain, showArgs(c.Args), len(c.Args.Attachments()))
}

func showArgs(args socketio.Args) string {
	var text strings.Builder
	for i := range args.Len() {
		var raw json.RawMessage
		var value any
		decoder := json.NewDecoder(bytes.NewReader(nil))
		if err := args.Decode(i, &raw); err == nil {
			decoder = json.NewDecoder(bytes.NewReader(raw))
		}
		decoder.UseNumber()
		err := decoder.Decode(&value)
		fmt.Fprintf(&text, "%v %v; ", value, err)
	}
	return text.String()
}

func testOrder(t *testing.T, join func(*testing.T, int) []socketio.Adapter) {
	s := stations(t, join(t, 3))
	var want []string
	for i := range 500 {
		want = append(want, fmt.Sprint(i))
		s[0].publish(t, broadcast(want[i]))
	}
	s[1].hears(t, want...)
	s[2].hears(t, want...)
}

func testAddress(t *testing.T, join func(*testing.T, int) []socketio.Adapter) {
	s := stations(t, join(t, 3))
	for _, kind := range []socketio.Kind{socketio.KindResponse, socketio.KindCount, socketio.KindAck} {
		c := &socketio.Command{Kind: kind, To: s[2].id, ID: s[2].newID(1)}
		if kind == socketio.KindResponse {
			c.Event = socketio.RequestEvent
		}
		s[0].publish(t, c)
	}
	s[0].publish(t, broadcast("end"))
	s[2].hears(t, socketio.RequestEvent, "", "", "end")
	s[1].hears(t, "end")
}

func testRequests(t *testing.T, join func(*testing.T, int) []socketio.Adapter) {
	s := stations(t, join(t, 3))
	for _, other := range s[1:] {
		other.onHear = func(c *socketio.Command) { // an answer from within deliver, as servers do
			if c.Kind == socketio.KindRequest {
				answer := broadcast("answer", string(other.id))
				answer.Kind, answer.To, answer.ID, answer.Event = socketio.KindResponse, c.From, c.ID, c.Event
				answer.From, answer.Namespace = other.id, c.Namespace
				_ = other.Publish(answer)
			}
		}
	}
	question := s[0].newID(1)
	s[0].publish(t, &socketio.Command{Kind: socketio.KindRequest, ID: question, Event: socketio.RequestRooms})
	waitFor(t, "two answers", func() bool { return len(s[0].events()) == 2 })
	from := map[socketio.ServerID]bool{}
	for _, c := range s[0].heard {
		if c.Kind != socketio.KindResponse || c.ID != question || string(c.Args.JSON()) != fmt.Sprintf("[%q]", c.From) {
			t.Errorf("got %s", show(c))
		}
		from[c.From] = true
	}
	if len(from) != 2 {
		t.Errorf("got answers from %v, want two servers", from)
	}
	s[0].publish(t, broadcast("end"))
	s[1].hears(t, socketio.RequestRooms, "end")
	s[2].hears(t, socketio.RequestRooms, "end")
}

func testServers(t *testing.T, join func(*testing.T, int) []socketio.Adapter) {
	s := stations(t, join(t, 3)) // which waits until each counts 3
	s[1].Close()
	waitFor(t, "the others to count 2", func() bool { return s[0].count(t) == 2 && s[2].count(t) == 2 })
}

func testClose(t *testing.T, join func(*testing.T, int) []socketio.Adapter) {
	s := stations(t, join(t, 3))
	s[0].publish(t, broadcast("before"))
	s[1].hears(t, "before")
	for range 2 {
		if err := s[1].Close(); err != nil {
			t.Errorf("close: %v", err)
		}
	}
	if err := s[1].Publish(broadcast("from the dead")); err == nil {
		t.Error("a closed adapter published")
	}
	s[0].publish(t, broadcast("after"))
	s[2].hears(t, "before", "after")
	s[1].hears(t, "before")
}

func testFlood(t *testing.T, join func(*testing.T, int) []socketio.Adapter) {
	s := stations(t, join(t, 2))
	block := make(chan struct{})
	s[1].onHear = func(*socketio.Command) { <-block }
	done := make(chan struct{})
	go func() {
		defer close(done)
		for range 20_000 {
			_ = s[0].Publish(&socketio.Command{Kind: socketio.KindBroadcast, From: s[0].id, Namespace: "/chat", Event: "flood"})
		}
	}()
	select {
	case <-done:
	case <-time.After(6 * patience): // on a slow machine it may take its time, but not for ever
		t.Error("Publish blocks when another server does not keep up")
	}
	close(block)
	<-done
}

func testDeaf(t *testing.T, join func(*testing.T, int) []socketio.Adapter) {
	adapters := join(t, 3)
	adapters[1] = Deaf(adapters[1])
	s := stations(t, adapters)
	s[0].publish(t, broadcast("hello"))
	s[2].hears(t, "hello")
	s[1].publish(t, broadcast("I cannot hear you"))
	s[0].hears(t, "I cannot hear you")
	s[2].hears(t, "hello", "I cannot hear you")
	if got := s[1].events(); len(got) != 0 {
		t.Errorf("the deaf server heard %q", got)
	}
}
