package metrics_test

import (
	"testing"
	"time"

	"qun/engineio"
	"qun/internal/metrics"
)

func TestTheLastQuarterOfAnHourIsKept(t *testing.T) {
	m := metrics.New("v1")
	stats := engineio.Stats{}
	m.Watch(func() engineio.Stats { return stats })
	at := time.Unix(1_000, 0)
	m.Sample(at)
	if load := m.Lately(); len(load.Connections) != 0 || load.Connections == nil {
		t.Errorf("of one sample: %+v", load)
	}
	for i := range 200 {
		stats.Sessions, stats.PacketsOut = i, stats.PacketsOut+50
		for range 10 {
			m.Pushed("message")
		}
		m.Pushed("change")
		at = at.Add(metrics.SampleEvery)
		m.Sample(at)
	}
	load := m.Lately()
	last := len(load.Connections) - 1
	if last != 179 || load.Connections[0] != 20 || load.Connections[last] != 199 || load.Seconds != 5 {
		t.Errorf("got %d points, from %d to %d", last+1, load.Connections[0], load.Connections[last])
	}
	if load.Messages[0] != 2 || load.Messages[last] != 2 || load.Deliveries[last] != 10 {
		t.Errorf("a second: %v messages, %v deliveries; want 2, 10", load.Messages[last], load.Deliveries[last])
	}
	if load.Memory[last] <= 0 || load.CPU[last] < 0 {
		t.Errorf("the process takes %d bytes, %v cores", load.Memory[last], load.CPU[last])
	}
}
