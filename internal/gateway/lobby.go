package gateway

import "context"

// lobby bounds how many are greeted at a time. When thousands come back at once, and each waits for its turn anew wherever it has
// to, all are ready at the very end, and none of those who lost patience before. In the order in which they came, the first are
// ready at once. Those inside are read of together, so there is place for many.
type lobby chan struct{}

const lobbyPlaces = 64

func newLobby() lobby { return make(lobby, lobbyPlaces) }

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
