package gateway

import (
	"context"

	"qun/internal/chat"
)

// createGroup makes a group that the user owns; the user's full clients are in its rooms when it is answered.
func (g *Gateway) createGroup(ctx context.Context, _ *client, who *chat.User, in chat.NewGroup) (*chat.Made, error) {
	return g.chat.CreateGroup(ctx, who, in)
}

type addMembersIn struct {
	GroupID chat.GroupID  `json:"groupId"`
	UserIDs []chat.UserID `json:"userIds"`
}

type addMembersOut struct {
	Added []chat.UserID `json:"added"`
}

// addMembers makes others members; those who cannot be added are left out.
func (g *Gateway) addMembers(ctx context.Context, _ *client, who *chat.User, in addMembersIn) (addMembersOut, error) {
	added, err := g.chat.AddMembers(ctx, who, in.GroupID, in.UserIDs)
	return addMembersOut{added}, err
}
