package socketio_test

import (
	"context"
	"errors"
	"fmt"
	"regexp"
	"runtime"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"qun/engineio"
	"qun/socketio"
)

// healthy checks that a client that has nothing to do with what happens does not notice it.
func (w *world) healthy(during string, hostile func()) {
	w.Helper()
	echo(w.server.Of("/healthy"))
	c := w.join("/healthy")
	hostile()
	c.send(`2/healthy,0["still",1]`)
	c.gets(`2/healthy,["still",1]`, `3/healthy,0[1]`)
	if !c.isOpen() {
		w.Errorf("%s: another client lost its connection", during)
	}
	c.close()
}

// heap is what is in use after a collection.
func heap() int {
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return int(m.HeapAlloc)
}

func TestFloodOfConnectsLeavesNothing(t *testing.T) {
	within(t, socketio.Config{}, func(w *world) {
		w.healthy("flood of CONNECTs", func() {
			c := w.join("/")
			for i := range 5000 {
				c.send(fmt.Sprintf(`0/nowhere%d,{"a":1}`, i))
			}
			if got := c.take(); len(got) != 5000 || !c.isOpen() {
				t.Errorf("got %d answers, open %v", len(got), c.isOpen())
			}
			for range 2000 {
				c.send("1", "0")
			}
			if got := c.take(); len(got) != 2000 || w.server.Of("/").Len() != 1 {
				t.Errorf("got %d answers, %d sockets; want 2000 and 1", len(got), w.server.Of("/").Len())
			}
			c.close()
			if rooms := w.server.Of("/").RoomsForTest(); rooms != 0 {
				t.Errorf("%d rooms are left", rooms)
			}
		})
	})
}

func TestCredentialsThatAreKeptAreSmall(t *testing.T) {
	within(t, socketio.Config{}, func(w *world) {
		w.healthy("large credentials", func() {
			c := w.dial()
			c.send(`0{"a":"` + strings.Repeat("x", 20_000) + `"}`)
			c.gets(`4{"message":"credentials are too large"}`)
			c.send(`0{"a":"` + strings.Repeat("x", 15_000) + `"}`)
			if got := c.take(); len(got) != 1 || !strings.HasPrefix(got[0], "0{") {
				t.Errorf("got %q", got)
			}
		})
	})
}

func TestFloodOfJoinsIsBounded(t *testing.T) {
	within(t, socketio.Config{MaxRooms: 100}, func(w *world) {
		n := w.server.Of("/")
		refused := map[error]int{}
		socketio.On(n, "join", func(_ context.Context, s *socketio.Socket, room socketio.Room) (struct{}, error) {
			if err := s.Join(room); err != nil {
				refused[err]++
			}
			return struct{}{}, nil
		})
		w.healthy("flood of joins", func() {
			c := w.join("/")
			for i := range 1000 {
				c.send(fmt.Sprintf(`2["join","room %d"]`, i))
			}
			c.gets()
			s := n.Sockets()[0]
			if got := len(s.Rooms()); got != 101 || refused[socketio.ErrTooManyRooms] != 900 {
				t.Errorf("got %d rooms and %v", got, refused)
			}
			s.Leave(s.Rooms()[1:]...)
			c.send(`2["join","` + strings.Repeat("x", 100_000) + `"]`)
			c.gets()
			if refused[socketio.ErrRoomName] != 1 || len(s.Rooms()) != 1 {
				t.Errorf("a name of 100,000 bytes was taken: %v", refused)
			}
			_ = n.To().Join(socketio.Room(strings.Repeat("x", 2000)))
			if len(s.Rooms()) != 1 {
				t.Error("a broadcast joined a room with a name of 2,000 bytes")
			}
			c.close()
		})
	})
}

func TestFloodOfAcksIsIgnored(t *testing.T) {
	within(t, socketio.Config{}, func(w *world) {
		w.healthy("flood of acks", func() {
			c := w.join("/")
			s := w.server.Of("/").Sockets()[0]
			var j journal
			poll(&j, w.server.Of("/").To(), "ask")
			for i := 1; i < 5000; i++ {
				c.send(fmt.Sprintf(`3%d["forged"]`, i))
			}
			c.take()
			if s.PendingForTest() != 1 || !c.isOpen() {
				t.Errorf("got %d pending acks, open %v", s.PendingForTest(), c.isOpen())
			}
			c.send(`30["first"]`, `30["second"]`)
			synctest.Wait()
			j.says(t, `["first"] <nil>`)
			c.close()
		})
	})
}

func TestMagicNamesAreJustNames(t *testing.T) {
	within(t, socketio.Config{}, func(w *world) {
		var j journal
		n := w.server.Of("/")
		w.server.OfPattern(regexp.MustCompile(`/d\d`))
		socketio.Handle(n, "known", func(context.Context, *socketio.Socket, *socketio.Event) { j.note("known") })
		socketio.HandleOther(n, func(_ context.Context, _ *socketio.Socket, e *socketio.Event) { j.note("other %s", e.Name) })
		w.healthy("magic names", func() {
			c := w.join("/")
			for _, name := range []string{"error", "message", "toString", "__proto__", "constructor", "hasOwnProperty", "ping", ""} {
				c.send(fmt.Sprintf(`2[%q]`, name))
				c.gets()
				j.says(t, "other "+name)
			}
			for _, name := range []string{"/__proto__", "/constructor", "/toString", "//", "/d1/../", "/d1?x"} {
				c.send("0" + name)
				c.gets(fmt.Sprintf(`4%s,{"message":"Invalid namespace"}`, name))
			}
			c.close()
		})
	})
}

func TestKnowingTheIDOfAnotherSocketIsOfNoUse(t *testing.T) {
	for name, cfg := range map[string]socketio.Config{"plain": {}, "with recovery": {Recovery: &socketio.Recovery{}}} {
		within(t, cfg, func(w *world) {
			n := w.server.Of("/")
			victim := w.dial()
			_, v, _ := victim.enter("/", "")
			attacker := w.dial()
			_, a, _ := attacker.enter("/", fmt.Sprintf(`"sid":%q,"pid":%q,"offset":"x","id":%q`, v.SID, v.SID, v.SID))
			if a.SID == v.SID || !victim.isOpen() || n.Len() != 2 {
				t.Errorf("%s: the attacker is %q, the victim %q, %d sockets", name, a.SID, v.SID, n.Len())
			}
		})
	}
}

// Attachments that are announced count only for who is in a namespace, a few at a time, for a while, and are not paid in advance.
func TestAnnouncedAttachmentsCostNothing(t *testing.T) {
	within(t, socketio.Config{MaxAttachments: 1000}, func(w *world) {
		w.healthy("announced attachments", func() {
			early := w.dial()
			early.send(`51-["x",{"_placeholder":true,"num":0}]`)
			if early.isOpen() {
				t.Error("attachments were awaited from who has joined nothing")
			}
			before := heap()
			var clients []*client
			for range 50 {
				c := w.join("/")
				c.send(`51000-["x",{"_placeholder":true,"num":999}]`)
				clients = append(clients, c)
			}
			synctest.Wait()
			if grown := (heap() - before) / 50; grown > 100_000 {
				t.Errorf("each announcement costs %d bytes", grown)
			}
			time.Sleep(31 * time.Second)
			for _, c := range clients {
				if c.isOpen() {
					t.Fatal("attachments were awaited for more than 30 s")
				}
			}
		})
	})
}

func TestEverythingIsClosedWithItsReason(t *testing.T) {
	for name, c := range map[string]struct {
		end  func(*client, *socketio.Socket)
		want string
	}{
		"connection closed":     {func(c *client, _ *socketio.Socket) { c.close() }, "transport close"},
		"engine close packet":   {func(c *client, _ *socketio.Socket) { c.sendRaw("1") }, "transport close"},
		"too large":             {func(c *client, _ *socketio.Socket) { c.sendRaw("4" + strings.Repeat("x", 2_000)) }, "transport error"},
		"no pong":               {func(c *client, _ *socketio.Socket) { c.mute(); time.Sleep(time.Minute) }, "ping timeout"},
		"broken engine packet":  {func(c *client, _ *socketio.Socket) { c.sendRaw("x") }, "parse error"},
		"broken packet":         {func(c *client, _ *socketio.Socket) { c.send("x") }, "forced close"},
		"closed by the server":  {func(_ *client, s *socketio.Socket) { s.Close(nil) }, "forced server close"},
		"kicked":                {func(_ *client, s *socketio.Socket) { s.Disconnect() }, "server namespace disconnect"},
		"kicked by a broadcast": {func(_ *client, s *socketio.Socket) { _ = s.Namespace().To().Disconnect() }, "server namespace disconnect"},
		"left":                  {func(c *client, _ *socketio.Socket) { c.send("1") }, "client namespace disconnect"},
		"shutdown":              {func(c *client, _ *socketio.Socket) { stop(c.w, c.w.server) }, "server shutting down"},
		"slow": {func(c *client, s *socketio.Socket) {
			for range 5000 {
				_ = s.Emit("x", strings.Repeat("x", 1000))
			}
		}, "slow consumer"},
		"reason of one's own": {func(_ *client, s *socketio.Socket) { s.Close(errors.New("signed out")) }, "signed out"},
	} {
		cfg := socketio.Config{Engine: engineio.Config{MaxPayload: 1000, OutboxBytes: 100_000}}
		within(t, cfg, func(w *world) {
			var reason error
			n := w.server.Of("/")
			n.OnDisconnect(func(s *socketio.Socket, err error) {
				if rooms := s.Rooms(); len(rooms) != 2 || rooms[1] != "room" {
					t.Errorf("%s: got rooms %q in the disconnect handler", name, rooms)
				}
				reason = err
			})
			client := w.dialQuietly()
			client.take()
			client.connect("/")
			s := n.Sockets()[0]
			_ = s.Join("room")
			if name == "slow" {
				client.pause()
			}
			c.end(client, s)
			synctest.Wait()
			if name == "slow" {
				client.conn.Close()
				synctest.Wait()
			}
			if reason == nil || socketio.Reason(reason) != c.want {
				t.Errorf("%s: got reason %v, want %s", name, reason, c.want)
			}
		})
	}
}

func TestErrandsOfOtherServersAreBounded(t *testing.T) {
	withinCluster(t, func(w *world, s *spy) {
		var j journal
		n := w.server.Of("/")
		n.OnServerEvent("slow", func(context.Context, *socketio.ServerEvent) {
			time.Sleep(time.Second)
			j.note("handled")
		})
		event, _ := socketio.ParseArgs([]byte(`["slow"]`), nil)
		for range 5000 {
			s.deliver(&socketio.Command{Kind: socketio.KindRequest, Namespace: "/", Event: socketio.RequestEvent, Args: event, From: "x"})
		}
		time.Sleep(time.Hour)
		synctest.Wait()
		if got := len(j.lines); got < 1024 || got > 1025 {
			t.Errorf("%d of 5,000 events were handled, want those for which there is room", got)
		}
	})
}

func TestWhoFindsNoPlaceForItsMiddlewareIsRefusedInTime(t *testing.T) {
	within(t, socketio.Config{MaxConnecting: 1, HandlerTimeout: 5 * time.Second}, func(w *world) {
		release := make(chan struct{})
		w.server.Of("/").Use(func(context.Context, *socketio.Socket) error {
			<-release // deaf to its context
			return nil
		})
		first, second := w.dial(), w.dial()
		first.send("0")
		first.take()
		second.send("0")
		time.Sleep(5*time.Second + 1)
		second.gets(`4{"message":"server is busy"}`)
		close(release)
	})
}

// What a client does not read of the answers that it provokes is bounded like everything else that is sent to it.
func TestAnswersThatNobodyReadsAreBounded(t *testing.T) {
	for name, flood := range map[string][]string{
		"refused CONNECTs":         {"0/nowhere,"},
		"CONNECTs and DISCONNECTs": {"0/other,", "1/other,"},
		"acks":                     {`20["still"]`},
		"broadcasts to itself":     {`2["all"]`},
	} {
		within(t, socketio.Config{Engine: engineio.Config{OutboxBytes: 100_000}}, func(w *world) {
			n := w.server.Of("/")
			w.server.Of("/other")
			echo(n)
			socketio.Handle(n, "all", func(_ context.Context, _ *socketio.Socket, e *socketio.Event) { _ = n.Emit("x", e.Args) })
			reasons := make(chan error, 1)
			n.OnDisconnect(func(_ *socketio.Socket, err error) { reasons <- err })
			c := w.join("/")
			c.pause()
			w.healthy(name, func() {
				before := heap()
				for i := 0; i < 50_000 && len(reasons) == 0; i++ {
					c.send(flood...)
				}
				synctest.Wait()
				if len(reasons) == 0 {
					t.Fatalf("%s: is still there", name)
				}
				if reason := <-reasons; !errors.Is(reason, engineio.ErrSlowConsumer) {
					t.Errorf("%s: got reason %v, want slow consumer", name, reason)
				}
				if grown := heap() - before; grown > 2_000_000 {
					t.Errorf("%s: the heap has grown by %d bytes", name, grown)
				}
			})
		})
	}
}

func TestIDsAndSecretsCannotBeGuessed(t *testing.T) {
	within(t, socketio.Config{Recovery: &socketio.Recovery{}}, func(w *world) {
		seen := map[string]bool{}
		var letters [20]map[byte]bool
		c := w.dial()
		for range 500 {
			_, p, _ := c.enter("/", "")
			c.send("1")
			for _, id := range []string{p.SID, p.PID} {
				if len(id) != len(letters) || seen[id] {
					t.Fatalf("got %q, want 20 characters that were not there before", id)
				}
				seen[id] = true
				for i := range letters {
					if letters[i] == nil {
						letters[i] = map[byte]bool{}
					}
					letters[i][id[i]] = true
				}
			}
		}
		for i, set := range letters {
			if len(set) < 60 { // of 64; each is missing from a thousand with a chance of one in ten million
				t.Errorf("character %d takes %d values, want all 64", i, len(set))
			}
		}
	})
}
