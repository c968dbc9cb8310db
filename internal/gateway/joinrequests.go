package gateway

import (
	"context"

	"qun/internal/chat"
)

type joinRequestsIn struct {
	GroupID chat.GroupID `json:"groupId"`
	Cursor  string       `json:"cursor,omitempty"`
}

// joinRequests are who waits to be let in.
func (g *Gateway) joinRequests(ctx context.Context, _ *client, who *chat.User, in joinRequestsIn) (*chat.JoinRequestPage, error) {
	return g.chat.JoinRequests(ctx, who, in.GroupID, in.Cursor)
}

type approveIn struct {
	GroupID chat.GroupID `json:"groupId"`
	UserID  chat.UserID  `json:"userId"`
	On      *bool        `json:"on,omitempty"` // absent: true
}

// approve lets somebody in who waits, or says no.
func (g *Gateway) approve(ctx context.Context, _ *client, who *chat.User, in approveIn) (struct{}, error) {
	return struct{}{}, g.chat.Approve(ctx, who, in.GroupID, in.UserID, in.On == nil || *in.On)
}
