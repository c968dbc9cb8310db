package gateway

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"

	"qun/internal/auth"
	"qun/internal/chat"
	"qun/socketio"
)

// Page is what a handshake says of the page that opened the socket.
type Page struct {
	Origin string // the header, "" if there is none
	Site   string // Sec-Fetch-Site
	Host   string
	Secure bool
}

// HeaderNames are the headers of a handshake that the gateway reads.
func HeaderNames() []string { return append([]string{"Origin", "Sec-Fetch-Site"}, auth.HeaderNames...) }

// errNoAnswer closes the transport of a client that nobody can authenticate right now: it shall come back, which it
// would not do after a CONNECT_ERROR.
var errNoAnswer = errors.New("the store does not answer")

// errTooManySockets closes the transport of a user's socket longest unheard.
var errTooManySockets = errors.New("the user opened too many sockets")

// errSignedOut closes the transports of a session that ended.
var errSignedOut = errors.New("signed out")

// connect is the namespace's middleware: it finds out who a client is. Nobody is fine; a bad token is not.
func (g *Gateway) connect(ctx context.Context, s *socketio.Socket) error {
	who, err := g.authenticate(ctx, s)
	switch {
	case errors.Is(err, auth.ErrUnauthorized):
		return errUnauthorized
	case err != nil:
		if !passes(err) {
			g.cfg.Logger.Error("authenticate a socket", "error", err)
		}
		s.Close(errNoAnswer)
		return errNoAnswer
	}
	c := &client{gateway: g, socket: s, identity: who, lastSeen: g.cfg.Now()}
	if who != nil {
		c.user, c.tokened = &who.User, true
	}
	s.SetValue(c)
	return nil
}

// passes reports whether an error is of a store that does not answer for now, or of a client that did not wait for it: the store
// says itself when it is gone, once, and a crowd that comes back to it is no news.
func passes(err error) bool {
	return errors.Is(err, chat.ErrBusy) || errors.Is(err, context.DeadlineExceeded) || errors.Is(err, context.Canceled)
}

// authenticate tries the credentials in their order: the handshake's token, the bearer token, the cookie. The first
// that is there decides; only a stale cookie counts as none.
func (g *Gateway) authenticate(ctx context.Context, s *socketio.Socket) (*auth.Identity, error) {
	token, err := authToken(s.Auth())
	if err != nil {
		return nil, err
	}
	h := s.Handshake()
	page := Page{Origin: h.Header("Origin"), Site: h.Header("Sec-Fetch-Site"), Host: h.Host, Secure: h.Secure}
	given := auth.ReadCredentials(h.Header, g.cfg.Own(page), h.Secure)
	switch {
	case token != "":
		return g.auth.Authenticate(ctx, token)
	case given.Bearer != "":
		return g.auth.Authenticate(ctx, given.Bearer)
	case given.Cookie == "":
		return nil, nil
	}
	who, err := g.auth.Authenticate(ctx, given.Cookie)
	if errors.Is(err, auth.ErrUnauthorized) {
		return nil, nil
	}
	return who, err
}

// authToken is the token of the CONNECT packet's auth; absent, null and "" are none. One that is no text is a bad one.
func authToken(raw json.RawMessage) (string, error) {
	if len(raw) == 0 {
		return "", nil
	}
	var given struct {
		Token *string `json:"token"`
	}
	if err := json.Unmarshal(raw, &given); err != nil {
		return "", fmt.Errorf("%w: read auth: %w", auth.ErrUnauthorized, err)
	}
	if given.Token == nil {
		return "", nil
	}
	return *given.Token, nil
}

// connected runs when the client has its CONNECT.
func (g *Gateway) connected(_ context.Context, s *socketio.Socket) {
	c := clientOf(s)
	if who := c.who(); who != nil {
		g.bind(c, who)
	}
}

// bind makes a socket one of its user's. The eleventh closes the one longest unheard. Address limits are for guests:
// a member's socket is given back.
func (g *Gateway) bind(c *client, who *chat.User) {
	if tooMany := g.hub.people.add(who.ID, c, g.cfg.SocketsPerUser); tooMany != nil {
		tooMany.socket.Close(errTooManySockets)
	}
	if !who.Guest {
		c.mu.Lock()
		c.credited = true
		c.mu.Unlock()
		g.cfg.Admission.credit(c.socket.Handshake().RemoteAddr, +1)
	}
}

func (g *Gateway) unbind(c *client, who *chat.User) {
	g.hub.people.remove(who.ID, c)
	c.mu.Lock()
	credited := c.credited // a guest that became a member meanwhile was not
	c.mu.Unlock()
	if credited {
		g.cfg.Admission.credit(c.socket.Handshake().RemoteAddr, -1)
	}
}

// disconnected forgets the socket. It comes after all of its handlers, so nothing is bound any more after it.
func (g *Gateway) disconnected(s *socketio.Socket, _ error) {
	c := clientOf(s)
	c.mu.Lock()
	c.waiting.drop()
	who := c.user
	c.mu.Unlock()
	c.vanish()
	if who != nil {
		g.unbind(c, who)
		g.hub.presences.vanish(who.ID)
	}
}

// SignedOut closes the sockets that came in with a session that ended: of a member that session's, of a guest all.
func (g *Gateway) SignedOut(who *auth.Identity) {
	g.endSessions(&sessionOf{User: who.User.ID, Session: hexOf(who.Session)})
}

// SignedOutAll closes all of a user's sockets but those of one session (nil: all).
func (g *Gateway) SignedOutAll(u chat.UserID, keep *auth.TokenHash) {
	g.endSessions(&sessionOf{User: u, All: true, Session: hexOf(keep)})
}

// CloseGuests closes the sockets of all guests, at all nodes.
func (g *Gateway) CloseGuests() {
	g.closeGuestsHere()
	g.hub.nodes.publish(bulletin{NoGuests: true})
}

func (g *Gateway) closeGuestsHere() {
	for _, s := range g.namespace.Sockets() {
		if c := clientOf(s); c != nil {
			if who := c.who(); who != nil && who.Guest {
				s.Close(errSignedOut)
			}
		}
	}
}

// known is what the client's credentials said it is; nil for nobody, and for a guest that this socket made.
func (c *client) known() *auth.Identity {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.identity
}

func (c *client) session() *auth.TokenHash {
	if who := c.known(); who != nil {
		return who.Session
	}
	return nil
}
