package chat

// Act is something that is done in a group. Who may do what is one table, permits, and every act asks it.
type Act string

const (
	ActRead        Act = "read"        // the group, its history, its members, its announcement
	ActSend        Act = "send"        // and what goes with it: type, react, edit and recall what is one's own
	ActLeave       Act = "leave"       // one's membership
	ActInvite      Act = "invite"      // make invites and withdraw one's own; add members
	ActPin         Act = "pin"         // messages
	ActRecall      Act = "recall"      // what others said
	ActMentionAll  Act = "mentionAll"  // call everybody
	ActUpdate      Act = "update"      // name, topic, picture, announcement, slow mode, who may join
	ActMute        Act = "mute"        // one or all
	ActKick        Act = "kick"        // out, for now
	ActBan         Act = "ban"         // out, until unbanned
	ActApprove     Act = "approve"     // join requests
	ActManageLinks Act = "manageLinks" // everybody's invites; webhooks
	ActAudit       Act = "audit"       // read who used a power
	ActReport      Act = "report"      // tell staff that a message is wrong
	ActModerate    Act = "moderate"    // read such reports, and end them
	ActReshape     Act = "reshape"     // who may find the group, its address, how far back it is read
	ActAppoint     Act = "appoint"     // admins, and another owner
	ActDissolve    Act = "dissolve"    // the group
)

// Standing is what somebody is to a group.
type Standing uint8

const (
	Outsider Standing = 1 << iota // must not know that there is such a group
	Removed                       // was put out, and still is
	Stranger                      // may know of it, and is not in it
	Visitor                       // a guest who has not spoken, in a group that is open to guests
	AsGuest                       // a guest who is a member
	AsMember
	AsAdmin
	AsOwner
)

const (
	staff     = AsOwner | AsAdmin
	everyone  = staff | AsMember | AsGuest
	listeners = everyone | Visitor
)

// permit says which standings may do an act, by the kind of the group. Who may not is answered by what it may know:
// an outsider that there is no such group, a stranger to enter first, who was removed that it was, anybody else that it
// takes another role.
type permit struct {
	group      Standing // in a group of many
	unlessShut Standing // there too, unless one joins it by invitation only
	direct     Standing // in a group of two
}

var permits = map[Act]permit{
	ActRead:        {group: listeners, direct: everyone},
	ActSend:        {group: listeners, direct: everyone},
	ActLeave:       {group: listeners},
	ActInvite:      {group: staff, unlessShut: AsMember},
	ActPin:         {group: staff, direct: everyone},
	ActRecall:      {group: staff},
	ActMentionAll:  {group: staff},
	ActUpdate:      {group: staff},
	ActMute:        {group: staff},
	ActKick:        {group: staff},
	ActBan:         {group: staff},
	ActApprove:     {group: staff},
	ActManageLinks: {group: staff},
	ActAudit:       {group: staff},
	ActReport:      {group: everyone, direct: everyone},
	ActModerate:    {group: staff},
	ActReshape:     {group: AsOwner},
	ActAppoint:     {group: AsOwner},
	ActDissolve:    {group: AsOwner},
}

func (p permit) holds(g *Group, as Standing) bool {
	allowed := p.group
	switch {
	case g.Kind == KindDirect:
		allowed = p.direct
	case g.Joining != JoiningInvite:
		allowed |= p.unlessShut
	}
	return allowed&as != 0
}

// standing is what who, with this membership, is to g. A nil group, and a dissolved one, have outsiders only.
func standing(g *Group, m *Membership, who *User, now Time) Standing {
	switch {
	case g == nil || g.DissolvedAt != 0:
		return Outsider
	case m.Active():
		return standingOf(m.Role, who.Guest)
	case !mayFind(g, who):
		return Outsider
	case m.isOut(now):
		return Removed
	case who.Guest && g.OpenToGuests():
		return Visitor
	}
	return Stranger
}

func standingOf(role Role, guest bool) Standing {
	switch {
	case guest:
		return AsGuest
	case role == RoleOwner:
		return AsOwner
	case role == RoleAdmin:
		return AsAdmin
	}
	return AsMember
}

// rank orders roles: who stands first among the members, and has power over those behind, but over no equal.
func (r Role) rank() int {
	switch r {
	case roleServer:
		return -1
	case RoleOwner:
		return 0
	case RoleAdmin:
		return 1
	}
	return 2
}

// outranks reports whether m may use its power on other.
func (m *Membership) outranks(other *Membership) bool { return m.Role.rank() < other.Role.rank() }

// mayFind reports whether who, without being a member, may know that g exists.
func mayFind(g *Group, who *User) bool {
	return g.Visibility == VisibilityOpen || g.Visibility == VisibilityPublic && !who.Guest
}

// permit refuses who may not do act in g with this membership; nil lets it through. Either row may be nil.
func (s *Service) permit(g *Group, m *Membership, who *User, act Act) error {
	return permitted(g, m, who, act, s.now(), s.Guests() != GuestsOff)
}

func permitted(g *Group, m *Membership, who *User, act Act, now Time, guests bool) error {
	as := standing(g, m, who, now)
	switch {
	case as == Outsider:
		return refuseGroup()
	case who.Guest && !guests:
		return refuseGuests()
	case as == Removed:
		return refuseRemoved()
	case permits[act].holds(g, as):
		return nil
	case as == Stranger && who.Guest:
		return refuseInviteOnly()
	case as == Stranger:
		return refuseNotEntered()
	case g.Kind == KindDirect:
		return refuseDirectAct()
	}
	return refuseRole()
}
