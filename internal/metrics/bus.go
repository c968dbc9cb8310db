package metrics

// Bus is what a node counts that shares its database with others.
type Bus struct {
	Up       bool   // it hears itself over the bus
	Peers    int    // other nodes
	Sent     uint64 // notes
	Dropped  uint64 // notes for which there was no room, or that the bus did not take
	Received uint64 // notes of others
	Refused  uint64 // payloads that were of no node, or malformed
	Missed   uint64 // times that something may have been missed
	Gaps     uint64 // times that a missing number was read from the database
	Repairs  uint64 // the same, where only the look at the counters told of it
}

var busSeries = []series[Bus]{
	gaugeOf("qun_bus_up", "1 while this server hears over the bus, 0 while others' messages come by the look at the database alone.", func(b Bus) float64 { return truth(b.Up) }),
	gaugeOf("qun_bus_peers", "Other servers on the same database.", func(b Bus) float64 { return float64(b.Peers) }),
	counterOf("qun_bus_sent_total", "Notes to other servers.", func(b Bus) uint64 { return b.Sent }),
	counterOf("qun_bus_dropped_total", "Notes that did not go out.", func(b Bus) uint64 { return b.Dropped }),
	counterOf("qun_bus_received_total", "Notes of other servers.", func(b Bus) uint64 { return b.Received }),
	counterOf("qun_bus_refused_total", "Payloads that were malformed, or of nobody who has the key.", func(b Bus) uint64 { return b.Refused }),
	counterOf("qun_bus_missed_total", "Times that notes may have been missed: a gap in a server's payloads, a bus that comes back.", func(b Bus) uint64 { return b.Missed }),
	counterOf("qun_bus_gaps_read_total", "Missing numbers of a group or a user read from the database, each run of them once.", func(b Bus) uint64 { return b.Gaps }),
	counterOf("qun_bus_repairs_total", "The same, where only the look at the counters told that something is missing.", func(b Bus) uint64 { return b.Repairs }),
}

// WatchBus adds the counts of a node. It is called once, if at all.
func (m *Metrics) WatchBus(stats func() Bus) {
	m.registry.MustRegister(&collector[Bus]{stats, busSeries})
}

// Bridge is what is counted where Node servers listen and speak, too.
type Bridge struct {
	Up        bool   // Redis is reached
	Sent      uint64 // events for Node servers
	Dropped   uint64 // events for which there was no room, or that Redis did not take
	Received  uint64 // events of others
	Malformed uint64 // what was none, or too large
	Refused   uint64 // events to where nobody let them in, or that are not theirs
}

var bridgeSeries = []series[Bridge]{
	gaugeOf("qun_bridge_up", "1 while Node servers can be heard.", func(b Bridge) float64 { return truth(b.Up) }),
	counterOf("qun_bridge_sent_total", "Events for Node servers.", func(b Bridge) uint64 { return b.Sent }),
	counterOf("qun_bridge_dropped_total", "Events for Node servers that did not go out.", func(b Bridge) uint64 { return b.Dropped }),
	counterOf("qun_bridge_received_total", "Events of Node servers and emitters.", func(b Bridge) uint64 { return b.Received }),
	counterOf("qun_bridge_malformed_total", "What came and was no event.", func(b Bridge) uint64 { return b.Malformed }),
	counterOf("qun_bridge_refused_total", "Events to rooms that are not open, or under a name of the chat's own.", func(b Bridge) uint64 { return b.Refused }),
}

// WatchBridge adds the counts of a bridge. It is called once, if at all.
func (m *Metrics) WatchBridge(stats func() Bridge) {
	m.registry.MustRegister(&collector[Bridge]{stats, bridgeSeries})
}
