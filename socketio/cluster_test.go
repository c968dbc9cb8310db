package socketio_test

import (
	"context"
	"errors"
	"fmt"
	"regexp"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"qun/engineio"
	"qun/socketio"
)

// A spy is an adapter with an interest in rooms that notes what it is told.
type spy struct {
	journal
	deliver func(*socketio.Command)

	mu        sync.Mutex
	watchTime time.Duration
	watchErr  error
	others    int // servers beside this one
	published []*socketio.Command
	busy      map[string]bool
	watched   map[string]bool

	unwatchTime time.Duration
}

func (s *spy) Open(_ context.Context, self socketio.ServerID, deliver func(*socketio.Command)) error {
	if len(self) != 20 {
		return fmt.Errorf("got server id %q, want 20 characters", self)
	}
	s.deliver = deliver
	return nil
}

func (s *spy) Publish(c *socketio.Command) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.published = append(s.published, c)
	return nil
}

func (s *spy) Servers(context.Context, string) (int, error) { return 1 + s.others, nil }

// last is the command that was published last.
func (s *spy) last() *socketio.Command {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.published[len(s.published)-1]
}

func (s *spy) Close() error {
	s.note("close")
	return nil
}

func (s *spy) Watch(ctx context.Context, namespace string, room socketio.Room) error {
	s.mu.Lock()
	wait, err := s.watchTime, s.watchErr
	key := namespace + string(room)
	if s.busy[key] {
		s.note("two calls at a time for %s", key)
	}
	if s.busy == nil {
		s.busy = map[string]bool{}
	}
	s.busy[key] = true
	s.mu.Unlock()
	defer func() {
		s.mu.Lock()
		s.busy[key] = false
		if s.watched == nil {
			s.watched = map[string]bool{}
		}
		s.watched[key] = true
		s.mu.Unlock()
	}()
	if wait > 0 {
		select {
		case <-time.After(wait):
		case <-ctx.Done():
			err = ctx.Err()
		}
	}
	s.note("watch %s %q: %v", namespace, room, err)
	return err
}

func (s *spy) Unwatch(namespace string, room socketio.Room) {
	s.mu.Lock()
	hold := s.unwatchTime
	s.mu.Unlock()
	time.Sleep(hold)
	s.mu.Lock()
	delete(s.watched, namespace+string(room))
	s.mu.Unlock()
	s.note("unwatch %s %q", namespace, room)
}

func (s *spy) holdUnwatch(wait time.Duration) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.unwatchTime = wait
}

func (s *spy) set(wait time.Duration, err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.watchTime, s.watchErr = wait, err
}

// withinCluster is within, for a server with a spy.
func withinCluster(t *testing.T, test func(*world, *spy)) {
	s := &spy{}
	within(t, socketio.Config{Adapter: s}, func(w *world) {
		if err := w.server.Open(w.Context()); err != nil {
			t.Fatal(err)
		}
		test(w, s)
	})
}

func TestAdapterLearnsOfRooms(t *testing.T) {
	withinCluster(t, func(w *world, s *spy) {
		s.says(t, `watch / "": <nil>`) // before Open returned
		a := w.join("/")
		w.server.Of("/more")
		synctest.Wait()
		s.says(t, `watch /more "": <nil>`)
		one := w.server.Of("/").Sockets()[0]
		b := w.join("/")
		s.says(t)
		if err := one.Join("x"); err != nil {
			t.Error(err)
		}
		s.says(t, `watch / "x": <nil>`) // before Join returned
		for _, socket := range w.server.Of("/").Sockets() {
			socket.Join("x")
		}
		one.Leave("x")
		synctest.Wait()
		s.says(t)
		b.close()
		s.says(t, `unwatch / "x"`)
		a.close()
		s.says(t)
	})
}

func TestJoinWaitsOneSecondForTheAdapter(t *testing.T) {
	withinCluster(t, func(w *world, s *spy) {
		c := w.join("/")
		socket := w.server.Of("/").Sockets()[0]
		s.says(t, `watch / "": <nil>`)

		s.set(300*time.Millisecond, nil)
		start := time.Now()
		if err := socket.Join("soon"); err != nil || time.Since(start) != 300*time.Millisecond {
			t.Errorf("got %v after %v", err, time.Since(start))
		}
		s.set(time.Hour, nil)
		start = time.Now()
		if err := socket.Join("late"); !errors.Is(err, context.DeadlineExceeded) || time.Since(start) != time.Second {
			t.Errorf("got %v after %v, want deadline exceeded after 1s", err, time.Since(start))
		}
		synctest.Wait()
		s.set(0, errors.New("bus is down"))
		if err := socket.Join("never"); err == nil {
			t.Error("got no error although the room is not watched")
		}
		synctest.Wait()
		s.says(t, `watch / "soon": <nil>`, `watch / "late": context deadline exceeded`, `watch / "never": bus is down`)
		for _, room := range []socketio.Room{"soon", "late", "never"} {
			w.server.Of("/").To(room).Emit("m", room)
		}
		c.gets(`2["m","soon"]`, `2["m","late"]`, `2["m","never"]`) // on this server it has joined all the same
		s.set(0, nil)
		if err := socket.Join("never"); err != nil {
			t.Errorf("another try: %v", err)
		}
		s.says(t, `watch / "never": <nil>`)
		c.close()
		synctest.Wait()
		if rooms := w.server.Of("/").RoomsForTest(); rooms != 0 {
			t.Errorf("got %d rooms after the client had gone", rooms)
		}
	})
}

func TestRoomThatComesAndGoesIsWatchedInTurns(t *testing.T) {
	withinCluster(t, func(w *world, s *spy) {
		c := w.join("/")
		socket := w.server.Of("/").Sockets()[0]
		s.set(100*time.Millisecond, nil)
		var joins sync.WaitGroup
		for range 5 {
			joins.Go(func() { socket.Join("x") })
			synctest.Wait()
			socket.Leave("x")
		}
		joins.Wait()
		time.Sleep(time.Second)
		synctest.Wait()
		s.says(t, `watch / "": <nil>`, `watch / "x": <nil>`, `unwatch / "x"`)
		c.close()
	})
}

func TestBroadcastsArePublished(t *testing.T) {
	withinCluster(t, func(w *world, s *spy) {
		n := w.server.Of("/")
		c := w.join("/")
		socket := n.Sockets()[0]
		n.To("a", "b").Except("c").Volatile().Emit("e", 1, socketio.Binary("x"))
		socket.To("a").Emit("e")
		n.To("a").Local().Emit("local")
		_ = n.To("a").Leave("b")
		socket.Emit("own")
		_ = n.To("a").Local().Disconnect()
		c.take()
		if len(s.published) != 3 {
			t.Fatalf("got %d commands, want 3", len(s.published))
		}
		first, second, third := s.published[0], s.published[1], s.published[2]
		if got := fmt.Sprintf("%v %s %q %q %s %s %q %v", first.Kind, first.Namespace, first.Rooms, first.Except, first.Event, first.Args.JSON(), first.Args.Attachments(), first.Volatile); got !=
			`broadcast / ["a" "b"] ["c"] e [1,{"_placeholder":true,"num":0}] ["x"] true` {
			t.Errorf("got %s", got)
		}
		if len(second.Except) != 1 || second.Except[0] != socketio.Room(socket.ID()) {
			t.Errorf("got except %q, want the sender", second.Except)
		}
		if third.Kind != socketio.KindLeave || len(third.Joins) != 1 || third.Joins[0] != "b" {
			t.Errorf("got %+v", third)
		}
	})
}

func TestCommandsOfOtherServersAreCarriedOut(t *testing.T) {
	withinCluster(t, func(w *world, s *spy) {
		n := w.server.Of("/")
		c := w.join("/")
		n.Sockets()[0].Join("a")
		args, _ := socketio.ParseArgs([]byte(`[{ "b" : 1 }]`), nil)
		for _, command := range []*socketio.Command{
			{Kind: socketio.KindBroadcast, Namespace: "/", Rooms: []socketio.Room{"a"}, Event: "e", Args: args},
			{Kind: socketio.KindBroadcast, Namespace: "/", Rooms: []socketio.Room{"x"}, Event: "no"},
			{Kind: socketio.KindBroadcast, Namespace: "/", Rooms: []socketio.Room{""}, Event: "no"},
			{Kind: socketio.KindBroadcast, Namespace: "/unknown", Event: "no"},
			{Kind: socketio.KindJoin, Namespace: "/", Joins: []socketio.Room{"b", ""}},
			{Kind: socketio.KindLeave, Namespace: "/", Joins: []socketio.Room{"a", ""}},
			{Kind: socketio.KindBroadcast, Namespace: "/", Rooms: []socketio.Room{"a"}, Event: "no"},
			{Kind: socketio.KindBroadcast, Namespace: "/", Rooms: []socketio.Room{"b"}, Event: "b"},
			{Kind: socketio.KindResponse, Namespace: "/", ID: "nobody asked"},
			{Kind: 99, Namespace: "/"},
			{Kind: socketio.KindDisconnect, Namespace: "/"},
		} {
			s.deliver(command)
		}
		c.gets(`2["e",{ "b" : 1 }]`, `2["b"]`, `1`)
		if len(s.published) != 0 {
			t.Errorf("a command was published again: %+v", s.published)
		}
	})
}

func TestHandshakesTellOthersNoSecrets(t *testing.T) {
	s := &spy{}
	within(t, socketio.Config{Adapter: s, Engine: engineio.Config{KeepHeaders: []string{"User-Agent", "Cookie"}}}, func(w *world) {
		if err := w.server.Open(w.Context()); err != nil {
			t.Fatal(err)
		}
		c := w.dial()
		c.send(`0{"token":"secret"}`)
		c.take()
		socket := w.server.Of("/").Sockets()[0]
		if own := socket.Describe(); !strings.Contains(string(own.Handshake.Auth), "secret") {
			t.Errorf("got %s here, want the credentials", own.Handshake.Auth)
		}
		s.deliver(&socketio.Command{Kind: socketio.KindRequest, Namespace: "/", Event: socketio.RequestSockets, ID: "1", From: "x"})
		synctest.Wait()
		answer := string(s.last().Args.JSON())
		if strings.Contains(answer, "secret") || !strings.Contains(answer, `"headers":{}`) || !strings.Contains(answer, `"auth":{}`) || !strings.Contains(answer, string(socket.ID())) {
			t.Errorf("told others %s", answer)
		}
	})
}

// A namespace of a family that comes back while its end is still being told is watched at the end.
func TestNamespaceThatComesBackIsWatched(t *testing.T) {
	withinCluster(t, func(w *world, s *spy) {
		w.server.OfPattern(regexp.MustCompile("/dyn"))
		a := w.join("/dyn")
		_ = w.server.Of("/dyn").Sockets()[0].Join("x")
		s.says(t, `watch / "": <nil>`, `watch /dyn "": <nil>`, `watch /dyn "x": <nil>`)
		s.holdUnwatch(100 * time.Millisecond)
		a.close()
		synctest.Wait()
		b := w.dial()
		b.send("0/dyn,")
		time.Sleep(time.Second)
		_ = w.server.Of("/dyn").Sockets()[0].Join("x")
		s.mu.Lock()
		defer s.mu.Unlock()
		for _, place := range []string{"/dyn", "/dynx"} {
			if !s.watched[place] {
				t.Errorf("%s is not watched, although somebody is in it", place)
			}
		}
	})
}

func TestJoinWaitsForAWatchBehindAnUnwatch(t *testing.T) {
	withinCluster(t, func(w *world, s *spy) {
		w.join("/")
		socket := w.server.Of("/").Sockets()[0]
		_ = socket.Join("x")
		s.holdUnwatch(100 * time.Millisecond)
		s.set(100*time.Millisecond, nil)
		socket.Leave("x")
		synctest.Wait()
		start := time.Now()
		if err := socket.Join("x"); err != nil || time.Since(start) != 200*time.Millisecond {
			t.Errorf("got %v after %v, want the end of Unwatch and of Watch after it", err, time.Since(start))
		}
	})
}

// The Watch of the one who comes may overtake the Unwatch of the one who goes.
func TestRoomIsUnwatchedWhenNobodyWantsIt(t *testing.T) {
	s := &spy{}
	watch, unwatch := socketio.InterestsForTest(s)
	_ = watch()
	_ = watch()
	unwatch()
	s.says(t, `watch / "x": <nil>`, `watch / "x": <nil>`)
	unwatch()
	s.says(t, `unwatch / "x"`)
}
