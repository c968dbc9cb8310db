package rest

import (
	"context"
	"net/http"

	"qun/internal/chat"
)

// GroupActs is what is asked of the chat by who makes and runs groups.
type GroupActs interface {
	CreateGroup(ctx context.Context, by *chat.User, in chat.NewGroup) (*chat.Made, error)
	UpdateGroup(ctx context.Context, who *chat.User, in chat.GroupUpdate) (*chat.Group, error)
	Dissolve(ctx context.Context, who *chat.User, id chat.GroupID) error
	Leave(ctx context.Context, who *chat.User, id chat.GroupID) error
	AddMembers(ctx context.Context, by *chat.User, id chat.GroupID, users []chat.UserID) ([]chat.UserID, error)
	SetRole(ctx context.Context, who *chat.User, in chat.NewRole) (*chat.Member, error)
	Mute(ctx context.Context, who *chat.User, in chat.Mute) (*chat.Muted, error)
	Kick(ctx context.Context, who *chat.User, in chat.Removal) (*chat.Member, error)
	Ban(ctx context.Context, who *chat.User, in chat.Removal) (*chat.Member, error)
	Unban(ctx context.Context, who *chat.User, g chat.GroupID, u chat.UserID) (*chat.Member, error)
	Bans(ctx context.Context, who *chat.User, g chat.GroupID, before chat.Seq) (*chat.BanPage, error)
	Invite(ctx context.Context, who *chat.User, in chat.NewInvite) (*chat.Invite, error)
	Invites(ctx context.Context, who *chat.User, g chat.GroupID) ([]*chat.Invite, error)
	RevokeInvite(ctx context.Context, who *chat.User, g chat.GroupID, id chat.InviteID) error
	JoinRequests(ctx context.Context, who *chat.User, g chat.GroupID, cursor string) (*chat.JoinRequestPage, error)
	Approve(ctx context.Context, who *chat.User, g chat.GroupID, u chat.UserID, on bool) error
}

// refusesOfActs are what an act in a group may be refused with.
var refusesOfActs = []chat.Code{chat.CodeNotFound, chat.CodeForbidden, chat.CodeNotInRoom, chat.CodeConflict}

func (s *server) registerGroupActs() {
	const tag = "groups"
	refusesOfNames := append([]chat.Code{chat.CodeNameTaken}, refusesOfActs...)
	answer(s, route{
		ID: "createGroup", Method: http.MethodPost, Path: "/groups", Tag: tag, Who: somebody,
		Summary: "Make a group that I own", Refuses: []chat.Code{chat.CodeForbidden, chat.CodeNotFound, chat.CodeConflict, chat.CodeNameTaken},
	}, s.createGroup)
	answer(s, route{
		ID: "updateGroup", Method: http.MethodPatch, Path: "/groups/{groupId}", Tag: tag, Who: somebody,
		Summary: "Change what a group says of itself and how it works", Refuses: refusesOfNames,
	}, s.updateGroup)
	act(s, route{
		ID: "dissolveGroup", Method: http.MethodDelete, Path: "/groups/{groupId}", Tag: tag, Who: somebody,
		Summary: "End a group for everybody", Refuses: refusesOfActs,
	}, s.dissolveGroup)
	act(s, route{
		ID: "leaveGroup", Method: http.MethodPost, Path: "/groups/{groupId}/leave", Tag: tag, Who: somebody,
		Summary: "Leave a group", Refuses: refusesOfActs,
	}, s.leaveGroup)
	answer(s, route{
		ID: "muteAll", Method: http.MethodPut, Path: "/groups/{groupId}/mute", Tag: tag, Who: somebody,
		Summary: "Let nobody speak but owner and admins", Refuses: refusesOfActs,
	}, s.muteAll(true))
	answer(s, route{
		ID: "unmuteAll", Method: http.MethodDelete, Path: "/groups/{groupId}/mute", Tag: tag, Who: somebody,
		Summary: "Let everybody speak again", Refuses: refusesOfActs,
	}, s.muteAll(false))
	s.registerMemberActs(tag)
	s.registerInvites(tag)
}

func (s *server) registerMemberActs(tag string) {
	const one = "/groups/{groupId}/members/{userId}"
	answer(s, route{
		ID: "addMembers", Method: http.MethodPost, Path: "/groups/{groupId}/members", Tag: tag, Who: somebody,
		Summary: "Make others members, at once; who cannot be added is left out", Refuses: refusesOfActs,
	}, s.addMembers)
	answer(s, route{
		ID: "kick", Method: http.MethodDelete, Path: one, Tag: tag, Who: somebody,
		Summary: "Put a member out, who may come back as anybody may come in", Refuses: refusesOfActs,
	}, s.kick)
	answer(s, route{
		ID: "setRole", Method: http.MethodPut, Path: one + "/role", Tag: tag, Who: somebody,
		Summary: "Make an admin, or none, or hand the group over", Refuses: refusesOfActs,
	}, s.setRole)
	answer(s, route{
		ID: "mute", Method: http.MethodPut, Path: one + "/mute", Tag: tag, Who: somebody,
		Summary: "Silence a member until a time, or for good", Refuses: refusesOfActs,
	}, s.mute)
	answer(s, route{
		ID: "unmute", Method: http.MethodDelete, Path: one + "/mute", Tag: tag, Who: somebody,
		Summary: "Let a member speak again", Refuses: refusesOfActs,
	}, s.unmute)
	answer(s, route{
		ID: "bans", Method: http.MethodGet, Path: "/groups/{groupId}/bans", Tag: tag, Who: somebody,
		Summary: "Who is kept out, last first", Refuses: refusesOfActs,
	}, s.bans)
	answer(s, route{
		ID: "ban", Method: http.MethodPut, Path: "/groups/{groupId}/bans/{userId}", Tag: tag, Who: somebody,
		Summary: "Put somebody out and keep it out, in or not", Refuses: refusesOfActs,
	}, s.ban)
	answer(s, route{
		ID: "unban", Method: http.MethodDelete, Path: "/groups/{groupId}/bans/{userId}", Tag: tag, Who: somebody,
		Summary: "Let somebody come in again", Refuses: refusesOfActs,
	}, s.unban)
}

func (s *server) registerInvites(tag string) {
	answer(s, route{
		ID: "invite", Method: http.MethodPost, Path: "/groups/{groupId}/invites", Tag: tag, Who: somebody,
		Summary: "Make an invite", Refuses: refusesOfActs,
	}, s.invite)
	answer(s, route{
		ID: "invites", Method: http.MethodGet, Path: "/groups/{groupId}/invites", Tag: tag, Who: somebody,
		Summary: "The invites that hold: mine, and to owner and admins all", Refuses: refusesOfActs,
	}, s.invites)
	act(s, route{
		ID: "revokeInvite", Method: http.MethodDelete, Path: "/groups/{groupId}/invites/{inviteId}", Tag: tag, Who: somebody,
		Summary: "Withdraw an invite", Refuses: refusesOfActs,
	}, s.revokeInvite)
	answer(s, route{
		ID: "joinRequests", Method: http.MethodGet, Path: "/groups/{groupId}/requests", Tag: tag, Who: somebody,
		Summary: "Who waits to be let in, first come first", Refuses: refusesOfActs,
	}, s.joinRequests)
	act(s, route{
		ID: "approve", Method: http.MethodPut, Path: "/groups/{groupId}/requests/{userId}", Tag: tag, Who: somebody,
		Summary: "Let in who waits, or say no", Refuses: refusesOfActs,
	}, s.approve)
}

type createGroupIn struct {
	Key  string `header:"Idempotency-Key" doc:"The clientId, for programs that send it so."`
	Body chat.NewGroup
}

func (s *server) createGroup(ctx context.Context, c *caller, in *createGroupIn) (*chat.Made, error) {
	if in.Body.ClientID == "" {
		in.Body.ClientID = in.Key
	}
	return s.Chat.CreateGroup(ctx, c.User, in.Body)
}

type updateGroupIn struct {
	GroupID chat.GroupID `path:"groupId"`
	Body    struct {
		Name         *string          `json:"name,omitempty"`
		Topic        *string          `json:"topic,omitempty"`
		Avatar       *chat.FileID     `json:"avatar,omitempty" doc:"The fileId of a picture that I uploaded, or empty for none."`
		Announcement *string          `json:"announcement,omitempty"`
		SlowMode     *int             `json:"slowMode,omitempty" doc:"Seconds; 0 for off."`
		Joining      *chat.Joining    `json:"joining,omitempty"`
		Visibility   *chat.Visibility `json:"visibility,omitempty"`
		Room         *string          `json:"room,omitempty" doc:"The address, of a group that gets one; without it, its name."`
		History      *chat.Extent     `json:"history,omitempty"`
		Retention    *int             `json:"retention,omitempty" doc:"Days that messages are kept; 0: as the server says."`
	}
}

func (s *server) updateGroup(ctx context.Context, c *caller, in *updateGroupIn) (groupOut, error) {
	b := &in.Body
	group, err := s.Chat.UpdateGroup(ctx, c.User, chat.GroupUpdate{
		Group: in.GroupID, Name: b.Name, Topic: b.Topic, Avatar: b.Avatar, Announcement: b.Announcement, SlowMode: b.SlowMode,
		Joining: b.Joining, Visibility: b.Visibility, Room: b.Room, History: b.History, Retention: b.Retention,
	})
	return groupOut{group}, err
}

func (s *server) dissolveGroup(ctx context.Context, c *caller, in *groupIn) error {
	return s.Chat.Dissolve(ctx, c.User, in.GroupID)
}

func (s *server) leaveGroup(ctx context.Context, c *caller, in *groupIn) error {
	return s.Chat.Leave(ctx, c.User, in.GroupID)
}

func (s *server) muteAll(on bool) func(context.Context, *caller, *groupIn) (groupOut, error) {
	return func(ctx context.Context, c *caller, in *groupIn) (groupOut, error) {
		muted, err := s.Chat.Mute(ctx, c.User, chat.Mute{Group: in.GroupID, On: &on})
		if err != nil {
			return groupOut{}, err
		}
		return groupOut{muted.Group}, nil
	}
}

type addMembersIn struct {
	GroupID chat.GroupID `path:"groupId"`
	Body    struct {
		UserIDs []chat.UserID `json:"userIds" maxItems:"100"`
	}
}

type addMembersOut struct {
	Added []chat.UserID `json:"added"`
}

func (s *server) addMembers(ctx context.Context, c *caller, in *addMembersIn) (addMembersOut, error) {
	added, err := s.Chat.AddMembers(ctx, c.User, in.GroupID, in.Body.UserIDs)
	return addMembersOut{added}, err
}

type memberIn struct {
	GroupID chat.GroupID `path:"groupId"`
	UserID  chat.UserID  `path:"userId"`
}

func (s *server) kick(ctx context.Context, c *caller, in *memberIn) (memberOut, error) {
	member, err := s.Chat.Kick(ctx, c.User, s.found(chat.Removal{Group: in.GroupID, User: in.UserID}))
	return memberOut{member}, err
}

// found adds to a removal what sockets tell.
func (s *server) found(in chat.Removal) chat.Removal {
	if s.Found == nil {
		return in
	}
	return s.Found(in)
}

type setRoleIn struct {
	GroupID chat.GroupID `path:"groupId"`
	UserID  chat.UserID  `path:"userId"`
	Body    struct {
		Role chat.Role `json:"role"`
	}
}

func (s *server) setRole(ctx context.Context, c *caller, in *setRoleIn) (memberOut, error) {
	member, err := s.Chat.SetRole(ctx, c.User, chat.NewRole{Group: in.GroupID, User: in.UserID, Role: in.Body.Role})
	return memberOut{member}, err
}

type untilIn struct {
	GroupID chat.GroupID `path:"groupId"`
	UserID  chat.UserID  `path:"userId"`
	Body    struct {
		Until chat.Time `json:"until,omitempty" doc:"Absent: for good."`
	}
}

func (s *server) mute(ctx context.Context, c *caller, in *untilIn) (memberOut, error) {
	return s.muteOne(ctx, c, chat.Mute{Group: in.GroupID, User: in.UserID, Until: in.Body.Until})
}

func (s *server) unmute(ctx context.Context, c *caller, in *memberIn) (memberOut, error) {
	off := false
	return s.muteOne(ctx, c, chat.Mute{Group: in.GroupID, User: in.UserID, On: &off})
}

func (s *server) muteOne(ctx context.Context, c *caller, in chat.Mute) (memberOut, error) {
	muted, err := s.Chat.Mute(ctx, c.User, in)
	if err != nil {
		return memberOut{}, err
	}
	return memberOut{muted.Member}, nil
}

type bansIn struct {
	GroupID chat.GroupID `path:"groupId"`
	Before  chat.Seq     `query:"before" minimum:"1" doc:"The next page: the rev of the last one."`
}

func (s *server) bans(ctx context.Context, c *caller, in *bansIn) (*chat.BanPage, error) {
	return s.Chat.Bans(ctx, c.User, in.GroupID, in.Before)
}

func (s *server) ban(ctx context.Context, c *caller, in *untilIn) (memberOut, error) {
	member, err := s.Chat.Ban(ctx, c.User, s.found(chat.Removal{Group: in.GroupID, User: in.UserID, Until: in.Body.Until}))
	return memberOut{member}, err
}

func (s *server) unban(ctx context.Context, c *caller, in *memberIn) (memberOut, error) {
	member, err := s.Chat.Unban(ctx, c.User, in.GroupID, in.UserID)
	return memberOut{member}, err
}

type inviteIn struct {
	GroupID chat.GroupID `path:"groupId"`
	Body    struct {
		ExpiresAt chat.Time `json:"expiresAt,omitempty" doc:"Absent: never."`
		MaxUses   int       `json:"maxUses,omitempty" doc:"Absent: no bound."`
	}
}

type inviteOut struct {
	Invite *chat.Invite `json:"invite"`
}

func (s *server) invite(ctx context.Context, c *caller, in *inviteIn) (inviteOut, error) {
	invite, err := s.Chat.Invite(ctx, c.User, chat.NewInvite{Group: in.GroupID, ExpiresAt: in.Body.ExpiresAt, MaxUses: in.Body.MaxUses})
	return inviteOut{invite}, err
}

type invitesOut struct {
	Invites []*chat.Invite `json:"invites"`
}

func (s *server) invites(ctx context.Context, c *caller, in *groupIn) (invitesOut, error) {
	invites, err := s.Chat.Invites(ctx, c.User, in.GroupID)
	return invitesOut{invites}, err
}

type revokeInviteIn struct {
	GroupID  chat.GroupID  `path:"groupId"`
	InviteID chat.InviteID `path:"inviteId"`
}

func (s *server) revokeInvite(ctx context.Context, c *caller, in *revokeInviteIn) error {
	return s.Chat.RevokeInvite(ctx, c.User, in.GroupID, in.InviteID)
}

type joinRequestsIn struct {
	GroupID chat.GroupID `path:"groupId"`
	Cursor  string       `query:"cursor" doc:"The next page: the answer's cursor."`
}

func (s *server) joinRequests(ctx context.Context, c *caller, in *joinRequestsIn) (*chat.JoinRequestPage, error) {
	return s.Chat.JoinRequests(ctx, c.User, in.GroupID, in.Cursor)
}

type approveIn struct {
	GroupID chat.GroupID `path:"groupId"`
	UserID  chat.UserID  `path:"userId"`
	Body    struct {
		On *bool `json:"on,omitempty" doc:"false says no."`
	}
}

func (s *server) approve(ctx context.Context, c *caller, in *approveIn) error {
	return s.Chat.Approve(ctx, c.User, in.GroupID, in.UserID, in.Body.On == nil || *in.Body.On)
}
