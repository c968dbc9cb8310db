package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"time"

	"qun/bench/load"
	"qun/bench/machine"
)

// A meter watches a server while it is measured.
type meter struct {
	server *server

	cpu, own, beside, busy time.Duration
	at                     time.Time

	// Between the edges.
	used  time.Duration // by the server
	side  time.Duration // by what its nodes share
	other time.Duration // by anything else, but for the load
	took  time.Duration
	err   error
}

// edge is called at the beginning and at the end.
func (m *meter) edge() {
	cpu, err := m.server.cpu()
	beside, besideErr := m.server.besideCPU()
	own, ownErr := machine.CPUTime(os.Getpid())
	busy, busyErr := machine.Busy()
	if err := errors.Join(err, besideErr, ownErr, busyErr); m.err == nil {
		m.err = err
	}
	m.used, m.side, m.took = cpu-m.cpu, beside-m.beside, time.Since(m.at)
	m.other = max(0, busy-m.busy-m.used-m.side-(own-m.own))
	m.cpu, m.beside, m.own, m.busy, m.at = cpu, beside, own, busy, time.Now()
}

// The values of a sample.
const (
	cpuPer    = "cpu_us"        // processor time of the server per delivery, µs; per request or connection where there are none
	cpuShare  = "cpu_share"     // of one core
	perSecond = "per_second"    // deliveries, requests, connections, or messages made durable
	p50       = "p50_ms"        // from due to received
	p99       = "p99_ms"        //
	worst     = "worst_ms"      //
	lost      = "lost"          // copies that never came
	doubled   = "doubled"       //
	dead      = "dead"          // connections that ended by themselves
	foreign   = "foreign"       // cores that something else kept busy meanwhile
	across99  = "across_p99_ms" // p99 of what came from another node
	shared    = "shared"        // cores that what nodes share kept busy: a database, Redis
	kilobytes = "kb_per_conn"   // anonymous memory that each connection added
	resident  = "resident_mb"   // all memory of the process at the end
	settled   = "kb_unsettled"  // the same as kilobytes, right after connecting
)

// A sample is one measurement of one peer in one round.
type sample struct {
	Group  string             `json:"group"`
	Case   string             `json:"case"`
	Peer   string             `json:"peer"`
	Round  int                `json:"round"`
	Values map[string]float64 `json:"values,omitempty"`
	Failed string             `json:"failed,omitempty"`
}

// valuesOf are what every window of load shows.
func valuesOf(w *load.Window, m *meter, units uint64) map[string]float64 {
	units = max(units, 1)
	values := map[string]float64{
		cpuPer:    float64(m.used.Nanoseconds()) / 1e3 / float64(units),
		cpuShare:  m.used.Seconds() / m.took.Seconds(),
		perSecond: float64(units) / w.Took.Seconds(),
		p50:       milliseconds(w.Latency.Quantile(0.50)),
		p99:       milliseconds(w.Latency.Quantile(0.99)),
		worst:     milliseconds(w.Latency.Worst()),
		lost:      float64(w.Lost), doubled: float64(w.Doubled), dead: float64(w.Dead),
		foreign: m.other.Seconds() / m.took.Seconds(),
	}
	if m.side > 0 {
		values[shared] = m.side.Seconds() / m.took.Seconds()
	}
	if worst := w.Across.Worst(); worst > 0 {
		values[across99] = milliseconds(w.Across.Quantile(0.99))
	}
	return values
}

func milliseconds(d time.Duration) float64 { return float64(d.Nanoseconds()) / 1e6 }

// keep notes a sample, at once, so that a run that is cut short has not been in vain.
func (b *bench) keep(s sample) error {
	line, err := json.Marshal(s)
	if err != nil {
		return err
	}
	fmt.Fprintln(os.Stderr, s.summary())
	_, err = fmt.Fprintf(b.journal, "%s\n", line)
	return err
}

func (s sample) summary() string {
	head := fmt.Sprintf("round %d  %-22s %-11s", s.Round, s.Case, s.Peer)
	if s.Failed != "" {
		return head + " failed: " + s.Failed
	}
	v := s.Values
	text := fmt.Sprintf("%s %8.0f/s  cpu %7.2f µs  %5.1f %%  p50 %7.2f p99 %7.2f ms", head, v[perSecond], v[cpuPer], 100*v[cpuShare], v[p50], v[p99])
	if kb, ok := v[kilobytes]; ok {
		text = fmt.Sprintf("%s %8.0f connects/s  %6.2f KB (%.2f before it settled)", head, v[perSecond], kb, v[settled])
	}
	if v[lost]+v[doubled]+v[dead] > 0 {
		text += fmt.Sprintf("  LOST %.0f DOUBLED %.0f DEAD %.0f", v[lost], v[doubled], v[dead])
	}
	return text + fmt.Sprintf("  (others %.0f %%)", 100*v[foreign])
}
