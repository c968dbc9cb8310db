// Bench measures Qun beside other servers, each on one core while a crowd of clients has another, and writes down what it
// found. README.md tells how to run it, ../docs/benchmarks.md what came out.
package main

import (
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
	samples []sample
	journal *os.File
}

type options struct {
	quick         bool
	rounds        int
	only, peers   string
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
	if o.render != "" {
		samples, err := readSamples(o.render)
		if err != nil {
			return err
		}
		return publish(o, samples, "")
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
	defer b.journal.Close()
	if !o.built {
		if err := b.prepare(); err != nil {
			return err
		}
	}
	if err := b.measure(o); err != nil {
		return err
	}
	return publish(o, b.samples, cores.String())
}

func parse() options {
	o := options{scale: scale{senders: [3]int{8, 2, 5}}}
	flag.BoolVar(&o.quick, "quick", false, "one short round, to see that everything works; its numbers are not published")
	flag.IntVar(&o.rounds, "rounds", 3, "how often every peer takes its turn")
	flag.DurationVar(&o.scale.warm, "warm", 2*time.Second, "time before each measurement")
	flag.DurationVar(&o.scale.measure, "measure", 5*time.Second, "time of each measurement")
	flag.DurationVar(&o.scale.settle, "settle", 45*time.Second, "time for which idle connections are left alone")
	flag.IntVar(&o.scale.idlers, "idle", 10_000, "idle connections")
	flag.StringVar(&o.only, "only", "", "regular expression: only these groups of cases")
	flag.StringVar(&o.peers, "peers", "", "only these peers, by comma")
	flag.StringVar(&o.tree, "tree", "..", "the tree whose seed, qun and store are measured; the other peers come from here")
	flag.Func("senders", "senders in each room of 1 × 1000, 100 × 10 and 1 × 10, by comma (8,2,5)", o.scale.parseSenders)
	flag.StringVar(&o.profile, "profile", "", "address at which the peer engine serves its profiler, for go tool pprof")
	flag.BoolVar(&o.built, "built", false, "take the binaries of the last run")
	flag.StringVar(&o.render, "render", "", "measure nothing, write the report of an earlier run from its journal")
	flag.StringVar(&o.out, "out", "../docs", "folder of the report")
	flag.BoolVar(&o.force, "force", false, "publish although the run was short, partial, or disturbed")
	flag.Parse()
	if o.quick {
		o.rounds, o.scale.idlers = 1, 2000
		o.scale.warm, o.scale.measure, o.scale.settle = 500*time.Millisecond, 1500*time.Millisecond, 5*time.Second
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
	if err := os.MkdirAll(filepath.Join(b.results, "bin"), 0o755); err != nil {
		return err
	}
	name := filepath.Join(b.results, time.Now().UTC().Format("2006-01-02T150405")+".jsonl")
	var err error
	b.journal, err = os.Create(name)
	if err == nil {
		fmt.Fprintln(os.Stderr, "journal:", name)
	}
	return err
}

// measure gives every case of every group to its peers in turn, so that a disturbance of some minutes meets them all.
// One peer that fails is noted and costs only itself.
func (b *bench) measure(o options) error {
	only, err := regexp.Compile(o.only)
	if err != nil {
		return fmt.Errorf("-only: %w", err)
	}
	stop := make(chan os.Signal, 1)
	signal.Notify(stop, os.Interrupt, syscall.SIGTERM)
	for round := 1; round <= o.rounds; round++ {
		for _, g := range groups(o.scale) {
			if !only.MatchString(g.name) {
				continue
			}
			for _, p := range b.peers {
				if !g.takesPart(p, o.peers != "") {
					continue
				}
				select {
				case <-stop:
					return errors.New("interrupted; the journal holds what was measured (-render)")
				default:
				}
				if err := b.takeTurn(g, p, round); err != nil {
					return err
				}
			}
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
		if err := b.keep(s); err != nil {
			return err
		}
	}
	return nil
}
