package metrics

import (
	"github.com/prometheus/client_golang/prometheus"

	"qun/engineio"
)

// engineCollector shows the counts that the engine keeps itself, as they are when somebody asks.
type engineCollector struct{ stats func() engineio.Stats }

// series is one number of engineio.Stats and how it is shown.
type series struct {
	desc  *prometheus.Desc
	kind  prometheus.ValueType
	value func(engineio.Stats) float64
}

func gaugeOf(name, help string, value func(engineio.Stats) float64) series {
	return series{prometheus.NewDesc(name, help, nil, nil), prometheus.GaugeValue, value}
}

func counterOf(name, help string, value func(engineio.Stats) float64) series {
	return series{prometheus.NewDesc(name, help, nil, nil), prometheus.CounterValue, value}
}

var engineSeries = []series{
	gaugeOf("qun_sessions", "Connections open now.", func(s engineio.Stats) float64 { return float64(s.Sessions) }),
	gaugeOf("qun_sessions_slow", "Connections whose peer has not taken all that waits for it.", func(s engineio.Stats) float64 { return float64(s.SlowSessions) }),
	gaugeOf("qun_outbox_bytes", "Bytes kept for slow peers, each shared packet counted once.", func(s engineio.Stats) float64 { return float64(s.QueuedBytes) }),
	counterOf("qun_messages_in_total", "Messages received from peers.", func(s engineio.Stats) float64 { return float64(s.MessagesIn) }),
	counterOf("qun_bytes_in_total", "Bytes received from peers.", func(s engineio.Stats) float64 { return float64(s.BytesIn) }),
	counterOf("qun_packets_out_total", "Packets sent to peers.", func(s engineio.Stats) float64 { return float64(s.PacketsOut) }),
	counterOf("qun_bytes_out_total", "Bytes sent to peers.", func(s engineio.Stats) float64 { return float64(s.BytesOut) }),
	counterOf("qun_writes_total", "Writes to connections; packets per write is how well they share.", func(s engineio.Stats) float64 { return float64(s.Writes) }),
	counterOf("qun_packets_dropped_total", "Volatile packets that a peer was not ready for.", func(s engineio.Stats) float64 { return float64(s.Dropped) }),
}

// Describe names the series.
func (c *engineCollector) Describe(descs chan<- *prometheus.Desc) {
	for _, s := range engineSeries {
		descs <- s.desc
	}
}

// Collect reads all numbers of one moment.
func (c *engineCollector) Collect(metrics chan<- prometheus.Metric) {
	stats := c.stats()
	for _, s := range engineSeries {
		metrics <- prometheus.MustNewConstMetric(s.desc, s.kind, s.value(stats))
	}
}
