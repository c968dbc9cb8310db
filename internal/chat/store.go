package chat

import (
	"context"
	"encoding/json"
	"errors"
)

// Store keeps everything, durably. Its writes are atomic: when one returns without an error its rows survive any
// crash, and the events it caused have been handed to whoever Hear named; when one returns an error it left nothing, and
// what it was given runs no more. A store that lost its database in the middle of a commit may have to say that nobody
// knows; asking again with the same ClientID then finds out. All methods may be called from any goroutine.
type Store interface {
	UserStore
	BotStore
	UntoldStore
	FileStore
	PreviewStore
	OutboxStore
	WebPushStore
	SettingStore
	GroupStore
	RetentionStore
	BlockStore
	DirectStore
	NodeStore

	// Epoch names this history of numbers: a restore from a backup changes it.
	Epoch() string

	// Hear names who is told of events: once, before the first write. hear is called after the commit and before the
	// writers are woken, by one goroutine at a time, with the events of each counter in order. It must not block.
	Hear(hear func([]Event))

	// View runs read on one snapshot: all it sees is of one moment. read must not keep the Reader.
	View(ctx context.Context, read func(Reader) error) error

	// AppendMessage stores p under the group's next number, together with what its sender still lacks (the guest's user
	// row, the guest's membership). It asks p.Judge inside the transaction; a refusal is returned as it is and touches
	// no other writer of the batch. When the sender already used p.ClientID it returns the row as it is now with
	// Duplicate (before p is judged), or ErrClientIDUsed when that was another request. A ReplyTo that is no message of
	// the group is ErrNoReply. A send moves its sender's cursor if nothing was unread; else it counts in OwnUnread. A mention
	// of who is no member, or blocks the sender, is left out; each member mentioned is told of its count.
	AppendMessage(ctx context.Context, p *Posting) (*Sent, error)

	// Change runs act on the group while nobody else writes to it, and stores all it did or, when it returns an error,
	// nothing. act may run more than once before that: it sets its results, it does not add to them. It touches the
	// database through tx alone. An unknown group is ErrNotFound.
	Change(ctx context.Context, g GroupID, act func(tx GroupTx) error) error

	// GroupsOf are the groups each of these users is in, of one moment.
	GroupsOf(ctx context.Context, users []UserID) (map[UserID][]MyGroup, error)

	// OpenRoom returns the group with the address key. If there is none it makes g and, unless first is nil, runs first on
	// it as Change does, all or nothing.
	OpenRoom(ctx context.Context, key string, g *Group, first func(tx GroupTx) error) (group *Group, made bool, err error)

	// CreateUser stores a member or a bot. skeletons are the names nobody else may bear or imitate from now on; one
	// that another member has is ErrNameTaken.
	CreateUser(ctx context.Context, u *User, c Credentials, skeletons []string) error

	// MoveCursors marks as read what these users have read, each change under its user's next number. A cursor never
	// goes back; one of a membership that no longer holds is passed over.
	MoveCursors(ctx context.Context, cursors []Cursor) error

	// DropSilentRooms deletes the open groups made before a time in which nobody ever spoke and that have no member.
	DropSilentRooms(ctx context.Context, before Time) (int, error)
}

// Credentials are what a user may do to the server and how it signs in. They are never shown.
type Credentials struct {
	Password string // hashed; "" for who cannot sign in by one
	Admin    bool
}

// Facts a Store reports.
var (
	ErrNotFound     = errors.New("not found")
	ErrNameTaken    = errors.New("name is taken")
	ErrClientIDUsed = errors.New("clientId was used before")
	ErrNoReply      = errors.New("the message replied to does not exist")
	ErrBusy         = errors.New("nothing can be written now")
	ErrClosed       = errors.New("closed")
	ErrLastAdmin    = errors.New("the last administrator")
)

// Reader reads one snapshot. A row that is not there is ErrNotFound.
type Reader interface {
	UserReader
	BotReader
	GroupReader
	MemberReader
	MessageReader
	FileReader
	SearchReader
	RetentionReader
	ExportReader
	WebhookReader
	OutboxReader
	WebPushReader
	ReportReader
	SettingReader
	FigureReader
	GroupLister
	GroupFileReader
	MemberLister
	GroupFinder
	InviteReader
	JoinRequestReader
	BanReader
	DirectReader
	BlockReader
	AuditReader
	MentionReader
	RollReader
	ReactionReader
	PinReader
	HeadReader
	MineReader
}

// UserReader finds people.
type UserReader interface {
	User(UserID) (*User, error)
	// UserCounter is the user's own counter, and the number of it at which the user's row last changed; 0 and 0 for a
	// user without a row.
	UserCounter(UserID) (head, rev Seq, err error)
	// Settings are what the user's apps keep, and the number of the user's counter at which they last changed; "{}" and 0
	// if they never did, or the user has no row.
	Settings(UserID) (settings json.RawMessage, rev Seq, err error)
	// NameOwner is the member who bears a name with this skeleton.
	NameOwner(skeleton string) (UserID, error)
}

// GroupReader finds groups. They come without Me.
type GroupReader interface {
	Group(GroupID) (*Group, error)
	GroupByRoom(key string) (*Group, error)
	// GroupByClientID is the group that this user made under this id, and the hash of the request.
	GroupByClientID(u UserID, clientID string) (GroupID, RequestHash, error)
	// Heads are the counters of those groups that exist.
	Heads([]GroupID) (map[GroupID]Seq, error)
	// CountAfter is how many rows of the group (messages, members, the group itself) have a rev after since; counting
	// may stop at limit.
	CountAfter(g GroupID, since Seq, limit int) (int, error)
}

// MemberReader finds memberships.
type MemberReader interface {
	// GroupCount is how many groups the user is in.
	GroupCount(UserID) (int, error)
	Membership(GroupID, UserID) (*Membership, error)
	// Belongings are the user's memberships with a private change after since, in order of UserRev; all of them after 0.
	Belongings(u UserID, since Seq) ([]Belonging, error)
	// MembersAfter are the members whose row changed after since, in order of rev, at most limit.
	MembersAfter(g GroupID, since Seq, limit int) ([]*Member, error)
}

// Belonging is a membership and its group.
type Belonging struct {
	Group      *Group
	Membership *Membership
}

// MessageReader finds messages.
type MessageReader interface {
	Message(GroupID, Seq) (*Message, error)
	// Newest are the newest messages with seq < before (0: no bound), newest first, at most limit.
	Newest(g GroupID, before Seq, limit int) ([]*Message, error)
	// Oldest are the oldest messages with seq > after, oldest first, at most limit.
	Oldest(g GroupID, after Seq, limit int) ([]*Message, error)
	// MessagesAfter are the messages whose row changed after since, in order of rev, at most limit.
	MessagesAfter(g GroupID, since Seq, limit int) ([]*Message, error)
	// LastMessages are the newest messages of groups, whoever may read them.
	LastMessages([]GroupID) (map[GroupID]*Message, error)
	// MessageByClientID is what this user sent under this id, and the hash of the request.
	MessageByClientID(u UserID, clientID string) (*Message, RequestHash, error)
	// CountUpTo is the group's count of countable messages with seq ≤ upTo; own counts those of u in (after, upTo].
	CountUpTo(g GroupID, upTo Seq, u UserID, after Seq) (counted, own int64, err error)
}

// GroupTx is a group under its lock. Each Put and Add takes the group's next number for its row and announces it.
type GroupTx interface {
	WebhookTx
	ReportTx
	GroupMaker
	InviteTx
	JoinRequestTx
	AuditTx
	UntoldTx
	ReactionTx
	NickTx
	PinTx
	PreviewTx

	// Group is the group as it is now; a copy.
	Group() *Group
	Membership(UserID) (*Membership, error)
	Message(Seq) (*Message, error)
	// PutGroup stores what may change of a group: all but ids, counters and address. A new announcement is read by nobody.
	PutGroup(*Group) error
	// PutMembership begins or changes a membership; it takes a number of the user's own counter, too. The cursor is not
	// the caller's: one that begins has read everything up to now, any other keeps what it has. FromSeq is set where one begins.
	PutMembership(*Membership) error
	// AddMessage stores a new message; its Seq and Rev are set.
	AddMessage(*Message) error
	// PutMessage stores what may change of a message: the sender's name, text, mentions, files, reactions, preview, edited,
	// recalled, pinned. Whose count of mentions changes with it is told. Nobody's reaction stays under a recalled one, and it
	// waits for no preview.
	PutMessage(*Message) error
}

// Cursor says how far a user has read.
type Cursor struct {
	Group GroupID
	User  UserID
	Read  Seq
}
