//go:build race

package socketio_test

// raceEnabled: the race detector makes pools forget, and allocations more.
const raceEnabled = true
