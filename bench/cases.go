package main

import (
	"fmt"
	"net/netip"
	"os"
	"time"

	"golang.org/x/sys/unix"

	"qun/bench/load"
	"qun/bench/machine"
)

// A group of cases is measured on one running server. It is given to the peers in turn, round after round.
type group struct {
	name  string
	peers []string
	asked []string // peers that take part only where -peers names them
	run   func(b *bench, p *peer, round int) ([]sample, error)
}

// speakers are all that deliver.
var speakers = []string{"node", "seed", "floor", "floor-each", "qun", "zishang520", "centrifuge"}

func groups(scale scale) []group {
	all := []group{
		deliveries(load.Shape{Rooms: 1, Members: 1000, Senders: scale.senders[0]}, scale, 20_000, 100_000),
		deliveries(load.Shape{Rooms: 100, Members: 10, Senders: scale.senders[1]}, scale, 20_000, 100_000),
		deliveries(load.Shape{Rooms: 1, Members: 10, Senders: scale.senders[2]}, scale),
		{"inbound", []string{"node", "engine", "floor", "zishang520", "centrifuge"}, nil, scale.inbound},
		{"idle", []string{"node", "engine", "floor", "qun", "zishang520", "centrifuge"}, nil, scale.idle},
		{"idle-guest", []string{"qun"}, nil, scale.idleGuest},
		{"idle-member", []string{"qun"}, nil, scale.idleMember},
		{"idle-tls", []string{"engine-tls"}, nil, scale.idleTLS},
		{"durable", []string{"qun", "qun-nosearch"}, nil, scale.durable},
		{"store", []string{"qun"}, nil, scale.store},
		{"nodes", []string{"qun-postgres", "qun-notify", "qun-redis", "node", "node-redis"}, nil, scale.nodes},
	}
	return all
}

// scale is how long and how large everything is.
type scale struct {
	warm, measure time.Duration
	settle        time.Duration // idle connections are left alone for so long, and those of a chat three times
	idlers        int
	senders       [3]int // in each room of 1 × 1000, 100 × 10, 1 × 10
}

func (sc *scale) parseSenders(text string) error {
	_, err := fmt.Sscanf(text, "%d,%d,%d", &sc.senders[0], &sc.senders[1], &sc.senders[2])
	return err
}

// onServer runs a peer with a crowd of the given size.
func (b *bench) onServer(p *peer, cores *unix.CPUSet, dialect *load.Dialect, size int, act func(*server, *load.Crowd) error) error {
	data, err := os.MkdirTemp(b.results, "data-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(data)
	return b.onData(p, cores, data, load.Config{Dialect: dialect}, size, 1, act)
}

// onData is the same with a folder of data and whatever the connections say. So many of them in a row talk to one node,
// and so many to the next.
func (b *bench) onData(p *peer, cores *unix.CPUSet, data string, cfg load.Config, size, row int, act func(*server, *load.Crowd) error) error {
	s, err := b.start(p, cores, data)
	if err != nil {
		return err
	}
	defer s.stop()
	cfg.Server = func(i int) netip.AddrPort { return s.nodes[i/row%len(s.nodes)].address }
	crowd, err := load.NewCrowd(cfg)
	if err != nil {
		return err
	}
	defer crowd.Close()
	if size > 0 {
		if _, err := crowd.Connect(size); err != nil {
			return fmt.Errorf("connect: %w (%s)", err, s.said())
		}
	}
	return act(s, crowd)
}

// deliveries measures one shape of rooms: in a closed loop, then at fixed rates of deliveries per second.
func deliveries(shape load.Shape, scale scale, rates ...int) group {
	name := fmt.Sprintf("%dx%d", shape.Rooms, shape.Members)
	run := func(b *bench, p *peer, round int) (samples []sample, err error) {
		err = b.onServer(p, &b.cores.Server, p.dialect, shape.Size(), func(s *server, crowd *load.Crowd) error {
			samples, err = scale.deliver(name, p, round, s, crowd, shape, rates)
			return err
		})
		return samples, err
	}
	return group{name, speakers, []string{"engine"}, run}
}

// deliver measures a shape on a server that runs.
func (sc scale) deliver(name string, p *peer, round int, s *server, crowd *load.Crowd, shape load.Shape, rates []int) (samples []sample, err error) {
	if err := crowd.Join(shape); err != nil {
		return nil, err
	}
	take := func(name string, measure func(load.Timing) (*load.Window, error)) error {
		m := &meter{server: s}
		w, err := measure(load.Timing{Warm: sc.warm, Measure: sc.measure, Sleep: p.shares != shares{}, Edge: m.edge})
		if err == nil {
			err = m.err
		}
		if err != nil {
			return fmt.Errorf("%s: %w", name, err)
		}
		samples = append(samples, sample{Case: name, Peer: p.name, Round: round, Values: valuesOf(w, m, w.Deliveries)})
		return nil
	}
	if err := take(name+"-closed", crowd.Closed); err != nil {
		return samples, err
	}
	for _, rate := range rates {
		messages := float64(rate) / float64(shape.Members)
		fixed := func(t load.Timing) (*load.Window, error) { return crowd.Fixed(messages, t) }
		if err := take(fmt.Sprintf("%s-%d", name, rate), fixed); err != nil {
			return samples, err
		}
	}
	return samples, nil
}

// inboundConnections ask and are answered, each one request at a time.
const inboundConnections = 50

func (sc scale) inbound(b *bench, p *peer, round int) (samples []sample, err error) {
	err = b.onServer(p, &b.cores.Server, p.dialect, inboundConnections, func(s *server, crowd *load.Crowd) error {
		m := &meter{server: s}
		w, err := crowd.Echo(p.dialect.Echo(7), load.Timing{Warm: sc.warm, Measure: sc.measure, Edge: m.edge})
		if err != nil {
			return err
		}
		samples = []sample{{Case: "inbound", Peer: p.name, Round: round, Values: valuesOf(w, m, w.Answers)}}
		return m.err
	})
	return samples, err
}

// settlesInChat is how much longer the connections of a chat are left alone: after they have come they still ask.
const settlesInChat = 3

// idle measures what connections cost that do nothing but stay.
func (sc scale) idle(b *bench, p *peer, round int) (samples []sample, err error) {
	err = b.onServer(p, &b.cores.Server, p.dialect, 0, func(s *server, crowd *load.Crowd) error {
		samples, err = sc.stay("idle", p, round, s, crowd, sc.settle, nil)
		return err
	})
	return samples, err
}

// warmUp is how many connections are made before memory is first read, so that what every server needs once does not count.
const warmUp = 50

// stay connects the idlers, lets each do what it does at first, and leaves them alone.
func (sc scale) stay(name string, p *peer, round int, s *server, crowd *load.Crowd, settle time.Duration, request func(i, n int) []byte) ([]sample, error) {
	pid := s.pid()
	if _, err := crowd.Connect(warmUp); err != nil {
		return nil, err
	}
	if err := crowd.Idle(time.Second); err != nil {
		return nil, err
	}
	before, err := machine.MemoryOf(pid)
	if err != nil {
		return nil, err
	}
	m := &meter{server: s}
	m.edge()
	took, err := crowd.Connect(sc.idlers)
	m.edge()
	if err != nil {
		return nil, err
	}
	if request != nil {
		if _, err := crowd.Ask(warmUp+sc.idlers, 32, 5*time.Minute, request); err != nil {
			return nil, err
		}
	}
	at, err := machine.MemoryOf(pid)
	if err != nil {
		return nil, err
	}
	if err := crowd.Idle(settle); err != nil {
		return nil, err
	}
	after, err := machine.MemoryOf(pid)
	one := sc.stayed(name, p, round, before, at, after, m, took)
	one.Values[dead] = float64(crowd.Counts().Dead)
	return []sample{one}, err
}

// stayed is the sample of what was read before the idlers came, when they had come, and when they had been left alone.
func (sc scale) stayed(name string, p *peer, round int, before, at, after machine.Memory, m *meter, took time.Duration) sample {
	each := func(m machine.Memory) float64 {
		return float64(m.Anonymous-before.Anonymous) / 1024 / float64(sc.idlers)
	}
	return sample{Case: name, Peer: p.name, Round: round, Values: map[string]float64{
		kilobytes: each(after), settled: each(at), resident: float64(after.Resident) / 1e6,
		perSecond: float64(sc.idlers) / took.Seconds(), cpuPer: float64(m.used.Microseconds()) / float64(sc.idlers),
		foreign: m.other.Seconds() / m.took.Seconds(),
	}}
}

// idleGuest puts every guest into one group, ten to a group.
func (sc scale) idleGuest(b *bench, p *peer, round int) (samples []sample, err error) {
	err = b.onServer(p, &b.cores.Server, p.dialect, 0, func(s *server, crowd *load.Crowd) error {
		join := func(i, n int) []byte {
			if n > 0 {
				return nil
			}
			return p.dialect.Join(n, fmt.Sprintf("room %d", i/10), fmt.Sprintf("guest %d", i))
		}
		samples, err = sc.stay("idle-guest", p, round, s, crowd, settlesInChat*sc.settle, join)
		return err
	})
	return samples, err
}

// idleMember lets members open the app, each in twenty groups of a hundred.
func (sc scale) idleMember(b *bench, p *peer, round int) (samples []sample, err error) {
	data, tokens, err := b.membersIn(warmUp + sc.idlers)
	if err != nil {
		return nil, fmt.Errorf("prepare members: %w", err)
	}
	cfg := load.Config{Dialect: p.dialect, Credential: func(i int) []byte { return fmt.Appendf(nil, `{"token":%q}`, tokens[i]) }}
	err = b.onData(p, &b.cores.Server, data, cfg, 0, 1, func(s *server, crowd *load.Crowd) error {
		hello := func(_, n int) []byte {
			if n > 0 {
				return nil
			}
			return []byte(`421["hello",{"protocol":1}]`)
		}
		samples, err = sc.stay("idle-member", p, round, s, crowd, settlesInChat*sc.settle, hello)
		return err
	})
	return samples, err
}

// idleTLS is idle over TLS.
func (sc scale) idleTLS(b *bench, p *peer, round int) (samples []sample, err error) {
	err = b.onServer(p, &b.cores.Server, p.dialect, 0, func(s *server, _ *load.Crowd) error {
		pid, cfg := s.pid(), load.Config{Server: load.At(s.nodes[0].address), Dialect: p.dialect}
		release, _, err := load.Hold(cfg, warmUp)
		if err != nil {
			return err
		}
		defer release()
		before, err := machine.MemoryOf(pid)
		if err != nil {
			return err
		}
		m := &meter{server: s}
		m.edge()
		releaseAll, took, err := load.Hold(cfg, sc.idlers)
		m.edge()
		if err != nil {
			return err
		}
		defer releaseAll()
		at, err := machine.MemoryOf(pid)
		if err != nil {
			return err
		}
		time.Sleep(sc.settle)
		after, err := machine.MemoryOf(pid)
		samples = []sample{sc.stayed("idle-tls", p, round, before, at, after, m, took)}
		return err
	})
	return samples, err
}

// durable lets 64 senders in 64 groups send as soon as they have their last message back, which is after it was made
// durable. The server may use all cores.
func (sc scale) durable(b *bench, p *peer, round int) (samples []sample, err error) {
	shape := load.Shape{Rooms: 64, Members: 1, Senders: 1}
	err = b.onServer(p, &b.cores.All, p.dialect.Acknowledged(), shape.Size(), func(s *server, crowd *load.Crowd) error {
		if err := crowd.Join(shape); err != nil {
			return err
		}
		m := &meter{server: s}
		w, err := crowd.Closed(load.Timing{Warm: sc.warm, Measure: 2 * sc.measure, Edge: m.edge})
		if err != nil {
			return err
		}
		if w.Answers+64 < w.Sent {
			return fmt.Errorf("%d messages were sent and only %d acknowledged", w.Sent, w.Answers)
		}
		samples = []sample{{Case: "durable", Peer: p.name, Round: round, Values: valuesOf(w, m, w.Deliveries)}}
		return m.err
	})
	return samples, err
}
