package cluster

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"log/slog"
	"maps"
	"slices"
	"sync"
	"sync/atomic"
	"time"
)

const (
	// beatEvery is how often a node gives a sign of life.
	beatEvery = time.Second
	// goneAfter is after how long without one it is gone.
	goneAfter = 3500 * time.Millisecond
	// maxWaiting and maxWaitingBytes bound the notes that wait for the bus; what finds no place is dropped.
	maxWaiting      = 8192
	maxWaitingBytes = 8 << 20
	// publishTime is how long the bus may take for a payload.
	publishTime = 2 * time.Second
	// maxPeers bounds the nodes that are remembered.
	maxPeers = 256
)

// Config is how a Node behaves.
type Config struct {
	Key    []byte       // all nodes have the same, and nobody else
	Logger *slog.Logger // nil discards
}

// Node is one of several that share a database, from Start to Close.
type Node struct {
	// Set once; topics by Topic, before Start.
	id     string
	bus    Bus
	seal   sealer
	log    *slog.Logger
	topics map[string]*Topic
	bell   chan struct{} // capacity 1: something is to be published
	stop   context.CancelFunc
	run    sync.WaitGroup
	counts counts
	others atomic.Int32 // how many other nodes are there

	// Owned by the goroutine that publishes.
	published uint64

	mu      sync.Mutex // guards below; never held while a topic or the bus is called
	waiting []note
	bytes   int  // of what waits
	beat    bool // a sign of life is due
	peers   map[string]*peer
	echoed  time.Time // when the node heard itself last
}

// peer is another node.
type peer struct {
	last uint64 // the greatest count of its payloads heard
	seen time.Time
}

// counts are what a Node counts.
type counts struct{ published, failed, sent, dropped, heard, received, refused, gaps atomic.Uint64 }

// Stats says what a node has done so far.
type Stats struct {
	Up        bool   // the node hears itself
	Peers     int    // other nodes that are there
	Published uint64 // payloads
	Failed    uint64 // payloads that the bus did not take
	Sent      uint64 // notes that it took
	Dropped   uint64 // notes that it did not take, or that found no place
	Heard     uint64 // payloads of others
	Received  uint64 // notes of others
	Refused   uint64 // payloads that were none
	Gaps      uint64 // times that something may have been missed
}

// New makes a node; it does nothing before Start.
func New(bus Bus, cfg Config) *Node {
	if cfg.Logger == nil {
		cfg.Logger = slog.New(slog.DiscardHandler)
	}
	return &Node{
		id: newID(), bus: bus, seal: sealer{cfg.Key}, log: cfg.Logger, topics: map[string]*Topic{},
		bell: make(chan struct{}, 1), peers: map[string]*peer{},
	}
}

func newID() string {
	bits := make([]byte, 8)
	rand.Read(bits)
	return hex.EncodeToString(bits)
}

// ID names the node: 16 characters that no other start of any node has.
func (n *Node) ID() string { return n.id }

// Topic makes a topic of that name, before Start.
func (n *Node) Topic(name string) *Topic {
	t := &Topic{node: n, name: name}
	n.topics[name] = t
	return t
}

// Start joins. What the topics hear, they hear from now on.
func (n *Node) Start() {
	ctx, stop := context.WithCancel(context.Background())
	n.stop = stop
	n.beat, n.echoed = true, time.Now()
	n.run.Go(func() { n.bus.Run(ctx, n.hear, n.missed) })
	n.run.Go(func() { n.publish(ctx) })
	n.run.Go(func() { n.watch(ctx) })
	n.ring()
}

// Close says good-bye and leaves. Topics hear nothing when it has returned.
func (n *Node) Close() error {
	if n.stop == nil {
		return n.bus.Close()
	}
	n.stop()
	n.run.Wait()
	ctx, cancel := context.WithTimeout(context.Background(), publishTime)
	defer cancel()
	n.published++
	_ = n.bus.Publish(ctx, n.seal.seal(&payload{Node: n.id, Count: n.published, Bye: true})) // else others find out
	return n.bus.Close()
}

// Stats says what the node has done so far.
func (n *Node) Stats() Stats {
	c := &n.counts
	return Stats{
		Up: n.hearsItself(time.Now()), Peers: int(n.others.Load()), Published: c.published.Load(), Failed: c.failed.Load(),
		Sent: c.sent.Load(), Dropped: c.dropped.Load(), Heard: c.heard.Load(), Received: c.received.Load(),
		Refused: c.refused.Load(), Gaps: c.gaps.Load(),
	}
}

func (n *Node) hearsItself(now time.Time) bool {
	n.mu.Lock()
	defer n.mu.Unlock()
	return now.Sub(n.echoed) <= 2*beatEvery
}

func (n *Node) ring() {
	select {
	case n.bell <- struct{}{}:
	default:
	}
}

// add queues a note.
func (n *Node) add(one note) {
	n.mu.Lock()
	fits := len(n.waiting) < maxWaiting && n.bytes+one.size() <= maxWaitingBytes
	if fits {
		n.waiting = append(n.waiting, one)
		n.bytes += one.size()
	}
	n.mu.Unlock()
	if !fits {
		n.counts.dropped.Add(1)
		return
	}
	n.ring()
}

// take is as much of what waits as a payload holds.
func (n *Node) take() (notes []note, beat bool) {
	n.mu.Lock()
	defer n.mu.Unlock()
	room := n.bus.Limit() - overhead
	count := 0
	for _, one := range n.waiting {
		if room -= one.size(); room < 0 {
			break
		}
		n.bytes -= one.size()
		count++
	}
	notes, n.waiting = n.waiting[:count:count], n.waiting[count:]
	if len(n.waiting) == 0 {
		n.waiting = nil
	}
	beat, n.beat = n.beat, false
	return notes, beat
}

// publish hands what waits to the bus: the more waits, the more share a payload.
func (n *Node) publish(ctx context.Context) {
	pause := shortPause
	for {
		select {
		case <-n.bell:
		case <-ctx.Done():
			return
		}
		for notes, beat := n.take(); len(notes) > 0 || beat; notes, beat = n.take() {
			n.published++
			text := n.seal.seal(&payload{Node: n.id, Count: n.published, Notes: notes})
			limited, cancel := context.WithTimeout(ctx, publishTime)
			err := n.bus.Publish(limited, text)
			cancel()
			if ctx.Err() != nil {
				return
			}
			if err == nil {
				n.counts.published.Add(1)
				n.counts.sent.Add(uint64(len(notes)))
				pause = shortPause
				continue
			}
			n.counts.failed.Add(1)
			n.counts.dropped.Add(uint64(len(notes)))
			n.log.Debug("publish to other nodes", "error", err)
			rest(ctx, pause)
			pause = min(2*pause, longPause)
		}
	}
}

// hear takes a payload that the bus brought.
func (n *Node) hear(text []byte) {
	if len(text) > n.bus.Limit() {
		n.counts.refused.Add(1)
		return
	}
	p, err := n.seal.open(text)
	if err != nil {
		n.counts.refused.Add(1)
		return
	}
	if p.Node == n.id {
		n.mu.Lock()
		n.echoed = time.Now()
		n.mu.Unlock()
		return
	}
	n.counts.heard.Add(1)
	n.counts.received.Add(uint64(len(p.Notes)))
	if p.Bye {
		n.leave(p.Node)
		return
	}
	if gap := n.meet(p); gap {
		n.missed()
	}
	for _, one := range p.Notes {
		if t := n.topics[one.Topic]; t != nil && t.note != nil {
			t.note(p.Node, one.Body)
		}
	}
}

// meet notes that a node lives, and reports whether something of it may have been missed. Who is new gets a sign of life.
func (n *Node) meet(p *payload) (gap bool) {
	n.mu.Lock()
	defer n.mu.Unlock()
	known := n.peers[p.Node]
	if known == nil {
		if len(n.peers) >= maxPeers {
			return true
		}
		known = &peer{}
		n.peers[p.Node] = known
		n.others.Store(int32(len(n.peers)))
		n.beat = true
		n.ring()
	}
	known.seen = time.Now()
	gap = p.Count > known.last+1
	known.last = max(known.last, p.Count)
	return gap
}

// missed tells all topics that something may have been.
func (n *Node) missed() {
	n.counts.gaps.Add(1)
	for _, t := range n.topics {
		if t.missed != nil {
			t.missed()
		}
	}
}

// leave forgets a node that is gone.
func (n *Node) leave(id string) {
	n.mu.Lock()
	known := n.peers[id]
	delete(n.peers, id)
	n.others.Store(int32(len(n.peers)))
	n.mu.Unlock()
	if known == nil {
		return
	}
	for _, t := range n.topics {
		if t.gone != nil {
			t.gone(id)
		}
	}
}

// watch gives signs of life and finds out who gives none any more.
func (n *Node) watch(ctx context.Context) {
	tick := time.NewTicker(beatEvery)
	defer tick.Stop()
	for {
		select {
		case <-tick.C:
		case <-ctx.Done():
			return
		}
		n.mu.Lock()
		n.beat = true
		n.mu.Unlock()
		n.ring()
		for _, id := range n.silent(time.Now()) {
			n.leave(id)
		}
	}
}

// silent are the nodes that gave no sign of life for too long. Who does not even hear itself cannot tell.
func (n *Node) silent(now time.Time) (ids []string) {
	n.mu.Lock()
	defer n.mu.Unlock()
	if now.Sub(n.echoed) > 2*beatEvery {
		for _, p := range n.peers {
			p.seen = now
		}
		return nil
	}
	for id, p := range n.peers {
		if now.Sub(p.seen) > goneAfter {
			ids = append(ids, id)
		}
	}
	return ids
}

// Peers are the other nodes that are there.
func (n *Node) Peers() []string {
	n.mu.Lock()
	defer n.mu.Unlock()
	return slices.Sorted(maps.Keys(n.peers))
}

// Topic is what nodes say to each other about one thing.
type Topic struct {
	node *Node
	name string

	// Set by Hear.
	note   func(node string, body []byte)
	missed func()
	gone   func(node string)
}

// Hear names who is told what other nodes publish, that something of it may have been missed, and which node is gone;
// nil: nobody. It is to be called before the node starts, once.
func (t *Topic) Hear(note func(node string, body []byte), missed func(), gone func(node string)) {
	t.note, t.missed, t.gone = note, missed, gone
}

// Alone reports whether there is nobody who would hear.
func (t *Topic) Alone() bool { return t.node.others.Load() == 0 }

// Limit is the size of the largest body, in bytes.
func (t *Topic) Limit() int { return t.node.bus.Limit() - overhead - noteOverhead }

// Publish tells all other nodes, if it can: it never blocks. The body is JSON, must not be changed any more, and is dropped
// if it is larger than Limit.
func (t *Topic) Publish(body []byte) {
	switch {
	case t.Alone():
	case len(body) > t.Limit():
		t.node.counts.dropped.Add(1)
	default:
		t.node.add(note{t.name, body})
	}
}
