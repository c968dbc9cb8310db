//go:build race

package gateway_test

// raceEnabled: the race detector makes pools forget, and allocations more.
const raceEnabled = true
