package gateway

import (
	"context"
	"slices"
	"time"

	"qun/internal/chat"
)

type pushKeyOut struct {
	Key string `json:"key"`
}

// subscriptionIn is what a browser's PushSubscription.toJSON() says.
type subscriptionIn struct {
	Subscription chat.NewSubscription `json:"subscription"`
}

type endpointIn struct {
	Endpoint string `json:"endpoint"`
}

// visibleIn says whether the client has the chat in sight.
type visibleIn struct {
	On bool `json:"on"`
}

// pushKey is the server's public key, which a browser wants before it subscribes.
func (g *Gateway) pushKey(context.Context, *client, *chat.User, struct{}) (pushKeyOut, error) {
	return pushKeyOut{g.chat.PushKey()}, nil
}

// subscribePush lets the client's browser be called while its user is away, for as long as its session lasts.
func (g *Gateway) subscribePush(ctx context.Context, c *client, who *chat.User, in subscriptionIn) (any, error) {
	var session []byte
	if hash := c.session(); hash != nil {
		session = hash[:]
	}
	return nil, g.chat.SubscribePush(ctx, who, in.Subscription, session)
}

// unsubscribePush ends that.
func (g *Gateway) unsubscribePush(ctx context.Context, _ *client, who *chat.User, in endpointIn) (any, error) {
	return nil, g.chat.UnsubscribePush(ctx, who, in.Endpoint)
}

// visible notes whether the client has the chat in sight: then its user's devices need not be called. Who looks nowhere is
// away for the others, after a while.
func (g *Gateway) visible(_ context.Context, c *client, who *chat.User, in visibleIn) (any, error) {
	c.mu.Lock()
	c.said, c.inSight = true, in.On
	c.mu.Unlock()
	g.hub.presences.look(who.ID)
	if is, _ := g.hub.presences.of(who.ID); is == chat.PresenceOnline {
		g.hub.nodes.is(who.ID, g.hub.stateHere(who.ID, is), nil, false)
	}
	return nil, nil
}

// lately is how long a client that does not tell whether it has the chat in sight counts as if it had, after a request.
const lately = time.Minute

// Watching says whether a user has the chat in sight, at any node.
func (h *Hub) Watching(u chat.UserID) bool { return h.watchedHere(u) || h.nodes.of(u) == watching }

func (h *Hub) watchedHere(u chat.UserID) bool {
	for _, c := range h.people.of(u) {
		if c.watches() {
			return true
		}
	}
	return false
}

// looking says whether a user has the chat in sight as far as the others are told: clients that never say whether they do,
// such as bots, are taken to.
func (h *Hub) looking(u chat.UserID) bool {
	return slices.ContainsFunc(h.people.of(u), func(c *client) bool {
		c.mu.Lock()
		defer c.mu.Unlock()
		return !c.said || c.inSight
	})
}

func (c *client) watches() bool {
	now := c.gateway.cfg.Now()
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.said {
		return c.inSight
	}
	return now.Sub(c.lastSeen) < lately
}
