package auth

import (
	"context"
	"crypto/sha256"
	"errors"
	"time"

	"qun/internal/chat"
)

// ErrNotFound is what a Store answers when there is no such account or session.
var ErrNotFound = errors.New("not found")

// Store keeps what auth must remember. Its methods may be called by many goroutines at once; what they changed is durable
// when they return.
type Store interface {
	// Setting returns the value kept under name. If there is none it keeps initial and returns that; callers that race for
	// the first value all get the same one.
	Setting(ctx context.Context, name string, initial []byte) ([]byte, error)

	// Account returns what auth must know of a user, or ErrNotFound (a guest that never spoke has no row).
	Account(ctx context.Context, id chat.UserID) (*Account, error)

	// CreateSession keeps a new session of an existing user.
	CreateSession(ctx context.Context, s Session) error

	// Session returns the session with that hash and its user's account, or ErrNotFound. An expired session may be returned:
	// the caller compares the time.
	Session(ctx context.Context, hash TokenHash) (*Session, *Account, error)

	// ExtendSession notes when a session was last used and until when it lives now. A session that is gone is no error.
	ExtendSession(ctx context.Context, hash TokenHash, seenAt, expiresAt time.Time) error

	// DeleteSession ends a session. One that is gone already is no error.
	DeleteSession(ctx context.Context, hash TokenHash) error
}

// TokenHash is the SHA-256 of a member's token: what the store keeps instead of the token. A token has 256 bits of entropy,
// so a plain hash is enough; a slow one would only help for what people think up.
type TokenHash [sha256.Size]byte

// Account is a user with what only auth looks at.
type Account struct {
	User chat.User

	// TokenVersion must equal the one in a guest's token; raising it revokes every token given out before.
	TokenVersion int

	// Disabled accounts cannot sign in, and their tokens count as bad.
	Disabled bool
}

// Session is one signed-in device of a member.
type Session struct {
	Hash      TokenHash
	UserID    chat.UserID
	Device    string // what the member sees in the list of devices: the user agent, cut
	CreatedAt time.Time
	SeenAt    time.Time
	ExpiresAt time.Time
}
