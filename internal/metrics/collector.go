package metrics

import "github.com/prometheus/client_golang/prometheus"

// collector shows the counts that somebody keeps, as they are when somebody asks.
type collector[Stats any] struct {
	stats  func() Stats
	series []series[Stats]
}

// series is one number of many and how it is shown.
type series[Stats any] struct {
	desc  *prometheus.Desc
	kind  prometheus.ValueType
	value func(Stats) float64
}

func gaugeOf[Stats any](name, help string, value func(Stats) float64) series[Stats] {
	return series[Stats]{prometheus.NewDesc(name, help, nil, nil), prometheus.GaugeValue, value}
}

func counterOf[Stats any](name, help string, value func(Stats) uint64) series[Stats] {
	return series[Stats]{prometheus.NewDesc(name, help, nil, nil), prometheus.CounterValue, func(s Stats) float64 { return float64(value(s)) }}
}

// Describe names the series.
func (c *collector[Stats]) Describe(descs chan<- *prometheus.Desc) {
	for _, s := range c.series {
		descs <- s.desc
	}
}

// Collect reads all numbers of one moment.
func (c *collector[Stats]) Collect(metrics chan<- prometheus.Metric) {
	stats := c.stats()
	for _, s := range c.series {
		metrics <- prometheus.MustNewConstMetric(s.desc, s.kind, s.value(stats))
	}
}

func truth(is bool) float64 {
	if is {
		return 1
	}
	return 0
}
