package socketio_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"qun/engineio"
	"qun/socketio"
	"qun/socketio/adaptertest"
)

// withinServers runs test in n worlds whose servers are joined, with one client each in /.
func withinServers(t *testing.T, n int, adapter func(*adaptertest.Bus, int) socketio.Adapter, test func([]*world, []*client, []*socketio.Socket)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		var bus adaptertest.Bus
		worlds, clients, sockets := make([]*world, n), make([]*client, n), make([]*socketio.Socket, n)
		for i := range worlds {
			w := newWorld(t, socketio.Config{
				Adapter: adapter(&bus, i), Engine: engineio.Config{KeepHeaders: []string{"User-Agent"}},
			})
			defer w.close()
			if err := w.server.Open(t.Context()); err != nil {
				t.Fatal(err)
			}
			worlds[i], clients[i] = w, w.dial()
			sockets[i] = w.server.Of("/").Socket(clients[i].connect("/"))
		}
		test(worlds, clients, sockets)
	})
}

func plain(bus *adaptertest.Bus, _ int) socketio.Adapter      { return bus.Adapter() }
func interested(bus *adaptertest.Bus, _ int) socketio.Adapter { return bus.Interested() }

func TestBroadcastGetsAcksFromAllServers(t *testing.T) {
	for name, adapter := range map[string]func(*adaptertest.Bus, int) socketio.Adapter{"plain": plain, "interested": interested} {
		withinServers(t, 3, adapter, func(w []*world, c []*client, s []*socketio.Socket) {
			var j journal
			n := w[0].server.Of("/")
			_ = s[0].Join("r")
			_ = s[2].Join("r")
			poll(&j, n.To("r").Timeout(time.Second), "ask", "x")
			c[0].gets(`20["ask","x"]`)
			c[1].gets()
			c[2].gets(`20["ask","x"]`)
			c[0].send(`30[0]`)
			synctest.Wait()
			j.says(t)
			c[2].send(`30[2]`)
			synctest.Wait()
			j.says(t, `[0] [2] <nil>`)

			poll(&j, n.To("empty").Timeout(time.Second), "ask")
			j.says(t, ` <nil>`)
			poll(&j, n.To("r").Local().Timeout(time.Second), "ask")
			c[2].gets()
			c[0].send(`32["local"]`)
			synctest.Wait()
			j.says(t, `["local"] <nil>`)

			poll(&j, n.To("r").Timeout(time.Second), "ask")
			c[0].send(`33["partial"]`)
			time.Sleep(2 * time.Second)
			j.says(t, `["partial"] wait for acks of "ask": context deadline exceeded`)
			if late := s[2].PendingForTest(); late != 0 {
				t.Errorf("%s: %d acks are pending on the other server when nobody waits any more", name, late)
			}
			poll(&j, w[1].server.Of("/only here").To().Timeout(time.Second), "ask")
			j.says(t, ` <nil>`)
		})
	}
}

func TestSocketsOfAllServersAreFetched(t *testing.T) {
	withinServers(t, 3, plain, func(w []*world, c []*client, s []*socketio.Socket) {
		for i, s := range s {
			_ = s.Join("all", socketio.Room(fmt.Sprint("room ", i)))
			s.SetValue(map[string]int{"n": i})
		}
		s[1].SetValue(func() {}) // cannot be shown
		n := w[0].server.Of("/")
		all, err := n.FetchSockets(w[0].Context())
		if err != nil || len(all) != 3 {
			t.Fatalf("got %d sockets, %v", len(all), err)
		}
		slices.SortFunc(all, func(a, b socketio.RemoteSocket) int {
			return strings.Compare(fmt.Sprint(a.Rooms[2:]), fmt.Sprint(b.Rooms[2:]))
		})
		for i, r := range all {
			if r.ID != s[i].ID() || !slices.Equal(r.Rooms, s[i].Rooms()) || r.Handshake.Query["EIO"] != "4" {
				t.Errorf("got %+v, want socket %d", r, i)
			}
			if want := fmt.Sprintf(`{"n":%d}`, i); i != 1 && string(r.Data) != want {
				t.Errorf("got data %s, want %s", r.Data, want)
			}
		}
		if string(all[1].Data) != "null" {
			t.Errorf("got data %s", all[1].Data)
		}
		some, err := n.To("all").Except("room 1").FetchSockets(w[0].Context())
		if err != nil || len(some) != 2 {
			t.Errorf("got %d sockets, %v; want two", len(some), err)
		}
		here, err := n.To("all").Local().FetchSockets(w[0].Context())
		if err != nil || len(here) != 1 || here[0].ID != s[0].ID() {
			t.Errorf("local: got %v, %v", here, err)
		}

		far := all[2]
		_ = far.Emit("hello", 1)
		_ = far.Join("new")
		_ = far.Leave("all")
		c[2].gets(`2["hello",1]`)
		if got := s[2].Rooms(); len(got) != 3 || !s[2].In("new") {
			t.Errorf("got rooms %q", got)
		}
		go func() { c[2].take(); c[2].send(`30["yes"]`) }()
		answer, err := far.EmitWithAck(w[0].Context(), "are you there?")
		if err != nil || string(answer.JSON()) != `["yes"]` {
			t.Errorf("got %s, %v", answer.JSON(), err)
		}
		c[2].take()
		_ = far.Disconnect()
		c[2].gets("1")
		if _, err := far.EmitWithAck(w[0].Context(), "gone?"); !errors.Is(err, socketio.ErrDisconnected) {
			t.Errorf("got %v, want ErrDisconnected", err)
		}
		_ = all[1].Close()
		if c[1].isOpen() {
			t.Error("the connection is still open")
		}
	})
}

func TestFetchedSocketsSeeWhatWasIssued(t *testing.T) {
	within(t, socketio.Config{}, func(w *world) {
		_, s := w.crowd(2)
		n := w.server.Of("/")
		_ = n.To().Join("r")
		s[1].Leave("r")
		got, err := n.To("r").FetchSockets(w.Context())
		if err != nil || len(got) != 1 || got[0].ID != s[0].ID() {
			t.Errorf("got %v, %v", got, err)
		}
		text, _ := json.Marshal(s[0].Describe())
		for _, key := range []string{`"id":`, `"rooms":`, `"data":null`, `"handshake":`, `"xdomain":false`, `"issued":`, `"auth":{}`, `"query":{`, `"url":"/socket.io/`} {
			if !strings.Contains(string(text), key) {
				t.Errorf("%s is missing in %s", key, text)
			}
		}
	})
}

func TestServersTalkToEachOther(t *testing.T) {
	withinServers(t, 3, interested, func(w []*world, c []*client, s []*socketio.Socket) {
		var j journal
		for i, w := range w {
			n := w.server.Of("/")
			n.OnServerEvent("hello", func(_ context.Context, e *socketio.ServerEvent) {
				j.note("%d: %s %s %v", i, e.Name, e.Args.JSON(), e.WantsAck())
			})
			n.OnServerEvent("sum", func(_ context.Context, e *socketio.ServerEvent) {
				var a, b int
				_ = e.Args.Scan(&a, &b)
				_ = e.Ack(i, a+b)
				if err := e.Ack("again"); !errors.Is(err, socketio.ErrAckSent) {
					t.Errorf("got %v, want ErrAckSent", err)
				}
			})
			n.OnServerEvent("panic", func(context.Context, *socketio.ServerEvent) { panic("boom") })
			n.OnServerEvent("silent from 2 on", func(_ context.Context, e *socketio.ServerEvent) {
				if i < 2 {
					_ = e.Ack(i)
				}
			})
		}
		n := w[0].server.Of("/")
		if count, err := w[0].server.Servers(w[0].Context()); count != 3 || err != nil {
			t.Errorf("got %d servers, %v", count, err)
		}
		if err := errors.Join(n.ServerSideEmit("panic"), n.ServerSideEmit("nobody listens"), n.ServerSideEmit("hello", "x", socketio.Binary("b"))); err != nil {
			t.Error(err)
		}
		synctest.Wait()
		slices.Sort(j.lines)
		j.says(t, `1: hello ["x",{"_placeholder":true,"num":0}] false`, `2: hello ["x",{"_placeholder":true,"num":0}] false`)
		for i := range c {
			c[i].gets() // sockets hear nothing of it
		}
		answers, err := n.ServerSideEmitWithAck(w[0].Context(), "sum", 1, 2)
		if err != nil || len(answers) != 2 {
			t.Fatalf("got %v, %v", answers, err)
		}
		got := []string{string(answers[0].JSON()), string(answers[1].JSON())}
		slices.Sort(got)
		same(t, "sums", got, "[1,3]", "[2,3]")
		start := time.Now()
		answers, err = n.ServerSideEmitWithAck(context.Background(), "silent from 2 on")
		if !errors.Is(err, socketio.ErrNoAnswer) || len(answers) != 1 || time.Since(start) != 5*time.Second {
			t.Errorf("got %v, %v after %v; want one answer and ErrNoAnswer after 5 s", answers, err, time.Since(start))
		}
		if err := n.ServerSideEmit("disconnect"); !errors.Is(err, socketio.ErrReservedEvent) {
			t.Errorf("got %v, want ErrReservedEvent", err)
		}
	})
}

func TestDeafServerIsWaitedForNoLongerThanSaid(t *testing.T) {
	withinServers(t, 3, func(bus *adaptertest.Bus, i int) socketio.Adapter {
		if i == 1 {
			return adaptertest.Deaf(bus.Adapter())
		}
		return bus.Adapter()
	}, func(w []*world, c []*client, s []*socketio.Socket) {
		n := w[0].server.Of("/")
		start := time.Now()
		sockets, err := n.To().Timeout(2 * time.Second).FetchSockets(context.Background())
		if !errors.Is(err, socketio.ErrNoAnswer) || len(sockets) != 2 || time.Since(start) != 2*time.Second {
			t.Errorf("got %d sockets, %v after %v", len(sockets), err, time.Since(start))
		}
		var j journal
		poll(&j, n.To().Timeout(time.Second), "ask")
		c[0].send(`30[0]`)
		c[2].send(`30[2]`)
		time.Sleep(2 * time.Second)
		j.says(t, `[0] [2] wait for acks of "ask": context deadline exceeded`)
	})
}

func TestServerAloneHasNobodyToTalkTo(t *testing.T) {
	within(t, socketio.Config{}, func(w *world) {
		n := w.server.Of("/")
		if err := n.ServerSideEmit("hello"); err != nil {
			t.Error(err)
		}
		if answers, err := n.ServerSideEmitWithAck(w.Context(), "hello"); err != nil || len(answers) != 0 {
			t.Errorf("got %v, %v", answers, err)
		}
		if count, err := w.server.Servers(w.Context()); count != 1 || err != nil {
			t.Errorf("got %d servers, %v", count, err)
		}
	})
}

func TestForeignAnswersAreNotBelieved(t *testing.T) {
	withinCluster(t, func(w *world, s *spy) {
		n := w.server.Of("/")
		w.join("/")
		nonsense, _ := socketio.ParseArgs([]byte(`["nonsense"]`), nil)
		for _, c := range []*socketio.Command{
			{Kind: socketio.KindResponse, ID: "1", From: "x", Args: nonsense},
			{Kind: socketio.KindCount, ID: "1", From: "x", Count: -1},
			{Kind: socketio.KindAck, ID: "1", From: "x"},
			{Kind: socketio.KindRequest, Namespace: "/", Event: "unknown", ID: "2", From: "x"},
			{Kind: socketio.KindRequest, Namespace: "/", Event: socketio.RequestEvent, ID: "3", From: "x"},
			{Kind: socketio.KindRequest, Namespace: "/", Event: socketio.RequestEvent, Args: nonsense, ID: "3", From: "x"},
		} {
			s.deliver(c)
		}
		for range 5000 { // more than are kept
			s.deliver(&socketio.Command{Kind: socketio.KindRequest, Namespace: "/", Event: socketio.RequestSockets, ID: "4", From: "x"})
		}
		s.deliver(&socketio.Command{Kind: socketio.KindRequest, Namespace: "/nowhere", Event: socketio.RequestSockets, ID: "5", From: "y"})
		synctest.Wait()
		last := s.published[0]
		for _, c := range s.published {
			if c.ID == "5" {
				last = c
			}
		}
		if last.Kind != socketio.KindResponse || last.To != "y" || string(last.Args.JSON()) != "[[]]" {
			t.Errorf("got %+v %s, want an empty list", last, last.Args.JSON())
		}
		if n.Len() != 1 {
			t.Error("the socket is gone")
		}
	})
}

// One server's answer counts once, however often it comes; the others are still waited for.
func TestServerAnswersOnce(t *testing.T) {
	withinCluster(t, func(w *world, s *spy) {
		s.others = 2
		n := w.server.Of("/")
		done := make(chan int, 2)
		go func() {
			answers, _ := n.ServerSideEmitWithAck(context.Background(), "count")
			done <- len(answers)
		}()
		synctest.Wait()
		for range 3 {
			s.deliver(&socketio.Command{Kind: socketio.KindResponse, ID: s.last().ID, From: "x"})
		}
		synctest.Wait()
		if len(done) != 0 {
			t.Error("question to servers: the second of one server counted for another")
		}
		s.deliver(&socketio.Command{Kind: socketio.KindResponse, ID: s.last().ID, From: "y"})
		if got := <-done; got != 2 {
			t.Errorf("question to servers: got %d answers, want 2", got)
		}
		go func() {
			answers, _ := n.To().EmitWithAck(context.Background(), "vote")
			done <- len(answers)
		}()
		synctest.Wait()
		id := s.last().ID
		for range 3 {
			s.deliver(&socketio.Command{Kind: socketio.KindCount, ID: id, From: "x"})
		}
		synctest.Wait()
		if len(done) != 0 {
			t.Error("question to sockets: the second count of one server counted for another")
		}
		s.deliver(&socketio.Command{Kind: socketio.KindCount, ID: id, From: "y", Count: 1})
		s.deliver(&socketio.Command{Kind: socketio.KindAck, ID: id, From: "y"})
		if got := <-done; got != 1 {
			t.Errorf("question to sockets: got %d answers, want 1", got)
		}
	})
}

func TestRoomsOfAllServersAreListed(t *testing.T) {
	withinServers(t, 3, interested, func(w []*world, c []*client, s []*socketio.Socket) {
		_ = s[1].Join("b", "shared")
		_ = s[2].Join("a", "shared")
		want := []socketio.Room{"a", "b", "shared"}
		for _, s := range s {
			want = append(want, socketio.Room(s.ID()))
		}
		slices.Sort(want)
		got, err := w[0].server.Of("/").AllRooms(w[0].Context())
		if err != nil || !slices.Equal(got, want) {
			t.Errorf("got %q, %v; want %q", got, err, want)
		}
	})
}

func TestServersThatLackTheNamespaceAreNotWaitedFor(t *testing.T) {
	withinServers(t, 2, interested, func(w []*world, c []*client, s []*socketio.Socket) {
		only := w[0].server.Of("/only here")
		synctest.Wait()
		start := time.Now()
		if answers, err := only.ServerSideEmitWithAck(context.Background(), "hello"); err != nil || len(answers) != 0 || time.Since(start) > time.Second {
			t.Errorf("got %v, %v after %v", answers, err, time.Since(start))
		}
	})
}
