package gateway

import (
	"context"

	"qun/internal/chat"
)

type reactIn struct {
	GroupID chat.GroupID `json:"groupId"`
	Seq     chat.Seq     `json:"seq"`
	Emoji   string       `json:"emoji"`
	On      *bool        `json:"on,omitempty"` // absent: true
}

// react puts an emoji under a message, or takes it back.
func (g *Gateway) react(ctx context.Context, _ *client, who *chat.User, in reactIn) (messageOut, error) {
	message, err := g.chat.React(ctx, who, in.GroupID, in.Seq, in.Emoji, wanted(in.On))
	return messageOut{message}, err
}

// wanted is the state a request asks for; one that says nothing wants it on.
func wanted(on *bool) bool { return on == nil || *on }
