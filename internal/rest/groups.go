package rest

import (
	"context"
	"net/http"

	"qun/internal/chat"
)

// Groups is what look-ups of groups ask of the chat.
type Groups interface {
	Group(ctx context.Context, who *chat.User, id chat.GroupID) (*chat.Group, error)
	Groups(ctx context.Context, who *chat.User, in chat.GroupQuery) (*chat.GroupPage, error)
	Overview(ctx context.Context, who *chat.User) (*chat.Overview, error)
}

func (s *server) registerGroups() {
	const tag = "groups"
	answer(s, route{
		ID: "myGroups", Method: http.MethodGet, Path: "/groups", Tag: tag, Who: somebody,
		Summary: "The groups I am in, with their newest message, pinned and latest first",
	}, s.myGroups)
	answer(s, route{
		ID: "groups", Method: http.MethodGet, Path: "/groups/public", Tag: tag, Who: somebody,
		Summary: "The groups that may be found, by name: guests find the open ones, members the public ones, too",
		Refuses: []chat.Code{chat.CodeForbidden},
	}, s.groups)
	answer(s, route{
		ID: "getGroup", Method: http.MethodGet, Path: "/groups/{groupId}", Tag: tag, Who: somebody,
		Summary: "Look a group up",
		Refuses: []chat.Code{chat.CodeNotFound, chat.CodeForbidden, chat.CodeNotInRoom},
	}, s.getGroup)
}

// myGroups is my conversation list.
func (s *server) myGroups(ctx context.Context, c *caller, _ *struct{}) (*chat.Overview, error) {
	return s.Chat.Overview(ctx, c.User)
}

type groupsIn struct {
	Search string `query:"search" doc:"In the name or the address."`
	Cursor string `query:"cursor" doc:"The next page: the answer's cursor."`
}

// groups are those that who asks may find.
func (s *server) groups(ctx context.Context, c *caller, in *groupsIn) (*chat.GroupPage, error) {
	return s.Chat.Groups(ctx, c.User, chat.GroupQuery{Search: in.Search, Cursor: in.Cursor})
}

type groupIn struct {
	GroupID chat.GroupID `path:"groupId"`
}

type groupOut struct {
	Group *chat.Group `json:"group"`
}

// getGroup looks a group up by its id.
func (s *server) getGroup(ctx context.Context, c *caller, in *groupIn) (groupOut, error) {
	group, err := s.Chat.Group(ctx, c.User, in.GroupID)
	return groupOut{group}, err
}
