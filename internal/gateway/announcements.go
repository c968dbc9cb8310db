package gateway

import (
	"context"

	"qun/internal/chat"
)

// announcement is what a group announces, and how many have read it.
func (g *Gateway) announcement(ctx context.Context, _ *client, who *chat.User, in groupIn) (*chat.Announcement, error) {
	return g.chat.Announcement(ctx, who, in.GroupID)
}

// readAnnouncement notes that the user has read it.
func (g *Gateway) readAnnouncement(ctx context.Context, _ *client, who *chat.User, in groupIn) (*chat.Announcement, error) {
	return g.chat.ReadAnnouncement(ctx, who, in.GroupID)
}
