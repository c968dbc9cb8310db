package rest

import (
	"encoding/json"
	"errors"
	"io"
	"mime"
	"net/http"
	"time"

	"qun/internal/auth"
	"qun/internal/chat"
)

const (
	maxSessionBody  = 8 << 10
	sessionBodyTime = 10 * time.Second
)

// sessionAnswer says who the cookie speaks for; null is nobody.
type sessionAnswer struct {
	User *chat.User `json:"user"`
}

// createSession makes the caller a guest with a nickname: one for all tabs, because the credential is a cookie. Who has
// a valid one stays the same person; a guest may come back under another nickname.
func (s *server) createSession(w http.ResponseWriter, r *http.Request) {
	if !s.mayChange(w, r) {
		return
	}
	if wait := s.Throttle(r); wait > 0 {
		s.fail(w, r, &chat.Error{Code: chat.CodeRateLimited, Message: "too many at once from this address, try again in a moment",
			Chinese: "此地址的请求过多，请稍后再试", RetryAfter: wait})
		return
	}
	nickName, err := readNickName(w, r)
	if err != nil {
		s.fail(w, r, err)
		return
	}
	user, token, err := s.becomeGuest(r, nickName)
	if err != nil {
		s.fail(w, r, err)
		return
	}
	http.SetCookie(w, auth.Cookie(token, secure(r)))
	answer(w, http.StatusOK, sessionAnswer{user})
}

// becomeGuest keeps who the request speaks for already, and else makes a new guest.
func (s *server) becomeGuest(r *http.Request, nickName string) (*chat.User, string, error) {
	who, token, err := s.who(r)
	if err != nil {
		return nil, "", err
	}
	if who != nil && (!who.User.Guest || nickName == "" || nickName == who.User.NickName) {
		return &who.User, token, nil
	}
	guest, err := s.Chat.NewGuest(r.Context(), nickName, true)
	if err != nil {
		return nil, "", err
	}
	if who == nil {
		return guest, s.Auth.GuestToken(*guest), nil
	}
	renamed, token := s.Auth.Renamed(who, guest.NickName)
	return &renamed, token, nil
}

// readSession answers who the caller is, and lets a good cookie live on; a stale one is taken back.
func (s *server) readSession(w http.ResponseWriter, r *http.Request) {
	who, token, err := s.who(r)
	switch {
	case err != nil:
		s.fail(w, r, err)
	case who == nil:
		if s.credentials(r).Cookie != "" {
			http.SetCookie(w, auth.NoCookie(secure(r)))
		}
		answer(w, http.StatusOK, sessionAnswer{})
	default:
		if token == s.credentials(r).Cookie {
			http.SetCookie(w, auth.Cookie(token, secure(r)))
		}
		answer(w, http.StatusOK, sessionAnswer{&who.User})
	}
}

// deleteSession signs out. Who is not signed in is signed out already.
func (s *server) deleteSession(w http.ResponseWriter, r *http.Request) {
	if !s.mayChange(w, r) {
		return
	}
	who, token, err := s.who(r)
	if err == nil && who != nil {
		err = s.Auth.SignOut(r.Context(), token)
	}
	if err != nil {
		s.fail(w, r, err)
		return
	}
	if who != nil && s.SignedOut != nil {
		s.SignedOut(who)
	}
	http.SetCookie(w, auth.NoCookie(secure(r)))
	w.WriteHeader(http.StatusNoContent)
}

// who is the caller and the token that says so. A bad bearer token is a refusal, a stale cookie is nobody.
func (s *server) who(r *http.Request) (*auth.Identity, string, error) {
	given := s.credentials(r)
	if given.Bearer != "" {
		who, err := s.Auth.Authenticate(r.Context(), given.Bearer)
		if errors.Is(err, auth.ErrUnauthorized) {
			err = chat.Refuse(chat.CodeUnauthorized, auth.ErrUnauthorized.Error(), "登录已失效，请重新登录")
		}
		return who, given.Bearer, err
	}
	if given.Cookie == "" {
		return nil, "", nil
	}
	who, err := s.Auth.Authenticate(r.Context(), given.Cookie)
	if errors.Is(err, auth.ErrUnauthorized) {
		return nil, "", nil
	}
	return who, given.Cookie, err
}

func (s *server) credentials(r *http.Request) auth.Credentials {
	return auth.ReadCredentials(r.Header.Get, s.Own(r), secure(r))
}

// mayChange refuses what a page of somebody else asks: a browser would send our cookie along.
func (s *server) mayChange(w http.ResponseWriter, r *http.Request) bool {
	if s.Own(r) {
		return true
	}
	s.fail(w, r, chat.Refuse(chat.CodeForbidden, "pages of other sites may not do this", "不允许来自其他网站的请求"))
	return false
}

// readNickName insists on JSON: a form of another site cannot send that without asking first.
func readNickName(w http.ResponseWriter, r *http.Request) (string, error) {
	if kind, _, _ := mime.ParseMediaType(r.Header.Get("Content-Type")); kind != "application/json" {
		return "", chat.Refuse(chat.CodeInvalid, "Content-Type must be application/json", "Content-Type 必须是 application/json")
	}
	http.NewResponseController(w).SetReadDeadline(time.Now().Add(sessionBodyTime)) // not possible on every writer: then the server's own timeouts hold
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, maxSessionBody))
	if errors.As(err, new(*http.MaxBytesError)) {
		return "", chat.Refuse(chat.CodeTooLarge, "the request is too large", "请求过大")
	}
	var in struct {
		NickName string `json:"nickName"`
	}
	if err != nil || json.Unmarshal(body, &in) != nil {
		return "", chat.Refuse(chat.CodeInvalid, `send {"nickName": "…"}`, `请发送 {"nickName": "…"}`)
	}
	return in.NickName, nil
}

func secure(r *http.Request) bool { return r.TLS != nil }
