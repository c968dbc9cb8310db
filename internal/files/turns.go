package files

import "context"

const (
	// decoders is how many pictures are decoded at the same time, and manyPixels from how many pixels on only one is: the
	// worst kinds take 12 bytes for each pixel.
	decoders   = 2
	manyPixels = 12_000_000
)

// turns bounds the memory that decoding takes.
type turns struct{ any, large chan struct{} }

func newTurns() *turns { return &turns{make(chan struct{}, decoders), make(chan struct{}, 1)} }

// take waits for a turn to decode so many pixels; leave ends it.
func (t *turns) take(ctx context.Context, pixels int) (leave func(), err error) {
	if pixels < manyPixels {
		return enter(ctx, t.any)
	}
	leaveLarge, err := enter(ctx, t.large)
	if err != nil {
		return nil, err
	}
	leaveAny, err := enter(ctx, t.any)
	if err != nil {
		leaveLarge()
		return nil, err
	}
	return func() { leaveAny(); leaveLarge() }, nil
}

func enter(ctx context.Context, door chan struct{}) (leave func(), err error) {
	select {
	case door <- struct{}{}:
		return func() { <-door }, nil
	case <-ctx.Done():
		return nil, context.Cause(ctx)
	}
}
