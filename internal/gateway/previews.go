package gateway

import (
	"context"

	"qun/internal/chat"
)

// removePreview takes the preview off a message of mine.
func (g *Gateway) removePreview(ctx context.Context, _ *client, who *chat.User, in messageIn) (messageOut, error) {
	message, err := g.chat.RemovePreview(ctx, who, in.GroupID, in.Seq)
	return messageOut{message}, err
}
