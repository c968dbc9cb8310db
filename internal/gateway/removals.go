package gateway

import (
	"context"

	"qun/internal/chat"
)

// kick puts a member or a visitor out.
func (g *Gateway) kick(ctx context.Context, _ *client, who *chat.User, in groupUserIn) (memberOut, error) {
	member, err := g.chat.Kick(ctx, who, g.Found(chat.Removal{Group: in.GroupID, User: in.UserID}))
	return memberOut{member}, err
}

// ban keeps somebody out.
func (g *Gateway) ban(ctx context.Context, _ *client, who *chat.User, in chat.Removal) (memberOut, error) {
	member, err := g.chat.Ban(ctx, who, g.Found(in))
	return memberOut{member}, err
}

// Found adds to a removal what the sockets of a guest tell: that it is in the group, though it never spoke, and from where.
func (g *Gateway) Found(in chat.Removal) chat.Removal {
	for _, c := range g.hub.people.of(in.User) {
		who := c.who()
		if who == nil || !who.Guest || !c.isIn(in.Group) {
			continue
		}
		in.Visitor = who
		in.Addresses = append(in.Addresses, c.address())
	}
	return in
}

type groupUserIn struct {
	GroupID chat.GroupID `json:"groupId"`
	UserID  chat.UserID  `json:"userId"`
}

// unban lets somebody come in again.
func (g *Gateway) unban(ctx context.Context, _ *client, who *chat.User, in groupUserIn) (memberOut, error) {
	member, err := g.chat.Unban(ctx, who, in.GroupID, in.UserID)
	return memberOut{member}, err
}

type bansIn struct {
	GroupID chat.GroupID `json:"groupId"`
	Before  chat.Seq     `json:"before,omitempty"`
}

// bans are who is kept out.
func (g *Gateway) bans(ctx context.Context, _ *client, who *chat.User, in bansIn) (*chat.BanPage, error) {
	return g.chat.Bans(ctx, who, in.GroupID, in.Before)
}
