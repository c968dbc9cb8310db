package socketio_test

import (
	"context"
	"errors"
	"regexp"
	"testing"

	"qun/socketio"
)

func TestEventMiddlewaresMayRefuse(t *testing.T) {
	within(t, socketio.Config{}, func(w *world) {
		var j journal
		n := w.server.Of("/mw")
		socketio.OnAny(n, func(_ context.Context, _ *socketio.Socket, e *socketio.Event) { j.note("any %s", e.Name) })
		socketio.UseEvents(n, func(_ context.Context, _ *socketio.Socket, e *socketio.Event) error {
			j.note("first %s", e.Name)
			if e.Name == "bad" {
				return errors.New("blocked")
			}
			return nil
		})
		n.OnConnect(func(_ context.Context, s *socketio.Socket) {
			socketio.UseEvents(s, func(_ context.Context, _ *socketio.Socket, e *socketio.Event) error {
				j.note("second %s", e.Name)
				if e.Name == "worse" {
					return errors.New("blocked by the socket")
				}
				return nil
			})
			socketio.OnAny(s, func(_ context.Context, _ *socketio.Socket, e *socketio.Event) { j.note("socket's any %s", e.Name) })
		})
		socketio.HandleOther(n, func(_ context.Context, _ *socketio.Socket, e *socketio.Event) {
			j.note("handle %s", e.Name)
			e.Ack("done")
		})
		c := w.join("/mw")
		c.send(`2/mw,0["good"]`, `2/mw,1["bad"]`) // nobody hears of errors yet
		c.gets(`3/mw,0["done"]`)
		j.says(t, "any good", "socket's any good", "first good", "second good", "handle good",
			"any bad", "socket's any bad", "first bad")
		socketio.OnError(n, func(s *socketio.Socket, e *socketio.Event, err error) { s.Emit("blocked", e.Name, err.Error()) })
		c.send(`2/mw,1["bad"]`, `2/mw,2["worse"]`)
		c.gets(`2/mw,["blocked","bad","blocked"]`, `2/mw,["blocked","worse","blocked by the socket"]`)
	})
}

func TestFamilyNamespaceAndSocketListenInThisOrder(t *testing.T) {
	within(t, socketio.Config{}, func(w *world) {
		var j journal
		note := func(who string) socketio.Handler {
			return func(_ context.Context, _ *socketio.Socket, e *socketio.Event) { j.note("%s %s", who, e.Name) }
		}
		f := w.server.OfPattern(regexp.MustCompile("/d"))
		w.server.OnNamespace(func(n *socketio.Namespace) {
			if n.Name() == "/d" {
				socketio.OnAny(n, note("namespace any"))
				socketio.Handle(n, "b", note("namespace"))
			}
		})
		f.OnConnect(func(_ context.Context, s *socketio.Socket) {
			socketio.OnAny(s, note("socket any"))
			socketio.Handle(s, "c", note("socket"))
		})
		socketio.OnAny(f, note("family any"))
		for _, event := range []string{"a", "b", "c"} {
			socketio.Handle(f, event, note("family"))
		}
		c := w.join("/d")
		c.send(`2/d,["a"]`, `2/d,["b"]`, `2/d,["c"]`)
		c.gets()
		var want []string
		for event, who := range map[string]string{"a": "family"} {
			want = append(want, "family any "+event, "namespace any "+event, "socket any "+event, who+" "+event)
		}
		want = append(want, "family any b", "namespace any b", "socket any b", "namespace b",
			"family any c", "namespace any c", "socket any c", "socket c")
		j.says(t, want...)
	})
}

func TestOutgoingEventsAreHeardOnTheirWay(t *testing.T) {
	within(t, socketio.Config{}, func(w *world) {
		var j journal
		n := w.server.Of("/")
		clients, s := w.crowd(2)
		socketio.OnAnyOutgoing(s[1], func(s *socketio.Socket, event string, args socketio.Args) {
			j.note("%s %s %s", event, args.JSON(), args.Attachments())
		})
		_ = n.Emit("all", 1, socketio.Binary("b"))
		_ = s[0].Emit("other")
		_ = s[1].Emit("own", "x")
		_ = n.To("nowhere").Emit("nobody")
		go func() { _, _ = s[1].EmitWithAck(w.Context(), "ask") }()
		go func() { _, _ = n.To().Except(socketio.Room(s[0].ID())).EmitWithAck(w.Context(), "ask all") }()
		clients[1].take()
		got := map[string]bool{}
		for _, line := range j.lines {
			got[line] = true
		}
		for _, want := range []string{`all [1,{"_placeholder":true,"num":0}] [b]`, `own ["x"] []`, `ask [] []`, `ask all [] []`} {
			if !got[want] {
				t.Errorf("missing %q in %q", want, j.lines)
			}
		}
		if len(j.lines) != 4 {
			t.Errorf("got %q", j.lines)
		}
		socketio.OnAnyOutgoing(s[0], func(*socketio.Socket, string, socketio.Args) { panic("boom") })
		_ = n.Emit("after the panic")
		if got := clients[1].take(); len(got) != 1 {
			t.Errorf("a panic about one socket cost another its event: got %q", got)
		}
		if clients[0].isOpen() {
			t.Error("the panic did not close the connection that it was about")
		}
	})
}

func TestFamilyHearsOutgoingEvents(t *testing.T) {
	within(t, socketio.Config{}, func(w *world) {
		var j journal
		f := w.server.OfPattern(regexp.MustCompile("/d."))
		w.join("/d1")
		socketio.OnAnyOutgoing(f, func(s *socketio.Socket, event string, _ socketio.Args) {
			j.note("%s %s", s.Namespace().Name(), event)
		})
		w.join("/d2")
		_ = w.server.Of("/d1").Emit("a")
		_ = w.server.Of("/d2").Emit("b")
		w.dial().take()
		if len(j.lines) != 2 {
			t.Errorf("got %q", j.lines)
		}
	})
}

func TestRoomsAreReportedInOrder(t *testing.T) {
	within(t, socketio.Config{}, func(w *world) {
		var j journal
		n := w.server.Of("/")
		alias := map[string]string{}
		name := func(id string) string {
			if a := alias[id]; a != "" {
				return a
			}
			return id
		}
		var lines []string
		n.OnRooms(socketio.RoomHooks{
			Created: func(r socketio.Room) { j.note("create %s", r) },
			Deleted: func(r socketio.Room) { j.note("delete %s", r) },
			Joined:  func(r socketio.Room, id socketio.SocketID) { j.note("%s joins %s", id, r) },
			Left:    func(r socketio.Room, id socketio.SocketID) { j.note("%s leaves %s", id, r) },
		})
		n.OnRooms(socketio.RoomHooks{})
		clients, s := w.crowd(2)
		alias[string(s[0].ID())], alias[string(s[1].ID())] = "A", "B"
		_ = s[0].Join("x", "y")
		_ = s[1].Join("x")
		_ = s[1].Join("x")
		_ = n.To("x").Join("z")
		s[0].Leave("x", "never")
		s[1].Leave("x")
		s[0].Rooms()
		s[1].Rooms()
		clients[0].close()
		clients[1].close()
		j.mu.Lock()
		for _, line := range j.lines {
			for id := range alias {
				line = regexp.MustCompile(regexp.QuoteMeta(id)).ReplaceAllString(line, name(id))
			}
			lines = append(lines, line)
		}
		j.lines = lines
		j.mu.Unlock()
		created, members := map[string]bool{}, map[string]int{}
		for _, line := range lines {
			var who, what, room string
			if fields := regexp.MustCompile(` `).Split(line, 3); len(fields) == 3 {
				who, what, room = fields[0], fields[1], fields[2]
			} else {
				what, room = fields[0], fields[1]
			}
			switch what {
			case "create":
				if created[room] || members[room] != 0 {
					t.Errorf("%s was created twice: %q", room, lines)
				}
				created[room] = true
			case "joins":
				if !created[room] {
					t.Errorf("%s joined %s before it was created: %q", who, room, lines)
				}
				members[room]++
			case "leaves":
				members[room]--
			case "delete":
				if members[room] != 0 || !created[room] {
					t.Errorf("%s was deleted with members: %q", room, lines)
				}
				delete(created, room)
			}
		}
		if len(created) != 0 || len(lines) < 20 {
			t.Errorf("got %d lines, rooms left %v: %q", len(lines), created, lines)
		}
	})
}
