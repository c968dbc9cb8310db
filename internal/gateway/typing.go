package gateway

import (
	"context"
	"time"

	"qun/internal/chat"
)

// typingEvery is how often a user's typing in a group is told.
const typingEvery = 3 * time.Second

type typingPush struct {
	GroupID  chat.GroupID `json:"groupId"`
	UserID   chat.UserID  `json:"userId"`
	NickName string       `json:"nickName"`
}

// typing tells the group's other full clients, as far as they can take it now, that somebody writes.
func (g *Gateway) typing(_ context.Context, c *client, r *request) {
	in, err := decode[groupIn](r)
	who := c.who()
	switch {
	case err != nil:
		r.refuseSilently(err)
		return
	case who == nil || !c.isIn(in.GroupID):
		r.refuseSilently(errNotIn)
		return
	}
	if g.hub.mayType(who.ID, in.GroupID, g.cfg.Now()) {
		push := typingPush{in.GroupID, who.ID, who.NickName}
		g.hub.whisper(whisper{Event: "typing", Groups: []chat.GroupID{in.GroupID}, Except: who.ID, Volatile: true}, push)
	}
	r.answer(nil)
}

// typist is a user in a group.
type typist struct {
	user  chat.UserID
	group chat.GroupID
}

// mayType says whether it is time to tell again.
func (h *Hub) mayType(u chat.UserID, g chat.GroupID, now time.Time) bool {
	h.mu.Lock()
	defer h.mu.Unlock()
	who := typist{u, g}
	if now.Sub(h.typed[who]) < typingEvery {
		return false
	}
	if len(h.typed) >= maxTypists { // they are remembered for 3 s only; starting anew tells some too often once
		clear(h.typed)
	}
	h.typed[who] = now
	return true
}

// maxTypists bounds the memory of who typed lately.
const maxTypists = 10_000
