package gateway

import (
	"context"

	"qun/internal/chat"
)

// mute silences a member or, without one, everybody, and takes it back.
func (g *Gateway) mute(ctx context.Context, _ *client, who *chat.User, in chat.Mute) (*chat.Muted, error) {
	return g.chat.Mute(ctx, who, in)
}
