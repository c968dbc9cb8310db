package rest

import (
	"context"
	"net/http"

	"github.com/danielgtaylor/huma/v2"

	"qun/internal/auth"
	"qun/internal/chat"
)

// Guests is what sessions ask of the chat.
type Guests interface {
	NewGuest(ctx context.Context, nickName string, strict bool) (*chat.User, error)
}

func (s *server) registerSession() {
	const tag = "session"
	answer(s, route{
		ID: "createSession", Method: http.MethodPost, Path: "/session", Tag: tag, Who: anybody, Body: 8 << 10, Throttled: true,
		Summary: "Become a guest with a nickname, or stay who the cookie says",
		Refuses: []chat.Code{chat.CodeNameTaken},
	}, s.createSession)
	answer(s, route{
		ID: "readSession", Method: http.MethodGet, Path: "/session", Tag: tag, Who: anybody,
		Summary: "Who am I?",
	}, s.readSession)
	act(s, route{
		ID: "deleteSession", Method: http.MethodDelete, Path: "/session", Tag: tag, Who: anybody,
		Summary: "Sign out; who is not signed in is signed out already",
	}, s.deleteSession)
}

// sessionOut says who the credentials speak for; null is nobody.
type sessionOut struct {
	User *chat.User `json:"user"`
}

// Schema implements huma.SchemaProvider: the library cannot say that an object may be null.
func (sessionOut) Schema(r huma.Registry) *huma.Schema {
	user := r.Schema(userType, true, "")
	return &huma.Schema{
		Type: huma.TypeObject, Required: []string{"user"},
		Properties: map[string]*huma.Schema{"user": {AnyOf: []*huma.Schema{user, {Type: "null"}}}},
	}
}

type createSessionIn struct {
	Body struct {
		NickName string `json:"nickName,omitempty" doc:"Empty or absent: stay who I am."`
	}
}

// createSession makes the caller a guest with a nickname: one for all tabs, because the credential is a cookie. Who has
// a valid one stays the same person; a guest may come back under another nickname.
func (s *server) createSession(ctx context.Context, c *caller, in *createSessionIn) (sessionOut, error) {
	user, token, err := s.becomeGuest(ctx, c, in.Body.NickName)
	if err != nil {
		return sessionOut{}, err
	}
	c.SetCookie(auth.Cookie(token, c.Secure()))
	return sessionOut{user}, nil
}

// becomeGuest keeps who the request speaks for already, and else makes a new guest.
func (s *server) becomeGuest(ctx context.Context, c *caller, nickName string) (*chat.User, string, error) {
	if c.User != nil && (!c.User.Guest || nickName == "" || nickName == c.User.NickName) {
		return c.User, c.Token, nil
	}
	guest, err := s.Chat.NewGuest(ctx, nickName, true)
	if err != nil {
		return nil, "", err
	}
	if c.Identity == nil {
		return guest, s.Auth.GuestToken(*guest), nil
	}
	renamed, token := s.Auth.Renamed(c.Identity, guest.NickName)
	return &renamed, token, nil
}

// readSession answers who the caller is, and lets a good cookie live on; a stale one is taken back.
func (s *server) readSession(_ context.Context, c *caller, _ *struct{}) (sessionOut, error) {
	switch {
	case c.User == nil && c.given.Cookie != "":
		c.SetCookie(auth.NoCookie(c.Secure()))
	case c.User != nil && c.Token == c.given.Cookie:
		c.SetCookie(auth.Cookie(c.Token, c.Secure()))
	}
	return sessionOut{c.User}, nil
}

// deleteSession signs out.
func (s *server) deleteSession(ctx context.Context, c *caller, _ *struct{}) error {
	if c.User != nil {
		if err := s.Auth.SignOut(ctx, c.Token); err != nil {
			return err
		}
		if s.SignedOut != nil {
			s.SignedOut(c.Identity)
		}
	}
	c.SetCookie(auth.NoCookie(c.Secure()))
	return nil
}
