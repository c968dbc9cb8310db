package gateway

import (
	"errors"
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

	moving sync.Mutex // held while the socket enters or leaves rooms, so that what is noted is what is so

	mu       sync.Mutex // guards below; never held while calling the chat
	identity *auth.Identity
	user     *chat.User // nil until somebody is known; never changed in place
	full     bool       // said hello
	admitted bool       // said hello or entered a room, so that nothing has to wait any more
	locale   string
	entered  map[chat.GroupID]stay
	moved    map[chat.GroupID]chat.Seq // the newest number of a membership by which the socket went in or out
	names    map[string]chat.GroupID   // by which this socket entered
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

// stay is how a socket is in a group.
type stay struct {
	rev     chat.Seq // the group's number at which the membership last changed; 0: there never was one
	visitor bool     // of a guest who has not spoken
	age     uint64   // of a visitor: of the doors when it was let in
}

// errMoved says that who was let in was put out meanwhile, or that the group was closed to it. The chat knows more now.
var errMoved = errors.New("the way into the group has changed")

// enter puts the socket into a group's rooms, under the names by which it may be called from now on. What is older than
// the last way out does not lead in: events of a group and of a user come on their own ways.
func (c *client) enter(g chat.GroupID, how stay, names ...string) error {
	c.moving.Lock()
	defer c.moving.Unlock()
	c.mu.Lock()
	if how.rev < c.moved[g] || how.visitor && !c.gateway.hub.doors.pass(g, c, how.age) {
		c.mu.Unlock()
		return errMoved
	}
	if !how.visitor && c.entered[g].visitor {
		c.gateway.hub.doors.forget(g, c)
	}
	full := c.full
	c.move(g, how.rev)
	c.note(g, how, names)
	c.mu.Unlock()
	return c.socket.Join(roomsOf(g, full)...)
}

func (c *client) note(g chat.GroupID, how stay, names []string) {
	if c.entered == nil {
		c.entered = map[chat.GroupID]stay{}
		c.names = map[string]chat.GroupID{}
	}
	c.entered[g] = how
	c.callBy(g, names)
}

func (c *client) callBy(g chat.GroupID, names []string) {
	for _, name := range names {
		if _, known := c.names[name]; name != "" && (known || len(c.names) < maxNames) {
			c.names[name] = g
		}
	}
}

// move remembers the number by which the socket went in or out last.
func (c *client) move(g chat.GroupID, rev chat.Seq) {
	if rev == 0 {
		return
	}
	if c.moved == nil {
		c.moved = map[chat.GroupID]chat.Seq{}
	}
	if _, known := c.moved[g]; !known && len(c.moved) >= maxNames {
		clear(c.moved)
	}
	c.moved[g] = rev
}

// call makes a name of a group known that the socket is in.
func (c *client) call(g chat.GroupID, name string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if _, in := c.entered[g]; in {
		c.callBy(g, []string{name})
	}
}

// leave takes the socket out of a group's rooms, by the number rev of its user's membership; 0 is always the newest. What
// is older than its last way in leads nowhere.
func (c *client) leave(g chat.GroupID, rev chat.Seq) {
	c.moving.Lock()
	defer c.moving.Unlock()
	c.mu.Lock()
	if rev != 0 && rev < c.moved[g] {
		c.mu.Unlock()
		return
	}
	c.move(g, rev)
	if c.entered[g].visitor {
		c.gateway.hub.doors.forget(g, c)
	}
	delete(c.entered, g)
	for name, group := range c.names {
		if group == g {
			delete(c.names, name)
		}
	}
	c.mu.Unlock()
	c.socket.Leave(roomsOf(g, true)...)
}

// belong notes that a visitor's user has become a member.
func (c *client) belong(g chat.GroupID, rev chat.Seq) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if how, in := c.entered[g]; in && how.visitor && rev >= c.moved[g] {
		c.gateway.hub.doors.forget(g, c)
		c.move(g, rev)
		c.entered[g] = stay{rev: rev}
	}
}

// vanish forgets where the socket was a visitor.
func (c *client) vanish() {
	c.mu.Lock()
	defer c.mu.Unlock()
	for g, how := range c.entered {
		if how.visitor {
			c.gateway.hub.doors.forget(g, c)
		}
	}
}

// become makes the client full: it hears of everything in the groups it is in, and of its user.
func (c *client) become(locale string) error {
	c.moving.Lock()
	defer c.moving.Unlock()
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
