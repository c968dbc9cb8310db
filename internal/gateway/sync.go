package gateway

import (
	"context"

	"qun/internal/chat"
)

// sync brings what changed since the numbers a client holds.
func (g *Gateway) sync(ctx context.Context, _ *client, who *chat.User, in chat.SyncQuery) (*chat.Sync, error) {
	return g.chat.Sync(ctx, who, in)
}
