package gateway

import (
	"context"

	"qun/internal/chat"
)

// members is a page of who is in a group.
func (g *Gateway) members(ctx context.Context, _ *client, who *chat.User, in chat.MemberQuery) (*chat.MemberPage, error) {
	return g.chat.Members(ctx, who, in)
}
