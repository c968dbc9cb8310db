package main

import (
	"fmt"
	"math"
	"slices"
)

// results are the samples of a run, ready to be asked.
type results struct {
	values map[string]map[string]map[int]map[string]float64 // by case, peer, round, value
	all    []sample
	failed []sample
	rounds int
}

func newResults(samples []sample) *results {
	r := &results{all: samples, values: map[string]map[string]map[int]map[string]float64{}}
	for _, s := range samples {
		if s.Failed != "" {
			r.failed = append(r.failed, s)
			continue
		}
		if r.values[s.Case] == nil {
			r.values[s.Case] = map[string]map[int]map[string]float64{}
		}
		if r.values[s.Case][s.Peer] == nil {
			r.values[s.Case][s.Peer] = map[int]map[string]float64{}
		}
		r.values[s.Case][s.Peer][s.Round] = s.Values
		r.rounds = max(r.rounds, s.Round)
	}
	return r
}

// spread is what the rounds gave: NaN where there is nothing.
type spread struct{ median, low, high float64 }

func spreadOf(v []float64) spread {
	if len(v) == 0 {
		return spread{math.NaN(), math.NaN(), math.NaN()}
	}
	slices.Sort(v)
	middle := v[len(v)/2]
	if len(v)%2 == 0 {
		middle = (middle + v[len(v)/2-1]) / 2
	}
	return spread{middle, v[0], v[len(v)-1]}
}

// of is a value of a peer in a case, over the rounds.
func (r *results) of(kase, peer, value string) spread {
	var all []float64
	for _, values := range r.values[kase][peer] {
		if v, ok := values[value]; ok {
			all = append(all, v)
		}
	}
	return spreadOf(all)
}

// ratio is the median over the rounds of a peer's value divided by another's in the same round.
func (r *results) ratio(kase, peer, other, value string) float64 {
	var all []float64
	for round, values := range r.values[kase][peer] {
		if base, ok := r.values[kase][other][round]; ok && base[value] > 0 {
			all = append(all, values[value]/base[value])
		}
	}
	return spreadOf(all).median
}

// total adds a value up over all cases and rounds of a peer.
func (r *results) total(peer, value string) (sum float64) {
	for _, peers := range r.values {
		for _, values := range peers[peer] {
			sum += values[value]
		}
	}
	return sum
}

// mostDisturbed is the piece in whose median measurement something else kept the most of a core busy.
func (r *results) mostDisturbed() (piece string, median float64) {
	all := map[string][]float64{}
	for _, s := range r.all {
		if v, ok := s.Values[foreign]; ok {
			name := fmt.Sprintf("%s/%d", s.Group, s.Round)
			all[name] = append(all[name], v)
		}
	}
	for name, values := range all {
		if m := spreadOf(values).median; m > median {
			piece, median = name, m
		}
	}
	return piece, median
}

// disturbance is how many cores something else kept busy, in the median measurement and in the worst.
func (r *results) disturbance() (median, worst float64) {
	var all []float64
	for _, peers := range r.values {
		for _, rounds := range peers {
			for _, values := range rounds {
				if v, ok := values[foreign]; ok {
					all = append(all, v)
				}
			}
		}
	}
	s := spreadOf(all)
	return s.median, s.high
}
