package rest

import (
	"context"
	"net/http"

	"qun/internal/chat"
)

// Members is what is asked of the chat about who is in a group.
type Members interface {
	Members(ctx context.Context, who *chat.User, in chat.MemberQuery) (*chat.MemberPage, error)
}

func (s *server) registerMembers() {
	answer(s, route{
		ID: "members", Method: http.MethodGet, Path: "/groups/{groupId}/members", Tag: "groups", Who: somebody,
		Summary: "Who is in a group: owner, admins, then all others, by name",
		Refuses: []chat.Code{chat.CodeNotFound, chat.CodeForbidden, chat.CodeNotInRoom},
	}, s.members)
}

type membersIn struct {
	GroupID chat.GroupID `path:"groupId"`
	Search  string       `query:"search" doc:"Whose name in the group, nickname or username begins with it."`
	Cursor  string       `query:"cursor" doc:"The next page: the answer's cursor."`
	Limit   int          `query:"limit" minimum:"1" maximum:"100" default:"100"`
}

// members is a page of who is in a group.
func (s *server) members(ctx context.Context, c *caller, in *membersIn) (*chat.MemberPage, error) {
	return s.Chat.Members(ctx, c.User, chat.MemberQuery{Group: in.GroupID, Search: in.Search, Cursor: in.Cursor, Limit: in.Limit})
}
