package rest

import (
	"context"
	"net/http"

	"qun/internal/auth"
	"qun/internal/chat"
)

// MessageActs is what is asked of the chat about messages after they were sent.
type MessageActs interface {
	EditMessage(ctx context.Context, by *chat.User, in chat.Edit) (*chat.Message, error)
	RecallMessage(ctx context.Context, by *chat.User, id chat.GroupID, seq chat.Seq) (*chat.Recalled, error)
	React(ctx context.Context, by *chat.User, id chat.GroupID, seq chat.Seq, emoji string, on bool) (*chat.Message, error)
	Pin(ctx context.Context, by *chat.User, id chat.GroupID, seq chat.Seq, on bool) (*chat.Message, error)
	Pins(ctx context.Context, who *chat.User, id chat.GroupID) ([]*chat.Message, error)
	RemovePreview(ctx context.Context, who *chat.User, id chat.GroupID, seq chat.Seq) (*chat.Message, error)
	Forward(ctx context.Context, by *chat.User, in chat.Forward) (*chat.Sent, error)
}

func (s *server) registerMessageActs() {
	const (
		tag = "messages"
		one = "/groups/{groupId}/messages/{seq}"
	)
	refuses := append([]chat.Code{chat.CodeMuted}, refusesOfActs...)
	answer(s, route{
		ID: "editMessage", Method: http.MethodPatch, Path: one, Tag: tag, Who: somebody, Scope: auth.ScopeSend,
		Summary: "Give a message of mine another text", Refuses: refuses,
	}, s.editMessage)
	answer(s, route{
		ID: "recallMessage", Method: http.MethodDelete, Path: one, Tag: tag, Who: somebody, Scope: auth.ScopeSend,
		Summary: "Empty a message: mine, or as owner or admin anybody's", Refuses: refuses,
	}, s.recallMessage)
	answer(s, route{
		ID: "react", Method: http.MethodPut, Path: one + "/reactions", Tag: tag, Who: somebody, Scope: auth.ScopeSend,
		Summary: "Put an emoji under a message, or take it back", Refuses: refuses,
	}, s.react)
	answer(s, route{
		ID: "pin", Method: http.MethodPut, Path: one + "/pin", Tag: tag, Who: somebody,
		Summary: "Pin a message for everybody in the group", Refuses: refuses,
	}, s.pin(true))
	answer(s, route{
		ID: "unpin", Method: http.MethodDelete, Path: one + "/pin", Tag: tag, Who: somebody,
		Summary: "Take a pin off", Refuses: refuses,
	}, s.pin(false))
	answer(s, route{
		ID: "pins", Method: http.MethodGet, Path: "/groups/{groupId}/pins", Tag: tag, Who: somebody,
		Summary: "What is pinned in a group, the latest pinned first", Refuses: refusesOfActs,
	}, s.pins)
	answer(s, route{
		ID: "removePreview", Method: http.MethodDelete, Path: one + "/preview", Tag: tag, Who: somebody, Scope: auth.ScopeSend,
		Summary: "Take the preview of its link off a message of mine", Refuses: refuses,
	}, s.removePreview)
	answer(s, route{
		ID: "forward", Method: http.MethodPost, Path: one + "/forward", Tag: tag, Who: somebody, Scope: auth.ScopeSend,
		Summary: "Say in another group what a message says", Refuses: append([]chat.Code{chat.CodeSlowMode}, refuses...),
	}, s.forward)
}

type editMessageIn struct {
	GroupID chat.GroupID `path:"groupId"`
	Seq     chat.Seq     `path:"seq" minimum:"1"`
	Body    struct {
		Message  string        `json:"message"`
		Mentions []chat.UserID `json:"mentions,omitempty" doc:"All that it has then: user ids, or all."`
	}
}

func (s *server) editMessage(ctx context.Context, c *caller, in *editMessageIn) (messageOut, error) {
	m, err := s.Chat.EditMessage(ctx, c.User, chat.Edit{Group: in.GroupID, Seq: in.Seq, Text: in.Body.Message, Mentions: in.Body.Mentions})
	return messageOut{m}, err
}

func (s *server) recallMessage(ctx context.Context, c *caller, in *messageIn) (*chat.Recalled, error) {
	return s.Chat.RecallMessage(ctx, c.User, in.GroupID, in.Seq)
}

type reactIn struct {
	GroupID chat.GroupID `path:"groupId"`
	Seq     chat.Seq     `path:"seq" minimum:"1"`
	Body    struct {
		Emoji string `json:"emoji"`
		On    *bool  `json:"on,omitempty" doc:"false takes it back."`
	}
}

func (s *server) react(ctx context.Context, c *caller, in *reactIn) (messageOut, error) {
	m, err := s.Chat.React(ctx, c.User, in.GroupID, in.Seq, in.Body.Emoji, in.Body.On == nil || *in.Body.On)
	return messageOut{m}, err
}

func (s *server) pin(on bool) func(context.Context, *caller, *messageIn) (messageOut, error) {
	return func(ctx context.Context, c *caller, in *messageIn) (messageOut, error) {
		m, err := s.Chat.Pin(ctx, c.User, in.GroupID, in.Seq, on)
		return messageOut{m}, err
	}
}

type pinsOut struct {
	Messages []*chat.Message `json:"messages"`
}

func (s *server) pins(ctx context.Context, c *caller, in *groupIn) (pinsOut, error) {
	pins, err := s.Chat.Pins(ctx, c.User, in.GroupID)
	return pinsOut{pins}, err
}

func (s *server) removePreview(ctx context.Context, c *caller, in *messageIn) (messageOut, error) {
	m, err := s.Chat.RemovePreview(ctx, c.User, in.GroupID, in.Seq)
	return messageOut{m}, err
}

type forwardIn struct {
	GroupID chat.GroupID `path:"groupId"`
	Seq     chat.Seq     `path:"seq" minimum:"1"`
	Key     string       `header:"Idempotency-Key" doc:"The clientId, for programs that send it so."`
	Body    struct {
		To       chat.GroupID `json:"to"`
		ClientID string       `json:"clientId,omitempty" doc:"1 to 64 bytes: the same clientId is the same message, for ever."`
	}
}

func (s *server) forward(ctx context.Context, c *caller, in *forwardIn) (*chat.Sent, error) {
	clientID := in.Body.ClientID
	if clientID == "" {
		clientID = in.Key
	}
	return s.Chat.Forward(ctx, c.User, chat.Forward{Group: in.GroupID, Seq: in.Seq, To: in.Body.To, ClientID: clientID})
}
