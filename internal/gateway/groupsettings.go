package gateway

import (
	"context"

	"qun/internal/chat"
)

// updateGroup changes what a group says of itself.
func (g *Gateway) updateGroup(ctx context.Context, _ *client, who *chat.User, in chat.GroupUpdate) (groupOut, error) {
	group, err := g.chat.UpdateGroup(ctx, who, in)
	return groupOut{group}, err
}
