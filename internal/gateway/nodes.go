package gateway

import (
	"encoding/hex"
	"encoding/json"
	"hash/fnv"
	"maps"
	"slices"
	"strings"
	"sync"
	"time"

	"qun/internal/auth"
	"qun/internal/chat"
	"qun/socketio"
)

// What the gateways of several nodes tell each other is of the moment: who is here, who types, which line nobody keeps,
// whose session ended. A note that is lost is not said again, but for two: who is here is compared every second, and
// sessions are looked up in the store now and then.

// bulletin is what a gateway says to the others: one of these.
type bulletin struct {
	Whisper *whisper   `json:"w,omitempty"`
	State   *stateOf   `json:"p,omitempty"`
	Sum     *crewSum   `json:"s,omitempty"`
	Want    string     `json:"q,omitempty"` // the roll of this node
	Roll    *roll      `json:"r,omitempty"`
	Ended   *sessionOf `json:"x,omitempty"`

	NoGuests bool `json:"o,omitempty"` // guests are not admitted any more
}

// whisper is a push without a number.
type whisper struct {
	Event    string          `json:"e"`
	Groups   []chat.GroupID  `json:"g"`
	Except   chat.UserID     `json:"u,omitempty"`
	Everyone bool            `json:"a,omitempty"` // plain clients, too
	Volatile bool            `json:"v,omitempty"`
	Payload  json.RawMessage `json:"d"`
}

// state is how a user is at a node.
type state byte

const (
	gone     state = 0
	watching state = 'w' // has the chat in sight
	online   state = 'o'
	away     state = 'a'
)

func (s state) presence() chat.Presence {
	switch s {
	case gone:
		return chat.PresenceOffline
	case away:
		return chat.PresenceAway
	}
	return chat.PresenceOnline
}

// stateOf says how a user is at a node from now on, for the groups that are to be told.
type stateOf struct {
	User   chat.UserID    `json:"u"`
	State  state          `json:"is"`
	Groups []chat.GroupID `json:"g,omitempty"`
	Moved  bool           `json:"m,omitempty"` // gone, but taken for being at another node: they are told only if it is not
}

// crewSum says who is at a node, in short.
type crewSum struct {
	Count int    `json:"n"`
	Sum   uint64 `json:"h,string"`
}

// roll says who is at a node, in parts.
type roll struct {
	Part  int                   `json:"i"`
	Of    int                   `json:"of"`
	Users map[chat.UserID]state `json:"u"`
}

// sessionOf says whose session ended: one, or all but one.
type sessionOf struct {
	User    chat.UserID `json:"u"`
	All     bool        `json:"all,omitempty"`
	Session string      `json:"h,omitempty"` // in hexadecimal; that one, or with All the one that is kept. "": a guest's
}

const (
	// maxWhispered is how many groups, and rollPart how many users, stand in a note.
	maxWhispered = 100
	rollPart     = 100
	// maxOff is how many sums of a node may not fit what is known of it before its roll is asked for.
	maxOff = 2
	// rollEvery is how often a node calls its roll at most.
	rollEvery = 2 * time.Second
	// endedEvery is how often sessions are looked up.
	endedEvery = 4 * time.Second
)

// crew is who is at a node.
type crew struct {
	users map[chat.UserID]state
	sum   uint64
	off   int // sums that did not fit
	next  []map[chat.UserID]state
}

func newCrew() *crew { return &crew{users: map[chat.UserID]state{}} }

func (c *crew) set(u chat.UserID, s state) {
	if before := c.users[u]; before != gone {
		c.sum ^= hashState(u, before)
	}
	if s == gone {
		delete(c.users, u)
		return
	}
	c.users[u] = s
	c.sum ^= hashState(u, s)
}

func (c *crew) summary() crewSum { return crewSum{len(c.users), c.sum} }

func hashState(u chat.UserID, s state) uint64 {
	hash := fnv.New64a()
	hash.Write([]byte(u))
	hash.Write([]byte{byte(s)})
	return hash.Sum64()
}

// nodes are the other nodes, and what they were told of this one. The zero value is of a node that is alone for ever.
type nodes struct {
	bus chat.Bus // nil: alone. Set once, by joinNodes

	mu     sync.Mutex // guards below; nothing is called meanwhile but the bus's Publish
	mine   *crew
	others map[string]*crew
	rolled time.Time
}

func (n *nodes) publish(b bulletin) {
	if n.bus == nil || n.bus.Alone() {
		return
	}
	if body, err := json.Marshal(b); err == nil { // our own types always marshal
		n.bus.Publish(body)
	}
}

// is notes how a user is here, and tells the others, if it is news to them or to groups.
func (n *nodes) is(u chat.UserID, now state, groups []chat.GroupID, moved bool) {
	if n.bus == nil {
		return
	}
	n.mu.Lock()
	defer n.mu.Unlock() // until it is said: sums come after what they count
	if n.mine.users[u] == now && len(groups) == 0 {
		return
	}
	n.mine.set(u, now)
	n.publish(bulletin{State: &stateOf{u, now, groups[:min(len(groups), maxWhispered)], moved}})
	for len(groups) > maxWhispered {
		groups = groups[maxWhispered:]
		n.publish(bulletin{State: &stateOf{u, now, groups[:min(len(groups), maxWhispered)], moved}})
	}
}

// of is how a user is at the others: the best of it.
func (n *nodes) of(u chat.UserID) (best state) {
	if n.bus == nil {
		return gone
	}
	n.mu.Lock()
	defer n.mu.Unlock()
	for _, c := range n.others {
		switch s := c.users[u]; {
		case s == watching:
			return watching
		case s == online, s == away && best == gone:
			best = s
		}
	}
	return best
}

// hear notes what a node says of a user.
func (n *nodes) hear(node string, s *stateOf) {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.crewOf(node).set(s.User, s.State)
}

func (n *nodes) crewOf(node string) *crew {
	c := n.others[node]
	if c == nil {
		c = newCrew()
		n.others[node] = c
	}
	return c
}

// compare asks for the roll of a node if what is known of it does not fit, time and again.
func (n *nodes) compare(node string, sum *crewSum) {
	n.mu.Lock()
	defer n.mu.Unlock()
	c := n.crewOf(node)
	if c.summary() == *sum {
		c.off = 0
		return
	}
	if c.off++; c.off >= maxOff {
		c.off = 0
		n.publish(bulletin{Want: node})
	}
}

// call says who is here.
func (n *nodes) call(now time.Time) {
	n.mu.Lock()
	defer n.mu.Unlock()
	if now.Sub(n.rolled) < rollEvery {
		return
	}
	n.rolled = now
	parts := max(1, (len(n.mine.users)+rollPart-1)/rollPart)
	part := &roll{Of: parts, Users: map[chat.UserID]state{}}
	for u, s := range n.mine.users {
		part.Users[u] = s
		if len(part.Users) == rollPart && part.Part < parts-1 {
			n.publish(bulletin{Roll: part})
			part = &roll{Part: part.Part + 1, Of: parts, Users: map[chat.UserID]state{}}
		}
	}
	n.publish(bulletin{Roll: part})
}

// take takes a part of a node's roll; the last one makes it whole, if none was lost.
func (n *nodes) take(node string, r *roll) {
	n.mu.Lock()
	defer n.mu.Unlock()
	c := n.crewOf(node)
	if r.Part == 0 {
		c.next = nil
	}
	if r.Part != len(c.next) {
		return // it is asked for again
	}
	c.next = append(c.next, r.Users)
	if len(c.next) < r.Of {
		return
	}
	whole := newCrew()
	for _, part := range c.next {
		for u, s := range part {
			whole.set(u, s)
		}
	}
	n.others[node] = whole
}

// leave forgets a node, and returns who was there.
func (n *nodes) leave(node string) (users []chat.UserID) {
	n.mu.Lock()
	defer n.mu.Unlock()
	c := n.others[node]
	delete(n.others, node)
	if c != nil {
		for u := range c.users {
			users = append(users, u)
		}
	}
	return users
}

// summary is who is here, in short.
func (n *nodes) summary() *crewSum {
	sum := n.mine.summary()
	return &sum
}

// joinNodes begins to tell other nodes, and to hear of them.
func (g *Gateway) joinNodes(bus chat.Bus) {
	n := &g.hub.nodes
	n.bus, n.mine, n.others = bus, newCrew(), map[string]*crew{}
	bus.Hear(g.heed, nil, g.bereaved)
}

// heed does what another node says.
func (g *Gateway) heed(node string, body []byte) {
	var b bulletin
	if json.Unmarshal(body, &b) != nil {
		return // of a version that says more than this one understands
	}
	n := &g.hub.nodes
	switch {
	case b.Whisper != nil:
		g.hub.whisperHere(b.Whisper)
	case b.State != nil:
		n.hear(node, b.State)
		if g.hub.presences.hear(b.State) {
			g.hub.presenceHere(b.State.User, b.State.Groups)
		}
	case b.Sum != nil:
		n.compare(node, b.Sum)
	case b.Want != "":
		if b.Want == g.cfg.Node {
			n.call(time.Now())
		}
	case b.Roll != nil:
		n.take(node, b.Roll)
	case b.Ended != nil:
		g.endHere(b.Ended)
	case b.NoGuests:
		g.closeGuestsHere()
	}
}

// attend compares notes with the other nodes every second, and looks sessions up, until Close.
func (g *Gateway) attend() {
	if g.hub.nodes.bus == nil {
		return
	}
	tick := time.NewTicker(time.Second)
	defer tick.Stop()
	looked := time.Now()
	for {
		select {
		case now := <-tick.C:
			if g.hub.nodes.bus.Alone() {
				continue
			}
			n := &g.hub.nodes
			n.mu.Lock()
			n.publish(bulletin{Sum: n.summary()})
			n.mu.Unlock()
			if now.Sub(looked) >= endedEvery {
				looked = now
				g.closeEnded()
			}
		case <-g.stop:
			return
		}
	}
}

// closeEnded closes the sockets whose session ended without a word.
func (g *Gateway) closeEnded() {
	bySession := map[auth.TokenHash][]*client{}
	for _, s := range g.namespace.Sockets() {
		if c := clientOf(s); c != nil {
			if hash := c.session(); hash != nil {
				bySession[*hash] = append(bySession[*hash], c)
			}
		}
	}
	if len(bySession) == 0 {
		return
	}
	ended, err := g.auth.Ended(g.life, slices.Collect(maps.Keys(bySession)))
	if err != nil {
		if g.life.Err() == nil {
			g.cfg.Logger.Warn("look for sessions that ended", "error", err)
		}
		return
	}
	for _, hash := range ended {
		for _, c := range bySession[hash] {
			c.socket.Close(errSignedOut)
		}
	}
}

// bereaved tells groups who is offline with a node that is gone, once they had the time to come to another one.
func (g *Gateway) bereaved(node string) {
	users := g.hub.nodes.leave(node)
	if len(users) == 0 {
		return
	}
	g.closing.Lock()
	defer g.closing.Unlock()
	if g.life.Err() != nil {
		return
	}
	g.partings.Go(func() {
		select {
		case <-time.After(g.cfg.OfflineAfter):
		case <-g.stop:
			return
		}
		for _, u := range users {
			if is, _ := g.hub.presences.of(u); is != chat.PresenceOffline {
				continue
			}
			groups, err := g.chat.MyGroups(g.life, &chat.User{ID: u})
			if err != nil {
				return // clients ask
			}
			var small []chat.GroupID
			for _, one := range groups {
				if one.Members <= maxAudience {
					small = append(small, one.ID)
				}
			}
			g.hub.presenceHere(u, small)
		}
	})
}

// endSessions closes the sockets of sessions that ended, at all nodes.
func (g *Gateway) endSessions(e *sessionOf) {
	g.endHere(e)
	g.hub.nodes.publish(bulletin{Ended: e})
}

func (g *Gateway) endHere(e *sessionOf) {
	for _, c := range g.hub.people.of(e.User) {
		that := hexOf(c.session()) == e.Session
		if e.All && (e.Session == "" || !that) || !e.All && that {
			c.socket.Close(errSignedOut)
		}
	}
}

func hexOf(h *auth.TokenHash) string {
	if h == nil {
		return ""
	}
	return hex.EncodeToString(h[:])
}

// whisper pushes what has no number to the full clients of groups, or to all clients, at all nodes.
func (h *Hub) whisper(w whisper, payload any) {
	raw, err := json.Marshal(payload)
	if err != nil {
		return // the chat's own types always marshal
	}
	w.Payload = raw
	h.whisperHere(&w)
	h.nodes.publish(bulletin{Whisper: &w})
	(*h.observer.Load()).Pushed(w.Event)
}

func (h *Hub) whisperHere(w *whisper) {
	roomOf := fullRoom
	if w.Everyone {
		roomOf = groupRoom
	}
	var rooms []socketio.Room
	for _, g := range w.Groups {
		rooms = append(rooms, roomOf(g))
	}
	if len(rooms) == 0 {
		return // which would be everybody
	}
	to := h.namespace.To(rooms...).Local()
	if w.Except != "" {
		to = to.Except(userRoom(w.Except))
	}
	if w.Volatile {
		to = to.Volatile()
	}
	to.Emit(w.Event, w.Payload)
}

// presenceHere tells groups here how a user is, all nodes together.
func (h *Hub) presenceHere(u chat.UserID, groups []chat.GroupID) {
	if len(groups) == 0 {
		return
	}
	is, _ := h.presences.of(u)
	raw, err := json.Marshal(presencePush{u, is})
	if err != nil {
		return // the chat's own types always marshal
	}
	h.whisperHere(&whisper{Event: "presence", Groups: groups, Except: u, Volatile: true, Payload: raw})
}

// HasGroup, HasUser, Groups and Users say who listens here: see chat.Here.
func (h *Hub) HasGroup(g chat.GroupID) bool { return h.namespace.Count(groupRoom(g)) > 0 }

// HasUser says whether a socket of a user is here.
func (h *Hub) HasUser(u chat.UserID) bool { return h.people.has(u) }

// Users are those with a socket here.
func (h *Hub) Users() []chat.UserID { return h.people.all() }

// Groups are those somebody here is in.
func (h *Hub) Groups() []chat.GroupID {
	prefix := string(groupRoom(""))
	var groups []chat.GroupID
	for _, room := range h.namespace.Rooms() {
		if id, is := strings.CutPrefix(string(room), prefix); is {
			groups = append(groups, chat.GroupID(id))
		}
	}
	return slices.Clip(groups)
}

var _ chat.Here = (*Hub)(nil)
