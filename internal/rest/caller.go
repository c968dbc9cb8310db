package rest

import (
	"errors"
	"mime"
	"net/http"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"qun/internal/auth"
	"qun/internal/chat"
)

// caller is who asks, and with what.
type caller struct {
	User     *chat.User     // nil: nobody
	Identity *auth.Identity // nil: nobody
	Token    string         // by which the user is known

	given   auth.Credentials
	request *http.Request
	header  http.Header // of the answer
}

// Secure says whether the request came over TLS, ended here or by a proxy of ours.
func (c *caller) Secure() bool { return secure(c.request) }

// Device is what the caller's program says it is.
func (c *caller) Device() string { return c.request.UserAgent() }

// SetCookie adds a cookie to the answer.
func (c *caller) SetCookie(cookie *http.Cookie) { c.header.Add("Set-Cookie", cookie.String()) }

func secure(r *http.Request) bool { return r.TLS != nil }

// admit is what every operation asks before it does anything: who is it, may a page of that origin ask this, does the
// route serve such people, and do they ask too often? It fills in the caller.
func (s *server) admit(route *route, w http.ResponseWriter, c *caller) error {
	w.Header().Set("Cache-Control", "no-store")
	setDeadlines(w, c.request)
	if err := s.identify(c); err != nil {
		return err
	}
	if changes(route.Method) && c.given.Bearer == "" && !s.Own(c.request) {
		return chat.Refuse(chat.CodeForbidden, "pages of other sites may not do this", "不允许来自其他网站的请求")
	}
	if err := route.admits(c); err != nil {
		return err
	}
	if wait := s.wait(route, c); wait > 0 {
		return refuseTooOften(wait)
	}
	return nil
}

// serve answers for files: for anybody who may see them, and more often than operations, since a page shows many at once.
func (s *server) serve(mux *http.ServeMux, pattern string, handle func(http.ResponseWriter, *http.Request, *caller) error) {
	mux.HandleFunc(pattern, func(w http.ResponseWriter, r *http.Request) {
		c := &caller{request: r, header: w.Header()}
		err := s.identify(c)
		if err == nil {
			err = c.Identity.May(auth.ScopeRead)
		}
		if err == nil {
			if wait := s.fetches.Take(c.key()); wait > 0 {
				err = refuseTooOften(wait)
			}
		}
		if err == nil {
			err = handle(w, r, c)
		}
		if err != nil {
			s.fail(w, r, err)
		}
	})
}

// setDeadlines bounds how long a request's body may take, and its answer. Not every writer can: then the server's own
// timeouts hold. Without a body none is set for reading: it would end the request.
func setDeadlines(w http.ResponseWriter, r *http.Request) {
	now := time.Now()
	deadlines := http.NewResponseController(w)
	if r.ContentLength != 0 {
		_ = deadlines.SetReadDeadline(now.Add(bodyTime))
	}
	_ = deadlines.SetWriteDeadline(now.Add(bodyTime + answerTime))
}

func changes(method string) bool { return method != http.MethodGet && method != http.MethodHead }

// identify finds out who the caller is. A bad bearer token is a refusal, a stale cookie is nobody.
func (s *server) identify(c *caller) error {
	r := c.request
	c.given = auth.ReadCredentials(r.Header.Get, s.Own(r), secure(r))
	token, ours := c.given.Bearer, c.given.Bearer == ""
	if ours {
		token = c.given.Cookie
	}
	if token == "" {
		return nil
	}
	who, err := s.Auth.Authenticate(r.Context(), token)
	switch {
	case errors.Is(err, auth.ErrUnauthorized) && ours:
		return nil
	case errors.Is(err, auth.ErrUnauthorized):
		return chat.Refuse(chat.CodeUnauthorized, auth.ErrUnauthorized.Error(), "登录已失效，请重新登录")
	case err != nil:
		return err
	}
	c.User, c.Identity, c.Token = &who.User, who, token
	return nil
}

// admits says why not, if a route is not for this caller.
func (r *route) admits(c *caller) error {
	switch {
	case r.Who == anybody:
		return nil
	case c.User == nil:
		return chat.Refuse(chat.CodeUnauthorized, "sign in first, or send a token", "请先登录，或提供令牌")
	case r.Who == administrators && (!c.Identity.Admin || c.User.Guest || c.User.Bot):
		return refuseRoute() // to everybody else it is as if there was none
	case r.Who >= members && c.User.Guest:
		return chat.Refuse(chat.CodeForbidden, "this is for members: register first", "仅限注册用户，请先注册")
	case r.Who >= persons && c.User.Bot:
		return chat.Refuse(chat.CodeForbidden, "this is not for bots", "机器人不能这样做")
	}
	return c.Identity.May(r.scope())
}

// scope is what a bot's token must allow.
func (r *route) scope() auth.Scope {
	switch {
	case r.Scope != "":
		return r.Scope
	case changes(r.Method):
		return auth.ScopeManage
	}
	return auth.ScopeRead
}

// wait says how long the caller must wait: who is known is counted by user, who is not by address.
func (s *server) wait(route *route, c *caller) time.Duration {
	if route.Throttled && s.Throttle != nil {
		if wait := s.Throttle(c.request); wait > 0 {
			return wait
		}
	}
	return s.rates.Take(c.key())
}

// key is what a caller is counted by.
func (c *caller) key() string {
	if c.User != nil {
		return "user " + string(c.User.ID)
	}
	return "address " + auth.Household(c.request.RemoteAddr).String()
}

func takesJSON(op *huma.Operation) bool {
	return op.RequestBody != nil && op.RequestBody.Content["application/json"] != nil
}

// isJSON insists on the type: a form of another site cannot send that without asking first.
func isJSON(r *http.Request) bool {
	kind, _, err := mime.ParseMediaType(r.Header.Get("Content-Type"))
	return err == nil && kind == "application/json"
}
