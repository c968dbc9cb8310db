package gateway

import (
	"context"
	"errors"

	"qun/internal/chat"
)

type userIn struct {
	UserID chat.UserID `json:"userId"`
}

type userOut struct {
	User *chat.User `json:"user"`
}

// getUser looks a user up by its id. A guest that never spoke is known only while it is here.
func (g *Gateway) getUser(ctx context.Context, _ *client, _ *chat.User, in userIn) (userOut, error) {
	user, err := g.chat.User(ctx, in.UserID)
	if refused, ok := errors.AsType[*chat.Error](err); ok && refused.Code == chat.CodeNotFound {
		if here := g.present(in.UserID); here != nil {
			return userOut{g.withPresence(here)}, nil
		}
	}
	return userOut{g.withPresence(user)}, err
}

// present is a user as one of its sockets knows it, or nil if there is none.
func (g *Gateway) present(id chat.UserID) *chat.User {
	for _, c := range g.hub.people.of(id) {
		return c.who()
	}
	return nil
}

func (g *Gateway) withPresence(u *chat.User) *chat.User { return g.hub.withPresence(u) }

// withPresence is a copy of the user that says whether it is here; nil of nobody.
func (h *Hub) withPresence(u *chat.User) *chat.User {
	if u == nil {
		return nil
	}
	seen := *u
	seen.Presence, _ = h.presences.of(u.ID)
	return &seen
}

// Presence says whether the user is here.
func (g *Gateway) Presence(id chat.UserID) chat.Presence {
	is, _ := g.hub.presences.of(id)
	return is
}
