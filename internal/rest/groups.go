package rest

import (
	"context"
	"net/http"

	"qun/internal/chat"
)

// Groups is what look-ups of groups ask of the chat.
type Groups interface {
	Group(ctx context.Context, who *chat.User, id chat.GroupID) (*chat.Group, error)
	Overview(ctx context.Context, who *chat.User) (*chat.Overview, error)
}

func (s *server) registerGroups() {
	const tag = "groups"
	answer(s, route{
		ID: "myGroups", Method: http.MethodGet, Path: "/groups", Tag: tag, Who: somebody,
		Summary: "The groups I am in, with their newest message, pinned and latest first",
	}, s.myGroups)
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
