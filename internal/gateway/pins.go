package gateway

import (
	"context"

	"qun/internal/chat"
)

type pinIn struct {
	GroupID chat.GroupID `json:"groupId"`
	Seq     chat.Seq     `json:"seq"`
	On      *bool        `json:"on,omitempty"` // absent: true
}

// pin pins a message for everybody in the group, or takes it off.
func (g *Gateway) pin(ctx context.Context, _ *client, who *chat.User, in pinIn) (messageOut, error) {
	message, err := g.chat.Pin(ctx, who, in.GroupID, in.Seq, wanted(in.On))
	return messageOut{message}, err
}

type messagesOut struct {
	Messages []*chat.Message `json:"messages"`
}

// pins are a group's pinned messages.
func (g *Gateway) pins(ctx context.Context, _ *client, who *chat.User, in groupIn) (messagesOut, error) {
	messages, err := g.chat.Pins(ctx, who, in.GroupID)
	return messagesOut{messages}, err
}
