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
	ServerAudit(ctx context.Context, in chat.AuditQuery) (*chat.AuditPage, error)
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
}

func (s *server) accountOut(a *auth.Account) accountOut {
	return accountOut{s.withPresence(&a.User), a.Admin, a.Disabled}
}

type adminUsersIn struct {
	Search string      `query:"search" maxLength:"100" doc:"A part of a name."`
	Cursor chat.UserID `query:"cursor" doc:"The next of the page before."`
	Limit  int         `query:"limit" minimum:"1" maximum:"200" default:"50"`
}

type adminUsersOut struct {
	Users []accountOut `json:"users"`
	Next  chat.UserID  `json:"next,omitempty" doc:"There is more: ask again with it as cursor."`
}

func (s *server) adminUsers(ctx context.Context, _ *caller, in *adminUsersIn) (*adminUsersOut, error) {
	list, err := s.Auth.Accounts(ctx, auth.AccountQuery{Search: in.Search, After: in.Cursor, Limit: in.Limit + 1})
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
	Before  int64        `query:"before" minimum:"0" doc:"The number of the oldest entry I have."`
	Limit   int          `query:"limit" minimum:"1" maximum:"100" default:"50"`
}

func (s *server) adminAudit(ctx context.Context, _ *caller, in *adminAuditIn) (*chat.AuditPage, error) {
	return s.Chat.ServerAudit(ctx, chat.AuditQuery{Group: in.GroupID, Before: in.Before, Limit: in.Limit})
}
