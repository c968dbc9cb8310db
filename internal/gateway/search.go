package gateway

import (
	"context"

	"qun/internal/chat"
)

// search is a page of messages that hold what is looked for.
func (g *Gateway) search(ctx context.Context, _ *client, who *chat.User, in chat.SearchQuery) (*chat.Found, error) {
	return g.chat.Search(ctx, who, in)
}
