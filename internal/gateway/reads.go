package gateway

import (
	"context"

	"qun/internal/chat"
)

type readUpToIn struct {
	GroupID chat.GroupID `json:"groupId"`
	Seq     chat.Seq     `json:"seq"`
}

// readUpTo moves the user's cursor; the user's other devices hear of it by `me`.
func (g *Gateway) readUpTo(ctx context.Context, _ *client, who *chat.User, in readUpToIn) (*chat.ReadState, error) {
	return g.chat.ReadUpTo(ctx, who, in.GroupID, in.Seq)
}
