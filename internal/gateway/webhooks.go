package gateway

import (
	"context"

	"qun/internal/chat"
)

type webhooksOut struct {
	Webhooks []*chat.Webhook `json:"webhooks"`
}

type webhookOut struct {
	Webhook *chat.Webhook `json:"webhook"`
}

// webhookIn names a webhook of a group.
type webhookIn struct {
	GroupID   chat.GroupID   `json:"groupId"`
	WebhookID chat.WebhookID `json:"webhookId"`
}

// webhooks lists the webhooks of a group for who administers it.
func (g *Gateway) webhooks(ctx context.Context, _ *client, who *chat.User, in groupIn) (webhooksOut, error) {
	list, err := g.chat.Webhooks(ctx, who, in.GroupID)
	return webhooksOut{list}, err
}

// createWebhook makes a webhook; its secret is shown this once.
func (g *Gateway) createWebhook(ctx context.Context, _ *client, who *chat.User, in chat.NewWebhook) (*chat.WebhookSecret, error) {
	return g.chat.CreateWebhook(ctx, who, in)
}

// updateWebhook changes a webhook, or switches it on or off.
func (g *Gateway) updateWebhook(ctx context.Context, _ *client, who *chat.User, in chat.WebhookUpdate) (webhookOut, error) {
	webhook, err := g.chat.UpdateWebhook(ctx, who, in)
	return webhookOut{webhook}, err
}

// rotateWebhook gives a webhook another secret, shown this once.
func (g *Gateway) rotateWebhook(ctx context.Context, _ *client, who *chat.User, in webhookIn) (*chat.WebhookSecret, error) {
	return g.chat.RotateWebhook(ctx, who, in.GroupID, in.WebhookID)
}

// deleteWebhook ends a webhook.
func (g *Gateway) deleteWebhook(ctx context.Context, _ *client, who *chat.User, in webhookIn) (any, error) {
	return nil, g.chat.DeleteWebhook(ctx, who, in.GroupID, in.WebhookID)
}

// testWebhook tells a webhook a line now; the refusal says what went wrong.
func (g *Gateway) testWebhook(ctx context.Context, _ *client, who *chat.User, in webhookIn) (any, error) {
	return nil, g.chat.TestWebhook(ctx, who, in.GroupID, in.WebhookID)
}
