package rest

import (
	"context"
	"net/http"

	"qun/internal/chat"
)

// Search is what is asked of the chat to find messages.
type Search interface {
	Search(ctx context.Context, who *chat.User, in chat.SearchQuery) (*chat.Found, error)
}

func (s *server) registerSearch() {
	answer(s, route{
		ID: "search", Method: http.MethodGet, Path: "/search", Tag: "messages", Who: somebody,
		Summary: "Messages that hold all the words of a text, newest first, in one group or in all of mine",
		Refuses: []chat.Code{chat.CodeNotFound, chat.CodeForbidden, chat.CodeNotInRoom, chat.CodeTooLarge},
	}, s.search)
}

type searchIn struct {
	Text    string       `query:"text" required:"true" doc:"What to look for; there are no operators."`
	GroupID chat.GroupID `query:"groupId" doc:"In this group only."`
	From    chat.UserID  `query:"from" doc:"Sent by this user only."`
	Before  string       `query:"before" doc:"The page before this one: the answer's before."`
	Limit   int          `query:"limit" minimum:"1" maximum:"50" default:"50"`
}

// search is a page of messages that hold what is looked for.
func (s *server) search(ctx context.Context, c *caller, in *searchIn) (*chat.Found, error) {
	return s.Chat.Search(ctx, c.User, chat.SearchQuery{
		Text: in.Text, Group: in.GroupID, From: in.From, Before: in.Before, Limit: in.Limit,
	})
}
