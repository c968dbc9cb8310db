package chat

import "time"

// Limits bound what one user may do. 0 lifts a limit.
type Limits struct {
	MessageLength     int     // code points of a message
	NickName          int     // graphemes
	Room              int     // graphemes
	MessagesPerSecond float64 // per user
	MessageBurst      int     // sent at once, before MessagesPerSecond holds
	GroupsPerUser     int
	MembersPerGroup   int
	UploadBytes       int64         // of a file
	UserBytes         int64         // of all files that a member uploaded and that are kept; a tenth of it for a guest
	AllBytes          int64         // of everybody's
	EditWithin        time.Duration // how long the author of a message may edit it
	RecallWithin      time.Duration // how long the author of a message may recall it
	Search            int           // code points of what is looked for
}

// DefaultLimits are those of a server nobody tuned.
func DefaultLimits() Limits {
	return Limits{
		MessageLength: 8000, NickName: 32, Room: 64,
		MessagesPerSecond: 2, MessageBurst: 10,
		GroupsPerUser: 200, MembersPerGroup: 100_000, Search: 100,
		UploadBytes: 20e6, UserBytes: 1e9, AllBytes: 20e9,
		EditWithin: 24 * time.Hour, RecallWithin: 2 * time.Minute,
	}
}
