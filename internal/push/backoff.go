package push

import (
	"math/rand/v2"
	"time"
)

const (
	firstPause   = 5 * time.Second
	longestPause = time.Hour
)

// pause is how long to wait after so many failures: twice as long each time, up to an hour, and up to a half of it less,
// by chance, so that those who failed together do not come back together.
func pause(tries int) time.Duration {
	wait := longestPause
	if tries < 12 { // 5 s doubled eleven times is more than an hour
		wait = min(firstPause<<max(tries-1, 0), longestPause)
	}
	return wait/2 + rand.N(wait/2+1)
}

// pauseAfter is pause, unless the target said how long.
func pauseAfter(err error, tries int) time.Duration {
	if answered := answerOf(err); answered != nil && answered.retryAfter > 0 {
		return answered.retryAfter
	}
	return pause(tries)
}
