package rest

import (
	"context"
	"net/http"

	"qun/internal/chat"
)

// Messages is what is asked of the chat about messages.
type Messages interface {
	History(ctx context.Context, who *chat.User, in chat.HistoryQuery) (*chat.History, error)
}

func (s *server) registerMessages() {
	const tag = "messages"
	answer(s, route{
		ID: "history", Method: http.MethodGet, Path: "/groups/{groupId}/messages", Tag: tag, Who: somebody,
		Summary: "A page of a group's messages, oldest first: before or after a seq, around one, or the newest",
		Refuses: []chat.Code{chat.CodeNotFound, chat.CodeForbidden},
	}, s.history)
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
