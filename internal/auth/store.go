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

// ErrLastAdmin is what a Store answers when nobody would administer the server any more.
var ErrLastAdmin = chat.ErrLastAdmin

// Store keeps what auth must remember. Its methods may be called by many goroutines at once; what they changed is durable
// when they return.
type Store interface {
	// Setting returns the value kept under name. If there is none it keeps initial and returns that; callers that race for
	// the first value all get the same one.
	Setting(ctx context.Context, name string, initial []byte) ([]byte, error)

	// Account returns what auth must know of a user, or ErrNotFound (a guest that never spoke has no row).
	Account(ctx context.Context, id chat.UserID) (*Account, error)

	// AccountNamed returns the account with a username, folded, or ErrNotFound.
	AccountNamed(ctx context.Context, username string) (*Account, error)

	// Accounts are the members that q asks for, in the order in which they were made.
	Accounts(ctx context.Context, q AccountQuery) ([]*Account, error)

	// SetPassword keeps a hashed password and ends all the user's sessions but keep's (nil: all).
	SetPassword(ctx context.Context, id chat.UserID, hash string, keep *TokenHash) error

	// SetAdmin and SetDisabled change a user, and write into the audit who did; or answer ErrNotFound, or ErrLastAdmin, and
	// change nothing. SetAdmin finds members only. To disable ends all sessions.
	SetAdmin(ctx context.Context, id chat.UserID, admin bool, by By) error
	SetDisabled(ctx context.Context, id chat.UserID, disabled bool, by By) error

	// HasAdmin reports whether there is an administrator who is not disabled.
	HasAdmin(ctx context.Context) (bool, error)

	// EndSessions ends all of a user's sessions, and writes into the audit who did; or answers ErrNotFound.
	EndSessions(ctx context.Context, id chat.UserID, by By) error

	// CreateSession keeps a new session of an existing user.
	CreateSession(ctx context.Context, s Session) error

	// Session returns the session with that hash and its user's account, or ErrNotFound. An expired session may be returned:
	// the caller compares the time.
	Session(ctx context.Context, hash TokenHash) (*Session, *Account, error)

	// ExtendSession notes when a session was last used and until when it lives now. A session that is gone is no error.
	ExtendSession(ctx context.Context, hash TokenHash, seenAt, expiresAt time.Time) error

	// DeleteSession ends a session. One that is gone already is no error.
	DeleteSession(ctx context.Context, hash TokenHash) error

	// Sessions are a user's sessions that live at a time, the one used last first.
	Sessions(ctx context.Context, id chat.UserID, at time.Time) ([]Session, error)

	// DeleteSessions ends all of a user's sessions but keep's (nil: all).
	DeleteSessions(ctx context.Context, id chat.UserID, keep *TokenHash) error

	// LiveSessions are those of some hashes that name a session or a bot's token that is there.
	LiveSessions(ctx context.Context, hashes []TokenHash) ([]TokenHash, error)

	TicketStore
	BotTokenStore
}

// By is who changes somebody else's account, and when; User is "" for the server's own command line.
type By struct {
	User chat.UserID
	At   chat.Time
}

// TicketStore keeps codes that let somebody in.
type TicketStore interface {
	// CreateTicket keeps a new ticket. Those that ran out go at the same time. One that an administrator made is written
	// into the audit.
	CreateTicket(ctx context.Context, t Ticket) error

	// ReturnTicket makes a ticket that was taken good for one use more.
	ReturnTicket(ctx context.Context, t Ticket) error

	// TakeTicket uses a ticket once and returns it with the uses left; ErrNotFound if there is none of that kind and hash
	// that is good at the time. Of any number of callers each use goes to one.
	TakeTicket(ctx context.Context, kind TicketKind, hash TokenHash, at time.Time) (*Ticket, error)

	// DeleteTickets makes a user's tickets of a kind good no more.
	DeleteTickets(ctx context.Context, kind TicketKind, id chat.UserID) error
}

// BotTokenStore keeps bots' tokens, one each.
type BotTokenStore interface {
	// SetBotToken keeps a token in the place of the bot's one before.
	SetBotToken(ctx context.Context, t BotToken) error

	// BotToken returns the token with that hash and its bot's account, or ErrNotFound. The account of a bot is disabled when
	// its owner's is.
	BotToken(ctx context.Context, hash TokenHash) (*BotToken, *Account, error)

	// BotTokenOf returns a bot's token, or ErrNotFound.
	BotTokenOf(ctx context.Context, bot chat.UserID) (*BotToken, error)

	// TouchBotToken notes when a token was last used. One that is gone is no error.
	TouchBotToken(ctx context.Context, hash TokenHash, seenAt time.Time) error
}

// AccountQuery asks for members.
type AccountQuery struct {
	Search string      // a part of a name; "": all
	Only   AccountKind // "": all
	After  chat.UserID // those made after this one; "": from the beginning
	At     chat.Time   // sessions that live then are devices
	Limit  int
}

// AccountKind narrows a list of accounts.
type AccountKind string

const (
	OnlyAdmins   AccountKind = "admins"
	OnlyDisabled AccountKind = "disabled"
	OnlyBots     AccountKind = "bots"
)

// TokenHash is the SHA-256 of a member's token: what the store keeps instead of the token. A token has 256 bits of entropy,
// so a plain hash is enough; a slow one would only help for what people think up.
type TokenHash [sha256.Size]byte

// Account is a user with what only auth looks at.
type Account struct {
	User chat.User

	// TokenVersion must equal the one in a guest's token; raising it revokes every token given out before.
	TokenVersion int

	// Password is the hash; "" for who cannot sign in by one.
	Password string

	// Admin says that the user may administer this server.
	Admin bool

	// Disabled accounts cannot sign in, and their tokens count as bad.
	Disabled bool

	// Of the list of accounts alone: how many sessions live, or whether a bot has a token, and when one was used last, to
	// the hour; 0 for never.
	Devices int
	SeenAt  chat.Time
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
