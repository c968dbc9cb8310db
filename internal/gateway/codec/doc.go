// Package codec reads and writes by hand what comes and goes for every message, where encoding/json would allocate dozens of
// times. What it reads is what encoding/json reads, and what it writes is byte for byte what encoding/json writes: fuzz tests
// compare them.
package codec
