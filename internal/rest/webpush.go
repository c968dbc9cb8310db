package rest

import (
	"context"
	"net/http"

	"qun/internal/chat"
)

// WebPush is what is asked of the chat about calling browsers. The app asks over its socket; what runs in a browser while
// no page is open has none.
type WebPush interface {
	PushKey() string
	SubscribePush(ctx context.Context, who *chat.User, in chat.NewSubscription, session []byte) error
	UnsubscribePush(ctx context.Context, who *chat.User, endpoint string) error
}

func (s *server) registerWebPush() {
	const tag = "push"
	answer(s, route{
		ID: "pushKey", Method: http.MethodGet, Path: "/me/push", Tag: tag, Who: persons,
		Summary: "The server's VAPID key, which a browser wants before it subscribes",
	}, s.pushKey)
	act(s, route{
		ID: "subscribePush", Method: http.MethodPost, Path: "/me/push", Tag: tag, Who: persons, Body: 8 << 10,
		Summary: "Let this browser be called while I am away, for as long as this session lasts",
	}, s.subscribePush)
	act(s, route{
		ID: "unsubscribePush", Method: http.MethodDelete, Path: "/me/push", Tag: tag, Who: persons, Body: 8 << 10,
		Summary: "Call a browser of mine no more",
	}, s.unsubscribePush)
}

type pushKeyOut struct {
	Key string `json:"key"`
}

func (s *server) pushKey(context.Context, *caller, *struct{}) (pushKeyOut, error) {
	return pushKeyOut{s.Chat.PushKey()}, nil
}

type subscribePushIn struct {
	Body struct {
		Subscription chat.NewSubscription `json:"subscription" doc:"What toJSON() of the browser's PushSubscription says."`
		Before       string               `json:"before,omitempty" doc:"The endpoint in whose place it comes; that one is called no more."`
	}
}

func (s *server) subscribePush(ctx context.Context, c *caller, in *subscribePushIn) error {
	var session []byte
	if hash := c.Identity.Session; hash != nil {
		session = hash[:]
	}
	if err := s.Chat.SubscribePush(ctx, c.User, in.Body.Subscription, session); err != nil {
		return err
	}
	if in.Body.Before == "" || in.Body.Before == in.Body.Subscription.Endpoint {
		return nil
	}
	return s.Chat.UnsubscribePush(ctx, c.User, in.Body.Before)
}

type unsubscribePushIn struct {
	Body struct {
		Endpoint string `json:"endpoint"`
	}
}

func (s *server) unsubscribePush(ctx context.Context, c *caller, in *unsubscribePushIn) error {
	return s.Chat.UnsubscribePush(ctx, c.User, in.Body.Endpoint)
}
