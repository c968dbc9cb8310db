package gateway

import (
	"context"
	"encoding/json"
	"errors"

	"qun/internal/chat"
)

// protocol is the version of the chat's protocol that this server speaks.
const protocol = 1

// helloIn makes a full client. With Epoch and Heads the answer holds what sync would.
type helloIn struct {
	Protocol int                       `json:"protocol"`
	Epoch    string                    `json:"epoch,omitempty"`
	Heads    map[chat.GroupID]chat.Seq `json:"heads,omitempty"`
	Me       *chat.Seq                 `json:"me,omitempty"`
	Locale   string                    `json:"locale,omitempty"`
}

// helloOut is everything a client needs to begin.
type helloOut struct {
	Protocol int                  `json:"protocol"`
	Epoch    string               `json:"epoch"`
	Now      chat.Time            `json:"now"`
	Build    string               `json:"build"`
	Head     chat.Seq             `json:"head"`               // of my own counter
	Me       *chat.User           `json:"me" nullable:"true"` // null: nobody yet, joinRoom makes a guest
	Token    string               `json:"token,omitempty"`    // of a guest who does not have it
	Settings json.RawMessage      `json:"settings"`
	Limits   limits               `json:"limits"`
	Features []string             `json:"features"`
	Groups   []*chat.Conversation `json:"groups"`
	Pending  []*chat.Pending      `json:"pending,omitempty"` // groups I wait to be let into
	Blocked  []chat.UserID        `json:"blocked,omitempty"` // whom I block
	Sync     *chat.Sync           `json:"sync,omitempty"`
}

// limits are the bounds a client can respect by itself; 0 is no limit.
type limits struct {
	MessageLength     int     `json:"messageLength"` // code points
	NickName          int     `json:"nickName"`      // graphemes
	RoomName          int     `json:"roomName"`      // graphemes
	MessagesPerSecond float64 `json:"messagesPerSecond"`
	MessageBurst      int     `json:"messageBurst"`
	GroupsPerUser     int     `json:"groupsPerUser"`
	MembersPerGroup   int     `json:"membersPerGroup"`
	Upload            int64   `json:"upload"`        // bytes of a file
	Search            int     `json:"search"`        // code points
	EditSeconds       int     `json:"editSeconds"`   // how long a message of mine can be edited
	RecallSeconds     int     `json:"recallSeconds"` // and recalled
}

// features are the requests that are answered.
func (g *Gateway) features() []string {
	names := make([]string, len(g.requests))
	for i, r := range g.requests {
		names[i] = r.Name
	}
	return names
}

// hello makes the client full: it enters the rooms of all its groups first, and reads them then.
func (g *Gateway) hello(ctx context.Context, c *client, r *request) {
	in, err := decode[helloIn](r)
	if err == nil && in.Protocol != protocol {
		err = errProtocol
	}
	if err != nil {
		r.refuse(err)
		return
	}
	if err := c.become(in.Locale); err != nil {
		return // went away
	}
	out := g.greeting(c)
	if who := c.who(); who != nil {
		if err := g.resume(ctx, c, who, in, out); err != nil {
			r.refuse(err)
			return
		}
		out.Token = g.token(c)
	}
	r.answer(out)
	if c.who() != nil {
		g.admit(ctx, c)
	}
}

func (g *Gateway) greeting(c *client) *helloOut {
	l := g.chat.Limits()
	return &helloOut{
		Protocol: protocol,
		Epoch:    g.chat.Epoch(),
		Now:      chat.TimeOf(g.cfg.Now()),
		Build:    g.cfg.Build,
		Me:       g.withPresence(c.who()),
		Settings: json.RawMessage("{}"),
		Features: g.features(),
		Groups:   []*chat.Conversation{},
		Limits: limits{
			MessageLength: l.MessageLength, NickName: l.NickName, RoomName: l.Room,
			MessagesPerSecond: l.MessagesPerSecond, MessageBurst: l.MessageBurst,
			GroupsPerUser: l.GroupsPerUser, MembersPerGroup: l.MembersPerGroup, Search: l.Search,
			Upload:      l.UploadBytes,
			EditSeconds: int(l.EditWithin.Seconds()), RecallSeconds: int(l.RecallWithin.Seconds()),
		},
	}
}

// resume enters all groups of the user, then reads what they hold. Who went away while it waited for its turn is not waited for.
func (g *Gateway) resume(ctx context.Context, c *client, who *chat.User, in helloIn, out *helloOut) error {
	leave, err := g.lobby.enter(ctx)
	if err != nil {
		return errTooSlow
	}
	defer leave() // whatever happens: a place that stays taken is missing for ever
	if c.socket.Gone() {
		return errTooSlow
	}
	if err := g.enterMine(ctx, c, who); err != nil {
		return err
	}
	var missed *chat.SyncQuery
	if in.Epoch != "" && in.Heads != nil {
		missed = &chat.SyncQuery{Epoch: in.Epoch, Heads: in.Heads, Me: in.Me}
	}
	overview, sync, err := g.chat.Greet(ctx, who, missed)
	if err != nil {
		return err
	}
	out.Head, out.Settings, out.Sync = overview.Head, overview.Settings, g.seen(sync)
	out.Pending, out.Blocked = overview.Pending, overview.Blocked
	if overview.Groups != nil {
		out.Groups = overview.Groups
	}
	for _, group := range out.Groups {
		c.call(group.ID, group.Room)
	}
	g.hub.presences.resume(who, groupsOf(out.Groups))
	return nil
}

func groupsOf(conversations []*chat.Conversation) []*chat.Group {
	groups := make([]*chat.Group, len(conversations))
	for i, c := range conversations {
		groups[i] = c.Group
	}
	return groups
}

// enterMine enters all groups of the user. Where it was put out of one meanwhile, it looks again.
func (g *Gateway) enterMine(ctx context.Context, c *client, who *chat.User) error {
	for range maxEntries {
		mine, err := g.chat.MyGroups(ctx, who)
		if err != nil {
			return err
		}
		for _, group := range mine {
			if err = c.enter(group.ID, stay{rev: group.Rev}); err != nil {
				break
			}
		}
		if !errors.Is(err, errMoved) {
			return err
		}
	}
	return errTooSlow
}
