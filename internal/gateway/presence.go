package gateway

import (
	"context"
	"slices"
	"sync"
	"time"
	"unique"

	"qun/internal/chat"
)

const (
	// maxAudience is up to how many members a group hears by itself who comes and goes; those of larger ones ask.
	maxAudience = 200
	// maxAsked bounds how many users one request asks after.
	maxAsked = 200
	// offlineAfter is how long who lost its last socket is taken for here: pages are reloaded, and phones change networks.
	offlineAfter = 5 * time.Second
	// awayAfter is how long who has the chat out of sight everywhere is taken for looking: people switch windows all the time.
	awayAfter = time.Minute
)

// presences tells groups who comes and goes, and who looks elsewhere.
type presences struct {
	// Set once.
	offlineAfter time.Duration           // from the last socket on until a user is offline
	awayAfter    time.Duration           // from the last look on until a user is away
	here         func(chat.UserID) bool  // whether a user has a socket
	looking      func(chat.UserID) bool  // whether it has the chat in sight, as far as is known
	elsewhere    func(chat.UserID) state // how it is at other nodes
	tell         func(chat.UserID, chat.Presence, []chat.GroupID)
	moved        func(chat.UserID, []chat.GroupID) // tells other nodes that a user is here no more, but at one of them
	now          func() time.Time

	mu     sync.Mutex // guards below; never held while calling a function of above
	users  map[chat.UserID]*presence
	seen   map[chat.UserID]chat.Time // when members were here last who are offline
	closed bool
}

// presence is a user who is here, or was a moment ago.
type presence struct {
	groups  []unique.Handle[chat.GroupID] // that were told; see places for why so
	going   *time.Timer                   // until it is offline; nil while it has a socket
	drowsy  *time.Timer                   // until it is away; nil while it looks
	away    bool
	visitor bool // a guest: when it was here last is nobody's to keep
}

func (one *presence) now() chat.Presence {
	if one.away {
		return chat.PresenceAway
	}
	return chat.PresenceOnline
}

func (one *presence) told() []chat.GroupID {
	groups := make([]chat.GroupID, 0, len(one.groups))
	for _, g := range one.groups {
		groups = append(groups, g.Value())
	}
	return groups
}

func (one *presence) stop() {
	for _, timer := range []**time.Timer{&one.going, &one.drowsy} {
		if *timer != nil {
			(*timer).Stop()
			*timer = nil
		}
	}
}

// appear notes that a user is here, and tells those of groups that do not know it.
func (p *presences) appear(u *chat.User, groups ...*chat.Group) {
	p.arrive(u, groups, chat.PresenceOffline)
}

// resume is appear for who is greeted, with all of its groups. Who lost its connection to another node a moment ago is for these
// what it was: told there that it was here, they have not heard that it went.
func (p *presences) resume(u *chat.User, groups []*chat.Group) {
	p.arrive(u, groups, p.elsewhere(u.ID).presence())
}

// arrive is appear for who is known to all groups as it is at other nodes.
func (p *presences) arrive(u *chat.User, groups []*chat.Group, there chat.Presence) {
	p.mu.Lock()
	if p.closed {
		p.mu.Unlock()
		return
	}
	one := p.users[u.ID]
	fresh := one == nil
	if fresh {
		one = &presence{}
		p.users[u.ID] = one
		delete(p.seen, u.ID)
	}
	one.visitor = u.Guest
	if one.going != nil {
		one.going.Stop()
		one.going = nil
	}
	var news []chat.GroupID
	for _, g := range groups {
		id := unique.Make(g.ID)
		if g.MemberCount <= maxAudience && !slices.Contains(one.groups, id) {
			one.groups = appendTight(one.groups, id)
			news = append(news, g.ID)
		}
	}
	is := one.now()
	p.mu.Unlock()
	if fresh && there == is {
		news = nil
	}
	if len(news) > 0 || fresh {
		p.tell(u.ID, is, news)
	}
	p.look(u.ID)
}

// hear takes what another node says of a user, once p.elsewhere knows it, and reports whether groups here are to be told.
func (p *presences) hear(s *stateOf) bool {
	if s.State == gone && !s.Moved {
		return !p.contradict(s.User, s.Groups)
	}
	is, _ := p.of(s.User)
	p.mu.Lock()
	defer p.mu.Unlock()
	if s.State != gone {
		delete(p.seen, s.User) // that node knows when it was here last
		return true
	}
	one := p.users[s.User]
	return is != chat.PresenceOnline && (one == nil || one.going == nil) // who is going comes back, or leave tells it
}

// contradict tells groups once more of a user who is here, while another node tells them that it is gone: that node did not know yet
// that it had come here, and this one took it for known. It reports whether there was something to say.
func (p *presences) contradict(u chat.UserID, groups []chat.GroupID) bool {
	p.mu.Lock()
	one := p.users[u]
	if one == nil || one.going != nil || len(groups) == 0 || p.closed {
		p.mu.Unlock()
		return false
	}
	is := one.now()
	p.mu.Unlock()
	p.tell(u, is, groups)
	return true
}

// look notes whether a user has the chat in sight. Who looks again is told of at once; who looks elsewhere, after a while.
func (p *presences) look(u chat.UserID) {
	looking := p.looking(u)
	p.mu.Lock()
	one := p.users[u]
	switch {
	case one == nil || p.closed:
	case !looking && !one.away && one.drowsy == nil:
		one.drowsy = time.AfterFunc(p.awayAfter, func() { p.doze(u, one) })
	case looking && one.drowsy != nil:
		one.drowsy.Stop()
		one.drowsy = nil
	case looking && one.away:
		one.away = false
		groups := one.told()
		p.mu.Unlock()
		p.tell(u, chat.PresenceOnline, groups)
		return
	}
	p.mu.Unlock()
}

// doze says that a user is away, unless it looked again, or went, in time.
func (p *presences) doze(u chat.UserID, one *presence) {
	looking, here := p.looking(u), p.here(u)
	p.mu.Lock()
	off := p.users[u] != one || one.drowsy == nil || p.closed
	if !off {
		one.drowsy = nil
	}
	if off || looking || !here {
		p.mu.Unlock()
		return
	}
	one.away = true
	groups := one.told()
	p.mu.Unlock()
	p.tell(u, chat.PresenceAway, groups)
}

// vanish notes that a socket of a user is gone. If it stays the last one, those who knew are told.
func (p *presences) vanish(u chat.UserID) {
	if p.here(u) {
		p.look(u)
		return
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	one := p.users[u]
	if one == nil || one.going != nil || p.closed {
		return
	}
	one.going = time.AfterFunc(p.offlineAfter, func() { p.leave(u, one) })
}

// leave says that a user is offline, unless it came back in time. Groups to which it is as before, for it went to another node,
// are told nothing: should it leave that one at the same time, whoever hears that last tells them, see hear.
func (p *presences) leave(u chat.UserID, one *presence) {
	here := p.here(u)
	p.mu.Lock()
	if p.users[u] != one || one.going == nil || p.closed || here {
		one.going = nil
		p.mu.Unlock()
		return
	}
	one.stop()
	delete(p.users, u)
	if !one.visitor {
		p.seen[u] = chat.TimeOf(p.now())
	}
	groups, was := one.told(), one.now()
	p.mu.Unlock()
	// Asked now that it is gone here: what another node says until then is heard, and what it says later finds nobody.
	if there := p.elsewhere(u).presence(); there == chat.PresenceOnline || there == was {
		p.moved(u, groups)
		return
	}
	p.tell(u, chat.PresenceOffline, groups)
}

// of is what a user is, all nodes together, and when it was here last, if it is not and that is known.
func (p *presences) of(u chat.UserID) (chat.Presence, chat.Time) {
	here, there := p.here(u), p.elsewhere(u).presence()
	p.mu.Lock()
	defer p.mu.Unlock()
	one := p.users[u]
	switch {
	case !here && there == chat.PresenceOffline:
		return chat.PresenceOffline, p.seen[u]
	case !here:
		return there, 0
	case one == nil || there == chat.PresenceOnline:
		return chat.PresenceOnline, 0
	}
	return one.now(), 0
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
		one.stop()
	}
}

// presencePush says that a user came or went.
type presencePush struct {
	UserID   chat.UserID   `json:"userId"`
	Presence chat.Presence `json:"presence"`
}

// tellPresence tells it once to everybody in any of the groups, as far as they can take it now, and to other nodes.
func (h *Hub) tellPresence(u chat.UserID, now chat.Presence, groups []chat.GroupID) {
	h.presenceHere(u, groups)
	h.nodes.is(u, h.stateHere(u, now), groups, false)
	if len(groups) > 0 {
		(*h.observer.Load()).Pushed("presence")
	}
}

// tellMoved tells other nodes that a user is here no more, but at one of them.
func (h *Hub) tellMoved(u chat.UserID, groups []chat.GroupID) { h.nodes.is(u, gone, groups, true) }

// stateHere is what other nodes are told of a user.
func (h *Hub) stateHere(u chat.UserID, now chat.Presence) state {
	switch {
	case now == chat.PresenceOffline:
		return gone
	case now == chat.PresenceAway:
		return away
	case h.watchedHere(u):
		return watching
	}
	return online
}

type presenceIn struct {
	UserIDs []chat.UserID `json:"userIds"`
}

// presenceOut says of the users asked after who is here. Who is in none of it is offline, and nobody knows since when.
type presenceOut struct {
	Online []chat.UserID             `json:"online"`
	Away   []chat.UserID             `json:"away,omitempty"` // those of online who have had the chat out of sight for a while
	Seen   map[chat.UserID]chat.Time `json:"seen,omitempty"` // when members who are offline were here last
}

// presence says who of some users is here.
func (g *Gateway) presence(_ context.Context, _ *client, _ *chat.User, in presenceIn) (presenceOut, error) {
	if len(in.UserIDs) > maxAsked {
		return presenceOut{}, errTooManyAsked
	}
	out := presenceOut{Online: []chat.UserID{}, Seen: map[chat.UserID]chat.Time{}}
	for _, u := range in.UserIDs {
		is, seen := g.hub.presences.of(u)
		switch {
		case is != chat.PresenceOffline:
			out.Online = append(out.Online, u)
		case seen != 0:
			out.Seen[u] = seen
		}
		if is == chat.PresenceAway {
			out.Away = append(out.Away, u)
		}
	}
	return out, nil
}
