package gateway

import (
	"context"
	"slices"
	"sync"
	"time"
	"unique"

	"qun/internal/chat"
	"qun/socketio"
)

const (
	// maxAudience is up to how many members a group hears by itself who comes and goes; those of larger ones ask.
	maxAudience = 200
	// maxAsked bounds how many users one request asks after.
	maxAsked = 200
	// awayAfter is how long who lost its last socket is taken for online: pages are reloaded, and phones change networks.
	awayAfter = 5 * time.Second
)

// presences tells groups who comes and goes.
type presences struct {
	// Set once.
	after time.Duration          // from the last socket on until a user is away
	here  func(chat.UserID) bool // whether a user has a socket
	tell  func(chat.UserID, chat.Presence, []socketio.Room)

	mu     sync.Mutex // guards below; never held while calling here or tell
	users  map[chat.UserID]*presence
	closed bool
}

// presence is a user who is here, or was a moment ago.
type presence struct {
	groups []unique.Handle[chat.GroupID] // that were told; see places for why so
	away   *time.Timer                   // nil while it has a socket
}

// appear notes that a user is here, and tells those of groups that do not know it.
func (p *presences) appear(u chat.UserID, groups ...*chat.Group) {
	p.mu.Lock()
	if p.closed {
		p.mu.Unlock()
		return
	}
	one := p.users[u]
	if one == nil {
		one = &presence{}
		p.users[u] = one
	}
	if one.away != nil {
		one.away.Stop()
		one.away = nil
	}
	var rooms []socketio.Room
	for _, g := range groups {
		id := unique.Make(g.ID)
		if g.MemberCount <= maxAudience && !slices.Contains(one.groups, id) {
			one.groups = appendTight(one.groups, id)
			rooms = append(rooms, fullRoom(g.ID))
		}
	}
	p.mu.Unlock()
	if len(rooms) > 0 {
		p.tell(u, chat.PresenceOnline, rooms)
	}
}

// vanish notes that a socket of a user is gone. If it stays the last one, those who knew are told.
func (p *presences) vanish(u chat.UserID) {
	if p.here(u) {
		return
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	one := p.users[u]
	if one == nil || one.away != nil || p.closed {
		return
	}
	one.away = time.AfterFunc(p.after, func() { p.leave(u, one) })
}

// leave says that a user is away, unless it came back in time.
func (p *presences) leave(u chat.UserID, one *presence) {
	here := p.here(u)
	p.mu.Lock()
	if p.users[u] != one || one.away == nil || p.closed || here {
		one.away = nil
		p.mu.Unlock()
		return
	}
	delete(p.users, u)
	rooms := make([]socketio.Room, 0, len(one.groups))
	for _, g := range one.groups {
		rooms = append(rooms, fullRoom(g.Value()))
	}
	p.mu.Unlock()
	if len(rooms) > 0 {
		p.tell(u, chat.PresenceOffline, rooms)
	}
}

// forget notes that a group is no longer a user's: it is told nothing any more.
func (p *presences) forget(u chat.UserID, g chat.GroupID) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if one := p.users[u]; one != nil {
		id := unique.Make(g)
		one.groups = slices.DeleteFunc(one.groups, func(told unique.Handle[chat.GroupID]) bool { return told == id })
	}
}

func (p *presences) close() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.closed = true
	for _, one := range p.users {
		if one.away != nil {
			one.away.Stop()
		}
	}
}

// presencePush says that a user came or went.
type presencePush struct {
	UserID   chat.UserID   `json:"userId"`
	Presence chat.Presence `json:"presence"`
}

// tellPresence tells it once to everybody in any of the rooms, as far as they can take it now.
func (h *Hub) tellPresence(u chat.UserID, now chat.Presence, rooms []socketio.Room) {
	h.namespace.To(rooms...).Except(userRoom(u)).Volatile().Emit("presence", presencePush{u, now})
	(*h.observer.Load()).Pushed("presence")
}

type presenceIn struct {
	UserIDs []chat.UserID `json:"userIds"`
}

type presenceOut struct {
	Online []chat.UserID `json:"online"`
}

// presence says who of some users is here.
func (g *Gateway) presence(_ context.Context, _ *client, _ *chat.User, in presenceIn) (presenceOut, error) {
	if len(in.UserIDs) > maxAsked {
		return presenceOut{}, errTooManyAsked
	}
	out := presenceOut{Online: []chat.UserID{}}
	for _, u := range in.UserIDs {
		if g.Online(u) {
			out.Online = append(out.Online, u)
		}
	}
	return out, nil
}
