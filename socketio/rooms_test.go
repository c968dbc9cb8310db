package socketio_test

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"testing/synctest"

	"qun/socketio"
)

// crowd connects n clients and returns their sockets in the same order.
func (w *world) crowd(n int) ([]*client, []*socketio.Socket) {
	clients, sockets := make([]*client, n), make([]*socketio.Socket, n)
	for i := range n {
		clients[i] = w.dial()
		sockets[i] = w.server.Of("/").Socket(clients[i].connect("/"))
	}
	return clients, sockets
}

// heard returns which of the clients have received something, e.g. "0 2".
func heard(t *testing.T, clients []*client, want string) string {
	t.Helper()
	var who []string
	for i, c := range clients {
		switch got := c.take(); {
		case len(got) == 1 && got[0] == want:
			who = append(who, fmt.Sprint(i))
		case len(got) > 0:
			t.Errorf("client %d got %q, want %q once, or nothing", i, got, want)
		}
	}
	return strings.Join(who, " ")
}

func TestBroadcastReachesWhoIsMeant(t *testing.T) {
	within(t, socketio.Config{}, func(w *world) {
		n := w.server.Of("/")
		clients, s := w.crowd(6)
		s[0].Join("a", "b")
		s[1].Join("a")
		s[2].Join("b", "c")
		s[3].Join("c")
		own := func(i int) socketio.Room { return socketio.Room(s[i].ID()) }
		for name, c := range map[string]struct {
			to   socketio.Broadcast
			want string
		}{
			"everyone":                  {n.To(), "0 1 2 3 4 5"},
			"a room":                    {n.To("a"), "0 1"},
			"a union, each once":        {n.To("a", "b"), "0 1 2"},
			"a union, step by step":     {n.To("a").To("b").To("c"), "0 1 2 3"},
			"except a room":             {n.To("a", "b").Except("c"), "0 1"},
			"everyone except a room":    {n.To().Except("a"), "2 3 4 5"},
			"one socket":                {n.To(own(4)), "4"},
			"one socket and a room":     {n.To(own(0), "a"), "0 1"},
			"except one socket":         {n.To("a").Except(own(0)), "1"},
			"not the sender":            {s[0].To("a", "b"), "1 2"},
			"everyone but the sender":   {s[0].To(), "1 2 3 4 5"},
			"the sender, by its own id": {s[0].To(own(0)), ""},
			"sender and except":         {s[3].To("c", "b").Except("a"), "2"},
			"nobody":                    {n.To("nowhere"), ""},
			"a room without a name":     {n.To(""), ""},
			"and one with":              {n.To("", "a"), "0 1"},
			"except no name":            {n.To("a").Except(""), "0 1"},
			"an id that is gone":        {n.To("01234567890123456789"), ""},
			"local":                     {n.To("a").Local(), "0 1"},
			"volatile":                  {n.To("a").Volatile(), "0 1"},
		} {
			if err := c.to.Emit("m", name); err != nil {
				t.Errorf("%s: %v", name, err)
			}
			if got := heard(t, clients, fmt.Sprintf(`2["m",%q]`, name)); got != c.want {
				t.Errorf("%s: got %q, want %q", name, got, c.want)
			}
		}
	})
}

func TestBroadcastIsAValue(t *testing.T) {
	within(t, socketio.Config{}, func(w *world) {
		clients, s := w.crowd(3)
		for i, room := range []socketio.Room{"a", "b", "c"} {
			s[i].Join(room)
		}
		base := w.server.Of("/").To("a")
		one, two := base.To("b"), base.To("c").Except("a")
		one.Emit("m", 1)
		if got := heard(t, clients, `2["m",1]`); got != "0 1" {
			t.Errorf("got %q", got)
		}
		two.Emit("m", 2)
		if got := heard(t, clients, `2["m",2]`); got != "2" {
			t.Errorf("got %q", got)
		}
		base.Emit("m", 3)
		if got := heard(t, clients, `2["m",3]`); got != "0" {
			t.Errorf("got %q", got)
		}
	})
}

func TestRoomsAreOfOneNamespace(t *testing.T) {
	within(t, socketio.Config{}, func(w *world) {
		w.server.Of("/a").OnConnect(func(_ context.Context, s *socketio.Socket) { s.Join("room") })
		c := w.join("/", "/a")
		w.server.Of("/").To("room").Emit("m")
		c.gets()
		w.server.Of("/a").To("room").Emit("m", socketio.Binary("b"))
		c.gets(`51-/a,["m",{"_placeholder":true,"num":0}]`, "binary b")
	})
}

func TestEffectsHaveTheOrderInWhichTheyWereIssued(t *testing.T) {
	within(t, socketio.Config{}, func(w *world) {
		n := w.server.Of("/")
		clients, s := w.crowd(1)
		n.To("r").Emit("m", 1)
		s[0].Join("r")
		n.To("r").Emit("m", 2)
		s[0].Emit("m", 3)
		s[0].Leave("r")
		n.To("r").Emit("m", 4)
		s[0].Join("r")
		if !s[0].In("r") {
			t.Error("In does not see the Join")
		}
		n.To("r").Emit("m", 5)
		s[0].Leave("r", "never joined", socketio.Room(s[0].ID()))
		if s[0].In("r") {
			t.Error("In does not see the Leave")
		}
		n.To(socketio.Room(s[0].ID())).Emit("m", 6)
		s[0].Disconnect()
		_ = n.Emit("m", 7)
		clients[0].gets(`2["m",2]`, `2["m",3]`, `2["m",5]`, `2["m",6]`, `1`)
	})
}

func TestRoomsSeesWhatWasIssued(t *testing.T) {
	within(t, socketio.Config{}, func(w *world) {
		_, s := w.crowd(1)
		own := socketio.Room(s[0].ID())
		check := func(want ...socketio.Room) {
			t.Helper()
			if got := s[0].Rooms(); !slices.Equal(got, append([]socketio.Room{own}, want...)) {
				t.Errorf("got %q, want %q", got, want)
			}
		}
		check()
		s[0].Join("a", "b", "a")
		s[0].Join("b", "c")
		check("a", "b", "c")
		s[0].Leave("a")
		check("c", "b")
		_ = w.server.Of("/").To("b").Join("d")
		_ = w.server.Of("/").To("b").Leave("b", "")
		check("c", "d")
		if !s[0].In(own) || s[0].In("b") || s[0].In("") {
			t.Errorf("In: own %v, b %v, no name %v", s[0].In(own), s[0].In("b"), s[0].In(""))
		}
		s[0].Disconnect()
		check("c", "d") // where it was at its end
	})
}

func TestInSeesWhatWasIssued(t *testing.T) {
	within(t, socketio.Config{}, func(w *world) {
		n := w.server.Of("/")
		_, s := w.crowd(2)
		check := func(name socketio.Room, want bool, after string) {
			t.Helper()
			if got := s[0].In(name); got != want {
				t.Errorf("in %q after %s: got %v, want %v", name, after, got, want)
			}
		}
		for range 20 {
			_ = s[0].Join("a")
			check("a", true, "Join")
			_ = n.To("a").Join("b")
			check("b", true, "a Join of its room")
			_ = n.To("b").Leave("a", "b")
			check("b", false, "a Leave of its room")
			check("a", false, "a Leave of another room")
		}
		_ = s[0].Join("a")
		s[0].Disconnect()
		check("a", true, "its end")
	})
}

// Handlers ask In of every message: it must not wait for the shard, whose turn writes all that was sent so far.
func TestInWaitsForNobodyWhoStaysWhereItIs(t *testing.T) {
	within(t, socketio.Config{}, func(w *world) {
		n, proceed := w.server.Of("/"), make(chan struct{})
		_, s := w.crowd(1)
		_ = s[0].Join("r")
		s[0].Rooms()
		socketio.OnAnyOutgoing(n, func(*socketio.Socket, string, socketio.Args) { <-proceed })
		_ = s[0].Emit("m")
		synctest.Wait()
		if !s[0].In("r") || s[0].In("q") {
			t.Errorf("got %v for a room it is in, %v for one it is not in", s[0].In("r"), s[0].In("q"))
		}
		close(proceed)
	})
}

func TestJoinRefusesWhatCannotBe(t *testing.T) {
	within(t, socketio.Config{MaxRooms: 3}, func(w *world) {
		var early error
		w.server.Of("/").Use(func(_ context.Context, s *socketio.Socket) error {
			early = s.Join("a")
			return nil
		})
		clients, s := w.crowd(1)
		if !errors.Is(early, socketio.ErrDisconnected) {
			t.Errorf("in a middleware: got %v, want ErrDisconnected", early)
		}
		if err := s[0].Join("a", ""); !errors.Is(err, socketio.ErrRoomName) {
			t.Errorf("got %v, want ErrRoomName", err)
		}
		if err := s[0].Join("a", "b", "c"); err != nil {
			t.Error(err)
		}
		if err := s[0].Join("d"); !errors.Is(err, socketio.ErrTooManyRooms) {
			t.Errorf("got %v, want ErrTooManyRooms", err)
		}
		_ = w.server.Of("/").To("a").Join("d")
		s[0].Leave("a")
		if got := s[0].Rooms(); len(got) != 3 {
			t.Errorf("got %q, want b and c", got)
		}
		if err := s[0].Join("d"); err != nil {
			t.Errorf("after Leave: %v", err)
		}
		clients[0].close()
		if err := s[0].Join("e"); !errors.Is(err, socketio.ErrDisconnected) {
			t.Errorf("got %v, want ErrDisconnected", err)
		}
	})
}

func TestTargetsCanBeMovedAndDisconnected(t *testing.T) {
	within(t, socketio.Config{}, func(w *world) {
		n := w.server.Of("/")
		clients, s := w.crowd(4)
		for _, s := range s[:3] {
			s.Join("old")
		}
		_ = n.To("old").Except(socketio.Room(s[2].ID())).Join("new", "newer")
		_ = s[0].To("old").Leave("old")
		n.To("new").Emit("m")
		if got := heard(t, clients, `2["m"]`); got != "0 1" {
			t.Errorf("new: got %q", got)
		}
		n.To("old").Emit("m")
		if got := heard(t, clients, `2["m"]`); got != "0" {
			t.Errorf("old: got %q", got)
		}
		_ = n.To("newer").Disconnect()
		if got := heard(t, clients, `1`); got != "0 1" || !clients[0].isOpen() {
			t.Errorf("disconnected: got %q, open %v", got, clients[0].isOpen())
		}
		n.To().Close()
		if got := heard(t, clients, ``); got != "" || clients[2].isOpen() || clients[3].isOpen() || !clients[0].isOpen() {
			t.Errorf("got %q; the connections of those still connected shall be closed, others not", got)
		}
		if rooms := n.RoomsForTest(); rooms != 0 {
			t.Errorf("got %d rooms after everybody had gone", rooms)
		}
	})
}

// TestRoomsBehaveLikeSets compares rooms with plain sets under a long random sequence of acts.
func TestRoomsBehaveLikeSets(t *testing.T) {
	within(t, socketio.Config{}, func(w *world) {
		const size, names = 12, 5
		n := w.server.Of("/")
		clients, sockets := w.crowd(size)
		model := make([]map[socketio.Room]bool, size)
		for i := range model {
			model[i] = map[socketio.Room]bool{}
		}
		r := rand.New(rand.NewPCG(1, 2))
		pick := func() socketio.Room { return socketio.Room(fmt.Sprint("room ", r.IntN(names))) }
		for step := range 3000 {
			i := r.IntN(size)
			switch r.IntN(6) {
			case 0, 1:
				a, b := pick(), pick()
				sockets[i].Join(a, b)
				model[i][a], model[i][b] = true, true
			case 2:
				a := pick()
				sockets[i].Leave(a)
				delete(model[i], a)
			case 3:
				if r.IntN(20) == 0 {
					clients[i].close()
					clients[i] = w.dial()
					sockets[i] = n.Socket(clients[i].connect("/"))
					model[i] = map[socketio.Room]bool{}
				}
			case 4:
				want := append([]socketio.Room{socketio.Room(sockets[i].ID())}, slices.Sorted(maps.Keys(model[i]))...)
				got := sockets[i].Rooms()
				slices.Sort(got[1:])
				if !slices.Equal(got, want) {
					t.Fatalf("step %d: socket %d is in %q, want %q", step, i, got, want)
				}
			case 5:
				a, b, not := pick(), pick(), pick()
				sockets[i].To(a, b).Except(not).Emit("m", step)
				var want []string
				for k, rooms := range model {
					if (rooms[a] || rooms[b]) && !rooms[not] && k != i {
						want = append(want, fmt.Sprint(k))
					}
				}
				if got := heard(t, clients, fmt.Sprintf(`2["m",%d]`, step)); got != strings.Join(want, " ") {
					t.Fatalf("step %d: %q %q except %q reached %q, want %q", step, a, b, not, got, want)
				}
			}
		}
		for _, c := range clients {
			c.close()
		}
		synctest.Wait()
		if rooms := n.RoomsForTest(); rooms != 0 {
			t.Errorf("got %d rooms after everybody had gone", rooms)
		}
	})
}

func TestVolatileIsDroppedWhenTheClientDoesNotRead(t *testing.T) {
	within(t, socketio.Config{}, func(w *world) {
		n := w.server.Of("/")
		reader := w.join("/")
		poller := w.poll()
		poller.post("0")
		poller.get() // CONNECT; from now on no GET waits
		n.To().Volatile().Emit("m", 1)
		synctest.Wait()
		for _, s := range n.Sockets() {
			_ = s.EmitVolatile("m", socketio.Binary("b"))
		}
		synctest.Wait()
		_ = n.Emit("m", 2)
		reader.gets(`2["m",1]`, `51-["m",{"_placeholder":true,"num":0}]`, "binary b", `2["m",2]`)
		if got := poller.get(); got != `42["m",2]` {
			t.Errorf("got %q, want only what is not volatile", got)
		}
	})
}
