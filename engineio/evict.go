package engineio

// An eviction goes round the shards, looks for the session that keeps the most, and closes it. It does so again and again,
// until outboxes keep no more than Config.MemoryBytes. One goes round at a time.
type eviction struct {
	server  *Server
	visited int
	slowest *Session
	cost    int
}

// evict sets an eviction going if it is needed.
func (s *Server) evict() {
	if s.memory.Load() > s.cfg.MemoryBytes && s.evicting.CompareAndSwap(false, true) {
		s.shards[0].Post(&eviction{server: s})
	}
}

// Run looks at one shard and passes on to the next; after the last it goes to the shard of the one that was found.
func (e *eviction) Run(sh *Shard) {
	for s := range sh.slow {
		if s.state == stateOpen && s.out.cost > e.cost {
			e.slowest, e.cost = s, s.out.cost
		}
	}
	e.visited++
	switch {
	case e.visited < len(e.server.shards):
		e.server.shards[e.visited].Post(e)
	case e.slowest != nil:
		e.slowest.shard.Post(entryFunc(e.close))
	default: // nobody is left whose end would help
		e.server.evicting.Store(false)
	}
}

func (e *eviction) close(*Shard) {
	e.slowest.end(ErrSlowConsumer, 0)
	e.server.evicting.Store(false)
	e.server.evict()
}
