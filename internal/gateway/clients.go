package gateway

import (
	"errors"
	"sync"
	"time"

	"qun/internal/auth"
	"qun/internal/chat"
	"qun/socketio"
)

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
	places   places
	lastSeen time.Time
	said     bool // whether it has the chat in sight
	inSight  bool
	waiting  waitingSends
	noticed  time.Time // when the last notice went out
	credited bool      // as a member's, with Admission
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
	return c.places.find(g).in
}

// named is the group that the client entered by that name.
func (c *client) named(name string) (chat.GroupID, bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.places.called(name)
}

// crowded says whether the socket is in as many groups as it may be; a bound of 0 lifts the limit.
func (c *client) crowded(bound int) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return bound > 0 && c.places.count() >= bound
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
	before := c.places.find(g)
	if how.rev < before.moved || how.visitor && !c.gateway.hub.doors.pass(g, c, how.age) {
		c.mu.Unlock()
		return errMoved
	}
	if !how.visitor && before.visitor {
		c.gateway.hub.doors.forget(g, c)
	}
	full := c.full
	at := c.places.move(g, how.rev)
	at.in, at.visitor = true, how.visitor
	c.places.call(g, names...)
	c.mu.Unlock()
	return c.socket.Join(roomsOf(g, full)...)
}

// call makes a name of a group known that the socket is in.
func (c *client) call(g chat.GroupID, name string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.places.find(g).in {
		c.places.call(g, name)
	}
}

// leave takes the socket out of a group's rooms, by the number rev of its user's membership; 0 is always the newest. What
// is older than its last way in leads nowhere.
func (c *client) leave(g chat.GroupID, rev chat.Seq) {
	c.moving.Lock()
	defer c.moving.Unlock()
	c.mu.Lock()
	before := c.places.find(g)
	if rev != 0 && rev < before.moved {
		c.mu.Unlock()
		return
	}
	if before.visitor {
		c.gateway.hub.doors.forget(g, c)
	}
	c.places.leave(g, rev)
	c.mu.Unlock()
	c.socket.Leave(roomsOf(g, true)...)
}

// belong notes that a visitor's user has become a member.
func (c *client) belong(g chat.GroupID, rev chat.Seq) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if at := c.places.find(g); at.visitor && rev >= at.moved {
		c.gateway.hub.doors.forget(g, c)
		c.places.move(g, rev).visitor = false
	}
}

// vanish forgets where the socket was a visitor.
func (c *client) vanish() {
	c.mu.Lock()
	defer c.mu.Unlock()
	for g, visitor := range c.places.in {
		if visitor {
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
	rooms := make([]socketio.Room, 0, c.places.count()+1)
	for g := range c.places.in {
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
