package chat

// GroupMaker is what acts on a group need beside its rows of every day.
type GroupMaker interface {
	// User is a user as it is now.
	User(UserID) (*User, error)
	// Blocked reports whether by blocks target.
	Blocked(by, target UserID) (bool, error)
	// Staff are the owner and the admins.
	Staff() ([]*Membership, error)
	// HasHeir reports whether somebody but u is in the group who could own it.
	HasHeir(u UserID) (bool, error)
	// PutGuest stores a guest who has no row yet; one that has one stays as it is.
	PutGuest(*User) error
	// SetAddress gives the group an address, or, with an empty key, takes it away. It takes no number: a PutGroup does,
	// which follows. An address that another group has is ErrNameTaken.
	SetAddress(room, key string) error
	// PutPrivate stores what only the user of a membership sees of it: draft, notify, pinned, the announcement read. It takes
	// a number of the user's own counter and none of the group's.
	PutPrivate(*Membership) error
}
