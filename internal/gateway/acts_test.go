package gateway_test

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"qun/internal/chat"
	"qun/internal/gateway"
)

// object is a payload.
type object map[string]any

// crowd is a house in which nobody is too fast, and who is who in it.
type crowd struct {
	*house
	t       *testing.T
	victims int // so far
}

func gather(t *testing.T) *crowd {
	return &crowd{openWith(t, gateway.Config{}, chat.Config{Limits: chat.Limits{MessageLength: 8000, NickName: 32, Room: 64}}), t, 0}
}

// person is a full client, and who it is.
type person struct {
	*peer
	id    chat.UserID
	token string
}

// member makes a member of the server with a socket that said hello.
func (c *crowd) member(name string) *person {
	c.t.Helper()
	id := c.user(name)
	token, err := c.auth.SignIn(c.t.Context(), id, "test")
	if err != nil {
		c.t.Fatal(err)
	}
	return c.come(&person{id: id, token: token})
}

// user makes a member of the server.
func (c *crowd) user(name string) chat.UserID {
	c.t.Helper()
	u, err := c.chat.CreateMember(c.t.Context(), chat.NewMember{Username: name})
	if err != nil {
		c.t.Fatal(err)
	}
	return u.ID
}

// guest makes a guest with a socket that said hello. It has entered nothing that others know of.
func (c *crowd) guest(name string) *person {
	c.t.Helper()
	u, err := c.chat.NewGuest(c.t.Context(), name, false)
	if err != nil {
		c.t.Fatal(err)
	}
	return c.come(&person{id: u.ID, token: c.auth.GuestToken(*u)})
}

// come gives a person another socket.
func (c *crowd) come(p *person) *person {
	c.t.Helper()
	p = &person{peer: c.dialAs(c.t, p.token), id: p.id, token: p.token}
	p.wants("", "hello", object{"protocol": 1})
	return p
}

// wants asks and expects a code, "" for success; it returns the answer.
func (p *person) wants(code chat.Code, event string, payload any) string {
	p.t.Helper()
	answer := p.ask(event, payload)
	if got := codeOf(p.t, answer); got != code {
		p.t.Errorf("%s %v: got %s, want %q", event, payload, answer, code)
	}
	return answer
}

func codeOf(t *testing.T, answer string) chat.Code {
	t.Helper()
	var a struct {
		OK    bool
		Error struct{ Code chat.Code }
	}
	if err := json.Unmarshal([]byte(answer), &a); err != nil || a.OK == (a.Error.Code != "") {
		t.Fatalf("no answer: %s", answer)
	}
	return a.Error.Code
}

// field is a field of an answer, by its path.
func field[T any](t *testing.T, answer string, path ...string) (value T) {
	t.Helper()
	raw := json.RawMessage(answer)
	for _, name := range path {
		var fields map[string]json.RawMessage
		if err := json.Unmarshal(raw, &fields); err != nil || fields[name] == nil {
			t.Fatalf("no %v in %s", path, answer)
		}
		raw = fields[name]
	}
	if err := json.Unmarshal(raw, &value); err != nil {
		t.Fatalf("%v in %s: %v", path, answer, err)
	}
	return value
}

// group makes a group that p owns.
func (p *person) group(shape object) chat.GroupID {
	p.t.Helper()
	return field[chat.GroupID](p.t, p.wants("", "createGroup", shape), "group", "groupId")
}

// in is a payload about a group, and more of it.
func in(g chat.GroupID, more ...object) object {
	payload := object{"groupId": g}
	for _, fields := range more {
		for name, value := range fields {
			payload[name] = value
		}
	}
	return payload
}

// TestWhoMayDoWhat tries every act as everybody, in every kind of group, over real sockets. What is expected is written out
// here by hand. Who is not in a group hears no frame of it, and what it must not know is answered as what is not there.
func TestWhoMayDoWhat(t *testing.T) {
	c := gather(t)
	for _, shape := range []object{
		{"visibility": "open", "joining": "open"},
		{"visibility": "public", "joining": "open"}, {"visibility": "public", "joining": "approval"}, {"visibility": "public", "joining": "invite"},
		{"visibility": "private", "joining": "open"}, {"visibility": "private", "joining": "approval"}, {"visibility": "private", "joining": "invite"},
	} {
		name := fmt.Sprint(shape["visibility"], "-", shape["joining"])
		t.Run(name, func(t *testing.T) { tryActs(c.by(t), name, shape) })
	}
	t.Run("direct", func(t *testing.T) { tryDirect(c.by(t)) })
}

func (c *crowd) by(t *testing.T) *crowd { return &crowd{c.house, t, 0} }

// act is a request, and what it is answered: by owner, admin, member, member who is a guest, visitor, stranger, somebody
// banned, and an outsider. "-" is success.
type act struct {
	event   string
	payload func(g chat.GroupID, victim chat.UserID) object
	want    string
}

func plain(g chat.GroupID, _ chat.UserID) object { return in(g) }

func with(more object) func(chat.GroupID, chat.UserID) object {
	return func(g chat.GroupID, _ chat.UserID) object { return in(g, more) }
}

func to(more object) func(chat.GroupID, chat.UserID) object {
	return func(g chat.GroupID, victim chat.UserID) object { return in(g, object{"userId": victim}, more) }
}

// acts are in an order in which none takes away what a later one needs.
var acts = []act{
	//                                                               own adm mem gue vis str ban out
	{"getGroup", plain, "- - - - - R F N"},
	{"history", plain, "- - - - - R F N"},
	{"members", plain, "- - - - - R F N"},
	{"announcement", plain, "- - - - - R F N"},
	{"readAnnouncement", plain, "- - - - - R F N"},
	{"readUpTo", with(object{"seq": 1}), "- - - - - R F N"},
	{"sendMessage", with(object{"message": "hello"}), "- - - - - R F N"},
	{"updateGroup", with(object{"topic": ""}), "- - F F F R F N"},
	{"updateGroup", with(object{"slowMode": 0}), "- - F F F R F N"},
	{"updateGroup", with(object{"history": "all"}), "- F F F F R F N"},
	{"mute", with(object{"on": false}), "- - F F F R F N"},
	{"mute", to(object{"on": false}), "- - F F F R F N"},
	{"setRole", to(object{"role": "member"}), "- F F F F R F N"},
	{"bans", plain, "- - F F F R F N"},
	{"joinRequests", plain, "- - F F F R F N"},
	{"audit", plain, "- - F F F R F N"},
	{"kick", to(nil), "- - F F F R F N"},
	{"ban", to(nil), "- - F F F R F N"},
	{"unban", to(nil), "- - F F F R F N"},
}

// inviting depends on how one joins.
var inviting = map[string][]act{
	"open": {
		{"invite", plain, "- - - F F R F N"}, {"invites", plain, "- - - F F R F N"},
		{"addMembers", with(object{"userIds": []string{}}), "- - - F F R F N"},
	},
	"approval": {
		{"invite", plain, "- - - F F R F N"}, {"invites", plain, "- - - F F R F N"},
		{"addMembers", with(object{"userIds": []string{}}), "- - F F F R F N"},
	},
	"invite": {
		{"invite", plain, "- - F F F R F N"}, {"invites", plain, "- - F F F R F N"},
		{"addMembers", with(object{"userIds": []string{}}), "- - F F F R F N"},
	},
}

// last are the acts that end something, for who may.
var last = []act{
	{"dissolveGroup", plain, "? F F F F R F N"},
	{"leaveGroup", plain, "C - - - - R F N"},
	{"dissolveGroup", plain, "- ? ? ? ? ? ? N"},
}

var codes = map[string]chat.Code{
	"-": "", "F": chat.CodeForbidden, "R": chat.CodeNotInRoom, "N": chat.CodeNotFound, "C": chat.CodeConflict,
}

// standings are the columns of act.want.
const (
	owner = iota
	admin
	member
	guestMember
	visitor
	stranger
	banned
	outsider
)

// someone is somebody who tries, under a standing.
type someone struct {
	*person
	as   int
	name string
}

func tryActs(c *crowd, name string, shape object) {
	t := c.t
	boss := c.member("boss-" + name)
	shape["name"] = name
	g := boss.group(shape)
	who := c.populate(boss, g, name, fmt.Sprint(shape["visibility"]))
	heard := map[*person]int{}
	for _, p := range who {
		if p.as >= stranger {
			p.hasHeardSoFar(heard, g)
		}
	}
	for _, list := range [][]act{acts, inviting[fmt.Sprint(shape["joining"])], last} {
		for _, a := range list {
			for i := len(who) - 1; i >= 0; i-- { // the mighty last
				try(c, who[i], a, g, boss)
			}
		}
	}
	for p, before := range heard {
		p.wants("", "getUser", object{"userId": p.id}) // everything pushed so far has arrived
		if now, _ := p.count(string(g)); now != before {
			t.Errorf("who is not in the group heard %d frames of it: %q", now-before, p.heard)
		}
	}
}

// hasHeardSoFar notes how many frames of g p has heard up to now.
func (p *person) hasHeardSoFar(heard map[*person]int, g chat.GroupID) {
	p.wants("", "getUser", object{"userId": p.id})
	heard[p], _ = p.count(string(g))
}

// populate brings somebody of each standing that there can be.
func (c *crowd) populate(boss *person, g chat.GroupID, name, visibility string) []someone {
	c.t.Helper()
	outside := stranger
	if visibility == "private" {
		outside = outsider
	}
	who := []someone{{boss, owner, "owner"}}
	join := func(as int, called string) *person {
		p := c.member(called + "-" + name)
		boss.wants("", "addMembers", in(g, object{"userIds": []chat.UserID{p.id}}))
		who = append(who, someone{p, as, called})
		return p
	}
	boss.wants("", "setRole", in(g, object{"userId": join(admin, "admin").id, "role": "admin"}))
	join(member, "member")
	who = append(who, someone{c.member("stranger-" + name), outside, "stranger"})
	kicked, out := join(outside, "kicked"), banned
	if visibility == "private" {
		out = outsider
	}
	boss.wants("", "kick", in(g, object{"userId": kicked.id}))
	boss.wants("", "ban", in(g, object{"userId": join(out, "banned").id}))
	kicked.hears(1, "me ", `"reason":"kicked"`)
	if visibility != "open" {
		return append(who, someone{c.guest("guest-" + name), outsider, "guest"})
	}
	speaker, quiet := c.guest("speaker-"+name), c.guest("quiet-"+name)
	speaker.wants("", "joinRoom", in(g))
	speaker.wants("", "sendMessage", in(g, object{"message": "hello"}))
	quiet.wants("", "joinRoom", in(g))
	return append(who, someone{speaker, guestMember, "guest who spoke"}, someone{quiet, visitor, "visitor"})
}

// try tries one act as somebody, on a victim of its own.
func try(c *crowd, p someone, a act, g chat.GroupID, boss *person) {
	letter := strings.Fields(a.want)[p.as]
	if letter == "?" {
		return
	}
	victim := boss.id
	if p.as == owner || p.as == admin {
		c.victims++
		victim = c.user(fmt.Sprintf("victim%d-%s", c.victims, g[len(g)-6:]))
		boss.wants("", "addMembers", in(g, object{"userIds": []chat.UserID{victim}}))
	}
	payload := a.payload(g, victim)
	answer := p.ask(a.event, payload)
	want := codes[letter]
	if p.as == visitor && a.event == "sendMessage" { // it would be no visitor any more
		return
	}
	if got := codeOf(c.t, answer); got != want {
		c.t.Errorf("%s by %s %v: got %s, want %q", a.event, p.name, payload, answer, want)
	}
	if p.as == outsider {
		absent := p.ask(a.event, a.payload("00000000-0000-7000-8000-000000000000", victim))
		if answer != absent {
			c.t.Errorf("%s by %s: what is hidden is answered %s, what is absent %s", a.event, p.name, answer, absent)
		}
	}
}

// In a group of two there are no roles, no invites, and nobody else.
func tryDirect(c *crowd) {
	anna, ben, eve, guest := c.member("anna-direct"), c.member("ben-direct"), c.member("eve-direct"), c.guest("guest-direct")
	g := field[chat.GroupID](c.t, anna.wants("", "openDirect", object{"userId": ben.id}), "group", "groupId")
	for _, list := range [][]act{acts, inviting["invite"], last} {
		for _, a := range list {
			want := "F"
			if strings.HasPrefix(a.want, "- - - - -") {
				want = "-"
			}
			for _, p := range []*person{anna, ben} {
				p.wants(codes[want], a.event, a.payload(g, ben.id))
			}
			for _, p := range []*person{eve, guest} {
				answer := p.wants(chat.CodeNotFound, a.event, a.payload(g, ben.id))
				if absent := p.ask(a.event, a.payload("00000000-0000-7000-8000-000000000000", ben.id)); answer != absent {
					c.t.Errorf("%s: what is hidden is answered %s, what is absent %s", a.event, answer, absent)
				}
			}
		}
	}
	eve.hasHeard(0, string(g))
	guest.hasHeard(0, string(g))
	ben.hasHeard(2, "message ", string(g), "hello")
}
