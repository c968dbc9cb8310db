package gateway

import (
	"context"

	"qun/internal/chat"
)

type memberOut struct {
	Member *chat.Member `json:"member"`
}

// setRole makes an admin, or none, or hands the group over.
func (g *Gateway) setRole(ctx context.Context, _ *client, who *chat.User, in chat.NewRole) (memberOut, error) {
	member, err := g.chat.SetRole(ctx, who, in)
	return memberOut{member}, err
}
