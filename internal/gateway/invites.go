package gateway

import (
	"context"

	"qun/internal/chat"
)

type inviteOut struct {
	Invite *chat.Invite `json:"invite"`
}

// invite makes an invite.
func (g *Gateway) invite(ctx context.Context, _ *client, who *chat.User, in chat.NewInvite) (inviteOut, error) {
	invite, err := g.chat.Invite(ctx, who, in)
	return inviteOut{invite}, err
}

type invitesOut struct {
	Invites []*chat.Invite `json:"invites"`
}

// invites are those of a group that hold.
func (g *Gateway) invites(ctx context.Context, _ *client, who *chat.User, in groupIn) (invitesOut, error) {
	invites, err := g.chat.Invites(ctx, who, in.GroupID)
	return invitesOut{invites}, err
}

type revokeInviteIn struct {
	GroupID  chat.GroupID  `json:"groupId"`
	InviteID chat.InviteID `json:"inviteId"`
}

// revokeInvite withdraws one.
func (g *Gateway) revokeInvite(ctx context.Context, _ *client, who *chat.User, in revokeInviteIn) (struct{}, error) {
	return struct{}{}, g.chat.RevokeInvite(ctx, who, in.GroupID, in.InviteID)
}

type tokenIn struct {
	Token string `json:"token"`
}

// inviteInfo shows what a token invites to, to anybody who holds it.
func (g *Gateway) inviteInfo(ctx context.Context, c *client, r *request) {
	in, err := decode[tokenIn](r)
	if err != nil {
		r.refuse(err)
		return
	}
	from := "address " + c.address()
	if who := c.who(); who != nil && !who.Guest {
		from = string(who.ID)
	}
	invitation, err := g.chat.Invitation(ctx, from, in.Token)
	if err != nil {
		r.refuse(err)
		return
	}
	r.answer(invitation)
}

type joinByInviteIn struct {
	Token    string `json:"token"`
	NickName text   `json:"nickName,omitempty"` // makes a guest, as joinRoom does
	Text     string `json:"text,omitempty"`
}

// joinByInvite is joinRoom by a token.
func (g *Gateway) joinByInvite(ctx context.Context, c *client, r *request) {
	in, err := decode[joinByInviteIn](r)
	if err == nil && in.Token == "" {
		err = chat.Refuse(chat.CodeInvalid, "which invitation? token is missing", "缺少邀请 token")
	}
	if err != nil {
		r.refuse(err)
		return
	}
	g.join(ctx, c, r, joinRoomIn{NickName: in.NickName, Token: in.Token, Text: in.Text})
}
