package main

import (
	"os"
	"slices"
	"time"

	"qun/bench/load"
	"qun/bench/machine"
	"qun/internal/redistest"
	"qun/internal/store/pgtest"
)

// shares is what the nodes of a server share, each started for it alone.
type shares struct{ postgres, redis bool }

// nodesOfQun is the whole chat, so many times on one PostgreSQL.
func nodesOfQun(name, title string, n int, shares shares) *peer {
	p := qunServe("qun", title, nil)
	p.name, p.nodes, p.shares = name, n, shares
	p.command = func(b *bench, at place) []string {
		args := append(b.serve(name, at), "--database", at.database)
		if at.redis != "" {
			args = append(args, "--redis", at.redis)
		}
		return args
	}
	return p
}

// share starts what the nodes share, and says where it is.
func (s *server) share(what shares, at *place) error {
	if what.postgres {
		postgres, err := pgtest.Start(pgtest.Config{Durable: true})
		if err != nil {
			return err
		}
		s.beside = append(s.beside, postgres)
		at.database = postgres.URL("postgres")
	}
	if what.redis {
		redis, err := redistest.Start()
		if err != nil {
			return err
		}
		s.beside = append(s.beside, redis)
		at.redis = redis.URL()
	}
	return nil
}

// besideCPU is the processor time that what the nodes share has used: all that this process started and that is no node.
func (s *server) besideCPU() (sum time.Duration, err error) {
	if len(s.beside) == 0 {
		return 0, nil
	}
	pids, err := machine.Descendants(os.Getpid())
	for _, pid := range pids {
		if slices.ContainsFunc(s.nodes, func(n *node) bool { return n.cmd.Process.Pid == pid }) {
			continue
		}
		if used, err := machine.CPUTime(pid); err == nil { // else it has ended meanwhile
			sum += used
		}
	}
	return sum, err
}

// nodes measures rooms of ten whose members are at all nodes in turn, and may use all cores: in a closed loop, and at a
// rate that leaves room.
func (sc scale) nodes(b *bench, p *peer, round int) (samples []sample, err error) {
	shape := load.Shape{Rooms: 100, Members: 10, Senders: sc.senders[1]}
	data, err := os.MkdirTemp(b.results, "data-")
	if err != nil {
		return nil, err
	}
	defer os.RemoveAll(data)
	err = b.onData(p, &b.cores.All, data, load.Config{Dialect: p.dialect}, shape.Size(), shape.Rooms, func(s *server, crowd *load.Crowd) error {
		samples, err = sc.deliver("nodes", p, round, s, crowd, shape, []int{5000})
		return err
	})
	return samples, err
}
