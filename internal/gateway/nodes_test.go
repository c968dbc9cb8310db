package gateway_test

import (
	"context"
	"fmt"
	"net/http/httptest"
	"testing"
	"time"

	"qun/internal/auth"
	"qun/internal/chat"
	"qun/internal/cluster"
	"qun/internal/cluster/clustertest"
	"qun/internal/gateway"
	"qun/internal/store"
	"qun/internal/store/pgtest"
	"qun/socketio"
)

// nodes are several houses on one database, and the network between them.
type nodes struct {
	*clustertest.Network
	houses []*house
	buses  []*clustertest.Bus
}

func openNodes(t *testing.T, count int) *nodes {
	t.Helper()
	server := pgtest.For(t, pgtest.Config{})
	n := &nodes{Network: clustertest.NewNetwork(1, clustertest.Faults{})}
	var all []*cluster.Node
	for range count {
		bus := n.Bus()
		h, node := openNode(t, server.URL("postgres"), bus)
		n.houses, n.buses, all = append(n.houses, h), append(n.buses, bus), append(all, node)
	}
	for _, node := range all {
		for len(node.Peers()) < count-1 {
			<-time.After(time.Millisecond)
		}
	}
	return n
}

func openNode(t *testing.T, url string, bus cluster.Bus) (*house, *cluster.Node) {
	t.Helper()
	data, err := store.Open(t.Context(), store.Config{URL: url})
	if err != nil {
		t.Fatal(err)
	}
	who, err := auth.New(t.Context(), data, auth.Config{})
	if err != nil {
		t.Fatal(err)
	}
	node := cluster.New(bus, cluster.Config{Key: []byte("key")})
	sockets := socketio.New(socketio.Config{})
	h := &house{hub: gateway.NewHub(sockets.Of("/")), auth: who, store: data}
	h.chat = chat.New(data, h.hub, chat.Config{Cluster: &chat.Cluster{Bus: node.Topic("chat"), Here: h.hub}})
	h.gateway = gateway.Serve(sockets.Of("/"), h.hub, h.chat, who, gateway.Config{
		Bus: node.Topic("gateway"), Node: node.ID(), OfflineAfter: 50 * time.Millisecond, ReadsEvery: 10 * time.Millisecond,
	})
	node.Start()
	server := httptest.NewServer(sockets)
	h.url = server.URL
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), patience)
		defer cancel()
		for _, err := range []error{sockets.Shutdown(ctx), h.chat.Close(ctx), node.Close(), data.Close()} {
			if err != nil {
				t.Error(err)
			}
		}
		server.Close()
		h.gateway.Close()
	})
	return h, node
}

// becomes waits until something is so.
func becomes(t *testing.T, what string, so func() bool) {
	t.Helper()
	for end := time.Now().Add(patience); !so(); <-time.After(2 * time.Millisecond) {
		if time.Now().After(end) {
			t.Fatalf("not within %s: %s", patience, what)
		}
	}
}

// knows waits until a node has heard that somebody is at another one.
func (h *house) knows(t *testing.T, id chat.UserID) {
	t.Helper()
	becomes(t, "a node hears who is at another", func() bool { return h.hub.HasElsewhere(id) })
}

func (p *peer) closed() bool {
	select {
	case <-p.Done():
		return true
	default:
		return false
	}
}

func TestOneChatOnSeveralNodes(t *testing.T) {
	n := openNodes(t, 2)
	a, b := n.houses[0], n.houses[1]
	anna, ben := a.member(t, "anna"), b.member(t, "ben")
	g, _ := anna.enter("hall", "")
	_, benID := ben.enter("hall", "")
	plain := b.dial(t)
	plain.enter("hall", "Petra")

	t.Run("what is said at one is heard at the other", func(t *testing.T) {
		anna.ask("sendMessage", map[string]any{"groupId": g, "message": "from a"})
		ben.ask("sendMessage", map[string]any{"groupId": g, "message": "from b"})
		for _, p := range []*peer{anna, ben, plain} {
			p.hears(1, "message ", "from a")
			p.hears(1, "message ", "from b")
		}
		anna.hears(1, "message ", "Petra 加入了") // which nobody keeps
	})

	t.Run("who types, reads, comes and goes", func(t *testing.T) {
		anna.hears(1, "presence ", string(benID), `"online"`)
		ben.ask("typing", map[string]any{"groupId": g})
		anna.hears(1, "typing ", string(benID))
		ben.ask("readUpTo", map[string]any{"groupId": g, "seq": 1000})
		anna.hears(1, "read ", string(benID))
		wants(t, anna.ask("presence", map[string]any{"userIds": []chat.UserID{benID}}), `"online":["`+string(benID)+`"]`)
		guest := b.dial(t)
		guest.ask("hello", map[string]int{"protocol": 1})
		_, id := guest.enter("hall", "Gast")
		anna.hears(1, "presence ", string(id), `"online"`)
		guest.Close()
		anna.hears(1, "presence ", string(id), `"offline"`)
	})

	t.Run("who is at two nodes is here until it has left both", func(t *testing.T) {
		token, id := b.signUp(t, "carl")
		here, there := a.dialAs(t, token), b.dialAs(t, token)
		for _, p := range []*peer{here, there} {
			p.ask("hello", map[string]int{"protocol": 1})
			p.enter("hall", "")
		}
		a.knows(t, id)
		here.Close()
		becomes(t, "node a lets carl go", func() bool { return !a.hub.HasUser(id) })
		<-time.After(200 * time.Millisecond)
		anna.hasHeard(0, "presence ", string(id), `"offline"`)
		there.Close()
		anna.hears(1, "presence ", string(id), `"offline"`)
	})

	t.Run("who changes the node in time was never away", func(t *testing.T) {
		token, id := a.signUp(t, "dora")
		first := a.dialAs(t, token)
		first.ask("hello", map[string]int{"protocol": 1})
		first.enter("hall", "")
		ben.hears(1, "presence ", string(id), `"online"`)
		second := b.dialAs(t, token)
		second.ask("hello", map[string]int{"protocol": 1})
		a.knows(t, id)
		first.Close()
		becomes(t, "node a lets dora go", func() bool { return !a.hub.HasUser(id) })
		<-time.After(200 * time.Millisecond)
		for _, p := range []*peer{anna, ben} {
			p.hasHeard(1, "presence ", string(id))
		}
		second.Close()
		for _, p := range []*peer{anna, ben} {
			p.hears(1, "presence ", string(id), `"offline"`)
		}
	})

	t.Run("who changes the node while that is not heard is not offline for long", func(t *testing.T) {
		for try := range 100 { // the nodes compare notes every second: that may come in between
			token, id := a.signUp(t, fmt.Sprint("emil-", try))
			first := a.dialAs(t, token)
			first.ask("hello", map[string]int{"protocol": 1})
			first.enter("hall", "")
			ben.hears(1, "presence ", string(id), `"online"`)
			n.buses[1].Cut(true)
			b.dialAs(t, token).ask("hello", map[string]int{"protocol": 1})
			<-time.After(100 * time.Millisecond) // node b says it, to nobody
			n.buses[1].Cut(false)
			first.Close()
			offline := func() bool { got, _ := anna.count("presence ", string(id), `"offline"`); return got > 0 }
			becomes(t, "emil is gone, or known to be at node b", func() bool {
				return offline() || !a.hub.HasUser(id) && a.hub.HasElsewhere(id)
			})
			<-time.After(100 * time.Millisecond) // he is told of now, if at all
			if !offline() {
				continue
			}
			anna.hears(1, "presence ", string(id), `"offline"`)
			anna.hears(2, "presence ", string(id), `"online"`)
			ben.hasHeard(0, "presence ", string(id), `"offline"`)
			return
		}
		t.Error("node a heard of it each time: this shows nothing")
	})

	t.Run("who leaves both nodes before either knows of the other is offline", func(t *testing.T) {
		token, id := a.signUp(t, "finn")
		both := []*peer{a.dialAs(t, token), b.dialAs(t, token)}
		for _, p := range both {
			p.ask("hello", map[string]int{"protocol": 1})
			p.enter("hall", "")
		}
		for _, h := range n.houses {
			h.knows(t, id)
		}
		n.SetFaults(clustertest.Faults{Delay: 60 * time.Millisecond})
		defer n.SetFaults(clustertest.Faults{})
		for _, p := range both {
			p.Close()
		}
		for _, p := range []*peer{anna, ben} {
			p.hears(1, "presence ", string(id), `"offline"`)
		}
	})

	t.Run("who is put out at one leaves the other", func(t *testing.T) {
		wants(t, anna.ask("kick", map[string]any{"groupId": g, "userId": benID}), `"ok":true`)
		becomes(t, "ben hears that he is out", func() bool { got, _ := ben.count("me ", `"kicked"`); return got == 1 })
		anna.ask("sendMessage", map[string]any{"groupId": g, "message": "among us"})
		plain.hears(1, "message ", "among us")
		ben.hasHeard(0, "among us")
	})

	t.Run("a group that is dissolved is over everywhere", func(t *testing.T) {
		other, _ := anna.enter("attic", "")
		ben.enter("attic", "")
		wants(t, anna.ask("dissolveGroup", map[string]any{"groupId": other}), `"ok":true`)
		ben.hears(1, "me ", string(other), `"dissolved"`)
	})
}

func TestSessionsEndAtAllNodes(t *testing.T) {
	n := openNodes(t, 2)
	a, b := n.houses[0], n.houses[1]
	token, id := a.signUp(t, "anna")
	other, err := a.auth.SignIn(t.Context(), id, "another device")
	if err != nil {
		t.Fatal(err)
	}
	who, err := a.auth.Authenticate(t.Context(), token)
	if err != nil {
		t.Fatal(err)
	}
	kept, out := b.dialAs(t, token), b.dialAs(t, other)
	a.gateway.SignedOutAll(id, who.Session)
	becomes(t, "the other device is out", out.closed)
	if kept.closed() {
		t.Error("the device that asked is out")
	}
	a.gateway.SignedOut(who)
	becomes(t, "the device is out", kept.closed)

	// Nobody says that it ended, but it is nowhere any more.
	n.SetFaults(clustertest.Faults{Drop: 0.5})
	silent, guest := b.dialAs(t, token), b.dial(t)
	if err := a.auth.SignOut(t.Context(), token); err != nil {
		t.Fatal(err)
	}
	becomes(t, "a session that ended silently is out", silent.closed)
	if guest.closed() {
		t.Error("who has no session is out")
	}
}

func TestPeopleOfALostNodeAreOffline(t *testing.T) {
	n := openNodes(t, 3)
	anna := n.houses[0].member(t, "anna")
	anna.enter("hall", "")
	ids := make([]chat.UserID, 2)
	for i := range ids { // one at the node that is lost, and one that comes from there to another
		token, id := n.houses[1].signUp(t, fmt.Sprint("ben-", i))
		ids[i] = id
		p := n.houses[1].dialAs(t, token)
		p.ask("hello", map[string]int{"protocol": 1})
		p.enter("hall", "")
		anna.hears(1, "presence ", string(id), `"online"`)
		if i == 1 {
			again := n.houses[2].dialAs(t, token)
			again.ask("hello", map[string]int{"protocol": 1})
		}
	}
	n.buses[1].Cut(true)
	becomes(t, "who was there is offline", func() bool {
		got, _ := anna.count("presence ", string(ids[0]), `"offline"`)
		return got == 1
	})
	anna.hasHeard(0, "presence ", string(ids[1]), `"offline"`)
	n.buses[1].Cut(false)
	becomes(t, "the lost node is found again, with its people", func() bool {
		return n.houses[0].gateway.Presence(ids[0]) == chat.PresenceOnline
	})
}
