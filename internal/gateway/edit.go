package gateway

import (
	"context"

	"qun/internal/chat"
)

// messageOut is a message as it is now, as the asking user sees it.
type messageOut struct {
	Message *chat.Message `json:"message"`
}

type editIn struct {
	GroupID  chat.GroupID  `json:"groupId"`
	Seq      chat.Seq      `json:"seq"`
	Message  string        `json:"message"`
	Mentions []chat.UserID `json:"mentions,omitempty"`
}

// editMessage gives a message of mine another text.
func (g *Gateway) editMessage(ctx context.Context, _ *client, who *chat.User, in editIn) (messageOut, error) {
	message, err := g.chat.EditMessage(ctx, who, chat.Edit{Group: in.GroupID, Seq: in.Seq, Text: in.Message, Mentions: in.Mentions})
	return messageOut{message}, err
}
