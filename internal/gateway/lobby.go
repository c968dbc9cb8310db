package gateway

import (
	"context"
	"runtime"
)

// lobby bounds how many are greeted at a time. A greeting reads the store several times; when thousands come back at once, and
// each waits for its turn anew at every one of them, all are ready at the very end, and none of those who lost patience before.
// One after the other, in the order in which they came, the first are ready at once.
type lobby chan struct{}

func newLobby() lobby { return make(lobby, max(8, 4*runtime.GOMAXPROCS(0))) }

// enter waits for a place; leave gives it to the next. It fails only when ctx ends.
func (l lobby) enter(ctx context.Context) (leave func(), err error) {
	select {
	case l <- struct{}{}:
	case <-ctx.Done():
		return nil, ctx.Err()
	}
	if ctx.Err() != nil { // both at once: let the next one in
		<-l
		return nil, ctx.Err()
	}
	return func() { <-l }, nil
}
