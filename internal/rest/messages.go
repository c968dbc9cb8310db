package rest

import (
	"context"
	"net/http"

	"qun/internal/auth"
	"qun/internal/chat"
)

// Messages is what is asked of the chat about messages.
type Messages interface {
	SendMessage(ctx context.Context, by *chat.User, in chat.NewMessage) (*chat.Sent, error)
	History(ctx context.Context, who *chat.User, in chat.HistoryQuery) (*chat.History, error)
}

func (s *server) registerMessages() {
	const tag = "messages"
	answer(s, route{
		ID: "history", Method: http.MethodGet, Path: "/groups/{groupId}/messages", Tag: tag, Who: somebody,
		Summary: "A page of a group's messages, oldest first: before or after a seq, around one, or the newest",
		Refuses: []chat.Code{chat.CodeNotFound, chat.CodeForbidden, chat.CodeNotInRoom},
	}, s.history)
	answer(s, route{
		ID: "getMessage", Method: http.MethodGet, Path: "/groups/{groupId}/messages/{seq}", Tag: tag, Who: somebody,
		Summary: "One message",
		Refuses: []chat.Code{chat.CodeNotFound, chat.CodeForbidden, chat.CodeNotInRoom},
	}, s.getMessage)
	answer(s, route{
		ID: "sendMessage", Method: http.MethodPost, Path: "/groups/{groupId}/messages", Tag: tag, Who: somebody, Scope: auth.ScopeSend,
		Summary: "Say something in a group",
		Refuses: []chat.Code{chat.CodeNotFound, chat.CodeForbidden, chat.CodeNotInRoom, chat.CodeMuted, chat.CodeSlowMode, chat.CodeConflict},
	}, s.sendMessage)
}

type historyIn struct {
	GroupID chat.GroupID `path:"groupId"`
	Before  chat.Seq     `query:"before" minimum:"1" doc:"Only messages with a lower seq."`
	After   chat.Seq     `query:"after" default:"-1" minimum:"-1" doc:"Only messages with a higher seq; 0 starts at the beginning."`
	Around  chat.Seq     `query:"around" minimum:"1" doc:"This one in the middle."`
	Limit   int          `query:"limit" minimum:"1" maximum:"100" default:"50"`
}

// history is a page of a group's messages.
func (s *server) history(ctx context.Context, c *caller, in *historyIn) (*chat.History, error) {
	q := chat.HistoryQuery{Group: in.GroupID, Limit: in.Limit}
	if in.Before > 0 {
		q.Before = &in.Before
	}
	if in.After >= 0 {
		q.After = &in.After
	}
	if in.Around > 0 {
		q.Around = &in.Around
	}
	return s.Chat.History(ctx, c.User, q)
}

type messageIn struct {
	GroupID chat.GroupID `path:"groupId"`
	Seq     chat.Seq     `path:"seq" minimum:"1"`
}

type messageOut struct {
	Message *chat.Message `json:"message"`
}

// getMessage is the message at an address.
func (s *server) getMessage(ctx context.Context, c *caller, in *messageIn) (messageOut, error) {
	page, err := s.Chat.History(ctx, c.User, chat.HistoryQuery{Group: in.GroupID, Around: &in.Seq, Limit: 1})
	if err != nil {
		return messageOut{}, err
	}
	if len(page.Messages) == 0 || page.Messages[0].Seq != in.Seq { // history answers with the nearest
		return messageOut{}, chat.Refuse(chat.CodeNotFound, "there is no such message in this group", "群里没有这条消息")
	}
	return messageOut{page.Messages[0]}, nil
}

type sendMessageIn struct {
	GroupID chat.GroupID `path:"groupId"`
	Key     string       `header:"Idempotency-Key" doc:"The clientId, for programs that send it so."`
	Body    struct {
		Message  string        `json:"message,omitempty" doc:"May be absent beside files."`
		ClientID string        `json:"clientId,omitempty" doc:"1 to 64 bytes: the same clientId is the same message, for ever."`
		ReplyTo  chat.Seq      `json:"replyTo,omitempty"`
		Files    []chat.FileID `json:"files,omitempty" maxItems:"9"`
		Mentions []chat.UserID `json:"mentions,omitempty" doc:"User ids, or all."`
	}
}

// sendMessage says something in a group, for who has no socket.
func (s *server) sendMessage(ctx context.Context, c *caller, in *sendMessageIn) (*chat.Sent, error) {
	clientID := in.Body.ClientID
	if clientID == "" {
		clientID = in.Key
	}
	return s.Chat.SendMessage(ctx, c.User, chat.NewMessage{
		Group: in.GroupID, Text: in.Body.Message, ClientID: clientID, ReplyTo: in.Body.ReplyTo,
		Files: in.Body.Files, Mentions: in.Body.Mentions,
	})
}
