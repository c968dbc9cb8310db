package gateway

import (
	"context"

	"qun/internal/auth"
	"qun/internal/chat"
)

// Visitors is how many addresses are remembered.
func (a *Admission) Visitors() int {
	a.mu.Lock()
	defer a.mu.Unlock()
	return len(a.visitors)
}

// Turnstiles are what joinRoom passes, by room.
type Turnstiles struct{ turnstiles }

// Enter waits for the room's turnstile.
func (t *Turnstiles) Enter(ctx context.Context, room string) (leave func(), err error) {
	return t.enter(ctx, room)
}

// Rooms is how many rooms have one at the moment.
func (t *Turnstiles) Rooms() int {
	t.mu.Lock()
	defer t.mu.Unlock()
	return len(t.rooms)
}

// ScopeOf is what a bot's token must allow for a request.
func ScopeOf(request string) auth.Scope { return scopeOf(request) }

// Requests are those that are answered.
func (g *Gateway) Requests() []string { return g.features() }

// BridgePause is how long a bridge waits before it tries again to reach the others.
const BridgePause = bridgePause

// Lobby bounds how many are greeted at a time.
type Lobby lobby

// NewLobby is a lobby as a gateway has it.
func NewLobby() Lobby { return Lobby(newLobby()) }

// Enter waits for a place.
func (l Lobby) Enter(ctx context.Context) (leave func(), err error) { return lobby(l).enter(ctx) }

// HasElsewhere says whether another node has said that a user is there.
func (h *Hub) HasElsewhere(u chat.UserID) bool { return h.nodes.of(u) != gone }
