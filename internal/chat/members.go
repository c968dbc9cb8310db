package chat

// Role is what a member may do in its group.
type Role string

const (
	RoleOwner  Role = "owner"
	RoleAdmin  Role = "admin"
	RoleMember Role = "member"
)

// MemberState says whether a membership still holds. Nothing with a rev is deleted: who left stays, with a state.
type MemberState string

const (
	MemberActive MemberState = "active"
	MemberLeft   MemberState = "left"
	MemberKicked MemberState = "kicked"
	MemberBanned MemberState = "banned"
)

// Notify is how loudly a group may call its member.
type Notify string

const (
	NotifyAll      Notify = "all"
	NotifyMentions Notify = "mentions"
	NotifyNothing  Notify = "nothing"
)

// Member is a user in a group, as the group sees it.
type Member struct {
	GroupID    GroupID     `json:"groupId"`
	UserID     UserID      `json:"userId"`
	Rev        Seq         `json:"rev"`
	NickName   string      `json:"nickName"`
	GroupNick  string      `json:"groupNick,omitempty"`
	Username   string      `json:"username,omitempty"`
	Avatar     string      `json:"avatar,omitempty"`
	Role       Role        `json:"role"`
	Guest      bool        `json:"guest"`
	Bot        bool        `json:"bot"`
	State      MemberState `json:"state"`
	MutedUntil Time        `json:"mutedUntil,omitempty"`
	JoinedAt   Time        `json:"joinedAt"`
}

// Membership is a Member with what only the user itself may see. It is the row; Member and GroupMe are its two views.
type Membership struct {
	Member
	ReadSeq   Seq    // everything up to here is read
	ReadCount int64  // the group's count at ReadSeq
	OwnUnread int64  // own countable messages after ReadSeq
	Mentioned int64  // messages after ReadSeq that mention the user; see MentionReader
	SentAt    Time   // the newest own message, for slow mode
	FromSeq   Seq    // where it began: in groups with ExtentJoined nothing before it is ever sent
	Notify    Notify // how loudly the group calls
	Pinned    bool
	Draft     string
	OutUntil  Time // who was removed stays out until then; 0 of a ban: until it is lifted
	Announced Seq  // the newest announcement its user has read
	Barred    Bar  // in a group of two
	UserRev   Seq  // the number of the user's own counter at which the private part last changed
}

// Active reports whether m is a membership that holds; a nil one does not.
func (m *Membership) Active() bool { return m != nil && m.State == MemberActive }

// isOut reports whether m was removed and has to stay out.
func (m *Membership) isOut(now Time) bool {
	switch {
	case m == nil:
		return false
	case m.State == MemberBanned:
		return m.OutUntil == 0 || m.OutUntil > now
	}
	return m.State == MemberKicked && m.OutUntil > now
}

// Unread is how many countable messages of others came after what m has read, of counted in the group.
func (m *Membership) Unread(counted int64) int64 { return counted - m.ReadCount - m.OwnUnread }

// Me is m as its own user sees it in its group.
func (m *Membership) Me(g *Group) *GroupMe {
	me := &GroupMe{
		Role: m.Role, GroupNick: m.GroupNick, ReadSeq: m.ReadSeq, Unread: m.Unread(g.Counted), Mentioned: m.Mentioned,
		Notify: m.Notify, Pinned: m.Pinned, MutedUntil: m.MutedUntil,
		AnnouncementRead: g.Announced > 0 && m.Announced == g.Announced,
	}
	if g.History == ExtentJoined {
		me.FromSeq = m.FromSeq
	}
	if m.Role != RoleMember {
		me.Requests = g.Requests
	}
	return me
}
