package gateway

import (
	"sync"
	"time"

	"qun/internal/auth"
	"qun/internal/chat"
	"qun/socketio"
)

// maxNames bounds the names that a socket may have used for the groups it entered.
const maxNames = 1000

// client is what the gateway knows of a socket.
type client struct {
	// Set once.
	gateway *Gateway
	socket  *socketio.Socket

	mu       sync.Mutex // guards below; never held while calling the chat
	identity *auth.Identity
	user     *chat.User // nil until somebody is known; never changed in place
	full     bool       // said hello
	admitted bool       // said hello or entered a room, so that nothing has to wait any more
	locale   string
	entered  map[chat.GroupID]struct{}
	names    map[string]chat.GroupID // by which this socket entered
	lastSeen time.Time
	said     bool // whether it has the chat in sight
	inSight  bool
	waiting  waitingSends
	noticed  time.Time // when the last notice went out
	tokened  bool      // was given a token, by which a guest comes back
}

func clientOf(s *socketio.Socket) *client {
	c, _ := s.Value().(*client)
	return c
}

func (c *client) heard(now time.Time) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.lastSeen = now
}

func (c *client) lastHeard() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.lastSeen
}

// who is the user that the client acts as, or nil.
func (c *client) who() *chat.User {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.user
}

// renew makes the client act as its user is now.
func (c *client) renew(u *chat.User) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.user = u
}

func (c *client) isFull() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.full
}

// language is what a client said it reads, in hello.
func (c *client) language() string {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.locale
}

func (c *client) isIn(g chat.GroupID) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	_, in := c.entered[g]
	return in
}

// named is the group that the client entered by that name.
func (c *client) named(name string) (chat.GroupID, bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	g, ok := c.names[name]
	return g, ok
}

// crowded says whether the socket is in as many groups as it may be; a bound of 0 lifts the limit.
func (c *client) crowded(bound int) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return bound > 0 && len(c.entered) >= bound
}

// enter puts the socket into a group's rooms, under the names by which it may be called from now on.
func (c *client) enter(g chat.GroupID, names ...string) error {
	c.mu.Lock()
	full := c.full
	c.note(g, names)
	c.mu.Unlock()
	return c.socket.Join(roomsOf(g, full)...)
}

func (c *client) note(g chat.GroupID, names []string) {
	if c.entered == nil {
		c.entered = map[chat.GroupID]struct{}{}
		c.names = map[string]chat.GroupID{}
	}
	c.entered[g] = struct{}{}
	for _, name := range names {
		if _, known := c.names[name]; name != "" && (known || len(c.names) < maxNames) {
			c.names[name] = g
		}
	}
}

// call makes a name of a group known that the socket is in.
func (c *client) call(g chat.GroupID, name string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if _, in := c.entered[g]; in {
		c.note(g, []string{name})
	}
}

// leave takes the socket out of a group's rooms.
func (c *client) leave(g chat.GroupID) {
	c.mu.Lock()
	delete(c.entered, g)
	for name, group := range c.names {
		if group == g {
			delete(c.names, name)
		}
	}
	c.mu.Unlock()
	c.socket.Leave(roomsOf(g, true)...)
}

// become makes the client full: it hears of everything in the groups it is in, and of its user.
func (c *client) become(locale string) error {
	c.mu.Lock()
	c.full, c.locale = true, locale
	rooms := make([]socketio.Room, 0, len(c.entered)+1)
	for g := range c.entered {
		rooms = append(rooms, fullRoom(g))
	}
	if c.user != nil {
		rooms = append(rooms, userRoom(c.user.ID))
	}
	c.mu.Unlock()
	if len(rooms) == 0 {
		return nil
	}
	return c.socket.Join(rooms...)
}
