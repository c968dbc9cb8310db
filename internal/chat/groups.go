package chat

// GroupKind tells a group of many from the one group of two.
type GroupKind string

const (
	KindGroup  GroupKind = "group"
	KindDirect GroupKind = "direct"
)

// Visibility says who may find a group.
type Visibility string

const (
	VisibilityOpen    Visibility = "open"    // guests may enter
	VisibilityPublic  Visibility = "public"  // members find it
	VisibilityPrivate Visibility = "private" // neither: by id or invite
)

// Joining says how a membership begins.
type Joining string

const (
	JoiningOpen     Joining = "open"
	JoiningApproval Joining = "approval"
	JoiningInvite   Joining = "invite"
)

// Extent says how far back a member may read: everything, or from its own joining on.
type Extent string

const (
	ExtentAll    Extent = "all"
	ExtentJoined Extent = "joined"
)

// Group is a group with everything every member may see, and in Me what the asking user alone may see.
type Group struct {
	ID           GroupID    `json:"groupId"`
	Room         string     `json:"room,omitempty"` // its address as first written; private groups have none
	Name         string     `json:"name"`
	Topic        string     `json:"topic"`
	Avatar       string     `json:"avatar,omitempty"`
	Kind         GroupKind  `json:"kind"`
	Visibility   Visibility `json:"visibility"`
	Joining      Joining    `json:"joining"`
	History      Extent     `json:"history"`
	Announcement string     `json:"announcement,omitempty"`
	AnnouncedAt  Time       `json:"announcedAt,omitempty"`
	SlowMode     int        `json:"slowMode,omitempty"` // seconds between two messages of a member
	MutedAll     bool       `json:"mutedAll,omitempty"`
	Retention    int        `json:"retention,omitempty"` // days that messages are kept; 0: as the server says
	MemberCount  int        `json:"memberCount"`
	Head         Seq        `json:"head"`
	Floor        Seq        `json:"floor"` // rows with a lower seq may be gone
	Rev          Seq        `json:"rev"`
	CreatedAt    Time       `json:"createdAt"`
	Me           *GroupMe   `json:"me,omitempty"` // in answers to one user; never in what is pushed to a group

	Counted     int64 `json:"-"` // countable messages so far; unread is a difference of such counts
	DissolvedAt Time  `json:"-"`
	Announced   Seq   `json:"-"` // the number at which Announcement last changed
	Informed    int   `json:"-"` // active members who have read that announcement
	Requests    int   `json:"-"` // join requests that wait; for those who decide
}

// GroupMe is a group as one user has it: role, cursor, settings. It is private to that user.
type GroupMe struct {
	Role       Role   `json:"role"`
	GroupNick  string `json:"groupNick,omitempty"`
	ReadSeq    Seq    `json:"readSeq"`
	Unread     int64  `json:"unread"`
	Mentioned  int64  `json:"mentioned"`
	Notify     Notify `json:"notify"`
	Pinned     bool   `json:"pinned"`
	MutedUntil Time   `json:"mutedUntil,omitempty"`
	FromSeq    Seq    `json:"fromSeq,omitempty"`

	AnnouncementRead bool  `json:"announcementRead,omitempty"` // of a group that has one
	Requests         int   `json:"requests,omitempty"`         // join requests that wait for me or my like
	Peer             *User `json:"peer,omitempty"`             // the other one of a group of two, in answers
}

// Conversation is a line of my conversation list: a group, its newest message, and what I was about to say.
type Conversation struct {
	*Group
	LastMessage *Message `json:"lastMessage,omitempty"`
	Draft       string   `json:"draft,omitempty"`
}
