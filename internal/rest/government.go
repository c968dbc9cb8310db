package rest

import (
	"context"
	"net/http"

	"qun/internal/chat"
)

// Government is what the server's administrators ask of the chat about groups.
type Government interface {
	ServerGroups(ctx context.Context, search string, after chat.GroupID, limit int) ([]*chat.GroupListing, error)
	ServerMembers(ctx context.Context, in chat.MemberQuery) (*chat.MemberPage, error)
	LimitGroup(ctx context.Context, by *chat.User, id chat.GroupID, in chat.GroupLimits) error
	GiveOwner(ctx context.Context, by *chat.User, id chat.GroupID, u chat.UserID) (*chat.Member, error)
	DissolveGroup(ctx context.Context, by *chat.User, id chat.GroupID) error
}

func (s *server) registerGovernment() {
	const tag = "administration"
	answer(s, route{
		ID: "adminGroups", Method: http.MethodGet, Path: "/admin/groups", Tag: tag, Who: administrators,
		Summary: "The groups, the youngest first; nothing of what is said there, and no conversations of two",
	}, s.adminGroups)
	answer(s, route{
		ID: "adminMembers", Method: http.MethodGet, Path: "/admin/groups/{groupId}/members", Tag: tag, Who: administrators,
		Summary: "Who is in a group",
		Refuses: []chat.Code{chat.CodeNotFound},
	}, s.adminMembers)
	act(s, route{
		ID: "adminLimitGroup", Method: http.MethodPatch, Path: "/admin/groups/{groupId}", Tag: tag, Who: administrators,
		Summary: "Set the limits of a group; it is told",
		Refuses: []chat.Code{chat.CodeNotFound},
	}, s.adminLimitGroup)
	answer(s, route{
		ID: "adminGiveOwner", Method: http.MethodPut, Path: "/admin/groups/{groupId}/owner", Tag: tag, Who: administrators,
		Summary: "Make a member the owner of its group; who owned it is an admin then",
		Refuses: []chat.Code{chat.CodeNotFound},
	}, s.adminGiveOwner)
	act(s, route{
		ID: "adminDissolveGroup", Method: http.MethodDelete, Path: "/admin/groups/{groupId}", Tag: tag, Who: administrators,
		Summary: "Dissolve a group, for everybody in it",
		Refuses: []chat.Code{chat.CodeNotFound},
	}, s.adminDissolveGroup)
}

type adminGroupsIn struct {
	Search string       `query:"search" maxLength:"100" doc:"A part of a name or an address."`
	Cursor chat.GroupID `query:"cursor" doc:"The next of the page before."`
	Limit  int          `query:"limit" minimum:"1" maximum:"200" default:"50"`
}

type adminGroupsOut struct {
	Groups []*chat.GroupListing `json:"groups"`
	Next   chat.GroupID         `json:"next,omitempty" doc:"There is more: ask again with it as cursor."`
}

func (s *server) adminGroups(ctx context.Context, _ *caller, in *adminGroupsIn) (*adminGroupsOut, error) {
	list, err := s.Chat.ServerGroups(ctx, in.Search, in.Cursor, in.Limit+1)
	if err != nil {
		return nil, err
	}
	out := &adminGroupsOut{Groups: list[:min(in.Limit, len(list))]}
	if len(list) > in.Limit {
		out.Next = list[in.Limit-1].ID
	}
	return out, nil
}

type adminMembersIn struct {
	GroupID chat.GroupID `path:"groupId"`
	Search  string       `query:"search" maxLength:"100" doc:"How a name begins."`
	Cursor  string       `query:"cursor" doc:"The cursor of the page before."`
	Limit   int          `query:"limit" minimum:"1" maximum:"100" default:"50"`
}

func (s *server) adminMembers(ctx context.Context, _ *caller, in *adminMembersIn) (*chat.MemberPage, error) {
	return s.Chat.ServerMembers(ctx, chat.MemberQuery{Group: in.GroupID, Search: in.Search, Cursor: in.Cursor, Limit: in.Limit})
}

type adminLimitGroupIn struct {
	GroupID chat.GroupID `path:"groupId"`
	Body    chat.GroupLimits
}

func (s *server) adminLimitGroup(ctx context.Context, c *caller, in *adminLimitGroupIn) error {
	return s.Chat.LimitGroup(ctx, c.User, in.GroupID, in.Body)
}

type adminGiveOwnerIn struct {
	GroupID chat.GroupID `path:"groupId"`
	Body    struct {
		UserID chat.UserID `json:"userId"`
	}
}

func (s *server) adminGiveOwner(ctx context.Context, c *caller, in *adminGiveOwnerIn) (*memberOut, error) {
	member, err := s.Chat.GiveOwner(ctx, c.User, in.GroupID, in.Body.UserID)
	return &memberOut{member}, err
}

func (s *server) adminDissolveGroup(ctx context.Context, c *caller, in *groupIn) error {
	return s.Chat.DissolveGroup(ctx, c.User, in.GroupID)
}
