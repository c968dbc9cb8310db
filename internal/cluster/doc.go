// Package cluster carries short notes between the nodes that share one database.
//
// A node joins over a Bus and has topics, on which it publishes notes and hears those of the other nodes. A bus is a hint
// and no more: what is true stands in the database. Notes may be lost, doubled, delayed and reordered, and whoever publishes
// never waits. A node learns when something may have been missed (a gap in a sender's payloads, a bus that was gone), and
// which nodes are there: each gives a sign of life once a second, and one that gives none for a few is gone.
//
// # Trust
//
// Payloads are sealed with a key that all nodes read from their database. What is not sealed with it, is too large or
// cannot be read is counted and dropped: who can write to the bus alone can make a node do nothing but count.
//
// # Concurrency
//
// A Node may be used by many goroutines. What a topic hears comes from one goroutine at a time, in the order in which the
// bus brought it; who is gone is told by another. Neither may be held up for long.
package cluster
