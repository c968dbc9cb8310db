package gateway

import (
	"context"

	"qun/internal/chat"
)

// messageIn names a message.
type messageIn struct {
	GroupID chat.GroupID `json:"groupId"`
	Seq     chat.Seq     `json:"seq"`
}

// recallMessage empties a message. Its author is told what it said.
func (g *Gateway) recallMessage(ctx context.Context, _ *client, who *chat.User, in messageIn) (*chat.Recalled, error) {
	return g.chat.RecallMessage(ctx, who, in.GroupID, in.Seq)
}
