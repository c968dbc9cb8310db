package gateway

import (
	"context"

	"qun/internal/chat"
)

// openDirect opens the one conversation with somebody; the user's full clients are in its rooms when it is answered.
func (g *Gateway) openDirect(ctx context.Context, _ *client, who *chat.User, in userIn) (groupOut, error) {
	group, err := g.chat.OpenDirect(ctx, who, in.UserID)
	return groupOut{group}, err
}
