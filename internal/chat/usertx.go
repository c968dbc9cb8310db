package chat

import (
	"context"
	"encoding/json"
)

// UserStore changes users.
type UserStore interface {
	// ChangeUser runs act on the user while nobody else changes it, or takes numbers of its counter, and stores all it did
	// or, when it returns an error, nothing. act may run more than once before that: it sets its results, it does not add
	// to them. It touches the database through tx alone. A user without a row is ErrNotFound.
	ChangeUser(ctx context.Context, u UserID, act func(tx UserTx) error) error

	// OpenUser is ChangeUser on a user that is made, as a guest without a username, if it has no row yet.
	OpenUser(ctx context.Context, guest *User, act func(tx UserTx) error) error
}

// UserTx is a user under its lock. What only the user itself sees takes the next number of the user's own counter when
// it is put, and is announced to the user's own sockets. What groups see of a user (its names, its picture) they learn by
// their own numbers: PutUser and Delete note that they have to be told (see UntoldStore).
type UserTx interface {
	AuditTx

	// User is the user as it is now; a copy.
	User() *User
	// Settings are what the user's apps keep, a JSON object; "{}" if they never kept anything.
	Settings() json.RawMessage
	// Credentials are how the user signs in and what it may do to the server.
	Credentials() Credentials

	// PutUser stores the names, the picture, and that a guest became a member. skeletons are all the names that nobody
	// else may bear or imitate from now on: those of before are free again. One that another member has is ErrNameTaken.
	PutUser(u *User, skeletons []string) error
	// PutSettings stores the settings as they are.
	PutSettings(settings json.RawMessage) error
	// PutCredentials takes no number: nobody sees them.
	PutCredentials(c Credentials) error
	// Delete empties the row but for a name that is nobody's, frees its names, ends its sessions, tokens, codes and devices,
	// and notes that all groups it ever was in have to be told news. The last administrator is ErrLastAdmin, who is deleted
	// already ErrNotFound.
	Delete(name string, at Time, news News) error
}
