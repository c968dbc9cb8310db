package gateway

import (
	"context"

	"qun/internal/chat"
)

// groupFiles is a page of what was sent in a group.
func (g *Gateway) groupFiles(ctx context.Context, _ *client, who *chat.User, in chat.FileQuery) (*chat.FilePage, error) {
	return g.chat.GroupFiles(ctx, who, in)
}
