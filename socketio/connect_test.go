package socketio_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"qun/socketio"
)

func TestClientJoinsTheMainNamespace(t *testing.T) {
	within(t, socketio.Config{}, func(w *world) {
		var j journal
		w.server.Of("/").OnConnect(func(_ context.Context, s *socketio.Socket) {
			j.note("connect auth=%s connected=%v", s.Auth(), s.Connected())
			s.Emit("welcome", "you")
		})
		c := w.dial()
		c.send(`0{"token":"t"}`)
		got := c.take()
		if len(got) != 2 || !strings.HasPrefix(got[0], `0{"sid":"`) || got[1] != `2["welcome","you"]` {
			t.Fatalf("got %q, want CONNECT, then welcome", got)
		}
		if sid := got[0][len(`0{"sid":"`) : len(got[0])-2]; len(sid) != 20 || w.server.Of("/").Socket(socketio.SocketID(sid)) == nil {
			t.Errorf("got sid %q, want 20 characters that name the socket", sid)
		}
		j.says(t, `connect auth={"token":"t"} connected=true`)
	})
}

func TestSocketIDIsNotTheSessionID(t *testing.T) {
	within(t, socketio.Config{}, func(w *world) {
		w.server.Of("/a")
		w.join("/", "/a")
		ids := map[string]bool{}
		for _, name := range []string{"/", "/a"} {
			for _, s := range w.server.Of(name).Sockets() {
				ids[string(s.ID())] = true
			}
		}
		if len(ids) != 2 {
			t.Errorf("got ids %v, want two different ones", ids)
		}
	})
}

func TestUnknownNamespaceIsRefusedAndTheTransportKept(t *testing.T) {
	within(t, socketio.Config{}, func(w *world) {
		c := w.dial()
		c.send(`0/nowhere,{"a":1}`)
		c.gets(`4/nowhere,{"message":"Invalid namespace"}`)
		c.send(`0//`)
		c.gets(`4//,{"message":"Invalid namespace"}`)
		c.connect("/")
	})
}

func TestMiddlewaresRunInOrderAndMayRefuse(t *testing.T) {
	within(t, socketio.Config{}, func(w *world) {
		var j journal
		n := w.server.Of("/private")
		n.Use(func(_ context.Context, s *socketio.Socket) error {
			j.note("first")
			s.SetValue("known")
			return s.Emit("early")
		})
		n = w.server.Of("/members")
		n.Use(func(_ context.Context, s *socketio.Socket) error {
			s.SetValue("known")
			return nil
		})
		n.Use(func(_ context.Context, s *socketio.Socket) error {
			j.note("second %v %s", s.Value(), s.Auth())
			switch string(s.Auth()) {
			case `{"ok":true}`:
				return nil
			case `{"ok":false}`:
				return fmt.Errorf("wrapped: %w", &socketio.Error{Message: "not <authorized>", Data: map[string]string{"code": "E_AUTH"}})
			default:
				return errors.New("password of the database is wrong")
			}
		})
		c := w.dial()
		c.send(`0/members,{"ok":false}`)
		c.gets(`4/members,{"message":"not <authorized>","data":{"code":"E_AUTH"}}`)
		c.send(`0/members`)
		c.gets(`4/members,{"message":"internal error"}`)
		c.send(`0/members,{"ok":true}`)
		if got := c.take(); len(got) != 1 || !strings.HasPrefix(got[0], `0/members,{"sid":"`) {
			t.Errorf("got %q, want CONNECT", got)
		}
		j.says(t, `second known {"ok":false}`, `second known `, `second known {"ok":true}`)
		c.send(`0/private`)
		c.gets(`4/private,{"message":"internal error"}`) // because nothing can be emitted before the socket is connected
		j.says(t, "first")
	})
}

func TestSecondConnectWhileTheMiddlewareRunsClosesTheConnection(t *testing.T) {
	within(t, socketio.Config{}, func(w *world) {
		w.server.Of("/").Use(func(ctx context.Context, _ *socketio.Socket) error {
			select {
			case <-time.After(time.Second):
			case <-ctx.Done():
			}
			return nil
		})
		c := w.dial()
		c.send("0", "0")
		c.gets()
		if c.isOpen() {
			t.Error("the connection is still open")
		}
		if n := len(w.server.Of("/").Sockets()); n != 0 {
			t.Errorf("got %d sockets", n)
		}
	})
}

func TestEventBeforeTheMiddlewareIsDoneClosesTheConnection(t *testing.T) {
	within(t, socketio.Config{}, func(w *world) {
		w.server.Of("/").Use(func(ctx context.Context, _ *socketio.Socket) error {
			<-ctx.Done()
			return nil
		})
		c := w.dial()
		c.send("0", `2["x"]`)
		if c.isOpen() {
			t.Error("the connection is still open")
		}
	})
}

func TestMiddlewareRunsOutsideOfTheTurn(t *testing.T) {
	within(t, socketio.Config{}, func(w *world) {
		w.server.Of("/slow").Use(func(ctx context.Context, _ *socketio.Socket) error {
			time.Sleep(time.Second)
			return nil
		})
		echo(w.server.Of("/"))
		c := w.join("/")
		c.send("0/slow", `2["echo",1]`)
		c.gets(`2["echo",1]`)
		time.Sleep(time.Second)
		if got := c.take(); len(got) != 1 || !strings.HasPrefix(got[0], "0/slow,") {
			t.Errorf("got %q, want the late CONNECT", got)
		}
	})
}

func TestMiddlewareThatTakesTooLongIsATimeout(t *testing.T) {
	within(t, socketio.Config{HandlerTimeout: 5 * time.Second}, func(w *world) {
		release := make(chan struct{})
		w.server.Of("/").Use(func(context.Context, *socketio.Socket) error {
			<-release // deaf to its context
			return nil
		})
		c := w.dial()
		c.send("0")
		time.Sleep(5*time.Second + time.Millisecond)
		c.gets(`4{"message":"timeout"}`)
		close(release)
		c.gets()
		if n := len(w.server.Of("/").Sockets()); n != 0 || !c.isOpen() {
			t.Errorf("got %d sockets, open %v; want none, on an open transport", n, c.isOpen())
		}
	})
}

func TestMiddlewaresAreBounded(t *testing.T) {
	within(t, socketio.Config{MaxConnecting: 2, HandlerTimeout: 10 * time.Second}, func(w *world) {
		var j journal
		w.server.Of("/").Use(func(context.Context, *socketio.Socket) error {
			j.note("begin")
			time.Sleep(time.Second)
			return nil
		})
		clients := []*client{w.dial(), w.dial(), w.dial()}
		for _, c := range clients {
			c.send("0")
		}
		synctest.Wait()
		j.says(t, "begin", "begin")
		time.Sleep(1500 * time.Millisecond)
		synctest.Wait()
		j.says(t, "begin")
		time.Sleep(time.Second)
		for _, c := range clients {
			if got := c.take(); len(got) != 1 || !strings.HasPrefix(got[0], "0{") {
				t.Errorf("got %q, want CONNECT", got)
			}
		}
	})
}

func TestLeavingClientEndsItsMiddleware(t *testing.T) {
	within(t, socketio.Config{}, func(w *world) {
		var j journal
		n := w.server.Of("/")
		n.Use(func(ctx context.Context, _ *socketio.Socket) error {
			<-ctx.Done()
			j.note("ended: %v", ctx.Err())
			return nil
		})
		n.OnConnect(func(context.Context, *socketio.Socket) { j.note("connect") })
		n.OnDisconnect(func(*socketio.Socket, error) { j.note("disconnect") })
		c := w.dial()
		c.send("0")
		c.gets()
		c.close()
		j.says(t, "ended: context canceled")
	})
}

func TestClientThatJoinsNothingIsClosed(t *testing.T) {
	within(t, socketio.Config{ConnectTimeout: time.Second}, func(w *world) {
		idle, refused, joined := w.dial(), w.dial(), w.join("/")
		refused.send("0/nowhere")
		time.Sleep(1100 * time.Millisecond)
		if idle.isOpen() || refused.isOpen() || !joined.isOpen() {
			t.Errorf("open: idle %v, refused %v, joined %v; want only the joined one", idle.isOpen(), refused.isOpen(), joined.isOpen())
		}
	})
}

func TestNamespacesOfOneConnectionAreApart(t *testing.T) {
	within(t, socketio.Config{}, func(w *world) {
		var j journal
		for _, name := range []string{"/", "/a"} {
			n := w.server.Of(name)
			echo(n)
			n.OnDisconnect(func(s *socketio.Socket, reason error) { j.note("%s: %s", n.Name(), socketio.Reason(reason)) })
		}
		c := w.join("/", "/a")
		c.send(`2["x",1]`, `2/a,7["x",2]`)
		c.gets(`2["x",1]`, `2/a,["x",2]`, `3/a,7[2]`)
		c.send("1/a,", `2/a,["late"]`, `2["x",3]`)
		c.gets(`2["x",3]`)
		j.says(t, "/a: client namespace disconnect")
		c.connect("/a")
		c.close()
		j.says(t, "/: transport close", "/a: transport close")
	})
}

func TestNamespacesPerConnectionAreLimited(t *testing.T) {
	within(t, socketio.Config{MaxNamespaces: 2}, func(w *world) {
		for i := range 3 {
			w.server.Of(fmt.Sprint("/", i))
		}
		c := w.join("/0", "/1")
		c.send("0/2")
		c.gets(`4/2,{"message":"too many namespaces"}`)
		if !c.isOpen() {
			t.Error("the connection was closed")
		}
	})
}
