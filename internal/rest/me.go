package rest

import (
	"context"
	"encoding/json"
	"net/http"

	"qun/internal/chat"
)

func (s *server) registerMe() {
	const tag = "account"
	answer(s, route{
		ID: "getMe", Method: http.MethodGet, Path: "/me", Tag: tag, Who: somebody,
		Summary: "Who I am, with my settings",
	}, s.getMe)
	answer(s, route{
		ID: "updateMe", Method: http.MethodPatch, Path: "/me", Tag: tag, Who: somebody,
		Summary: "Change my name, my picture or my settings; my groups are told a moment later",
		Refuses: []chat.Code{chat.CodeNameTaken},
	}, s.updateMe)
	act(s, route{
		ID: "changePassword", Method: http.MethodPost, Path: "/me/password", Tag: tag, Who: persons, Body: 8 << 10, Throttled: true,
		Summary: "Change my password; all other devices are signed out",
	}, s.changePassword)
	act(s, route{
		ID: "deleteMe", Method: http.MethodPost, Path: "/me/delete", Tag: tag, Who: persons, Body: 8 << 10, Throttled: true,
		Summary: "Delete my account and my bots: what I said stays without my name, or is erased",
		Refuses: []chat.Code{chat.CodeConflict},
	}, s.deleteMe)
}

// meOut is who asks.
type meOut struct {
	User     *chat.User      `json:"user"`
	Settings json.RawMessage `json:"settings"`
	Admin    bool            `json:"admin,omitempty" doc:"I may administer this server."`
	Token    string          `json:"token,omitempty" doc:"Of a guest with a new name, when it came with a token."`
}

func (s *server) getMe(ctx context.Context, c *caller, _ *struct{}) (*meOut, error) {
	me, err := s.Chat.Me(ctx, c.User)
	if err != nil {
		return nil, err
	}
	return &meOut{User: s.withPresence(me.User), Settings: me.Settings, Admin: c.Identity.Admin}, nil
}

type updateMeIn struct {
	Body struct {
		NickName *string         `json:"nickName,omitempty"`
		Avatar   *chat.FileID    `json:"avatar,omitempty" doc:"The fileId of a picture that I uploaded, or empty for none."`
		Settings json.RawMessage `json:"settings,omitempty" doc:"An object of at most 16 KB, kept as it is."`
	}
}

// updateMe changes who asks. A guest bears its name in its token: it gets a new one.
func (s *server) updateMe(ctx context.Context, c *caller, in *updateMeIn) (*meOut, error) {
	me, err := s.Chat.UpdateMe(ctx, c.User, chat.MyChanges(in.Body))
	if err != nil {
		return nil, err
	}
	out := &meOut{User: s.withPresence(me.User), Settings: me.Settings, Admin: c.Identity.Admin}
	if me.User.Guest && me.User.NickName != c.User.NickName {
		_, token := s.Auth.Renamed(c.Identity, me.User.NickName)
		out.Token = s.deliver(c, token, c.given.Bearer != "")
	}
	return out, nil
}

type changePasswordIn struct {
	Body struct {
		Current  string `json:"current" doc:"My password so far."`
		Password string `json:"password" doc:"The new one."`
	}
}

func (s *server) changePassword(ctx context.Context, c *caller, in *changePasswordIn) error {
	err := s.Auth.ChangePassword(ctx, c.Identity, in.Body.Current, in.Body.Password, c.request.RemoteAddr)
	if err == nil {
		s.signedOutAll(c.User.ID, c.Identity.Session)
	}
	return err
}

type deleteMeIn struct {
	Body struct {
		Password string `json:"password"`
		Erase    bool   `json:"erase,omitempty" doc:"Erase what I said, too."`
	}
}

func (s *server) deleteMe(ctx context.Context, c *caller, in *deleteMeIn) error {
	if err := s.Auth.Confirm(ctx, c.Identity, in.Body.Password, c.request.RemoteAddr); err != nil {
		return err
	}
	bots, err := s.Chat.Bots(ctx, c.User)
	if err != nil {
		return err
	}
	if err := s.Chat.DeleteUser(ctx, c.User.ID, in.Body.Erase); err != nil {
		return err
	}
	for _, u := range append(bots, c.User) {
		s.signedOutAll(u.ID, nil)
	}
	if c.given.Bearer == "" {
		s.forgetCookie(c)
	}
	return nil
}
