// Package metrics counts what the server does, for Prometheus. It holds numbers and names of requests, transports and
// reasons: never a text, a person, a token or an address.
package metrics

import (
	"errors"
	"net/http"
	"strconv"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/prometheus/client_golang/prometheus/promhttp"

	"qun/engineio"
)

// Metrics is a registry and what is counted as it happens. It is an engineio.Observer and hears of every request of the
// gateway; its methods may be called concurrently and do not block.
type Metrics struct {
	registry *prometheus.Registry

	opened   *prometheus.CounterVec
	closed   *prometheus.CounterVec
	refused  *prometheus.CounterVec
	requests *prometheus.HistogramVec
	pushes   *prometheus.CounterVec
	told     *prometheus.CounterVec

	lately history
}

var _ engineio.Observer = (*Metrics)(nil)

// New makes a registry with the Go runtime, the process and the counts of the server in it.
func New(version string) *Metrics {
	m := &Metrics{
		registry: prometheus.NewRegistry(),
		opened:   counter("qun_sessions_opened_total", "Connections opened, by the transport of their handshake.", "transport"),
		closed:   counter("qun_sessions_closed_total", "Connections ended, by their last transport and the reason.", "transport", "reason"),
		refused:  counter("qun_handshakes_refused_total", "Requests the engine refused, by the code of its protocol.", "code"),
		pushes:   counter("qun_pushes_total", "Events handed to rooms, by name; each goes to all their sockets.", "event"),
		told:     counter("qun_told_total", "Deliveries to webhooks and browsers (Web Push), by what came of them.", "kind", "outcome"),
		requests: prometheus.NewHistogramVec(prometheus.HistogramOpts{
			Name:    "qun_request_seconds",
			Help:    "Time from a request's arrival to its answer, by name and outcome (ok or the code of the refusal).",
			Buckets: []float64{.001, .0025, .005, .01, .025, .05, .1, .25, .5, 1, 2.5, 10},
		}, []string{"request", "outcome"}),
	}
	build := prometheus.NewGauge(prometheus.GaugeOpts{Name: "qun_build_info", Help: "1, with the version.", ConstLabels: prometheus.Labels{"version": version}})
	build.Set(1)
	m.lately.process = prometheus.NewRegistry()
	m.lately.process.MustRegister(collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}))
	m.registry.MustRegister(m.opened, m.closed, m.refused, m.pushes, m.told, m.requests, build,
		collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}))
	return m
}

func counter(name, help string, labels ...string) *prometheus.CounterVec {
	return prometheus.NewCounterVec(prometheus.CounterOpts{Name: name, Help: help}, labels)
}

// Watch adds the counts that the engine keeps itself. It is called once.
func (m *Metrics) Watch(stats func() engineio.Stats) {
	m.lately.stats = stats
	m.registry.MustRegister(&collector[engineio.Stats]{stats, engineSeries})
}

// Handler answers in the format of Prometheus.
func (m *Metrics) Handler() http.Handler {
	return promhttp.HandlerFor(m.registry, promhttp.HandlerOpts{})
}

// SessionOpened counts a connection.
func (m *Metrics) SessionOpened(transport string) { m.opened.WithLabelValues(transport).Inc() }

// SessionClosed counts the end of one. Details after the reason's text do not make new series.
func (m *Metrics) SessionClosed(transport string, reason error) {
	m.closed.WithLabelValues(transport, knownReason(reason)).Inc()
}

// Refused counts a request that the engine did not serve.
func (m *Metrics) Refused(code engineio.RefusalCode) {
	m.refused.WithLabelValues(strconv.Itoa(int(code))).Inc()
}

// Requested counts a request of a client, by a name that the server knows and its outcome.
func (m *Metrics) Requested(name, outcome string, took time.Duration) {
	m.requests.WithLabelValues(name, outcome).Observe(took.Seconds())
}

// Pushed counts an event handed to a room.
func (m *Metrics) Pushed(event string) {
	m.pushes.WithLabelValues(event).Inc()
	if event == "message" {
		m.lately.messages.Add(1)
	}
}

// Told counts a delivery to somebody outside: kind is webhook or webpush.
func (m *Metrics) Told(kind, outcome string) { m.told.WithLabelValues(kind, outcome).Inc() }

// knownReason is the reason's text if it is one of the protocol's: there must not be a label per error text.
func knownReason(err error) string {
	for _, reason := range []error{
		engineio.ErrTransportClose, engineio.ErrTransportError, engineio.ErrPingTimeout, engineio.ErrParse,
		engineio.ErrForcedClose, engineio.ErrForcedServerClose, engineio.ErrServerShutdown, engineio.ErrSlowConsumer,
	} {
		if errors.Is(err, reason) {
			return reason.Error()
		}
	}
	return "other"
}
