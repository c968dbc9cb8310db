package adaptertest

import (
	"context"
	"fmt"
	"testing"

	"qun/socketio"
)

// servers starts one server for each adapter, and one client of each, in /chat.
func servers(t *testing.T, adapters []socketio.Adapter) ([]*socketio.Namespace, []*peer) {
	namespaces, peers := make([]*socketio.Namespace, len(adapters)), make([]*peer, len(adapters))
	for i, a := range adapters {
		server := socketio.New(socketio.Config{Adapter: a})
		t.Cleanup(func() {
			ctx, cancel := context.WithTimeout(context.Background(), patience)
			defer cancel()
			if err := server.Shutdown(ctx); err != nil {
				t.Errorf("shutdown: %v", err)
			}
		})
		namespaces[i] = server.Of("/chat")
		if err := server.Open(t.Context()); err != nil {
			t.Fatalf("open: %v", err)
		}
		peers[i] = connect(t, server)
	}
	waitFor(t, "all servers to know each other", func() bool {
		for _, a := range adapters {
			if n, err := a.Servers(t.Context(), "/chat"); err != nil || n != len(adapters) {
				return false
			}
		}
		return true
	})
	return namespaces, peers
}

// each checks that every peer gets its packets, and then the end of the part of the test, which everybody gets.
func each(t *testing.T, n *socketio.Namespace, peers []*peer, want ...[]string) {
	t.Helper()
	if err := n.Emit("end"); err != nil {
		t.Fatal(err)
	}
	for i, p := range peers {
		p.gets(t, append(want[i], `["end"]`)...)
	}
	for _, p := range peers {
		p.mu.Lock()
		p.events = nil
		p.mu.Unlock()
	}
}

func testBroadcast(t *testing.T, join func(*testing.T, int) []socketio.Adapter) {
	n, p := servers(t, join(t, 3))
	for i, rooms := range [][]socketio.Room{{"a"}, {"a", "b"}, {"b", "muted"}} {
		if err := p[i].socket.Join(rooms...); err != nil {
			t.Fatal(err)
		}
	}
	emit := func(b socketio.Broadcast, name string) {
		t.Helper()
		if err := b.Emit(name, "你好", map[string]int{"n": 1}); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
	got := func(name string) string { return fmt.Sprintf(`[%q,"你好",{"n":1}]`, name) }
	emit(n[0].To(), "all")
	emit(n[0].To("a"), "room")
	emit(n[0].To("a", "b"), "union")
	emit(n[0].To("b").Except("muted"), "except")
	emit(p[0].socket.To("a"), "not the sender")
	emit(p[0].socket.To().Local(), "local, not the sender")
	emit(n[0].To(socketio.Room(p[2].socket.ID())), "one socket")
	emit(n[0].To().Except(socketio.Room(p[1].socket.ID())), "except one socket")
	each(t, n[0], p,
		[]string{got("all"), got("room"), got("union"), got("except one socket")},
		[]string{got("all"), got("room"), got("union"), got("except"), got("not the sender")},
		[]string{got("all"), got("union"), got("one socket"), got("except one socket")})

	if err := n[2].To("a").Emit("bin", socketio.Binary("xyz"), "s"); err != nil {
		t.Error(err)
	}
	binary := []string{`51-/chat,["bin",{"_placeholder":true,"num":0},"s"]`, `beHl6`}
	each(t, n[2], p, binary, binary, nil)

	for i := range 100 {
		emit(n[1].To("a"), fmt.Sprint(i))
	}
	var hundred []string
	for i := range 100 {
		hundred = append(hundred, got(fmt.Sprint(i)))
	}
	each(t, n[1], p, hundred, hundred, nil)
}

func testActs(t *testing.T, join func(*testing.T, int) []socketio.Adapter) {
	n, p := servers(t, join(t, 3))
	for _, p := range p {
		if err := p.socket.Join("old"); err != nil {
			t.Fatal(err)
		}
	}
	if err := n[0].To("old").Except(socketio.Room(p[0].socket.ID())).Join("new"); err != nil {
		t.Error(err)
	}
	for _, p := range p[1:] {
		waitFor(t, "sockets of other servers to have joined", func() bool { return p.socket.In("new") })
	}
	if p[0].socket.In("new") {
		t.Error("a socket that was left out has joined")
	}
	if err := n[1].To("new").Leave("old"); err != nil {
		t.Error(err)
	}
	waitFor(t, "a socket of another server to have left", func() bool { return !p[2].socket.In("old") })
	if !p[0].socket.In("old") || p[1].socket.In("old") {
		t.Error("leaving met the wrong sockets")
	}
	if err := n[0].To("new").Disconnect(); err != nil {
		t.Error(err)
	}
	p[1].gets(t, "1/chat,")
	p[2].gets(t, "1/chat,")
	if err := n[1].To("old").Close(); err != nil {
		t.Error(err)
	}
	waitFor(t, "the connection to be closed", func() bool { return !p[0].socket.Connected() })
}

// testJoinIsHeard: what other servers send after Join has returned arrives, however the adapter learns of rooms.
func testJoinIsHeard(t *testing.T, join func(*testing.T, int) []socketio.Adapter) {
	n, p := servers(t, join(t, 2))
	for i := range 50 {
		room := socketio.Room(fmt.Sprint("room ", i))
		if err := p[0].socket.Join(room); err != nil {
			t.Fatal(err)
		}
		n[1].To(room).Emit("m", i)
		n[1].To(socketio.Room(p[0].socket.ID())).Emit("end", i)
		waitFor(t, "the end", func() bool {
			got := p[0].got()
			return len(got) > 0 && got[len(got)-1] == fmt.Sprintf(`["end",%d]`, i)
		})
		if got := p[0].got(); len(got) != 2*i+2 {
			t.Fatalf("round %d: got %q, want the message before the end", i, got[2*i:])
		}
		if i%2 == 0 {
			p[0].socket.Leave(room)
		}
	}
}

func testDeafServer(t *testing.T, join func(*testing.T, int) []socketio.Adapter) {
	adapters := join(t, 3)
	adapters[1] = Deaf(adapters[1])
	n, p := servers(t, adapters)
	for _, p := range p {
		if err := p.socket.Join("a"); err != nil {
			t.Fatal(err)
		}
	}
	n[0].To("a").Emit("from 0")
	p[2].gets(t, `["from 0"]`)
	n[1].To("a").Emit("from 1")
	p[0].gets(t, `["from 0"]`, `["from 1"]`)
	p[2].gets(t, `["from 0"]`, `["from 1"]`)
	p[1].gets(t, `["from 1"]`) // the deaf server's own sockets hear it at least from itself
}
