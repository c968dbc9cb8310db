package metrics

import "qun/engineio"

// engineSeries are the counts that the engine keeps itself.
var engineSeries = []series[engineio.Stats]{
	gaugeOf("qun_sessions", "Connections open now.", func(s engineio.Stats) float64 { return float64(s.Sessions) }),
	gaugeOf("qun_sessions_slow", "Connections whose peer has not taken all that waits for it.", func(s engineio.Stats) float64 { return float64(s.SlowSessions) }),
	gaugeOf("qun_outbox_bytes", "Bytes kept for slow peers, each shared packet counted once.", func(s engineio.Stats) float64 { return float64(s.QueuedBytes) }),
	counterOf("qun_messages_in_total", "Messages received from peers.", func(s engineio.Stats) uint64 { return s.MessagesIn }),
	counterOf("qun_bytes_in_total", "Bytes received from peers.", func(s engineio.Stats) uint64 { return s.BytesIn }),
	counterOf("qun_packets_out_total", "Packets sent to peers.", func(s engineio.Stats) uint64 { return s.PacketsOut }),
	counterOf("qun_bytes_out_total", "Bytes sent to peers.", func(s engineio.Stats) uint64 { return s.BytesOut }),
	counterOf("qun_writes_total", "Writes to connections; packets per write is how well they share.", func(s engineio.Stats) uint64 { return s.Writes }),
	counterOf("qun_packets_dropped_total", "Volatile packets that a peer was not ready for.", func(s engineio.Stats) uint64 { return s.Dropped }),
}
