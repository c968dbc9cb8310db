package engineio

// Stats are counts since the server was made, and a few states of the moment.
type Stats struct {
	Sessions     int   // open now
	SlowSessions int   // of these, how many have something in their outbox that the peer has not taken
	QueuedBytes  int64 // what outboxes keep for slow peers, each shared packet counted once

	MessagesIn, BytesIn  uint64
	PacketsOut, BytesOut uint64
	Writes               uint64 // PacketsOut / Writes is how many packets share a write
	Dropped              uint64 // volatile packets that the peer was not ready for
}

// Stats returns the counts of this moment. They are collected without stopping anything, so they may be apart by a little.
func (s *Server) Stats() Stats {
	s.mu.RLock()
	stats := Stats{Sessions: len(s.sessions), QueuedBytes: s.memory.Load()}
	s.mu.RUnlock()
	for _, sh := range s.shards {
		c := &sh.counts
		stats.SlowSessions += int(c.slow.Load())
		stats.MessagesIn += c.packetsIn.Load()
		stats.BytesIn += c.bytesIn.Load()
		stats.PacketsOut += c.packetsOut.Load()
		stats.BytesOut += c.bytesOut.Load()
		stats.Writes += c.writes.Load()
		stats.Dropped += c.dropped.Load()
	}
	return stats
}
