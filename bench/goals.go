package main

import (
	"fmt"
	"math"
)

// A goal is a figure that Qun holds itself to.
type goal struct {
	what  string
	limit float64
	least bool // the limit is the least that will do, not the most
	unit  string
	got   float64
}

func (g goal) met() bool {
	if g.least {
		return g.got >= g.limit
	}
	return g.got <= g.limit
}

func (g goal) row() string {
	sign, mark := "≤", "missed"
	if g.least {
		sign = "≥"
	}
	switch {
	case math.IsNaN(g.got):
		mark = "not measured"
	case g.met():
		mark = "met"
	}
	return fmt.Sprintf("| %s | %s %s | %s | %s |\n", g.what, sign, withUnit(g.limit, g.unit), withUnit(g.got, g.unit), mark)
}

func withUnit(v float64, unit string) string {
	switch {
	case math.IsNaN(v):
		return "–"
	case unit == "×":
		return fmt.Sprintf("%.2f ×", v)
	case unit == "":
		return fmt.Sprintf("%.0f", v)
	}
	return number(v) + " " + unit
}

func goals(r *results) []goal {
	cpu := func(kase, peer, other string) float64 { return r.ratio(kase, peer, other, cpuPer) }
	return []goal{
		{what: "1 × 1000, closed loop: processor time per delivery, to Node", limit: 0.18, unit: "×", got: cpu("1x1000-closed", "seed", "node")},
		{what: "… to zishang520", limit: 0.12, unit: "×", got: cpu("1x1000-closed", "seed", "zishang520")},
		{what: "… to the floor", limit: 1.3, unit: "×", got: cpu("1x1000-closed", "seed", "floor")},
		{what: "100 × 10, closed loop: to Node", limit: 0.50, unit: "×", got: cpu("100x10-closed", "seed", "node")},
		{what: "1 × 10, closed loop: to Node", limit: 0.35, unit: "×", got: cpu("1x10-closed", "seed", "node")},
		{what: "1 × 1000, 20,000/s: to Node", limit: 0.85, unit: "×", got: cpu("1x1000-20000", "seed", "node")},
		{what: "… to the floor", limit: 1.15, unit: "×", got: cpu("1x1000-20000", "seed", "floor")},
		{what: "… 99th percentile of latency, to Node", limit: 0.85, unit: "×", got: r.ratio("1x1000-20000", "seed", "node", p99)},
		{what: "100 × 10, 20,000/s: to Node", limit: 0.85, unit: "×", got: cpu("100x10-20000", "seed", "node")},
		{what: "… to the floor", limit: 1.15, unit: "×", got: cpu("100x10-20000", "seed", "floor")},
		latencyGoal(r),
		{what: "idle connection: memory, to Node", limit: 0.3, unit: "×", got: r.ratio("idle", "engine", "node", kilobytes)},
		{what: "… memory", limit: 4.8, unit: "KB", got: r.of("idle", "engine", kilobytes).median},
		{what: "… of `qun serve`, a guest in one group", limit: 8, unit: "KB", got: r.of("idle-guest", "qun", kilobytes).median},
		{what: "… of `qun serve`, a member of 20 groups", limit: 12, unit: "KB", got: r.of("idle-member", "qun", kilobytes).median},
		{what: "connects per second, to Node", limit: 2, least: true, unit: "×", got: r.ratio("idle", "engine", "node", perSecond)},
		{what: "`qun serve`, everything durable, 1 × 1000: processor time per delivery, to Node", limit: 0.3, unit: "×", got: cpu("1x1000-closed", "qun", "node")},
		{what: "durable sends per second, the store alone", limit: 20_000, least: true, got: r.of("store/senders=64/groups=64", "qun", perSecond).median},
		{what: "… over sockets", limit: 12_000, least: true, got: r.of("durable", "qun", perSecond).median},
		{what: "… 99th percentile of latency", limit: 25, unit: "ms", got: r.of("durable", "qun", p99).median},
		{what: "… with search on, to the same with search off", limit: 0.9, least: true, unit: "×", got: r.ratio("durable", "qun", "qun-nosearch", perSecond)},
		{what: "two nodes, 5,000 deliveries/s: 99th percentile of latency from one to the other, PostgreSQL alone", limit: 100, unit: "ms", got: r.of("nodes-5000", "qun-notify", across99).median},
		{what: "… with Redis", limit: 100, unit: "ms", got: r.of("nodes-5000", "qun-redis", across99).median},
		{what: "lost, doubled, dead in every run", limit: 0, got: troubles(r)},
	}
}

// latencyGoal is half of Node's 99th percentile, or 1 ms if that is easier.
func latencyGoal(r *results) goal {
	const what = "… 99th percentile of latency"
	ours, node := r.of("100x10-20000", "seed", p99).median, r.of("100x10-20000", "node", p99).median
	return goal{what: what + " (half of Node's, or 1 ms)", limit: max(1, node/2), unit: "ms", got: ours}
}

// troubles counts what went wrong with Qun's own.
func troubles(r *results) (n float64) {
	for _, peer := range ours {
		for _, value := range []string{lost, doubled, dead} {
			n += r.total(peer, value)
		}
	}
	return n
}

// ours are the peers that are Qun.
var ours = []string{"seed", "qun", "qun-nosearch", "engine", "engine-tls", "qun-postgres", "qun-notify", "qun-redis"}
