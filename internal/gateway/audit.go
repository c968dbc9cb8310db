package gateway

import (
	"context"

	"qun/internal/chat"
)

// audit is a page of who used a power in a group.
func (g *Gateway) audit(ctx context.Context, _ *client, who *chat.User, in chat.AuditQuery) (*chat.AuditPage, error) {
	return g.chat.Audit(ctx, who, in)
}
