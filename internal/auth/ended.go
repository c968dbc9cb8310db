package auth

import (
	"context"
	"fmt"
	"slices"
)

// endedAtOnce is how many sessions are looked up at a time.
const endedAtOnce = 1000

// Ended are those of some sessions and bots' tokens that are no more: somebody signed out, here or at another node.
func (s *Service) Ended(ctx context.Context, hashes []TokenHash) (ended []TokenHash, err error) {
	for some := range slices.Chunk(hashes, endedAtOnce) {
		live, err := s.store.LiveSessions(ctx, some)
		if err != nil {
			return nil, fmt.Errorf("look up sessions: %w", err)
		}
		there := make(map[TokenHash]bool, len(live))
		for _, hash := range live {
			there[hash] = true
		}
		for _, hash := range some {
			if !there[hash] {
				ended = append(ended, hash)
			}
		}
	}
	return ended, nil
}
