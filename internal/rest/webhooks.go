package rest

import (
	"context"
	"net/http"

	"qun/internal/chat"
)

// Webhooks is what is asked of the chat about webhooks.
type Webhooks interface {
	Webhooks(ctx context.Context, who *chat.User, group chat.GroupID) ([]*chat.Webhook, error)
	CreateWebhook(ctx context.Context, who *chat.User, in chat.NewWebhook) (*chat.WebhookSecret, error)
	UpdateWebhook(ctx context.Context, who *chat.User, in chat.WebhookUpdate) (*chat.Webhook, error)
	RotateWebhook(ctx context.Context, who *chat.User, group chat.GroupID, id chat.WebhookID) (*chat.WebhookSecret, error)
	DeleteWebhook(ctx context.Context, who *chat.User, group chat.GroupID, id chat.WebhookID) error
	TestWebhook(ctx context.Context, who *chat.User, group chat.GroupID, id chat.WebhookID) error
	SendByWebhook(ctx context.Context, id chat.WebhookID, secret string, in chat.HookMessage) (*chat.Sent, error)
}

func (s *server) registerWebhooks() {
	const tag = "webhooks"
	refuses := []chat.Code{chat.CodeNotFound, chat.CodeForbidden, chat.CodeNotInRoom}
	answer(s, route{
		ID: "webhooks", Method: http.MethodGet, Path: "/groups/{groupId}/webhooks", Tag: tag, Who: somebody, Refuses: refuses,
		Summary: "The webhooks of a group, for its owner and admins",
	}, s.webhooks)
	answer(s, route{
		ID: "createWebhook", Method: http.MethodPost, Path: "/groups/{groupId}/webhooks", Tag: tag, Who: somebody,
		Refuses: append(refuses, chat.CodeNameTaken),
		Summary: "Make a webhook; its secret is shown this once",
	}, s.createWebhook)
	answer(s, route{
		ID: "updateWebhook", Method: http.MethodPatch, Path: "/groups/{groupId}/webhooks/{webhookId}", Tag: tag, Who: somebody, Refuses: refuses,
		Summary: "Change a webhook, or switch it on or off",
	}, s.updateWebhook)
	answer(s, route{
		ID: "rotateWebhook", Method: http.MethodPost, Path: "/groups/{groupId}/webhooks/{webhookId}/secret", Tag: tag, Who: somebody, Refuses: refuses,
		Summary: "Give a webhook another secret, which is shown this once",
	}, s.rotateWebhook)
	act(s, route{
		ID: "deleteWebhook", Method: http.MethodDelete, Path: "/groups/{groupId}/webhooks/{webhookId}", Tag: tag, Who: somebody, Refuses: refuses,
		Summary: "End a webhook; what it said stays",
	}, s.deleteWebhook)
	act(s, route{
		ID: "testWebhook", Method: http.MethodPost, Path: "/groups/{groupId}/webhooks/{webhookId}/test", Tag: tag, Who: somebody,
		Refuses: append(refuses, chat.CodeInvalid),
		Summary: "Tell an outgoing webhook a line now, and learn what came of it",
	}, s.testWebhook)
	answer(s, route{
		ID: "sendByWebhook", Method: http.MethodPost, Path: "/hooks/{webhookId}/{secret}", Tag: tag, Who: anybody,
		Refuses: []chat.Code{chat.CodeNotFound, chat.CodeForbidden, chat.CodeNameTaken, chat.CodeMuted, chat.CodeSlowMode, chat.CodeConflict},
		Summary: "Say something in the group of an incoming webhook",
	}, s.sendByWebhook)
}

type webhookIn struct {
	GroupID   chat.GroupID   `path:"groupId"`
	WebhookID chat.WebhookID `path:"webhookId"`
}

type webhooksOut struct {
	Webhooks []*chat.Webhook `json:"webhooks"`
}

type webhookOut struct {
	Webhook *chat.Webhook `json:"webhook"`
}

type webhookSecretOut struct {
	Webhook *chat.Webhook `json:"webhook"`
	Secret  string        `json:"secret" doc:"Keep it: it is not shown again. An outgoing one has the form of Standard Webhooks."`
	Path    string        `json:"path,omitempty" doc:"Of an incoming one: where to POST."`
}

func secretOf(w *chat.WebhookSecret, err error) (webhookSecretOut, error) {
	if err != nil {
		return webhookSecretOut{}, err
	}
	return webhookSecretOut{w.Webhook, w.Secret, w.Path}, nil
}

func (s *server) webhooks(ctx context.Context, c *caller, in *groupIn) (webhooksOut, error) {
	list, err := s.Chat.Webhooks(ctx, c.User, in.GroupID)
	return webhooksOut{list}, err
}

type createWebhookIn struct {
	GroupID chat.GroupID `path:"groupId"`
	Body    struct {
		Kind   chat.WebhookKind    `json:"kind" enum:"incoming,outgoing"`
		Name   string              `json:"name" doc:"Of an incoming one: the name of its bot."`
		URL    string              `json:"url,omitempty" doc:"Of an outgoing one: who is told."`
		Events []chat.WebhookEvent `json:"events,omitempty" doc:"Of an outgoing one: message, change, or both. None is message."`
	}
}

func (s *server) createWebhook(ctx context.Context, c *caller, in *createWebhookIn) (webhookSecretOut, error) {
	b := in.Body
	return secretOf(s.Chat.CreateWebhook(ctx, c.User, chat.NewWebhook{GroupID: in.GroupID, Kind: b.Kind, Name: b.Name, URL: b.URL, Events: b.Events}))
}

type updateWebhookIn struct {
	GroupID   chat.GroupID   `path:"groupId"`
	WebhookID chat.WebhookID `path:"webhookId"`
	Body      struct {
		Name   *string             `json:"name,omitempty"`
		URL    *string             `json:"url,omitempty"`
		Events []chat.WebhookEvent `json:"events,omitempty"`
		On     *bool               `json:"on,omitempty" doc:"On again, it is told what happens from now on."`
	}
}

func (s *server) updateWebhook(ctx context.Context, c *caller, in *updateWebhookIn) (webhookOut, error) {
	b := in.Body
	webhook, err := s.Chat.UpdateWebhook(ctx, c.User, chat.WebhookUpdate{
		GroupID: in.GroupID, WebhookID: in.WebhookID, Name: b.Name, URL: b.URL, Events: b.Events, On: b.On,
	})
	return webhookOut{webhook}, err
}

func (s *server) rotateWebhook(ctx context.Context, c *caller, in *webhookIn) (webhookSecretOut, error) {
	return secretOf(s.Chat.RotateWebhook(ctx, c.User, in.GroupID, in.WebhookID))
}

func (s *server) deleteWebhook(ctx context.Context, c *caller, in *webhookIn) error {
	return s.Chat.DeleteWebhook(ctx, c.User, in.GroupID, in.WebhookID)
}

func (s *server) testWebhook(ctx context.Context, c *caller, in *webhookIn) error {
	return s.Chat.TestWebhook(ctx, c.User, in.GroupID, in.WebhookID)
}

type sendByWebhookIn struct {
	WebhookID chat.WebhookID `path:"webhookId"`
	Secret    string         `path:"secret"`
	Key       string         `header:"Idempotency-Key" doc:"The same key is the same message, however often it is sent."`
	Body      struct {
		Message  string `json:"message"`
		NickName string `json:"nickName,omitempty" doc:"Who says it; without one, the webhook's name."`
	}
}

// sendByWebhook says something. Who knows the secret is the webhook's bot, whoever else it may be.
func (s *server) sendByWebhook(ctx context.Context, _ *caller, in *sendByWebhookIn) (*chat.Sent, error) {
	return s.Chat.SendByWebhook(ctx, in.WebhookID, in.Secret, chat.HookMessage{Text: in.Body.Message, NickName: in.Body.NickName, Key: in.Key})
}
