package main

import (
	"fmt"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"qun/bench/machine"
)

// disturbed is how much of a core others may use in the median measurement of a piece before a run is not fit to be published.
const disturbed = 0.05

// publish writes the report and the plots of the run whose journals are in a folder: to the documentation if it was whole and
// undisturbed, else beside the journals.
func publish(o options, run string) error {
	head, samples, err := readRun(run)
	if err != nil {
		return err
	}
	r := newResults(samples)
	folder, why := o.out, unfit(head, r)
	if why != "" && !o.force {
		folder = run
		fmt.Fprintf(os.Stderr, "the report is not published, because %s (-force does it all the same)\n", why)
	}
	plots := filepath.Join(folder, "benchmarks")
	if err := os.MkdirAll(plots, 0o755); err != nil {
		return err
	}
	var page strings.Builder
	writeHead(&page, r, head, why)
	for _, c := range chapters {
		if r.values[c.name] == nil {
			continue
		}
		plot, err := writePlot(plots, c, r)
		if err != nil {
			return err
		}
		writeChapter(&page, c, r, plot)
	}
	writeFailed(&page, r)
	page.WriteString(method)
	name := filepath.Join(folder, "benchmarks.md")
	fmt.Fprintln(os.Stderr, "report:", name)
	return os.WriteFile(name, []byte(page.String()), 0o644)
}

// unfit says why a run must not be published, or "".
func unfit(head heading, r *results) string {
	piece, median := r.mostDisturbed()
	switch missing := missing(head, r); {
	case head.Quick:
		return "it was a quick run"
	case head.Rounds < 3:
		return "it had fewer than three rounds"
	case missing != "":
		return missing + " is missing"
	case median > disturbed:
		return fmt.Sprintf("something else kept %.0f %% of a core busy in %s", 100*median, piece)
	}
	return ""
}

// missing names a turn that no journal has, or is "".
func missing(head heading, r *results) string {
	took := map[string]bool{}
	turn := func(group, peer string, round int) string { return fmt.Sprintf("%s of %s/%d", peer, group, round) }
	for _, s := range r.all {
		took[turn(s.Group, s.Peer, s.Round)] = true
	}
	for round := 1; round <= head.Rounds; round++ {
		for _, g := range groups(scale{}) {
			for _, peer := range g.peers {
				if t := turn(g.name, peer, round); !took[t] {
					return t
				}
			}
		}
	}
	return ""
}

func writeHead(w *strings.Builder, r *results, head heading, why string) {
	fmt.Fprintf(w, "# Benchmarks\n\n")
	if why != "" {
		fmt.Fprintf(w, "**Not fit to be quoted: %s.**\n\n", why)
	}
	fmt.Fprintf(w, "Qun beside other servers that do the same job: who is in a room gets what is sent to it, the sender too. Written by "+
		"`make bench`; every figure is the median of %d rounds, the least and the greatest in brackets, and every ratio the median of "+
		"the ratios within one round. Less is better, except for what counts per second.\n\n", r.rounds)
	for _, fact := range machine.Describe() {
		fmt.Fprintf(w, "- %s\n", fact)
	}
	fmt.Fprintf(w, "- %s\n", head.Cores)
	fmt.Fprintf(w, "- Qun at revision %s; each measurement took %v after %v; idle connections (%d) were left alone for %v, those of a chat for %v\n",
		head.Revision, head.Measure, head.Warm, head.Idlers, head.Settle, settlesInChat*head.Settle)
	median, worst := r.disturbance()
	fmt.Fprintf(w, "- everything else on the machine kept %.1f %% of a core busy in the median measurement, %.0f %% in the worst\n\n", 100*median, 100*worst)
	w.WriteString("## What Qun holds itself to\n\n| figure | goal | measured | |\n|---|---|---|---|\n")
	for _, g := range goals(r) {
		w.WriteString(g.row())
	}
	w.WriteByte('\n')
}

func writeChapter(w *strings.Builder, c chapter, r *results, plot string) {
	fmt.Fprintf(w, "## %s\n\n%s\n\n", c.title, c.says)
	if plot != "" {
		fmt.Fprintf(w, "![%s](benchmarks/%s)\n\n", c.title, plot)
	}
	w.WriteString("| |")
	for _, column := range c.columns {
		fmt.Fprintf(w, " %s |", column.head)
	}
	fmt.Fprintf(w, " lost, doubled, dead |\n|---|%s---|\n", strings.Repeat("---|", len(c.columns)))
	for _, p := range peers {
		if r.values[c.name][p.name] != nil {
			writeRow(w, c, r, p)
		}
	}
	w.WriteByte('\n')
}

func writeRow(w *strings.Builder, c chapter, r *results, p *peer) {
	fmt.Fprintf(w, "| %s |", p.title)
	for _, column := range c.columns {
		if column.ratio != "" {
			fmt.Fprintf(w, " %s |", withUnit(r.ratio(c.name, p.name, column.ratio, column.value), "×"))
			continue
		}
		s := r.of(c.name, p.name, column.value)
		if s.low == s.high || math.IsNaN(s.median) {
			fmt.Fprintf(w, " %s |", number(s.median))
			continue
		}
		fmt.Fprintf(w, " %s (%s–%s) |", number(s.median), number(s.low), number(s.high))
	}
	worst := func(value string) string {
		if high := r.of(c.name, p.name, value).high; !math.IsNaN(high) {
			return fmt.Sprintf("%.0f", high)
		}
		return "–" // it is not counted there
	}
	fmt.Fprintf(w, " %s, %s, %s |\n", worst(lost), worst(doubled), worst(dead))
}

// number has three digits that matter.
func number(v float64) string {
	switch {
	case math.IsNaN(v):
		return "–"
	case v >= 1000:
		return thousands(int64(math.Round(v)))
	case v >= 100:
		return fmt.Sprintf("%.0f", v)
	case v >= 10:
		return fmt.Sprintf("%.1f", v)
	}
	return fmt.Sprintf("%.2f", v)
}

func thousands(n int64) string {
	digits := fmt.Sprint(n)
	for i := len(digits) - 3; i > 0; i -= 3 {
		digits = digits[:i] + "," + digits[i:]
	}
	return digits
}

func writeFailed(w *strings.Builder, r *results) {
	if len(r.failed) == 0 {
		return
	}
	w.WriteString("## What failed\n\n")
	for _, s := range r.failed {
		fmt.Fprintf(w, "- %s, %s, round %d: %s\n", s.Case, s.Peer, s.Round, firstLine(s.Failed))
	}
	w.WriteByte('\n')
}

func firstLine(text string) string {
	line, _, _ := strings.Cut(text, "\n")
	return line
}

// isOurs says whether a peer is Qun.
func isOurs(name string) bool { return slices.Contains(ours, name) }
