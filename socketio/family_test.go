package socketio_test

import (
	"context"
	"encoding/json"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"qun/socketio"
)

func names(f *socketio.Family) (names []string) {
	for _, n := range f.Namespaces() {
		names = append(names, n.Name())
	}
	slices.Sort(names)
	return names
}

func TestFamilyMakesNamespacesAsClientsAskForThem(t *testing.T) {
	within(t, socketio.Config{}, func(w *world) {
		var j journal
		f := w.server.OfPattern(regexp.MustCompile(`/dyn-\d+`))
		w.server.OnNamespace(func(n *socketio.Namespace) {
			j.note("made %s", n.Name())
			socketio.Handle(n, "own", func(_ context.Context, _ *socketio.Socket, e *socketio.Event) { e.Ack("own of " + n.Name()) })
			n.OnConnect(func(_ context.Context, s *socketio.Socket) { j.note("own connect") })
		})
		f.Use(func(_ context.Context, s *socketio.Socket) error {
			j.note("middleware %s", s.Namespace().Name())
			if s.Auth() != nil {
				return &socketio.Error{Message: "no"}
			}
			return nil
		})
		f.OnConnect(func(_ context.Context, s *socketio.Socket) { j.note("connect %s", s.Namespace().Name()) })
		f.OnDisconnect(func(s *socketio.Socket, _ error) { j.note("disconnect %s", s.Namespace().Name()) })
		socketio.Handle(f, "family", func(_ context.Context, s *socketio.Socket, e *socketio.Event) { e.Ack(s.Namespace().Name()) })
		c := w.join("/dyn-1")
		j.says(t, "made /dyn-1", "middleware /dyn-1", "connect /dyn-1", "own connect")
		c.send(`2/dyn-1,0["family"]`, `2/dyn-1,1["own"]`)
		c.gets(`3/dyn-1,0["/dyn-1"]`, `3/dyn-1,1["own of /dyn-1"]`)
		d := w.join("/dyn-1", "/dyn-22")
		j.says(t, "middleware /dyn-1", "connect /dyn-1", "own connect", "made /dyn-22", "middleware /dyn-22", "connect /dyn-22", "own connect")
		same(t, "namespaces", names(f), "/dyn-1", "/dyn-22")

		_ = w.server.Of("/dyn-1").Emit("one")
		_ = f.Emit("all")
		c.gets(`2/dyn-1,["one"]`, `2/dyn-1,["all"]`)
		got := d.take()
		slices.Sort(got)
		same(t, "second client", got, `2/dyn-1,["all"]`, `2/dyn-1,["one"]`, `2/dyn-22,["all"]`)

		for _, name := range []string{"/dyn-", "/dyn-x", "/x/dyn-1", "/dyn-1/x", "/dyn-1\n", "dyn-1"} {
			c.send("0" + name)
			if got := c.take(); len(got) > 0 && !strings.Contains(got[0], "Invalid namespace") {
				t.Errorf("%q: got %q", name, got)
			}
			if !c.isOpen() {
				c = w.dial() // that was no name
			}
		}
	})
}

func TestFamilyIsAskedForNameAndCredentials(t *testing.T) {
	within(t, socketio.Config{}, func(w *world) {
		f := w.server.OfFunc(func(name string, auth json.RawMessage) bool {
			if strings.HasPrefix(name, "/panic") {
				panic("boom")
			}
			return strings.HasPrefix(name, "/team/") && string(auth) == `{"in":true}`
		})
		c := w.dial()
		c.send(`0/team/1,{"in":false}`)
		c.gets(`4/team/1,{"message":"Invalid namespace"}`)
		c.send(`0/other,{"in":true}`)
		c.gets(`4/other,{"message":"Invalid namespace"}`)
		c.send(`0/team/1,{"in":true}`)
		if got := c.take(); len(got) != 1 || !strings.HasPrefix(got[0], "0/team/1,") || len(names(f)) != 1 {
			t.Errorf("got %q, namespaces %q", got, names(f))
		}
		c.send("0/panic")
		if c.isOpen() {
			t.Error("the connection outlived the panic")
		}
	})
}

func TestEmptyNamespacesOfFamiliesAreForgotten(t *testing.T) {
	within(t, socketio.Config{}, func(w *world) {
		f := w.server.OfPattern(regexp.MustCompile(`/d.*`))
		f.Use(func(_ context.Context, s *socketio.Socket) error {
			if s.Auth() != nil {
				return &socketio.Error{Message: "no"}
			}
			return nil
		})
		static := w.server.Of("/static")
		c, d := w.join("/d1", "/d2"), w.join("/d1")
		c.send(`0/d3,{}`)
		c.gets(`4/d3,{"message":"no"}`)
		same(t, "after a refusal", names(f), "/d1", "/d2")
		c.send("1/d2")
		c.take()
		same(t, "after a DISCONNECT", names(f), "/d1")
		c.connect("/d2")
		w.server.Of("/d2").Sockets()[0].Disconnect()
		c.take()
		same(t, "after the server's", names(f), "/d1")
		c.close()
		same(t, "with one client left", names(f), "/d1")
		before := w.server.Of("/d1")
		d.close()
		same(t, "in the end", names(f))
		w.join("/d1")
		if w.server.Of("/d1") == before || w.server.Of("/static") != static {
			t.Error("a namespace that was forgotten came back, or one was forgotten that nobody asked to")
		}
	})
	within(t, socketio.Config{KeepEmptyNamespaces: true}, func(w *world) {
		f := w.server.OfPattern(regexp.MustCompile(`/d.*`))
		w.join("/d1").close()
		same(t, "kept", names(f), "/d1")
	})
}

func TestNamespaceStaysForClientsThatMayComeBack(t *testing.T) {
	within(t, socketio.Config{Recovery: &socketio.Recovery{}}, func(w *world) {
		f := w.server.OfPattern(regexp.MustCompile(`/d.*`))
		c := w.dial()
		_, p, _ := c.enter("/d1", "")
		c.close()
		_ = w.server.Of("/d1").Emit("m")
		same(t, "while it may come back", names(f), "/d1")
		c = w.dial()
		before, again, _ := c.enter("/d1", fmt.Sprintf(`"pid":%q`, p.PID))
		if again.SID != p.SID || len(before) != 1 {
			t.Errorf("got %+v and %q", again, before)
		}
		c.close()
		time.Sleep(5 * time.Minute)
		synctest.Wait()
		same(t, "later", names(f))
	})
}

func TestNamespacesOfFamiliesAreLimited(t *testing.T) {
	within(t, socketio.Config{MaxDynamicNamespaces: 3}, func(w *world) {
		f := w.server.OfPattern(regexp.MustCompile(`/d.*`))
		c := w.dial()
		for i := range 1000 {
			c.send(fmt.Sprintf("0/d%d", i))
		}
		c.take()
		if n := len(names(f)); n != 3 || !c.isOpen() {
			t.Errorf("got %d namespaces, connection open %v; want 3 on an open one", n, c.isOpen())
		}
		d := w.dial()
		d.send("0/other")
		d.gets(`4/other,{"message":"Invalid namespace"}`)
		d.send("0/dx")
		d.gets(`4/dx,{"message":"too many namespaces"}`)
		d.connect("/d0")
		c.close()
		d.connect("/dx")
	})
}

func TestClientMayVisitMoreNamespacesThanItMayBeIn(t *testing.T) {
	within(t, socketio.Config{MaxNamespaces: 3}, func(w *world) {
		w.server.OfPattern(regexp.MustCompile(`/d.*`))
		c := w.dial()
		for i := range 20 {
			name := fmt.Sprint("/d", i)
			c.connect(name)
			if i > 1 {
				c.send("1" + fmt.Sprint("/d", i-1))
			}
		}
		c.connect("/dx")
		c.send("0/dz")
		c.gets(`4/dz,{"message":"too many namespaces"}`)
		if !c.isOpen() {
			t.Error("the connection was closed")
		}
	})
}

func TestNamespaceIsReadyBeforeItsFirstSocket(t *testing.T) {
	within(t, socketio.Config{}, func(w *world) {
		w.server.OfPattern(regexp.MustCompile(`/d.*`))
		w.server.OnNamespace(func(n *socketio.Namespace) {
			time.Sleep(time.Second)
			w.server.Of(n.Name()) // does not wait for itself
			socketio.Handle(n, "q", func(_ context.Context, _ *socketio.Socket, e *socketio.Event) { e.Ack() })
		})
		var clients sync.WaitGroup
		for range 5 {
			c := w.dial()
			clients.Go(func() {
				c.send("0/d")
				time.Sleep(1500 * time.Millisecond)
				c.send(`2/d,0["q"]`)
				time.Sleep(time.Second)
			})
			defer func() {
				if got := c.take(); len(got) != 2 || got[1] != `3/d,0[]` {
					t.Errorf("got %q", got)
				}
			}()
		}
		clients.Wait()
	})
}
