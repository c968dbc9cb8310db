package chat

import "encoding/json"

// Event is one number of one counter, after it became durable: of a group's (Group is set, and Message or Change) or
// of a user's own (User is set, and Me). It is shared: who gets it must not change it.
type Event struct {
	Group  GroupID // everybody in this group hears it
	User   UserID  // or the sockets of this user do
	Number Seq     // the counter's number; events of one counter come dense and in order

	Message *Message  // the push `message`: a new message, Number = Seq
	Change  *Change   // the push `change`: a row that changed, Number = Head
	Me      *MeChange // the push `me`, Number = Head

	Elsewhere bool // another node caused it, or nobody knows which
}

// ChangeKind says which row a Change carries.
type ChangeKind string

const (
	ChangeMessage ChangeKind = "message"
	ChangeMember  ChangeKind = "member"
	ChangeGroup   ChangeKind = "group"
)

// Change is the push `change`: one row of a group as it is since number Head. One without a row is a number whose row
// has changed again since: the later number brings it.
type Change struct {
	GroupID GroupID    `json:"groupId"`
	Head    Seq        `json:"head"`
	Kind    ChangeKind `json:"kind,omitempty"`
	Seq     Seq        `json:"seq,omitempty"` // of a message whose row may not be shown to all; there is no Kind then
	Message *Message   `json:"message,omitempty"`
	Member  *Member    `json:"member,omitempty"`
	Group   *Group     `json:"group,omitempty"`
}

// MeChange is the push `me`: one private row of a user as it is since number Head of the user's own counter.
type MeChange struct {
	Head     Seq             `json:"head"`
	User     *User           `json:"user,omitempty"`
	Settings json.RawMessage `json:"settings,omitempty"`
	Group    *GroupState     `json:"group,omitempty"`
	Left     *Left           `json:"left,omitempty"`
	Pending  *Pending        `json:"pending,omitempty"`
	Block    *Block          `json:"block,omitempty"`

	Rev Seq `json:"-"` // with Group and Left: the group's number at which the membership last changed
}

// GroupState is one of my groups as I have it.
type GroupState struct {
	GroupID GroupID  `json:"groupId"`
	Me      *GroupMe `json:"me"`
	Draft   string   `json:"draft,omitempty"`

	MemberCount int `json:"-"` // of the group
}

// Left says that a group is no longer mine, and why: "left", "kicked", "banned" or "dissolved".
type Left struct {
	GroupID GroupID `json:"groupId"`
	Reason  Gone    `json:"reason"`
	Until   Time    `json:"until,omitempty"`
}

// Gone says how a group was lost.
type Gone string

const (
	GoneLeft      Gone = "left"
	GoneKicked    Gone = "kicked"
	GoneBanned    Gone = "banned"
	GoneDissolved Gone = "dissolved"
)

// Notifier hears of everything that became durable. Only the announcer calls it: the events of one counter come from
// one goroutine at a time, in order; those of different counters may come at once.
// Notify must not block and must not call the Service: it hands on and returns.
type Notifier interface {
	Notify(Event)
}

// MessageEvent is what a message's newest number tells g: a new message, or a change of one. Where not everybody may
// read every message, a change says which message it is and no more.
func MessageEvent(g *Group, m *Message) Event {
	e := Event{Group: m.GroupID, Number: m.Rev}
	switch {
	case m.Rev == m.Seq:
		e.Message = m
	case g.History == ExtentJoined:
		e.Change = &Change{GroupID: m.GroupID, Head: m.Rev, Seq: m.Seq}
	default:
		e.Change = &Change{GroupID: m.GroupID, Head: m.Rev, Kind: ChangeMessage, Message: m}
	}
	return e
}

// MemberEvent is what a member's newest number tells the group.
func MemberEvent(m *Member) Event {
	return Event{Group: m.GroupID, Number: m.Rev,
		Change: &Change{GroupID: m.GroupID, Head: m.Rev, Kind: ChangeMember, Member: m}}
}

// GroupEvent is what a group's own newest number tells it. g comes without Me.
func GroupEvent(g *Group) Event {
	return Event{Group: g.ID, Number: g.Rev,
		Change: &Change{GroupID: g.ID, Head: g.Rev, Kind: ChangeGroup, Group: g}}
}

// UserEvent tells a user of its own row, as it is since a number of its own counter.
func UserEvent(u *User, rev Seq) Event {
	return Event{User: u.ID, Number: rev, Me: &MeChange{Head: rev, User: u}}
}

// SettingsEvent tells a user of its settings, as they are since a number of its own counter.
func SettingsEvent(u UserID, settings json.RawMessage, rev Seq) Event {
	return Event{User: u, Number: rev, Me: &MeChange{Head: rev, Settings: settings}}
}

// MembershipEvent is what a membership's newest number of the user's own counter tells that user.
func MembershipEvent(g *Group, m *Membership) Event {
	me := &MeChange{Head: m.UserRev, Rev: m.Rev}
	if m.Active() && g.DissolvedAt == 0 {
		me.Group = &GroupState{GroupID: g.ID, Me: m.Me(g), Draft: m.Draft, MemberCount: g.MemberCount}
	} else {
		me.Left = left(g, m)
	}
	return Event{User: m.UserID, Number: m.UserRev, Me: me}
}

// left says how a membership that holds no more was lost.
func left(g *Group, m *Membership) *Left {
	l := &Left{GroupID: g.ID}
	switch {
	case g.DissolvedAt != 0:
		l.Reason = GoneDissolved
	case m.State == MemberKicked:
		l.Reason, l.Until = GoneKicked, m.OutUntil
	case m.State == MemberBanned:
		l.Reason, l.Until = GoneBanned, m.OutUntil
	default:
		l.Reason = GoneLeft
	}
	return l
}
