package gateway

import (
	"context"

	"qun/internal/chat"
)

// sync brings what changed since the numbers a client holds.
func (g *Gateway) sync(ctx context.Context, _ *client, who *chat.User, in chat.SyncQuery) (*chat.Sync, error) {
	out, err := g.chat.Sync(ctx, who, in)
	return g.seen(out), err
}

// seen is out, with who asks as one who is here.
func (g *Gateway) seen(out *chat.Sync) *chat.Sync {
	if out != nil && out.Me != nil {
		out.Me.User = g.withPresence(out.Me.User)
	}
	return out
}
