package gateway_test

import (
	"context"
	"errors"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"qun/internal/chat"
	"qun/internal/gateway"
	"qun/socketio"
)

// others is an adapter that keeps what is published. It cannot be opened as often as it says.
type others struct {
	mu        sync.Mutex // guards below
	fails     int
	self      socketio.ServerID
	deliver   func(*socketio.Command)
	published []*socketio.Command
	watched   []socketio.Room
	closed    bool
}

func (w *others) Open(_ context.Context, self socketio.ServerID, deliver func(*socketio.Command)) error {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.fails--; w.fails >= 0 {
		return errors.New("nobody there")
	}
	w.self, w.deliver = self, deliver
	return nil
}

func (w *others) Publish(c *socketio.Command) error {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.published = append(w.published, c)
	return nil
}

func (w *others) Servers(context.Context, string) (int, error) { return 1, nil }

func (w *others) Close() error {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.closed = true
	return nil
}

func (w *others) Watch(_ context.Context, _ string, room socketio.Room) error {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.watched = append(w.watched, room)
	return nil
}

func (w *others) Unwatch(string, socketio.Room) {}

// A bridge reaches the others when they can be reached, and tells them what is of a group and of nobody alone.
func TestABridgeTellsOfGroupsAndNotOfUsers(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		sockets := socketio.New(socketio.Config{})
		defer sockets.Shutdown(t.Context())
		w := &others{fails: 3}
		b := gateway.NewBridge(gateway.NewHub(sockets.Of("/")), gateway.BridgeConfig{Adapter: w, Publish: true, Open: []socketio.Room{"g/1", ""}})
		b.Start()
		time.Sleep(4 * gateway.BridgePause)
		synctest.Wait()
		if len(w.watched) != 2 || len(w.self) != 20 {
			t.Fatalf("as %s it listens to %q", w.self, w.watched)
		}
		b.Notify(chat.Event{Group: "1", Number: 2, Message: &chat.Message{GroupID: "1", Seq: 2, Text: "群"}})
		b.Notify(chat.Event{Group: "1", Number: 3, Change: &chat.Change{GroupID: "1", Head: 3}})
		b.Notify(chat.Event{User: "2", Number: 1, Me: &chat.MeChange{}})
		if len(w.published) != 2 {
			t.Fatalf("published %d events", len(w.published))
		}
		for i, want := range []socketio.Command{{Event: "message", Rooms: []socketio.Room{"g/1"}}, {Event: "change", Rooms: []socketio.Room{"f/1"}}} {
			c := w.published[i]
			if c.Kind != socketio.KindBroadcast || c.From != w.self || c.Namespace != "/" || c.Event != want.Event ||
				len(c.Rooms) != 1 || c.Rooms[0] != want.Rooms[0] || c.Args.Len() != 1 {
				t.Errorf("got %+v", c)
			}
		}
		if err := b.Close(); err != nil || !w.closed {
			t.Errorf("closed: %v, %v", w.closed, err)
		}
	})
}

// What one of ours published is passed over; what is no event to anybody, or one of the chat's own, is refused.
func TestABridgeTakesNothingThatIsNotTheirs(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		sockets := socketio.New(socketio.Config{})
		defer sockets.Shutdown(t.Context())
		w := &others{}
		b := gateway.NewBridge(gateway.NewHub(sockets.Of("/")), gateway.BridgeConfig{Adapter: w})
		b.Start()
		defer b.Close()
		synctest.Wait()
		event := func(change func(*socketio.Command)) {
			c := &socketio.Command{Kind: socketio.KindBroadcast, From: "node56789012345678ab", Namespace: "/", Rooms: []socketio.Room{"g/1"}, Event: "notice"}
			change(c)
			w.deliver(c)
		}
		event(func(*socketio.Command) {})
		event(func(c *socketio.Command) { c.From, c.Event = "qun-0123456789abcdef", "message" })
		if n := b.Refused(); n != 0 {
			t.Errorf("refused %d", n)
		}
		bad := []func(*socketio.Command){
			func(c *socketio.Command) { c.Kind = socketio.KindJoin },
			func(c *socketio.Command) { c.Kind = socketio.KindDisconnect },
			func(c *socketio.Command) { c.ID = "answer me" },
			func(c *socketio.Command) { c.Namespace = "/admin" },
		}
		for _, name := range []string{"message", "change", "heads", "me", "typing", "presence", "read"} {
			bad = append(bad, func(c *socketio.Command) { c.Event = name })
		}
		for _, change := range bad {
			event(change)
		}
		if n := b.Refused(); n != uint64(len(bad)) {
			t.Errorf("refused %d of %d", n, len(bad))
		}
	})
}
