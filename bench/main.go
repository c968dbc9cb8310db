// Bench measures Qun beside other servers, each on one core while a crowd of clients has another, and writes down what it
// found. README.md tells how to run it, ../docs/benchmarks.md what came out.
package main

import (
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"path/filepath"
	"regexp"
	"runtime"
	"runtime/debug"
	"slices"
	"strings"
	"syscall"
	"time"

	"golang.org/x/sys/unix"

	"qun/bench/machine"
)

// bench is one run.
type bench struct {
	cores   *machine.Cores
	results string // the folder for everything that is not published
	profile string // address of the profiler of the engine peer, or ""
	tree    string // where seed, qun and the store are built
	peers   []*peer
	journal *os.File // of the piece that is measured
}

type options struct {
	quick         bool
	rounds        int
	list, prepare bool
	only          *regexp.Regexp
	piece, peers  string
	into          string
	tree, profile string
	render, out   string
	scale         scale
	force         bool
	built         bool
}

func main() {
	if err := run(); err != nil {
		fmt.Fprintln(os.Stderr, "bench:", err)
		os.Exit(1)
	}
}

func run() error {
	o := parse()
	all := pieces(o)
	switch {
	case o.render != "":
		return publish(o, o.render)
	case len(all) == 0:
		return errors.New("there is no such piece; -list tells which there are")
	case o.list:
		for _, p := range all {
			fmt.Println(p.name())
		}
		return nil
	}
	cores, err := machine.Pin()
	if err != nil {
		return err
	}
	runtime.LockOSThread()
	debug.SetGCPercent(400)
	if err := raiseFiles(o.scale.idlers); err != nil {
		return err
	}
	b := &bench{cores: cores, results: "results", tree: o.tree, profile: o.profile}
	if err := b.open(o); err != nil {
		return err
	}
	if !o.built {
		if err := b.prepare(); err != nil {
			return err
		}
	}
	if o.prepare {
		_, _, err := b.membersIn(warmUp + o.scale.idlers)
		return err
	}
	if err := b.measure(o, all); err != nil {
		return err
	}
	if o.piece != "" {
		return nil
	}
	return publish(o, o.into)
}

func parse() options {
	o := options{scale: scale{senders: [3]int{8, 2, 5}}}
	flag.BoolVar(&o.quick, "quick", false, "one short round, to see that everything works; its numbers are not published")
	flag.IntVar(&o.rounds, "rounds", 3, "how often every peer takes its turn")
	flag.DurationVar(&o.scale.warm, "warm", 750*time.Millisecond, "time before each measurement")
	flag.DurationVar(&o.scale.measure, "measure", 2*time.Second, "time of each measurement")
	flag.DurationVar(&o.scale.settle, "settle", 15*time.Second, "time for which idle connections are left alone; three times as long in a chat")
	flag.IntVar(&o.scale.idlers, "idle", 10_000, "idle connections")
	only := flag.String("only", "", "regular expression: only these groups of cases")
	flag.BoolVar(&o.list, "list", false, "say which pieces a run has, and do nothing")
	flag.BoolVar(&o.prepare, "prepare", false, "build the peers and make the members' data, and measure nothing")
	flag.StringVar(&o.piece, "piece", "", "measure only this piece, for example 1x1000/2; -render makes the report when all are there")
	flag.StringVar(&o.into, "into", filepath.Join("results", time.Now().UTC().Format("2006-01-02T150405")), "folder of the run's journals")
	flag.StringVar(&o.peers, "peers", "", "only these peers, by comma")
	flag.StringVar(&o.tree, "tree", "..", "the tree whose seed, qun and store are measured; the other peers come from here")
	flag.Func("senders", "senders in each room of 1 × 1000, 100 × 10 and 1 × 10, by comma (8,2,5)", o.scale.parseSenders)
	flag.StringVar(&o.profile, "profile", "", "address at which the peer engine serves its profiler, for go tool pprof")
	flag.BoolVar(&o.built, "built", false, "take the binaries of the last run")
	flag.StringVar(&o.render, "render", "", "measure nothing, write the report of the run with this folder")
	flag.StringVar(&o.out, "out", "../docs", "folder of the report")
	flag.BoolVar(&o.force, "force", false, "publish although the run was short, partial, or disturbed")
	flag.Parse()
	o.only = regexp.MustCompile(*only)
	if o.quick {
		o.rounds, o.scale.idlers = 1, 2000
		o.scale.warm, o.scale.measure, o.scale.settle = 500*time.Millisecond, 1500*time.Millisecond, 4*time.Second
	}
	return o
}

// raiseFiles lets this process and its children have as many files as they may.
func raiseFiles(connections int) error {
	var limit unix.Rlimit
	if err := unix.Getrlimit(unix.RLIMIT_NOFILE, &limit); err != nil {
		return err
	}
	limit.Cur = limit.Max
	if err := unix.Setrlimit(unix.RLIMIT_NOFILE, &limit); err != nil {
		return err
	}
	if need := uint64(connections + warmUp + 200); limit.Max < need {
		return fmt.Errorf("%d open files are allowed and %d needed: raise the limit (ulimit -n), or pass -idle %d", limit.Max, need, limit.Max-warmUp-200)
	}
	return nil
}

func (b *bench) open(o options) error {
	for _, p := range peers {
		if o.peers == "" || slices.Contains(strings.Split(o.peers, ","), p.name) {
			b.peers = append(b.peers, p)
		}
	}
	if len(b.peers) == 0 {
		return fmt.Errorf("-peers %s: there is no such peer", o.peers)
	}
	for _, folder := range []string{filepath.Join(b.results, "bin"), o.into} {
		if err := os.MkdirAll(folder, 0o755); err != nil {
			return err
		}
	}
	fmt.Fprintln(os.Stderr, "journals:", o.into)
	return nil
}

// measure gives every case of every piece to its peers in turn.
func (b *bench) measure(o options, all []piece) error {
	stop := make(chan os.Signal, 1)
	signal.Notify(stop, os.Interrupt, syscall.SIGTERM)
	head := headingOf(o, b.cores.String(), b.revision())
	for _, p := range all {
		if err := b.measurePiece(o, p, head, stop); err != nil {
			return fmt.Errorf("piece %s: %w", p.name(), err)
		}
	}
	return nil
}

// measurePiece lets the peers take their turns. One that fails is noted and costs only itself.
func (b *bench) measurePiece(o options, p piece, head heading, stop <-chan os.Signal) (err error) {
	if b.journal, err = os.Create(p.journal(o.into)); err != nil {
		return err
	}
	defer b.journal.Close()
	if err := json.NewEncoder(b.journal).Encode(head); err != nil {
		return err
	}
	for _, who := range b.peers {
		if !p.group.takesPart(who, o.peers != "") {
			continue
		}
		select {
		case <-stop:
			return errors.New("interrupted")
		default:
		}
		if err := b.takeTurn(p.group, who, p.round); err != nil {
			return err
		}
	}
	return nil
}

func (g group) takesPart(p *peer, named bool) bool {
	return slices.Contains(g.peers, p.name) || named && slices.Contains(g.asked, p.name)
}

func (b *bench) takeTurn(g group, p *peer, round int) error {
	runtime.GC() // ours, so that it does not fall into the measurement
	samples, err := g.run(b, p, round)
	if err != nil {
		samples = append(samples, sample{Case: g.name, Peer: p.name, Round: round, Failed: err.Error()})
	}
	for _, s := range samples {
		s.Group = g.name
		if err := b.keep(s); err != nil {
			return err
		}
	}
	return nil
}
