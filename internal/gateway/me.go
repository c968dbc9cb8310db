package gateway

import (
	"context"

	"qun/internal/chat"
)

// meOut is who asks, after a change.
type meOut struct {
	*chat.Me
	Token string `json:"token,omitempty"` // of a guest: it bears the new name
}

// guestToken is the token of a guest as it is called now.
func (g *Gateway) guestToken(c *client, u *chat.User) string {
	if who := c.known(); who != nil {
		_, token := g.auth.Renamed(who, u.NickName)
		return token
	}
	return g.auth.GuestToken(*u)
}

// updateMe changes the name, the picture or the settings of who asks. Groups are told by their own numbers.
func (g *Gateway) updateMe(ctx context.Context, c *client, who *chat.User, in chat.MyChanges) (*meOut, error) {
	me, err := g.chat.UpdateMe(ctx, who, in)
	if err != nil {
		return nil, err
	}
	out := &meOut{Me: me}
	if me.User.Guest && me.User.NickName != who.NickName {
		c.renew(me.User) // one that never spoke has no row of which it could be told
		out.Token = g.guestToken(c, me.User)
	}
	me.User = g.withPresence(me.User)
	return out, nil
}
