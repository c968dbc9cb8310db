package rest

import (
	"context"
	"net/http"

	"qun/internal/auth"
	"qun/internal/chat"
)

// Accounts is what registering, and everybody's own account, ask of the chat.
type Accounts interface {
	Register(ctx context.Context, guest *chat.User, in chat.NewMember) (*chat.User, error)
	Me(ctx context.Context, who *chat.User) (*chat.Me, error)
	UpdateMe(ctx context.Context, who *chat.User, in chat.MyChanges) (*chat.Me, error)
	DeleteUser(ctx context.Context, id chat.UserID, erase bool) error
	RemoveUser(ctx context.Context, by *chat.User, id chat.UserID, erase bool) error
	AddUser(ctx context.Context, by *chat.User, in chat.NewMember) (*chat.User, error)
	Invitation(ctx context.Context, from, token string) (*chat.Invitation, error)
}

func (s *server) registerRegistration() {
	const tag = "account"
	answer(s, route{
		ID: "register", Method: http.MethodPost, Path: "/users", Tag: tag, Who: anybody, Body: 8 << 10, Throttled: true,
		Summary: "Make an account; a guest keeps its id, its messages and its groups",
		Refuses: []chat.Code{chat.CodeNameTaken, chat.CodeConflict, chat.CodeNotFound},
	}, s.registerMember)
	answer(s, route{
		ID: "setUp", Method: http.MethodPost, Path: "/setup", Tag: tag, Who: anybody, Body: 8 << 10, Throttled: true,
		Summary: "Make the first administrator, with the code that the server printed at its start",
		Refuses: []chat.Code{chat.CodeNameTaken, chat.CodeConflict, chat.CodeNotFound},
	}, s.setUp)
	act(s, route{
		ID: "resetPassword", Method: http.MethodPost, Path: "/password", Tag: tag, Who: anybody, Body: 8 << 10, Throttled: true,
		Summary: "Set a new password with the code of an administrator; all devices are signed out",
		Refuses: []chat.Code{chat.CodeNotFound},
	}, s.resetPassword)
}

// newAccount is what an account is made of.
type newAccount struct {
	Username string `json:"username,omitempty" doc:"Absent: as the nickname."`
	NickName string `json:"nickName,omitempty" doc:"Absent: a guest keeps its own; else as the username."`
	Password string `json:"password" doc:"At least 8 characters, at most 200 bytes, and not the name."`
	Token    bool   `json:"token,omitempty" doc:"Answer with a token instead of a cookie."`
}

type registerIn struct {
	Body struct {
		newAccount
		Invite string `json:"invite,omitempty" doc:"The code, where an account needs one: an administrator's, or the token of an invite to a group."`
	}
}

// registerMember makes an account of nobody or of the guest that asks.
func (s *server) registerMember(ctx context.Context, c *caller, in *registerIn) (sessionOut, error) {
	registration := s.Chat.Registration()
	switch {
	case registration == chat.RegistrationInvite && in.Body.Invite == "":
		return sessionOut{}, refuseWithoutInvite()
	case registration == chat.RegistrationInvite && s.invitedToGroup(ctx, c, in.Body.Invite):
		return s.makeMember(ctx, c, in.Body.newAccount, false)
	case registration == chat.RegistrationInvite:
		return s.withCode(ctx, auth.TicketInvite, in.Body.Invite, func() (sessionOut, error) {
			return s.makeMember(ctx, c, in.Body.newAccount, false)
		})
	case registration != chat.RegistrationOpen:
		return sessionOut{}, refuseRegistration()
	}
	return s.makeMember(ctx, c, in.Body.newAccount, false)
}

// invitedToGroup reports whether a code is an invite to a group that holds. It is used when the group is joined.
func (s *server) invitedToGroup(ctx context.Context, c *caller, code string) bool {
	_, err := s.Chat.Invitation(ctx, auth.Household(c.request.RemoteAddr).String(), code)
	return err == nil
}

type setUpIn struct {
	Body struct {
		newAccount
		Code string `json:"code"`
	}
}

// setUp makes the first administrator.
func (s *server) setUp(ctx context.Context, c *caller, in *setUpIn) (sessionOut, error) {
	return s.withCode(ctx, auth.TicketSetup, in.Body.Code, func() (sessionOut, error) {
		there, err := s.Auth.HasAdmin(ctx)
		if err == nil && there {
			err = chat.Refuse(chat.CodeConflict, "There is an administrator already. Sign in.", "已有管理员，请登录。")
		}
		if err != nil {
			return sessionOut{}, err
		}
		return s.makeMember(ctx, c, in.Body.newAccount, true)
	})
}

// withCode uses a code for what make does, and gives it back when that comes to nothing.
func (s *server) withCode(ctx context.Context, kind auth.TicketKind, code string, make func() (sessionOut, error)) (sessionOut, error) {
	giveBack, err := s.Auth.Redeem(ctx, kind, code)
	if err != nil {
		return sessionOut{}, err
	}
	out, err := make()
	if err != nil {
		if back := giveBack(context.WithoutCancel(ctx)); back != nil {
			s.Logger.Error("give a code back", "kind", kind, "error", back)
		}
	}
	return out, err
}

// makeMember makes an account and signs it in. A guest's sockets end: they come back as the member's.
func (s *server) makeMember(ctx context.Context, c *caller, in newAccount, admin bool) (sessionOut, error) {
	if err := s.Auth.ThrottleRegistering(c.request.RemoteAddr); err != nil {
		return sessionOut{}, err
	}
	names := []string{in.Username, in.NickName}
	if c.User != nil {
		names = append(names, c.User.NickName)
	}
	hash, err := s.Auth.HashPassword(ctx, in.Password, names...)
	if err != nil {
		return sessionOut{}, err
	}
	user, err := s.Chat.Register(ctx, c.User, chat.NewMember{Username: in.Username, NickName: in.NickName, Password: hash, Admin: admin})
	if err != nil {
		return sessionOut{}, err
	}
	token, err := s.Auth.SignIn(ctx, user.ID, c.Device())
	if err != nil {
		return sessionOut{}, err
	}
	if c.Identity != nil {
		s.signedOut(c.Identity)
	}
	return s.signedIn(c, user, token, in.Token, admin), nil
}

type resetPasswordIn struct {
	Body struct {
		Code     string `json:"code"`
		Password string `json:"password"`
	}
}

// resetPassword sets a password without the old one. It signs nobody in: who asks shows that the new one is known.
func (s *server) resetPassword(ctx context.Context, _ *caller, in *resetPasswordIn) error {
	id, err := s.Auth.Reset(ctx, in.Body.Code, in.Body.Password)
	if err == nil {
		s.signedOutAll(id, nil)
	}
	return err
}

func refuseRegistration() *chat.Error {
	return chat.Refuse(chat.CodeForbidden, "Accounts are made by an administrator here. Ask one.", "本站账号由管理员创建，请联系管理员。")
}

func refuseWithoutInvite() *chat.Error {
	return chat.Refuse(chat.CodeForbidden, "An account needs an invitation here. Ask an administrator for a link.", "本站注册需要邀请，请向管理员索取链接。")
}
