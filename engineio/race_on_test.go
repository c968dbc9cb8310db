//go:build race

package engineio_test

// underRace says that the race detector is on, which makes pools forget at random.
const underRace = true
