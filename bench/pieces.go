package main

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"time"
)

// A piece of a run is one group of cases in one round: every peer takes its turn. What is compared is compared within a
// piece, so a run may be made of pieces that were measured at different times.
type piece struct {
	group group
	round int
}

func (p piece) name() string { return fmt.Sprintf("%s/%d", p.group.name, p.round) }

// journal is the file of a piece in the folder of a run. A piece that is measured again replaces itself.
func (p piece) journal(folder string) string {
	return filepath.Join(folder, fmt.Sprintf("%s-%d.jsonl", p.group.name, p.round))
}

// pieces are what a run with these options consists of, round after round.
func pieces(o options) (all []piece) {
	for round := 1; round <= o.rounds; round++ {
		for _, g := range groups(o.scale) {
			p := piece{g, round}
			if o.only.MatchString(g.name) && (o.piece == "" || o.piece == p.name()) {
				all = append(all, p)
			}
		}
	}
	return all
}

// A heading begins a journal. All pieces of a run have the same.
type heading struct {
	Revision string        `json:"revision"` // of the tree that is measured
	Cores    string        `json:"cores"`
	Quick    bool          `json:"quick"`
	Rounds   int           `json:"rounds"`
	Warm     time.Duration `json:"warm"`
	Measure  time.Duration `json:"measure"`
	Settle   time.Duration `json:"settle"`
	Idlers   int           `json:"idlers"`
	Senders  [3]int        `json:"senders"`
}

func headingOf(o options, cores, revision string) heading {
	s := o.scale
	return heading{
		Revision: revision, Cores: cores, Quick: o.quick, Rounds: o.rounds,
		Warm: s.warm, Measure: s.measure, Settle: s.settle, Idlers: s.idlers, Senders: s.senders,
	}
}

// revisionFile notes what the binaries beside it were built of.
const revisionFile = "revision"

func (b *bench) noteRevision() error {
	out, err := exec.Command("git", "-C", b.tree, "describe", "--always", "--dirty", "--exclude=*").Output()
	if err != nil {
		out = []byte("unknown")
	}
	return os.WriteFile(b.binary(revisionFile), out, 0o644)
}

func (b *bench) revision() string {
	data, err := os.ReadFile(b.binary(revisionFile))
	if err != nil {
		return "unknown"
	}
	return strings.TrimSpace(string(data))
}

// readRun reads all journals in a folder. They must be of one run.
func readRun(folder string) (head heading, samples []sample, err error) {
	names, err := filepath.Glob(filepath.Join(folder, "*.jsonl"))
	if err != nil {
		return head, nil, err
	}
	if len(names) == 0 {
		return head, nil, fmt.Errorf("no journals are in %s", folder)
	}
	slices.Sort(names)
	for i, name := range names {
		this, those, err := readJournal(name)
		switch {
		case err != nil:
			return head, nil, err
		case i > 0 && this != head:
			return head, nil, fmt.Errorf("%s and %s are not of one run: %+v, %+v", names[0], name, head, this)
		}
		head, samples = this, append(samples, those...)
	}
	return head, samples, nil
}

func readJournal(name string) (head heading, samples []sample, err error) {
	f, err := os.Open(name)
	if err != nil {
		return head, nil, err
	}
	defer f.Close()
	lines := bufio.NewScanner(f)
	if !lines.Scan() {
		return head, nil, fmt.Errorf("%s is empty", name)
	}
	err = json.Unmarshal(lines.Bytes(), &head)
	for err == nil && lines.Scan() {
		var s sample
		err = json.Unmarshal(lines.Bytes(), &s)
		samples = append(samples, s)
	}
	if err = errors.Join(err, lines.Err()); err != nil {
		return head, nil, fmt.Errorf("%s: %w", name, err)
	}
	return head, samples, nil
}
