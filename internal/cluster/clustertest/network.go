// Package clustertest has a bus in memory that can be made faulty, and what every bus must do.
package clustertest

import (
	"context"
	"math/rand/v2"
	"sync"
	"time"

	"qun/internal/cluster"
)

// Faults say how bad a Network is. The zero value is a good one.
type Faults struct {
	Drop   float64       // the part of payloads that is lost, for each receiver
	Double float64       // the part that comes twice
	Delay  time.Duration // payloads come up to so much later, and so in another order
}

// Network carries payloads in memory.
type Network struct {
	mu     sync.Mutex // guards below
	faults Faults
	buses  []*Bus
	random *rand.Rand
}

// NewNetwork makes a network whose faults are those of a seed.
func NewNetwork(seed uint64, f Faults) *Network {
	return &Network{faults: f, random: rand.New(rand.NewPCG(seed, 7))}
}

// SetFaults changes how bad the network is from now on.
func (n *Network) SetFaults(f Faults) {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.faults = f
}

// Bus is a new place in the network.
func (n *Network) Bus() *Bus {
	n.mu.Lock()
	defer n.mu.Unlock()
	b := &Bus{network: n, limit: 7900, bell: make(chan struct{}, 1)}
	n.buses = append(n.buses, b)
	return b
}

// Bus is a node's place in a Network.
type Bus struct {
	network *Network
	limit   int
	bell    chan struct{}

	mu      sync.Mutex // guards below
	cut     bool
	resumed bool
	queue   [][]byte
}

var _ cluster.Bus = (*Bus)(nil)

// SetLimit makes payloads smaller, before the bus is used.
func (b *Bus) SetLimit(bytes int) { b.limit = bytes }

// Limit is the size of the largest payload.
func (b *Bus) Limit() int { return b.limit }

// Cut makes the bus hear and say nothing, until it is called with false.
func (b *Bus) Cut(on bool) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.resumed = b.resumed || b.cut && !on
	b.cut = on
	b.ring()
}

func (b *Bus) ring() {
	select {
	case b.bell <- struct{}{}:
	default:
	}
}

// Inject lets everybody hear what no node said.
func (n *Network) Inject(payload []byte) { n.spread(payload) }

// Publish spreads a payload.
func (b *Bus) Publish(_ context.Context, payload []byte) error {
	b.mu.Lock()
	cut := b.cut
	b.mu.Unlock()
	if !cut {
		b.network.spread(payload)
	}
	return nil
}

func (n *Network) spread(payload []byte) {
	n.mu.Lock()
	defer n.mu.Unlock()
	for _, b := range n.buses {
		times := 1
		if n.random.Float64() < n.faults.Drop {
			times = 0
		} else if n.random.Float64() < n.faults.Double {
			times = 2
		}
		for range times {
			if n.faults.Delay == 0 {
				b.put(payload)
				continue
			}
			time.AfterFunc(time.Duration(n.random.Int64N(int64(n.faults.Delay))), func() { b.put(payload) })
		}
	}
}

func (b *Bus) put(payload []byte) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if !b.cut {
		b.queue = append(b.queue, payload)
		b.ring()
	}
}

// Run hears.
func (b *Bus) Run(ctx context.Context, hear func([]byte), up func()) {
	up()
	for {
		select {
		case <-b.bell:
		case <-ctx.Done():
			return
		}
		b.mu.Lock()
		queue, resumed := b.queue, b.resumed
		b.queue, b.resumed = nil, false
		b.mu.Unlock()
		if resumed {
			up()
		}
		for _, payload := range queue {
			hear(payload)
		}
	}
}

// Close takes the bus out of the network.
func (b *Bus) Close() error {
	b.network.mu.Lock()
	defer b.network.mu.Unlock()
	for i, other := range b.network.buses {
		if other == b {
			b.network.buses = append(b.network.buses[:i], b.network.buses[i+1:]...)
			break
		}
	}
	return nil
}
