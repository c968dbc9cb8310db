package gateway

import (
	"encoding/json"
	"sync"
	"sync/atomic"
	"time"

	"qun/internal/chat"
	"qun/internal/gateway/codec"
	"qun/socketio"
)

// Hub is the chat's Notifier: it turns what became durable into pushes.
type Hub struct {
	namespace *socketio.Namespace
	people    people
	doors     doors
	presences presences
	nodes     nodes
	observer  atomic.Pointer[Observer]

	mu      sync.Mutex                // guards below
	changed map[chat.GroupID]chat.Seq // since the last digest
	typed   map[typist]time.Time      // when somebody's typing was told last
}

var _ chat.Notifier = (*Hub)(nil)

// NewHub makes a hub for the sockets of a namespace.
func NewHub(namespace *socketio.Namespace) *Hub {
	h := &Hub{namespace: namespace, changed: map[chat.GroupID]chat.Seq{}, typed: map[typist]time.Time{}}
	h.observe(nobody{})
	h.presences = presences{
		offlineAfter: offlineAfter, awayAfter: awayAfter, now: time.Now, users: map[chat.UserID]*presence{}, seen: map[chat.UserID]chat.Time{},
		here: h.people.has, looking: h.looking, tell: h.tellPresence, moved: h.tellMoved, elsewhere: h.nodes.of,
	}
	return h
}

func (h *Hub) observe(o Observer) { h.observer.Store(&o) }

// Notify pushes an event to those it concerns, on this server: every server of a cluster hears of it by itself. Who is
// removed from a group leaves its rooms before the others hear of it.
func (h *Hub) Notify(e chat.Event) {
	if e.Group != "" {
		h.note(e.Group, e.Number)
	}
	switch {
	case e.Message != nil:
		h.emit(groupRoom(e.Group), "message", (*codec.Message)(e.Message))
	case e.Change != nil:
		h.notifyGroup(e.Group, e.Change)
	case e.Me != nil:
		h.notifyUser(e.User, e.Me)
	}
}

// notifyGroup tells a group's full clients of a row. Who may not hear of it any more goes first.
func (h *Hub) notifyGroup(id chat.GroupID, change *chat.Change) {
	m, g := change.Member, change.Group
	switch {
	case m != nil && m.State != chat.MemberActive:
		h.expel(m.UserID, id, m.Rev)
	case g != nil && g.DissolvedAt != 0:
		h.dissolve(id, change.Head)
		return
	case g != nil && !g.OpenToGuests():
		h.shut(id)
	}
	h.push(fullRoom(id), "change", change)
}

// shut sends the visitors away from a group that is not open to guests (any more).
func (h *Hub) shut(id chat.GroupID) {
	for _, c := range h.doors.close(id) {
		c.leave(id, 0)
		if c.isFull() {
			c.socket.Emit("me", &chat.MeChange{Left: &chat.Left{GroupID: id, Reason: chat.GoneKicked}})
		}
	}
}

// dissolve ends a group: all learn it in one frame, whatever their number, and go.
func (h *Hub) dissolve(id chat.GroupID, head chat.Seq) {
	h.push(fullRoom(id), "me", &chat.MeChange{Left: &chat.Left{GroupID: id, Reason: chat.GoneDissolved}})
	for _, s := range h.namespace.Sockets() {
		if c := clientOf(s); c != nil && c.isIn(id) {
			c.leave(id, head)
		}
	}
}

// notifyUser tells a user's full clients of a private row. One of a group brings them into the group's rooms, and its
// loss takes all of the user's clients out.
func (h *Hub) notifyUser(u chat.UserID, change *chat.MeChange) {
	switch {
	case change.User != nil:
		for _, c := range h.people.of(u) {
			c.renew(change.User)
		}
		here := *change
		here.User = h.withPresence(change.User)
		change = &here
	case change.Left != nil:
		h.expel(u, change.Left.GroupID, change.Rev)
	case change.Group != nil:
		clients := h.people.of(u)
		for _, c := range clients {
			if c.isFull() {
				_ = c.enter(change.Group.GroupID, stay{rev: change.Rev}) // who went away, or was put out since, enters nothing
			}
			c.belong(change.Group.GroupID, change.Rev)
		}
		if len(clients) > 0 {
			h.presences.appear(clients[0].who(), &chat.Group{ID: change.Group.GroupID, MemberCount: change.Group.MemberCount})
		}
	}
	h.push(userRoom(u), "me", change)
}

func (h *Hub) expel(u chat.UserID, g chat.GroupID, rev chat.Seq) {
	h.presences.forget(u, g)
	for _, c := range h.people.of(u) {
		c.leave(g, rev)
	}
}

// push encodes once for everybody in the room. It goes to the sockets of this server.
func (h *Hub) push(room socketio.Room, event string, payload any) {
	raw, err := json.Marshal(payload)
	if err != nil {
		return // the chat's own types always marshal
	}
	h.emit(room, event, json.RawMessage(raw))
}

// emit is push of something that needs no reflection to be encoded.
func (h *Hub) emit(room socketio.Room, event string, payload any) {
	h.namespace.To(room).Local().Emit(event, payload)
	(*h.observer.Load()).Pushed(event)
}

func (h *Hub) note(g chat.GroupID, head chat.Seq) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.changed[g] = max(h.changed[g], head)
}

// takeChanged are the groups that changed since the last call, with their numbers.
func (h *Hub) takeChanged() map[chat.GroupID]chat.Seq {
	h.mu.Lock()
	defer h.mu.Unlock()
	changed := h.changed
	h.changed = make(map[chat.GroupID]chat.Seq, len(changed)/2)
	return changed
}
