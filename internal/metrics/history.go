package metrics

import (
	"sync"
	"sync/atomic"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"qun/engineio"
)

const (
	// SampleEvery is how often Sample is to be called.
	SampleEvery = 5 * time.Second
	// samples is how many are kept: a quarter of an hour.
	samples = int(15 * time.Minute / SampleEvery)
)

// Load is what the server did lately, oldest first, in as many points each. It is empty until there are two samples.
type Load struct {
	Seconds     int       // between two points
	Connections []int     // that were open
	Messages    []float64 // a second, told to rooms
	Deliveries  []float64 // a second: packets to peers
	CPU         []float64 // cores in use
	Memory      []int64   // bytes of the process
}

// sample is the counts of a moment.
type sample struct {
	at                   time.Time
	sessions             int64
	messages, deliveries float64 // so far
	cpu, memory          float64 // seconds so far, bytes
}

// history is the last samples, in a ring.
type history struct {
	stats    func() engineio.Stats // set once, by Watch
	process  *prometheus.Registry  // of the process alone
	messages atomic.Uint64

	mu   sync.Mutex // guards below
	ring [samples + 1]sample
	next int
	size int
}

// Sample notes how things are. It is for one goroutine, every SampleEvery.
func (m *Metrics) Sample(now time.Time) {
	h := &m.lately
	s := sample{at: now, messages: float64(h.messages.Load())}
	if h.stats != nil {
		stats := h.stats()
		s.sessions, s.deliveries = int64(stats.Sessions), float64(stats.PacketsOut)
	}
	s.cpu, s.memory = h.used()
	h.mu.Lock()
	defer h.mu.Unlock()
	h.ring[h.next] = s
	h.next = (h.next + 1) % len(h.ring)
	h.size = min(h.size+1, len(h.ring))
}

// used is what the process has used: seconds of processors, and bytes of memory now. 0 where the system does not say.
func (h *history) used() (cpu, memory float64) {
	families, err := h.process.Gather()
	if err != nil {
		return 0, 0
	}
	for _, family := range families {
		for _, value := range family.GetMetric() {
			switch family.GetName() {
			case "process_cpu_seconds_total":
				cpu = value.GetCounter().GetValue()
			case "process_resident_memory_bytes":
				memory = value.GetGauge().GetValue()
			}
		}
	}
	return cpu, memory
}

// Lately is the load of the last quarter of an hour.
func (m *Metrics) Lately() Load {
	h := &m.lately
	h.mu.Lock()
	defer h.mu.Unlock()
	load := Load{Seconds: int(SampleEvery / time.Second), Connections: []int{}, Messages: []float64{}, Deliveries: []float64{}, CPU: []float64{}, Memory: []int64{}}
	first := (h.next - h.size + len(h.ring)) % len(h.ring)
	for i := 1; i < h.size; i++ {
		before, s := h.ring[(first+i-1)%len(h.ring)], h.ring[(first+i)%len(h.ring)]
		took := s.at.Sub(before.at).Seconds()
		if took <= 0 {
			continue
		}
		load.Connections = append(load.Connections, int(s.sessions))
		load.Messages = append(load.Messages, (s.messages-before.messages)/took)
		load.Deliveries = append(load.Deliveries, (s.deliveries-before.deliveries)/took)
		load.CPU = append(load.CPU, max(0, s.cpu-before.cpu)/took)
		load.Memory = append(load.Memory, int64(s.memory))
	}
	return load
}
