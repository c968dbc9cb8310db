package gateway

import (
	"encoding/json"
	"sync"
	"sync/atomic"
	"time"

	"qun/internal/chat"
	"qun/socketio"
)

// Hub is the chat's Notifier: it turns what became durable into pushes.
type Hub struct {
	namespace *socketio.Namespace
	people    people
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
		h.push(groupRoom(e.Group), "message", e.Message)
	case e.Change != nil:
		if m := e.Change.Member; m != nil && m.State != chat.MemberActive {
			h.expel(m.UserID, e.Group)
		}
		h.push(fullRoom(e.Group), "change", e.Change)
	case e.Me != nil:
		h.notifyUser(e.User, e.Me)
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
	case change.Left != nil:
		h.expel(u, change.Left.GroupID)
	case change.Group != nil:
		for _, c := range h.people.of(u) {
			if c.isFull() {
				_ = c.enter(change.Group.GroupID) // who went away enters nothing
			}
		}
	}
	h.push(userRoom(u), "me", change)
}

func (h *Hub) expel(u chat.UserID, g chat.GroupID) {
	for _, c := range h.people.of(u) {
		c.leave(g)
	}
}

// push encodes once for everybody in the room. It goes to the sockets of this server.
func (h *Hub) push(room socketio.Room, event string, payload any) {
	raw, err := json.Marshal(payload)
	if err != nil {
		return // the chat's own types always marshal
	}
	h.namespace.To(room).Local().Emit(event, json.RawMessage(raw))
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
