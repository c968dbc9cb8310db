package socketio_test

import (
	"context"
	"errors"
	"log/slog"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"
	"unicode/utf8"

	"qun/engineio"
	"qun/socketio"
)

func TestBrokenPacketsCloseTheWholeConnection(t *testing.T) {
	for _, text := range append(brokenPackets, `2/a,["x"]`, `3/a,1[]`, `1/a`, `0`) {
		if !utf8.ValidString(text) {
			continue // the engine sees to that on a WebSocket
		}
		within(t, socketio.Config{}, func(w *world) {
			var reason error
			w.server.Of("/a")
			w.server.Of("/").OnDisconnect(func(_ *socketio.Socket, err error) { reason = err })
			c := w.join("/")
			c.send(text)
			if c.isOpen() {
				t.Errorf("%q: the connection is still open", text)
			}
			if !errors.Is(reason, engineio.ErrForcedClose) || socketio.Reason(reason) != "forced close" {
				t.Errorf("%q: got reason %v, want forced close", text, reason)
			}
		})
	}
}

func TestFirstPacketMustBeConnect(t *testing.T) {
	for _, text := range []string{`2["x"]`, `31[]`, `1`, `51-["x",{"_placeholder":true,"num":0}]`} {
		within(t, socketio.Config{}, func(w *world) {
			c := w.dial()
			c.send(text)
			if c.isOpen() {
				t.Errorf("%q: the connection is still open", text)
			}
		})
	}
}

func TestAttachmentGamesCloseTheConnection(t *testing.T) {
	for name, play := range map[string]func(*client){
		"text instead of an attachment": func(c *client) { c.send(`51-["x",{"_placeholder":true,"num":0}]`, `2["x"]`) },
		"attachment out of the blue":    func(c *client) { c.sendBinary("x") },
		"one attachment too many": func(c *client) {
			c.send(`51-["x",{"_placeholder":true,"num":0}]`)
			c.sendBinary("x")
			c.sendBinary("x")
		},
		"a placeholder out of range": func(c *client) {
			c.send(`51-["x",{"_placeholder":true,"num":1}]`)
			c.sendBinary("x")
		},
		"too many bytes": func(c *client) {
			c.send(`52-["x",{"_placeholder":true,"num":0}]`)
			c.sendBinary(strings.Repeat("x", 60))
			c.sendBinary(strings.Repeat("x", 60))
		},
		"never finished": func(c *client) {
			c.send(`52-["x",{"_placeholder":true,"num":0}]`)
			c.sendBinary("x")
			time.Sleep(2 * time.Second)
			c.w.server.Of("/slow") // time passes whatever else is done
			time.Sleep(2 * time.Second)
		},
	} {
		cfg := socketio.Config{AttachmentTimeout: 3 * time.Second, MaxAttachmentBytes: 100, Logger: slog.New(refusalsOnly{t})}
		within(t, cfg, func(w *world) {
			c := w.join("/")
			play(c)
			if c.isOpen() {
				t.Errorf("%s: the connection is still open", name)
			}
		})
	}
}

// refusalsOnly is a log in which nothing but refusals may stand: a guard that panics is none.
type refusalsOnly struct{ *testing.T }

func (refusalsOnly) Enabled(_ context.Context, level slog.Level) bool { return level >= slog.LevelWarn }
func (l refusalsOnly) Handle(_ context.Context, r slog.Record) error {
	l.Errorf("logged: %s", r.Message)
	return nil
}
func (l refusalsOnly) WithAttrs([]slog.Attr) slog.Handler { return l }
func (l refusalsOnly) WithGroup(string) slog.Handler      { return l }

func TestCompletePacketsHaveNoDeadline(t *testing.T) {
	within(t, socketio.Config{AttachmentTimeout: 3 * time.Second}, func(w *world) {
		echo(w.server.Of("/"))
		c := w.join("/")
		c.send(`51-["x",{"_placeholder":true,"num":0}]`)
		time.Sleep(2 * time.Second)
		c.sendBinary("b")
		c.gets(`51-["x",{"_placeholder":true,"num":0}]`, "binary b")
		time.Sleep(10 * time.Second)
		if !c.isOpen() {
			t.Error("the connection was closed")
		}
	})
}

func TestPanicClosesOnlyThatConnection(t *testing.T) {
	within(t, socketio.Config{}, func(w *world) {
		n := w.server.Of("/")
		var j journal
		socketio.Handle(n, "panic", func(context.Context, *socketio.Socket, *socketio.Event) { panic("boom") })
		echo(n)
		n.OnDisconnect(func(_ *socketio.Socket, reason error) { j.note("%s", socketio.Reason(reason)) })
		bad := w.server.Of("/bad")
		bad.OnConnect(func(context.Context, *socketio.Socket) { panic("boom") })
		worse := w.server.Of("/worse")
		worse.Use(func(context.Context, *socketio.Socket) error { panic("boom") })
		other := w.join("/")
		for _, text := range []string{`2["panic"]`, `0/bad`, `0/worse`} {
			c := w.join("/")
			c.send(text)
			if c.isOpen() {
				t.Errorf("%s: the connection is still open", text)
			}
			j.says(t, "forced server close")
		}
		other.send(`2["x"]`)
		other.gets(`2["x"]`)
	})
}

func TestServerDisconnectsASocket(t *testing.T) {
	within(t, socketio.Config{}, func(w *world) {
		var j journal
		n := w.server.Of("/")
		n.OnDisconnect(func(s *socketio.Socket, reason error) { j.note("disconnect %v %v", reason, s.Rooms()[1:]) })
		socketio.HandleOther(n, func(_ context.Context, _ *socketio.Socket, e *socketio.Event) { j.note("handled %s", e.Name) })
		socketio.Handle(n, "leave", func(_ context.Context, s *socketio.Socket, _ *socketio.Event) {
			s.Join("a", "b")
			s.Emit("last")
			s.Disconnect()
			j.note("emit: %v, join: %v", s.Emit("never"), s.Join("c"))
			_ = n.Emit("not to it")
		})
		w.server.Of("/a")
		c := w.join("/", "/a")
		c.send(`2["leave"]`, `2["dropped"]`, `21["dropped"]`)
		c.gets(`2["last"]`, `1`)
		j.says(t, "emit: socket is disconnected, join: socket is disconnected", "disconnect server namespace disconnect [a b]")
		if !c.isOpen() || n.Len() != 0 {
			t.Errorf("open %v, %d sockets; want an open transport and none", c.isOpen(), n.Len())
		}
		c.connect("/")
		c.close()
		j.says(t, "disconnect transport close []")
	})
}

// TestDisconnectOvertakenByTheClient: a disconnected socket waits for a handler to return, and so does what the client
// sends meanwhile. Which of them goes on first is a matter of chance, so it is tried many times.
func TestDisconnectOvertakenByTheClient(t *testing.T) {
	for name, meanwhile := range map[string]func(*client){
		"events":  func(c *client) { c.send(`2["late"]`, `20["late"]`, `1`) },
		"connect": func(c *client) { c.send("0") },
		"gone":    func(c *client) { _ = c.conn.Close() },
	} {
		within(t, socketio.Config{}, func(w *world) {
			var j journal
			n := w.server.Of("/")
			n.OnDisconnect(func(s *socketio.Socket, reason error) { j.note("%v", reason) })
			socketio.HandleOther(n, func(context.Context, *socketio.Socket, *socketio.Event) { j.note("an event was handled") })
			slow := w.server.Of("/slow")
			slow.Use(func(context.Context, *socketio.Socket) error { return nil })
			slow.OnConnect(func(context.Context, *socketio.Socket) { time.Sleep(time.Second) })
			for range 50 {
				c := w.dial()
				s := n.Socket(c.connect("/"))
				c.send("0/slow")
				c.take()
				s.Disconnect()
				meanwhile(c)
				time.Sleep(2 * time.Second)
				got := c.take()
				j.says(t, "server namespace disconnect")
				came := len(got) == 2 && got[0] == "1" && strings.HasPrefix(got[1], "0{")
				if came != (name == "connect") || (name == "events" && len(got) != 1) {
					t.Errorf("%s: got %q", name, got)
				}
				c.close()
				j.mu.Lock()
				j.lines = nil
				j.mu.Unlock()
			}
		})
	}
}

// Every namespace is told, so that the client stays away, and then the connection goes.
func TestServerDisconnectsAClientFromAllNamespaces(t *testing.T) {
	for name, disconnect := range map[string]func(*socketio.Socket){
		"the socket":   (*socketio.Socket).DisconnectAll,
		"a broadcast":  func(s *socketio.Socket) { _ = s.Namespace().To(socketio.Room(s.ID())).DisconnectAll() },
		"from outside": func(s *socketio.Socket) { _ = s.Describe().DisconnectAll() },
	} {
		within(t, socketio.Config{}, func(w *world) {
			var j journal
			for _, name := range []string{"/", "/a", "/b"} {
				w.server.Of(name).OnDisconnect(func(_ *socketio.Socket, reason error) { j.note("%s %s", name, socketio.Reason(reason)) })
			}
			release := make(chan struct{})
			w.server.Of("/slow").Use(func(context.Context, *socketio.Socket) error { <-release; return nil })
			socketio.Handle(w.server.Of("/a"), "out", func(_ context.Context, s *socketio.Socket, _ *socketio.Event) {
				_ = s.Emit("bye")
				disconnect(s)
				_ = s.Emit("late")
			})
			bystander, c := w.join("/a"), w.join("/", "/a")
			c.send("0/slow,", `2/a,["out"]`)
			got := c.take()
			if len(got) != 3 || got[0] != `2/a,["bye"]` || got[1] != "1/a," || got[2] != "1" {
				t.Errorf("%s: got %q, want both namespaces told", name, got)
			}
			if c.isOpen() || !bystander.isOpen() {
				t.Errorf("%s: the connection is open: %v, another: %v", name, c.isOpen(), bystander.isOpen())
			}
			slices.Sort(j.lines)
			j.says(t, "/ server namespace disconnect", "/a server namespace disconnect")
			close(release)
		})
	}
}

func TestCloseEndsTheConnectionWithoutAWord(t *testing.T) {
	within(t, socketio.Config{}, func(w *world) {
		var j journal
		mine := errors.New("signed out")
		for _, name := range []string{"/", "/a"} {
			w.server.Of(name).OnDisconnect(func(_ *socketio.Socket, reason error) { j.note("%s %s", name, socketio.Reason(reason)) })
		}
		socketio.Handle(w.server.Of("/a"), "out", func(_ context.Context, s *socketio.Socket, _ *socketio.Event) {
			s.Emit("bye")
			s.Close(mine)
		})
		c := w.join("/", "/a")
		c.send(`2/a,["out"]`)
		c.gets(`2/a,["bye"]`)
		if c.isOpen() {
			t.Error("the connection is still open")
		}
		j.says(t, "/ signed out", "/a signed out")
	})
}

func TestShutdownTellsHandlersAndClosesTransports(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var j journal
		w := newWorld(t, socketio.Config{})
		w.server.Of("/").OnDisconnect(func(s *socketio.Socket, reason error) { j.note("%v", reason) })
		c := w.join("/")
		s := w.server.Of("/").Sockets()[0]
		_ = s.Join("a")
		w.close()
		j.says(t, "server shutting down")
		if rooms := s.Rooms(); len(rooms) != 2 || s.Join("b") == nil || s.Emit("x") == nil {
			t.Errorf("afterwards: got rooms %q, and joins and emits that succeed", rooms)
		}
		c.gets() // no DISCONNECT: the client shall come back
		if c.isOpen() {
			t.Error("the connection is still open")
		}
	})
}

func TestShutdownEndsHandlersWhenItsContextEnds(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, socketio.Config{HandlerTimeout: time.Hour})
		var j journal
		socketio.Handle(w.server.Of("/"), "wait", func(ctx context.Context, _ *socketio.Socket, _ *socketio.Event) {
			<-ctx.Done()
			j.note("%v", ctx.Err())
		})
		c := w.join("/")
		c.send(`2["wait"]`)
		synctest.Wait()
		ctx, cancel := context.WithTimeout(context.Background(), time.Second)
		defer cancel()
		if err := w.server.Shutdown(ctx); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("got %v, want deadline exceeded", err)
		}
		synctest.Wait()
		j.says(t, "context canceled")
		w.close()
	})
}

// What came before a connection ended is handled, by a socket that is connected; who takes long can tell that nobody waits.
func TestAHandlerCanTellThatItsClientIsGone(t *testing.T) {
	within(t, socketio.Config{}, func(w *world) {
		type standing struct{ connected, gone bool }
		var before, after standing
		var handled []string
		goOn := make(chan struct{})
		socketio.Handle(w.server.Of("/"), "long", func(_ context.Context, s *socketio.Socket, _ *socketio.Event) {
			before = standing{s.Connected(), s.Gone()}
			<-goOn
			after = standing{s.Connected(), s.Gone()}
		})
		socketio.Handle(w.server.Of("/"), "short", func(context.Context, *socketio.Socket, *socketio.Event) { handled = append(handled, "short") })
		c := w.join("/")
		c.send(`2["long"]`, `2["short"]`)
		synctest.Wait()
		c.close()
		synctest.Wait()
		close(goOn)
		synctest.Wait()
		if want := (standing{true, false}); before != want {
			t.Errorf("before: got %+v, want %+v", before, want)
		}
		if want := (standing{true, true}); after != want {
			t.Errorf("after: got %+v, want %+v", after, want)
		}
		if len(handled) != 1 {
			t.Errorf("handled %d of the events that came before the end, want 1", len(handled))
		}
	})
}
