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
		Summary: "Sign in with a password or a code, or become a guest with a nickname, or stay who the cookie says",
		Refuses: []chat.Code{chat.CodeNameTaken, chat.CodeNotFound},
	}, s.createSession)
	answer(s, route{
		ID: "readSession", Method: http.MethodGet, Path: "/session", Tag: tag, Who: anybody,
		Summary: "Who am I?",
	}, s.readSession)
	answer(s, route{
		ID: "handOff", Method: http.MethodPost, Path: "/session/handoff", Tag: tag, Who: somebody, Body: 1 << 10,
		Summary: "Make a code that signs me in on another device, once, within a minute",
	}, s.handOff)
	act(s, route{
		ID: "deleteSession", Method: http.MethodDelete, Path: "/session", Tag: tag, Who: anybody,
		Summary: "Sign out; who is not signed in is signed out already",
	}, s.deleteSession)
}

// sessionOut says who the credentials speak for; null is nobody.
type sessionOut struct {
	User         *chat.User        `json:"user"`
	Admin        bool              `json:"admin,omitempty"`
	Token        string            `json:"token,omitempty"`
	Registration chat.Registration `json:"registration,omitempty"`
	Address      string            `json:"address,omitempty"`
	Server       string            `json:"server,omitempty"`
}

// Schema implements huma.SchemaProvider: the library cannot say that an object may be null.
func (sessionOut) Schema(r huma.Registry) *huma.Schema {
	user := r.Schema(userType, true, "")
	return &huma.Schema{
		Type: huma.TypeObject, Required: []string{"user"},
		Properties: map[string]*huma.Schema{
			"user":         {AnyOf: []*huma.Schema{user, {Type: "null"}}},
			"admin":        {Type: huma.TypeBoolean, Description: "I may administer this server."},
			"token":        {Type: huma.TypeString, Description: "When one was asked for, instead of the cookie."},
			"address":      {Type: huma.TypeString, Description: "Where other devices find this server, if it knows."},
			"registration": {Type: huma.TypeString, Enum: []any{"open", "invite", "off"}, Description: "Who may make an account."},
			"server":       {Type: huma.TypeString, Description: "What the server is called, if it has a name."},
		},
	}
}

type createSessionIn struct {
	Body struct {
		NickName string `json:"nickName,omitempty" doc:"Be a guest of that name. Empty or absent: stay who I am."`
		Username string `json:"username,omitempty" doc:"Sign in, with the password."`
		Password string `json:"password,omitempty"`
		Handoff  string `json:"handoff,omitempty" doc:"Sign in with the code of another device."`
		Token    bool   `json:"token,omitempty" doc:"Answer with a token instead of a cookie."`
	}
}

// createSession signs in, or makes the caller a guest with a nickname: one for all tabs, because the credential is a
// cookie. Who has a valid one stays the same person; a guest may come back under another nickname.
func (s *server) createSession(ctx context.Context, c *caller, in *createSessionIn) (sessionOut, error) {
	user, token, err := s.signIn(ctx, c, in)
	if err != nil {
		return sessionOut{}, err
	}
	who, err := s.Auth.Authenticate(ctx, token)
	if err != nil {
		return sessionOut{}, err
	}
	return s.signedIn(c, user, token, in.Body.Token, who.Admin), nil
}

func (s *server) signIn(ctx context.Context, c *caller, in *createSessionIn) (*chat.User, string, error) {
	switch {
	case in.Body.Handoff != "":
		return s.Auth.TakeHandoff(ctx, in.Body.Handoff, c.Device())
	case in.Body.Username != "" || in.Body.Password != "":
		return s.Auth.SignInByPassword(ctx, auth.Login{
			Username: in.Body.Username, Password: in.Body.Password, Remote: c.request.RemoteAddr, Device: c.Device(),
		})
	}
	return s.becomeGuest(ctx, c, in.Body.NickName)
}

// signedIn answers who the caller is from now on.
func (s *server) signedIn(c *caller, user *chat.User, token string, inBody, admin bool) sessionOut {
	return sessionOut{User: user, Admin: admin, Token: s.deliver(c, token, inBody)}
}

// deliver hands a token over: in the answer, or in the cookie, where no script can read it.
func (s *server) deliver(c *caller, token string, inBody bool) string {
	if inBody {
		return token
	}
	c.SetCookie(auth.Cookie(token, c.Secure()))
	return ""
}

func (s *server) forgetCookie(c *caller) { c.SetCookie(auth.NoCookie(c.Secure())) }

// handOff makes a code for another device.
func (s *server) handOff(ctx context.Context, c *caller, _ *struct{}) (*linkOut, error) {
	code, expires, err := s.Auth.Handoff(ctx, c.Identity)
	if err != nil {
		return nil, err
	}
	return s.link(c, auth.TicketHandoff, code, expires), nil
}

// becomeGuest keeps who the request speaks for already, and else makes a new guest.
func (s *server) becomeGuest(ctx context.Context, c *caller, nickName string) (*chat.User, string, error) {
	if c.User != nil && (!c.User.Guest || nickName == "" || nickName == c.User.NickName) {
		return c.User, c.Token, nil
	}
	if c.Identity != nil {
		me, err := s.Chat.UpdateMe(ctx, c.User, chat.MyChanges{NickName: &nickName})
		if err != nil {
			return nil, "", err
		}
		renamed, token := s.Auth.Renamed(c.Identity, me.User.NickName)
		return &renamed, token, nil
	}
	guest, err := s.Chat.NewGuest(ctx, nickName, true)
	if err != nil {
		return nil, "", err
	}
	return guest, s.Auth.GuestToken(*guest), nil
}

// readSession answers who the caller is, and lets a good cookie live on; a stale one is taken back.
func (s *server) readSession(_ context.Context, c *caller, _ *struct{}) (sessionOut, error) {
	switch {
	case c.User == nil && c.given.Cookie != "":
		s.forgetCookie(c)
	case c.User != nil && c.Token == c.given.Cookie:
		c.SetCookie(auth.Cookie(c.Token, c.Secure()))
	}
	return sessionOut{User: c.User, Admin: c.Identity != nil && c.Identity.Admin, Registration: s.Chat.Registration(), Address: s.Link, Server: s.Chat.ServerName()}, nil
}

// deleteSession signs out.
func (s *server) deleteSession(ctx context.Context, c *caller, _ *struct{}) error {
	if c.User != nil {
		if err := s.Auth.SignOut(ctx, c.Token); err != nil {
			return err
		}
		s.signedOut(c.Identity)
	}
	s.forgetCookie(c)
	return nil
}

// signedOut ends the sockets that came in with a session.
func (s *server) signedOut(who *auth.Identity) {
	if s.SignedOut != nil {
		s.SignedOut(who)
	}
}

// signedOutAll ends a user's sockets but those of one session.
func (s *server) signedOutAll(id chat.UserID, keep *auth.TokenHash) {
	if s.SignedOutAll != nil {
		s.SignedOutAll(id, keep)
	}
}
