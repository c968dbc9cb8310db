package engineio

import "net/http"

// DefaultCookie is a Config.Cookie as other servers set it: named io, for all paths, hidden from scripts, and not sent
// along when other sites post.
func DefaultCookie() *http.Cookie {
	return &http.Cookie{Name: "io", Path: "/", HttpOnly: true, SameSite: http.SameSiteLaxMode}
}

// setCookie adds the session's cookie to the header of its handshake, if there shall be one.
func (s *Server) setCookie(h http.Header, session *Session) {
	if s.cfg.Cookie == nil {
		return
	}
	cookie := *s.cfg.Cookie
	cookie.Value = session.id
	if v := cookie.String(); v != "" { // which it is for a name that is none
		h.Add("Set-Cookie", v)
	}
}
