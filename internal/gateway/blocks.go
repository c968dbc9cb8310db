package gateway

import (
	"context"

	"qun/internal/chat"
)

type blockIn struct {
	UserID chat.UserID `json:"userId"`
	On     *bool       `json:"on,omitempty"` // absent: true
}

// block makes the user hear nothing from somebody directly, or again.
func (g *Gateway) block(ctx context.Context, _ *client, who *chat.User, in blockIn) (struct{}, error) {
	return struct{}{}, g.chat.Block(ctx, who, in.UserID, in.On == nil || *in.On)
}
