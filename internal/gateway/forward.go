package gateway

import (
	"context"

	"qun/internal/chat"
)

type forwardIn struct {
	GroupID  chat.GroupID `json:"groupId"`
	Seq      chat.Seq     `json:"seq"`
	To       chat.GroupID `json:"to"`
	ClientID string       `json:"clientId,omitempty"`
}

// forward says what a message says in another group.
func (g *Gateway) forward(ctx context.Context, c *client, who *chat.User, in forwardIn) (*chat.Sent, error) {
	return g.chat.Forward(ctx, who, chat.Forward{
		Group: in.GroupID, Seq: in.Seq, To: in.To, Entered: c.isIn(in.To), ClientID: in.ClientID,
	})
}
