package main

// A chapter is a case as the report shows it.
type chapter struct {
	name    string // of the case, and of the plot's file
	title   string
	says    string
	columns []column
	panels  []panel
}

type column struct {
	head  string
	value string
	ratio string // to this peer, in the same round; "" for the value itself
}

type panel struct{ title, value string }

var (
	loopColumns = []column{
		{"µs per delivery", cpuPer, ""}, {"to Node", cpuPer, "node"}, {"to the floor", cpuPer, "floor"}, {"deliveries/s", perSecond, ""},
	}
	rateColumns = []column{
		{"µs per delivery", cpuPer, ""}, {"to Node", cpuPer, "node"}, {"to the floor", cpuPer, "floor"}, {"deliveries/s", perSecond, ""},
		{"p50 ms", p50, ""}, {"p99 ms", p99, ""}, {"p99 to Node", p99, "node"},
	}
	idleColumns = []column{
		{"KB per connection", kilobytes, ""}, {"to Node", kilobytes, "node"}, {"KB before it settled", settled, ""},
		{"connects/s", perSecond, ""}, {"to Node", perSecond, "node"}, {"µs per connect", cpuPer, ""},
	}
	nodeColumns = []column{
		{"deliveries/s", perSecond, ""}, {"to one Qun", perSecond, "qun-postgres"}, {"to two Node", perSecond, "node-redis"}, {"p50 ms", p50, ""}, {"p99 ms", p99, ""},
		{"p99 ms, from node to node", across99, ""}, {"µs per delivery, all nodes", cpuPer, ""}, {"cores of database and Redis", shared, ""},
	}
	loopPanels = []panel{{"server time per delivery, µs", cpuPer}}
	ratePanels = []panel{{"server time per delivery, µs", cpuPer}, {"99th percentile of latency, ms", p99}}
)

var chapters = []chapter{
	{"1x1000-closed", "One room of 1000, closed loop", "Eight members send; each sends its next message when all 1000 have the last one.", loopColumns, loopPanels},
	{"100x10-closed", "A hundred rooms of 10, closed loop", "Two members of each room send; each sends its next message when all ten have the last one.", loopColumns, loopPanels},
	{"1x10-closed", "One room of 10, closed loop", "Five members send; each sends its next message when all ten have the last one.", loopColumns, loopPanels},
	{"1x1000-20000", "One room of 1000, 20,000 deliveries per second", "Twenty messages a second, evenly spaced. The last of the thousand writes of a message sets the 99th percentile.", rateColumns, ratePanels},
	{"100x10-20000", "A hundred rooms of 10, 20,000 deliveries per second", "2,000 messages a second, evenly spaced, room after room.", rateColumns, ratePanels},
	{"1x1000-100000", "One room of 1000, 100,000 deliveries per second", "A hundred messages a second. Who delivers fewer than 100,000 a second falls behind, and the latency shows for how long it was measured.", rateColumns, ratePanels},
	{"100x10-100000", "A hundred rooms of 10, 100,000 deliveries per second", "10,000 messages a second.", rateColumns, ratePanels},
	{"inbound", "Requests without a broadcast", "Fifty connections ask, each one request at a time, and get an acknowledgement with what they sent.",
		[]column{{"µs per request", cpuPer, ""}, {"to Node", cpuPer, "node"}, {"requests/s", perSecond, ""}, {"p50 ms", p50, ""}, {"p99 ms", p99, ""}},
		[]panel{{"server time per request, µs", cpuPer}}},
	{"idle", "Idle connections", "Connections that are opened, 64 handshakes at a time, and then left alone: WebSocket and the protocol's greeting, no room.", idleColumns,
		[]panel{{"anonymous memory per connection, KB", kilobytes}, {"connects per second", perSecond}}},
	{"idle-guest", "Idle guests of `qun serve`", "Each has joined one group of ten.", idleColumns, []panel{{"anonymous memory per connection, KB", kilobytes}}},
	{"idle-member", "Idle members of `qun serve`", "Each is signed in and has opened the app with 20 groups of a hundred.", idleColumns, []panel{{"anonymous memory per connection, KB", kilobytes}}},
	{"idle-tls", "Idle connections over TLS", "As above, the TLS of Go's standard library in the same process.", idleColumns, []panel{{"anonymous memory per connection, KB", kilobytes}}},
	{"durable", "Durable sends", "64 senders in 64 groups of `qun serve`; each sends its next message when it has the last one back, which is after the transaction was synced to the disk. The server may use all cores, so the load takes part of one. With search off, nothing is told to the indexer.",
		[]column{{"sends/s", perSecond, ""}, {"to search off", perSecond, "qun-nosearch"}, {"p50 ms", p50, ""}, {"p99 ms", p99, ""}, {"cores used", cpuShare, ""}, {"µs per send", cpuPer, ""}, {"to search off", cpuPer, "qun-nosearch"}},
		[]panel{{"durable sends per second", perSecond}}},
	{"nodes-closed", "Several nodes, a hundred rooms of 10, closed loop", "Of each room, half of the members are at one node and half at the other, and one sender at each. Qun stores every message in PostgreSQL before it delivers it, Node nothing. Servers, database, Redis and load share all cores.", nodeColumns,
		[]panel{{"deliveries per second", perSecond}}},
	{"nodes-5000", "Several nodes, a hundred rooms of 10, 5,000 deliveries per second", "500 messages a second, evenly spaced. Half of the copies go from one node to the other.", nodeColumns,
		[]panel{{"99th percentile of latency, ms", p99}}},
	{"store/senders=64", "The store alone, 64 senders in one group", "The benchmark of the store, without sockets.", []column{{"sends/s", perSecond, ""}}, nil},
	{"store/senders=64/groups=64", "The store alone, 64 senders in 64 groups", "The same, spread over groups as in the durable sends above.", []column{{"sends/s", perSecond, ""}}, nil},
}
