package gateway

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"strings"

	"qun/internal/auth"
	"qun/internal/chat"
)

// joinRoomIn names a room as people do, or a group by its id. Without a user yet, NickName makes a guest.
type joinRoomIn struct {
	RoomName text         `json:"roomName,omitempty"`
	NickName text         `json:"nickName,omitempty"`
	GroupID  chat.GroupID `json:"groupId,omitempty"`
	Text     string       `json:"text,omitempty"` // to those who let people in
	Token    string       `json:"-"`              // of an invite
}

// joinRoomOut is the group, who I am, and the newest page.
type joinRoomOut struct {
	*chat.Snapshot
	Me    *chat.User `json:"me"`
	Token string     `json:"token,omitempty"` // of a guest who does not have it
}

// pendingOut says that somebody has to let me in; the outcome comes by `me`.
type pendingOut struct {
	Pending bool            `json:"pending"`
	Group   *chat.GroupCard `json:"group"`
}

// text is a JSON string; anything else counts as absent, as a page that forgot a field sends it.
type text string

func (t *text) UnmarshalJSON(data []byte) error {
	if n := len(data); n > 1 && data[0] == '"' && bytes.IndexByte(data, '\\') < 0 { // valid JSON in UTF-8, with nothing escaped
		*t = text(data[1 : n-1])
		return nil
	}
	var s *string
	if json.Unmarshal(data, &s) == nil && s != nil {
		*t = text(*s)
	}
	return nil
}

// joinRoom lets a client into a group: into the rooms first, and everybody there reads the line that tells of it; then it
// reads the snapshot, and what the client sent too early is handled.
func (g *Gateway) joinRoom(ctx context.Context, c *client, r *request) {
	in, err := decode[joinRoomIn](r)
	if err != nil {
		r.refuse(err)
		return
	}
	g.join(ctx, c, r, in)
}

func (g *Gateway) join(ctx context.Context, c *client, r *request, in joinRoomIn) {
	r.room = string(in.RoomName)
	entered, err := g.enter(ctx, c, r, in)
	if err != nil {
		r.refuse(err)
		return
	}
	if entered.Pending {
		r.answer(pendingOut{true, entered.Group.Card()})
		return
	}
	if err := g.answerEntered(ctx, c, r, entered); err != nil {
		r.refuse(err)
		return
	}
	g.admit(ctx, c)
}

// answerEntered reads the snapshot, for those who wait for it.
func (g *Gateway) answerEntered(ctx context.Context, c *client, r *request, entered *chat.Entered) error {
	if !r.event.WantsAck() {
		r.answer(nil)
		return nil
	}
	snapshot, err := g.chat.Snapshot(ctx, entered.User, entered.Group.ID)
	if err != nil {
		return err
	}
	r.answer(joinRoomOut{Snapshot: snapshot, Me: g.withPresence(entered.User), Token: g.token(c)})
	return nil
}

// enter asks the chat, binds the socket to its user, puts it into the rooms, and tells everybody there.
func (g *Gateway) enter(ctx context.Context, c *client, r *request, in joinRoomIn) (*chat.Entered, error) {
	if g.crowded(c, in) {
		return nil, errTooMany
	}
	leave, err := g.turnstiles.enter(ctx, string(in.RoomName)+string(in.GroupID)+in.Token)
	if err != nil {
		return nil, err
	}
	defer leave()
	who, fresh, err := g.whoEnters(ctx, c, r, string(in.NickName))
	if err != nil {
		return nil, err
	}
	entry := chat.Entry{
		Room: string(in.RoomName), Group: in.GroupID, Invite: in.Token, Text: in.Text, Address: c.unknownAddress(),
		Plain: g.isPlainGuest(c, r),
	}
	for range maxEntries {
		entered, err := g.walkIn(ctx, c, who, fresh, entry)
		if !errors.Is(err, errMoved) {
			return entered, err
		}
		who, fresh = c.who(), false
	}
	return nil, errTooSlow
}

// maxEntries is how often a way in is asked for that is lost on the way.
const maxEntries = 4

// walkIn asks the chat for a way in, and goes it.
func (g *Gateway) walkIn(ctx context.Context, c *client, who *chat.User, fresh bool, entry chat.Entry) (*chat.Entered, error) {
	age := g.hub.doors.now()
	entered, err := g.chat.Enter(ctx, who, entry)
	if err != nil || entered.Pending {
		return entered, err
	}
	g.becomes(c, entered.User, fresh)
	how := stay{rev: entered.Rev, visitor: entered.Visitor, age: age}
	if err := c.enter(entered.Group.ID, how, entry.Room, strings.TrimSpace(entry.Room), entered.Group.Room); err != nil {
		return nil, err
	}
	if entered.JoinLine != nil {
		g.tellAll(entered.Group.ID, entered.JoinLine)
	}
	g.hub.presences.appear(entered.User, entered.Group)
	return entered, nil
}

// unknownAddress is where a client comes from that showed nothing to be known by.
func (c *client) unknownAddress() string {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.identity != nil {
		return ""
	}
	return c.address()
}

// address is what counts as the client's address.
func (c *client) address() string { return auth.Household(c.socket.Handshake().RemoteAddr).String() }

func (g *Gateway) crowded(c *client, in joinRoomIn) bool {
	if _, known := c.named(string(in.RoomName)); known || c.isIn(in.GroupID) {
		return false
	}
	return c.crowded(g.chat.Limits().GroupsPerUser)
}

// whoEnters is the client's user, or a new guest of that nickname. Who can be asked again (there is an ack) is refused
// a name that a member bears; who cannot bears it with the guests' suffix.
func (g *Gateway) whoEnters(ctx context.Context, c *client, r *request, nickName string) (who *chat.User, fresh bool, err error) {
	if who := c.who(); who != nil {
		return who, false, nil
	}
	guest, err := g.chat.NewGuest(ctx, nickName, r.event.WantsAck())
	return guest, true, err
}

// isPlainGuest says that the client is the seed's: a guest that no token brings back.
func (g *Gateway) isPlainGuest(c *client, r *request) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return !c.full && !c.tokened && c.identity == nil && !r.event.WantsAck()
}

// becomes makes the client act as who entered: a guest who is new, or got another name meanwhile.
func (g *Gateway) becomes(c *client, who *chat.User, fresh bool) {
	c.mu.Lock()
	if c.user != nil && c.user.NickName != who.NickName {
		c.tokened = false // the name stands in the token
	}
	c.user = who
	full := c.full
	c.mu.Unlock()
	if !fresh {
		return
	}
	g.bind(c, who)
	if full {
		c.socket.Join(userRoom(who.ID)) // who went away joins nothing
	}
}

// token is the one by which a guest comes back, if the client does not have it.
func (g *Gateway) token(c *client) string {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.user == nil || !c.user.Guest || c.tokened {
		return ""
	}
	c.tokened = true
	if c.identity == nil {
		return g.auth.GuestToken(*c.user)
	}
	_, token := g.auth.Renamed(c.identity, c.user.NickName)
	return token
}

// tellAll pushes a line that is not kept to everybody in a group.
func (g *Gateway) tellAll(group chat.GroupID, line *chat.Message) {
	g.hub.whisper(whisper{Event: "message", Groups: []chat.GroupID{group}, Everyone: true}, line)
}

type groupIn struct {
	GroupID chat.GroupID `json:"groupId"`
}

type groupOut struct {
	Group *chat.Group `json:"group"`
}

// getGroup looks a group up by its id.
func (g *Gateway) getGroup(ctx context.Context, _ *client, who *chat.User, in groupIn) (groupOut, error) {
	group, err := g.chat.Group(ctx, who, in.GroupID)
	return groupOut{group}, err
}
