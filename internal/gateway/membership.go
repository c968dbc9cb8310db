package gateway

import (
	"context"

	"qun/internal/chat"
)

// updateMembership changes what is mine of a group.
func (g *Gateway) updateMembership(ctx context.Context, _ *client, who *chat.User, in chat.MembershipUpdate) (*chat.GroupState, error) {
	return g.chat.UpdateMembership(ctx, who, in)
}
