package gateway

import (
	"context"

	"qun/internal/chat"
)

type leaveIn struct {
	GroupID chat.GroupID `json:"groupId,omitempty"`
	Room    text         `json:"room,omitempty"`
}

// leaveGroup ends the user's membership. A guest who has none just goes.
func (g *Gateway) leaveGroup(ctx context.Context, c *client, who *chat.User, in leaveIn) (struct{}, error) {
	if group, known := c.named(string(in.Room)); in.GroupID == "" && known {
		in.GroupID = group
	}
	err := g.chat.Leave(ctx, who, in.GroupID)
	if err == nil && who.Guest {
		c.leave(in.GroupID, 0)
	}
	return struct{}{}, err
}

// dissolveGroup ends a group for everybody.
func (g *Gateway) dissolveGroup(ctx context.Context, _ *client, who *chat.User, in groupIn) (struct{}, error) {
	return struct{}{}, g.chat.Dissolve(ctx, who, in.GroupID)
}
