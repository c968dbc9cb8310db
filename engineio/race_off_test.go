//go:build !race

package engineio_test

const underRace = false
