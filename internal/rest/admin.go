package rest

import (
	"context"
	"net/http"
	"time"

	"qun/internal/auth"
	"qun/internal/chat"
)

// Audits is what the audit asks of the chat.
type Audits interface {
	ServerAudit(ctx context.Context, in chat.AuditQuery) (*chat.AuditPage, *chat.Names, error)
}

func (s *server) registerAdmin() {
	const tag = "administration"
	answer(s, route{
		ID: "adminUsers", Method: http.MethodGet, Path: "/admin/users", Tag: tag, Who: administrators,
		Summary: "Members and bots, in the order in which they came",
	}, s.adminUsers)
	answer(s, route{
		ID: "adminUpdateUser", Method: http.MethodPatch, Path: "/admin/users/{userId}", Tag: tag, Who: administrators,
		Summary: "Keep a user out or let it in again, make it an administrator or no longer one",
		Refuses: []chat.Code{chat.CodeNotFound, chat.CodeConflict},
	}, s.adminUpdateUser)
	answer(s, route{
		ID: "adminResetLink", Method: http.MethodPost, Path: "/admin/users/{userId}/reset", Tag: tag, Who: administrators,
		Summary: "Make a link with which a member sets a new password, once, within a day",
		Refuses: []chat.Code{chat.CodeNotFound},
	}, s.adminResetLink)
	answer(s, route{
		ID: "adminCreateUser", Method: http.MethodPost, Path: "/admin/users", Tag: tag, Who: administrators,
		Summary: "Make an account, and a link with which its owner sets a password, once, within a day",
		Refuses: []chat.Code{chat.CodeNameTaken},
	}, s.adminCreateUser)
	act(s, route{
		ID: "adminDeleteUser", Method: http.MethodDelete, Path: "/admin/users/{userId}", Tag: tag, Who: administrators,
		Summary: "Delete somebody's account and bots: what they said stays without their name, or is erased",
		Refuses: []chat.Code{chat.CodeNotFound, chat.CodeConflict},
	}, s.adminDeleteUser)
	act(s, route{
		ID: "adminSignOut", Method: http.MethodDelete, Path: "/admin/users/{userId}/sessions", Tag: tag, Who: administrators,
		Summary: "Sign somebody out everywhere",
		Refuses: []chat.Code{chat.CodeNotFound},
	}, s.adminSignOut)
	answer(s, route{
		ID: "adminAudit", Method: http.MethodGet, Path: "/admin/audit", Tag: tag, Who: administrators,
		Summary: "Who used a power, when, and on whom: the newest first",
	}, s.adminAudit)
	answer(s, route{
		ID: "adminInvite", Method: http.MethodPost, Path: "/admin/invites", Tag: tag, Who: administrators,
		Summary: "Make a link with which people register",
	}, s.adminInvite)
}

// accountOut is an account as administrators see it.
type accountOut struct {
	User     *chat.User `json:"user"`
	Admin    bool       `json:"admin"`
	Disabled bool       `json:"disabled"`
	Devices  int        `json:"devices" doc:"Where it is signed in; of a bot, whether it has a token. In the list alone."`
	SeenAt   chat.Time  `json:"seenAt,omitempty" doc:"When one of these was used last, to the hour. In the list alone."`
}

func (s *server) accountOut(a *auth.Account) accountOut {
	return accountOut{s.withPresence(&a.User), a.Admin, a.Disabled, a.Devices, a.SeenAt}
}

type adminUsersIn struct {
	Search string      `query:"search" maxLength:"100" doc:"A part of a name."`
	Only   string      `query:"only" enum:"admins,disabled,bots" doc:"Of these alone."`
	Cursor chat.UserID `query:"cursor" doc:"The next of the page before."`
	Limit  int         `query:"limit" minimum:"1" maximum:"200" default:"50"`
}

type adminUsersOut struct {
	Users []accountOut `json:"users"`
	Next  chat.UserID  `json:"next,omitempty" doc:"There is more: ask again with it as cursor."`
}

func (s *server) adminUsers(ctx context.Context, _ *caller, in *adminUsersIn) (*adminUsersOut, error) {
	list, err := s.Auth.Accounts(ctx, auth.AccountQuery{Search: in.Search, Only: auth.AccountKind(in.Only), After: in.Cursor, Limit: in.Limit + 1})
	if err != nil {
		return nil, err
	}
	out := &adminUsersOut{Users: []accountOut{}}
	for i, a := range list {
		if i == in.Limit {
			out.Next = list[i-1].User.ID
			break
		}
		out.Users = append(out.Users, s.accountOut(a))
	}
	return out, nil
}

type adminUserIn struct {
	UserID chat.UserID `path:"userId"`
}

type adminUpdateUserIn struct {
	UserID chat.UserID `path:"userId"`
	Body   struct {
		Disabled *bool `json:"disabled,omitempty"`
		Admin    *bool `json:"admin,omitempty"`
	}
}

// adminUpdateUser changes an account. Who is kept out loses sessions and sockets, its bots too.
func (s *server) adminUpdateUser(ctx context.Context, c *caller, in *adminUpdateUserIn) (*accountOut, error) {
	if in.Body.Admin != nil {
		if err := s.Auth.SetAdmin(ctx, c.User.ID, in.UserID, *in.Body.Admin); err != nil {
			return nil, err
		}
	}
	if in.Body.Disabled != nil {
		if err := s.disable(ctx, c.User.ID, in.UserID, *in.Body.Disabled); err != nil {
			return nil, err
		}
	}
	a, err := s.Auth.AccountOf(ctx, in.UserID)
	if err != nil {
		return nil, err
	}
	out := s.accountOut(a)
	return &out, nil
}

func (s *server) disable(ctx context.Context, by, id chat.UserID, disabled bool) error {
	if !disabled {
		return s.Auth.Enable(ctx, by, id)
	}
	if err := s.Auth.Disable(ctx, by, id); err != nil {
		return err
	}
	bots, err := s.Chat.Bots(ctx, &chat.User{ID: id})
	for _, u := range append(bots, &chat.User{ID: id}) {
		s.signedOutAll(u.ID, nil)
	}
	return err
}

type adminDeleteUserIn struct {
	UserID chat.UserID `path:"userId"`
	Erase  bool        `query:"erase" doc:"Erase what they said, too."`
}

// adminDeleteUser deletes an account and its bots, and ends all their sockets.
func (s *server) adminDeleteUser(ctx context.Context, c *caller, in *adminDeleteUserIn) error {
	bots, err := s.Chat.Bots(ctx, &chat.User{ID: in.UserID})
	if err != nil {
		return err
	}
	if err := s.Chat.RemoveUser(ctx, c.User, in.UserID, in.Erase); err != nil {
		return err
	}
	for _, u := range append(bots, &chat.User{ID: in.UserID}) {
		s.signedOutAll(u.ID, nil)
	}
	return nil
}

func (s *server) adminSignOut(ctx context.Context, c *caller, in *adminUserIn) error {
	err := s.Auth.SignOutEverywhere(ctx, c.User.ID, in.UserID)
	if err == nil {
		s.signedOutAll(in.UserID, nil)
	}
	return err
}

type adminCreateUserIn struct {
	Body struct {
		Username string `json:"username"`
		NickName string `json:"nickName,omitempty" doc:"Absent: as the username."`
	}
}

// madeOut is an account that an administrator made.
type madeOut struct {
	User *chat.User `json:"user"`
	Link *linkOut   `json:"link"`
}

// adminCreateUser makes an account without a password: nobody signs in before its owner has set one.
func (s *server) adminCreateUser(ctx context.Context, c *caller, in *adminCreateUserIn) (*madeOut, error) {
	user, err := s.Chat.AddUser(ctx, c.User, chat.NewMember{Username: in.Body.Username, NickName: in.Body.NickName})
	if err != nil {
		return nil, err
	}
	code, expires, err := s.Auth.ResetLink(ctx, c.User.ID, user.ID)
	if err != nil {
		return nil, err
	}
	return &madeOut{user, s.link(c, auth.TicketReset, code, expires)}, nil
}

// linkOut is a code, and the page that takes it.
type linkOut struct {
	URL       string    `json:"url" doc:"The code stands behind the #: no server sees it there."`
	Code      string    `json:"code"`
	ExpiresAt chat.Time `json:"expiresAt"`
}

func (s *server) adminResetLink(ctx context.Context, c *caller, in *adminUserIn) (*linkOut, error) {
	code, expires, err := s.Auth.ResetLink(ctx, c.User.ID, in.UserID)
	if err != nil {
		return nil, err
	}
	return s.link(c, auth.TicketReset, code, expires), nil
}

type adminInviteIn struct {
	Body struct {
		Uses int `json:"uses,omitempty" minimum:"1" maximum:"10000" default:"1" doc:"How many may register."`
		Days int `json:"days,omitempty" minimum:"1" maximum:"365" default:"7"`
	}
}

func (s *server) adminInvite(ctx context.Context, c *caller, in *adminInviteIn) (*linkOut, error) {
	code, expires, err := s.Auth.Invite(ctx, c.User.ID, in.Body.Uses, time.Duration(in.Body.Days)*24*time.Hour)
	if err != nil {
		return nil, err
	}
	return s.link(c, auth.TicketInvite, code, expires), nil
}

// link leads a browser to the page that takes a code.
func (s *server) link(c *caller, kind auth.TicketKind, code string, expires time.Time) *linkOut {
	base := s.Link
	switch {
	case base != "":
	case c.Secure():
		base = "https://" + c.request.Host
	default:
		base = "http://" + c.request.Host
	}
	return &linkOut{URL: base + CodePath(kind, code), Code: code, ExpiresAt: chat.TimeOf(expires)}
}

// CodePath is the page that takes a code, below a server's address.
func CodePath(kind auth.TicketKind, code string) string {
	return "/account#" + string(kind) + "=" + code
}

type adminAuditIn struct {
	GroupID chat.GroupID `query:"groupId" doc:"Of this group alone."`
	By      chat.UserID  `query:"by" doc:"What this user did."`
	Act     string       `query:"act" maxLength:"40" doc:"This act alone."`
	Target  chat.UserID  `query:"target" doc:"What was done to this user."`
	Since   time.Time    `query:"since" doc:"From this moment on."`
	Until   time.Time    `query:"until" doc:"Before this moment."`
	Before  int64        `query:"before" minimum:"0" doc:"The number of the oldest entry I have."`
	Limit   int          `query:"limit" minimum:"1" maximum:"100" default:"50"`
}

// auditOut is a page of the audit, and the names of whom it names.
type auditOut struct {
	*chat.AuditPage
	*chat.Names
}

func (s *server) adminAudit(ctx context.Context, _ *caller, in *adminAuditIn) (*auditOut, error) {
	page, named, err := s.Chat.ServerAudit(ctx, chat.AuditQuery{
		Group: in.GroupID, By: in.By, Act: in.Act, Target: in.Target, Since: moment(in.Since), Until: moment(in.Until), Before: in.Before, Limit: in.Limit,
	})
	return &auditOut{page, named}, err
}

// moment is a time as the chat has it; 0 if there is none.
func moment(t time.Time) chat.Time {
	if t.IsZero() {
		return 0
	}
	return chat.TimeOf(t)
}
