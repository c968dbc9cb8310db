package gateway

import (
	"context"

	"qun/internal/chat"
)

// groups is a page of the groups that the user may find.
func (g *Gateway) groups(ctx context.Context, _ *client, who *chat.User, in chat.GroupQuery) (*chat.GroupPage, error) {
	return g.chat.Groups(ctx, who, in)
}
