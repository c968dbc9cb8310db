package chat_test

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"math/rand/v2"
	"os"
	"reflect"
	"slices"
	"strconv"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"qun/internal/chat"
	"qun/internal/cluster"
	"qun/internal/cluster/clustertest"
	"qun/internal/store"
	"qun/internal/store/pgtest"
)

// TestModelOnSeveralNodes plays random histories on three nodes over one database, with a bus that loses 30 % of what it
// carries, doubles as much, and delays and reorders the rest, and that is cut off from a node now and then: members and
// guests enter, send, edit, react, are put out, go to another node; nodes are restarted. Every client must be told every
// number of its groups once, in order and without a gap, be shown what was acknowledged and nothing else, and within two
// seconds of the end of it.
func TestModelOnSeveralNodes(t *testing.T) {
	rounds := 2
	if set := os.Getenv("QUN_MODEL_ROUNDS"); set != "" {
		var err error
		if rounds, err = strconv.Atoi(set); err != nil {
			t.Fatal(err)
		}
	}
	server := pgtest.For(t, pgtest.Config{})
	var read uint64 // what the bus had lost, in any round
	for seed := range uint64(rounds) {
		t.Run(fmt.Sprint("seed ", seed), func(t *testing.T) {
			w := newTown(t, server, 3, clustertest.Faults{Drop: 0.3, Double: 0.3, Delay: 30 * time.Millisecond})
			playOnNodes(t, w, seed)
			for _, n := range w.nodes {
				stats := n.NodeStats()
				read += stats.Gaps + stats.Repairs
			}
		})
	}
	if read == 0 {
		t.Error("on such a bus something is missed, and nothing was read")
	}
}

// town is several nodes of a chat, and people at them.
type town struct {
	t       *testing.T
	ctx     context.Context
	url     string
	network *clustertest.Network
	nodes   []*townNode

	mu     sync.Mutex // guards below, and the clients of all people
	people []*client
	wrong  []error
	said   map[chat.GroupID]map[chat.Seq]*chat.Message // as acknowledged last
	own    map[string]int                              // how many nodes say of an event that they caused it
}

// townNode is one node: a chat.Notifier and a chat.Here, for the people at it.
type townNode struct {
	*chat.Service
	town  *town
	store *store.Store
	node  *cluster.Node
	bus   *clustertest.Bus
	looks atomic.Int64 // at what other nodes wrote
}

// watched is a node's store, which counts how often the node looks.
type watched struct {
	*store.Store
	node *townNode
}

func (s watched) Elsewhere(ctx context.Context) (string, error) {
	s.node.looks.Add(1)
	return s.Store.Elsewhere(ctx)
}

// client is one device as the protocol wants it: what comes while it opens a group is held; a number it has is merged
// only; the next one applies; any other is a gap, which here nobody may see.
type client struct {
	user *chat.User
	at   *townNode
	in   map[chat.GroupID]*view
}

type view struct {
	opening bool
	held    []chat.Event
	head    chat.Seq
	from    chat.Seq // what the client holds begins here
	rows    map[chat.Seq]*chat.Message
}

func newTown(t *testing.T, server *pgtest.Server, nodes int, faults clustertest.Faults) *town {
	t.Helper()
	w := &town{
		t: t, ctx: t.Context(), url: freshDatabase(t, server),
		network: clustertest.NewNetwork(uint64(nodes), faults), said: map[chat.GroupID]map[chat.Seq]*chat.Message{},
		own: map[string]int{},
	}
	for range nodes {
		n := &townNode{town: w}
		n.open()
		w.nodes = append(w.nodes, n)
	}
	t.Cleanup(func() {
		for _, n := range w.nodes {
			n.close()
		}
	})
	w.meet()
	return w
}

// meet waits until all nodes know of each other.
func (w *town) meet() {
	for _, n := range w.nodes {
		for len(n.node.Peers()) < len(w.nodes)-1 {
			<-time.After(time.Millisecond)
		}
	}
}

func (n *townNode) open() {
	n.town.t.Helper()
	s, err := store.Open(n.town.ctx, store.Config{URL: n.town.url})
	n.town.must(err)
	n.store, n.bus = s, n.town.network.Bus()
	n.node = cluster.New(n.bus, cluster.Config{Key: []byte("key")})
	cfg := noLimits()
	cfg.ReadWait = time.Millisecond
	cfg.Cluster = &chat.Cluster{Bus: n.node.Topic("chat"), Here: n}
	n.Service = chat.New(watched{s, n}, n, cfg)
	n.node.Start()
}

func (n *townNode) close() {
	if err := errors.Join(n.Service.Close(context.Background()), n.node.Close(), n.store.Close()); err != nil {
		n.town.t.Error(err)
	}
}

func (w *town) must(err error) {
	w.t.Helper()
	if err != nil {
		w.t.Fatal(err)
	}
}

func (w *town) note(format string, args ...any) {
	if len(w.wrong) < 5 {
		w.wrong = append(w.wrong, fmt.Errorf(format, args...))
	}
}

// at are the people at a node.
func (w *town) at(n *townNode) (people []*client) {
	for _, p := range w.people {
		if p.at == n {
			people = append(people, p)
		}
	}
	return people
}

func (n *townNode) HasGroup(g chat.GroupID) bool { return slices.Contains(n.Groups(), g) }
func (n *townNode) HasUser(u chat.UserID) bool   { return slices.Contains(n.Users(), u) }

func (n *townNode) Groups() (ids []chat.GroupID) {
	n.town.mu.Lock()
	defer n.town.mu.Unlock()
	for _, p := range n.town.at(n) {
		ids = append(ids, slices.Collect(maps.Keys(p.in))...)
	}
	return ids
}

func (n *townNode) Users() (ids []chat.UserID) {
	n.town.mu.Lock()
	defer n.town.mu.Unlock()
	for _, p := range n.town.at(n) {
		ids = append(ids, p.user.ID)
	}
	return ids
}

// Notify is what the node's announcer calls.
func (n *townNode) Notify(e chat.Event) {
	n.town.mu.Lock()
	defer n.town.mu.Unlock()
	if key := fmt.Sprint(e.Group, e.User, e.Number); !e.Elsewhere {
		if n.town.own[key]++; n.town.own[key] > 1 {
			n.town.note("two nodes say that they caused %+v", e)
		}
	}
	for _, p := range n.town.at(n) {
		if c := e.Change; c != nil && c.Member != nil && c.Member.UserID == p.user.ID && c.Member.State != chat.MemberActive {
			delete(p.in, e.Group)
		}
		if v := p.in[e.Group]; v != nil {
			v.hear(p, e)
		}
	}
}

func (v *view) hear(p *client, e chat.Event) {
	switch {
	case v.opening:
		v.held = append(v.held, e)
		return
	case e.Number > v.head+1:
		p.at.town.note("%s heard %d of a group after %d", p.user.NickName, e.Number, v.head)
	}
	v.head = max(v.head, e.Number)
	if e.Message != nil {
		v.merge(e.Message)
	}
	if e.Change != nil && e.Change.Message != nil {
		v.merge(e.Change.Message)
	}
}

func (v *view) merge(row *chat.Message) {
	if have := v.rows[row.Seq]; row.Seq >= v.from && (have == nil || have.Rev < row.Rev) {
		v.rows[row.Seq] = asSeenByAll(row)
	}
}

// enter goes in as the protocol says: into the room, then the snapshot; what came between is held.
func (p *client) enter(w *town, in chat.Entry) chat.GroupID {
	w.t.Helper()
	entered, err := p.at.Enter(w.ctx, p.user, in)
	w.must(err)
	g := entered.Group.ID
	v := &view{opening: true, rows: map[chat.Seq]*chat.Message{}}
	w.mu.Lock()
	p.in[g] = v
	w.mu.Unlock()
	snap, err := p.at.Snapshot(w.ctx, p.user, g)
	w.must(err)
	w.mu.Lock()
	defer w.mu.Unlock()
	v.opening, v.head = false, snap.Head
	if snap.Before {
		v.from = snap.Messages[0].Seq
	}
	for _, row := range snap.Messages {
		v.merge(row)
	}
	for _, e := range v.held {
		v.hear(p, e)
	}
	return g
}

// move takes a client to another node.
func (p *client) move(w *town, to *townNode) {
	w.t.Helper()
	w.mu.Lock()
	groups := slices.Sorted(maps.Keys(p.in))
	p.at, p.in = to, map[chat.GroupID]*view{}
	w.mu.Unlock()
	for _, g := range groups {
		p.enter(w, chat.Entry{Group: g})
	}
}

func (p *client) say(w *town, g chat.GroupID, text string) *chat.Message {
	sent, err := p.at.SendMessage(w.ctx, p.user, chat.NewMessage{Group: g, Entered: true, Text: text, ClientID: newText()})
	w.mu.Lock()
	defer w.mu.Unlock()
	if err != nil {
		w.note("%s cannot speak: %w", p.user.NickName, err)
		return nil
	}
	if v := p.in[g]; v != nil && v.head < sent.Message.Seq {
		w.note("%d is acknowledged before it was told at its own node", sent.Message.Seq)
	}
	w.granted(sent.Message)
	return sent.Message
}

func (w *town) granted(row *chat.Message) {
	if w.said[row.GroupID] == nil {
		w.said[row.GroupID] = map[chat.Seq]*chat.Message{}
	}
	if have := w.said[row.GroupID][row.Seq]; have != nil && have.Rev == row.Rev && have.Text != row.Text {
		w.note("two messages were acknowledged under number %d", row.Seq)
	} else if have == nil || have.Rev < row.Rev {
		w.said[row.GroupID][row.Seq] = asSeenByAll(row)
	}
}

func playOnNodes(t *testing.T, w *town, seed uint64) {
	random := rand.New(rand.NewPCG(seed, 5))
	for i := range 6 {
		at := w.nodes[i%3]
		u, err := at.CreateMember(w.ctx, chat.NewMember{Username: fmt.Sprint("member-", i)})
		if i >= 4 {
			u, err = at.NewGuest(w.ctx, fmt.Sprint("guest ", i), false)
		}
		w.must(err)
		w.mu.Lock()
		w.people = append(w.people, &client{user: u, at: at, in: map[chat.GroupID]*view{}})
		w.mu.Unlock()
	}
	rooms := []string{"一", "two"}
	var owned []chat.GroupID
	for _, room := range rooms {
		owned = append(owned, w.people[0].enter(w, chat.Entry{Room: room}))
	}
	for range 80 {
		p := w.people[random.IntN(len(w.people))]
		g := owned[random.IntN(len(owned))]
		w.mu.Lock()
		in := p.in[g] != nil
		w.mu.Unlock()
		switch n := random.IntN(20); {
		case !in:
			p.enter(w, chat.Entry{Group: g})
		case n < 8:
			p.say(w, g, newText())
		case n < 12:
			w.burst(g)
		case n < 15:
			w.edit(random, p, g)
		case n < 16:
			w.kick(random, g)
		case n < 18:
			p.move(w, w.nodes[random.IntN(3)])
		case n < 19:
			w.cut(random)
		default:
			w.restart(random.IntN(3))
		}
	}
	w.converge(2 * time.Second)
	w.mu.Lock()
	defer w.mu.Unlock()
	if len(w.wrong) > 0 {
		t.Error(errors.Join(w.wrong...))
	}
}

// burst lets everybody in a group speak at once, at all nodes.
func (w *town) burst(g chat.GroupID) {
	var all sync.WaitGroup
	w.mu.Lock()
	people := slices.Clone(w.people)
	w.mu.Unlock()
	for _, p := range people {
		w.mu.Lock()
		in := p.in[g] != nil
		w.mu.Unlock()
		if in {
			all.Go(func() {
				for range 3 {
					p.say(w, g, newText())
				}
			})
		}
	}
	all.Wait()
}

// edit changes something that p said, wherever it was said.
func (w *town) edit(random *rand.Rand, p *client, g chat.GroupID) {
	w.mu.Lock()
	var mine []chat.Seq
	for _, seq := range slices.Sorted(maps.Keys(w.said[g])) {
		if w.said[g][seq].UserID == p.user.ID {
			mine = append(mine, seq)
		}
	}
	w.mu.Unlock()
	if len(mine) == 0 {
		return
	}
	row, err := p.at.EditMessage(w.ctx, p.user, chat.Edit{Group: g, Seq: mine[random.IntN(len(mine))], Text: newText()})
	w.must(err)
	w.mu.Lock()
	defer w.mu.Unlock()
	w.granted(row)
}

// kick puts a member out, whose client has to leave wherever it is, within a second and a half.
func (w *town) kick(random *rand.Rand, g chat.GroupID) {
	owner, p := w.people[0], w.people[1+random.IntN(3)]
	w.mu.Lock()
	in := p.in[g] != nil
	w.mu.Unlock()
	if !in {
		return
	}
	_, err := owner.at.Kick(w.ctx, owner.user, chat.Removal{Group: g, User: p.user.ID})
	w.must(err)
	if !w.waitFor(1500*time.Millisecond, func() bool { return p.in[g] == nil }) {
		w.mu.Lock()
		defer w.mu.Unlock()
		w.note("%s is still in a group at another node", p.user.NickName)
	}
}

// cut takes a node off the bus for a moment.
func (w *town) cut(random *rand.Rand) {
	bus := w.nodes[random.IntN(3)].bus
	bus.Cut(true)
	time.AfterFunc(time.Duration(random.IntN(300))*time.Millisecond, func() { bus.Cut(false) })
}

// restart takes a node away; its people come back to another one.
func (w *town) restart(i int) {
	n := w.nodes[i]
	w.mu.Lock()
	people := w.at(n)
	w.mu.Unlock()
	for _, p := range people {
		p.move(w, w.nodes[(i+1)%3])
	}
	n.close()
	n.open()
}

// waitFor waits until something is so that is asked under the lock. What has to be so in d may take longer on a busy machine: until
// each node has looked at what others wrote, and told of it, twice.
func (w *town) waitFor(d time.Duration, so func() bool) bool {
	before := make([]int64, len(w.nodes))
	for i, n := range w.nodes {
		before[i] = n.looks.Load()
	}
	looked := func() bool {
		for i, n := range w.nodes {
			if n.looks.Load() < before[i]+4 { // the first may have begun before, and the last has only begun
				return false
			}
		}
		return true
	}
	const forEver = time.Minute
	for began := time.Now(); ; <-time.After(2 * time.Millisecond) {
		enough, took := looked(), time.Since(began)
		w.mu.Lock()
		is := so()
		w.mu.Unlock()
		if is || took > d && enough || took > forEver {
			return is
		}
	}
}

// converge waits until every client is where the store is, and compares what it shows.
func (w *town) converge(within time.Duration) {
	w.t.Helper()
	heads, err := w.nodes[0].Heads(w.ctx, slices.Collect(maps.Keys(w.said)))
	w.must(err)
	w.waitFor(within, func() bool {
		for _, p := range w.people {
			for g, v := range p.in {
				if v.head != heads[g] {
					return false
				}
			}
		}
		return true
	})
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, p := range w.people {
		for g, v := range p.in {
			if v.head != heads[g] {
				w.note("%s is at %d, the group at %d", p.user.NickName, v.head, heads[g])
			}
			for seq, row := range w.said[g] {
				if seq >= v.from && !reflect.DeepEqual(v.rows[seq], row) {
					w.note("%s has %+v as message %d, acknowledged was %+v", p.user.NickName, v.rows[seq], seq, row)
				}
			}
			for seq, row := range v.rows {
				if row.Kind == chat.MessageText && w.said[g][seq] == nil {
					w.note("%s has message %d, which nobody said", p.user.NickName, seq)
				}
			}
		}
	}
}

// newText is a text, or a clientId, that nobody used before.
func newText() string { return fmt.Sprintf("%016x", rand.Uint64()) }

var databases struct {
	mu sync.Mutex // guards below
	n  int
}

// freshDatabase makes a database of a server.
func freshDatabase(t *testing.T, server *pgtest.Server) string {
	t.Helper()
	databases.mu.Lock()
	databases.n++
	name := fmt.Sprint("town", databases.n)
	databases.mu.Unlock()
	if err := server.CreateDatabase(name); err != nil {
		t.Fatal(err)
	}
	return server.URL(name)
}
