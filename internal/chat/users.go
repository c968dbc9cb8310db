package chat

import (
	"context"
	"errors"
	"fmt"

	"qun/internal/names"
)

// User is a person or a bot, as anybody may see it.
type User struct {
	ID        UserID   `json:"userId"`
	NickName  string   `json:"nickName"`
	Username  string   `json:"username,omitempty"`
	Avatar    string   `json:"avatar,omitempty"`
	Guest     bool     `json:"guest"`
	Bot       bool     `json:"bot"`
	Presence  Presence `json:"presence"`
	CreatedAt Time     `json:"createdAt"`
}

// DeletedName is what a deleted user is called, and nobody else can be.
const DeletedName = "已注销"

// Deleted reports whether u deleted its account, or is a bot that was deleted.
func (u *User) Deleted() bool { return !u.Guest && u.NickName == DeletedName }

// Presence says whether a user has a socket somewhere, and looks. The domain does not know: it says PresenceOffline, and
// who knows the sockets (the gateway) fills in the truth.
type Presence string

const (
	PresenceOnline  Presence = "online"
	PresenceAway    Presence = "away" // here, with the chat out of sight for a while
	PresenceOffline Presence = "offline"
)

// NewMember is a user to be made who may sign in.
type NewMember struct {
	Username string
	NickName string // "": the username as typed
	Password string // hashed by package auth; "": cannot sign in by password
	Admin    bool   // may administer the server
}

// CreateMember stores a user who may sign in. From then on nobody else may bear or imitate its names.
func (s *Service) CreateMember(ctx context.Context, in NewMember) (*User, error) {
	if err := s.begin(); err != nil {
		return nil, err
	}
	defer s.life.RUnlock()
	username, err := names.Username(in.Username)
	if err != nil {
		return nil, s.badName(err)
	}
	if in.NickName == "" {
		in.NickName = in.Username
	}
	nick, err := names.Member(in.NickName, s.Limits().NickName)
	if err != nil {
		return nil, s.badName(err)
	}
	now := s.cfg.Now()
	u := &User{ID: UserID(newID(now)), NickName: nick, Username: username, Presence: PresenceOffline, CreatedAt: TimeOf(now)}
	err = s.store.CreateUser(ctx, u, Credentials{Password: in.Password, Admin: in.Admin}, skeletons(nick, username))
	if errors.Is(err, ErrNameTaken) {
		err = s.store.View(ctx, func(r Reader) error { return s.refuseTaken(r, nick) })
	}
	if err != nil {
		return nil, refusal(err, "create a member")
	}
	return u, nil
}

// skeletons are what two names look like; one, if they look alike.
func skeletons(a, b string) []string {
	first, second := names.Skeleton(a), names.Skeleton(b)
	if first == second {
		return []string{first}
	}
	return []string{first, second}
}

// FoldUsername is a username in the spelling in which it is stored; "" for what can be none.
func FoldUsername(typed string) string {
	name, err := names.Username(typed)
	if err != nil {
		return ""
	}
	return name
}

// badName words what package names found.
func (s *Service) badName(err error) error {
	switch {
	case errors.Is(err, names.ErrEmpty):
		return refuseEmptyName()
	case errors.Is(err, names.ErrTooLong):
		return refuseLongName(max(s.Limits().NickName, 1))
	case errors.Is(err, names.ErrReserved):
		return refuseReservedName()
	}
	return refuseNameLetters()
}

// User looks a user up by its id. A guest that never spoke is not known.
func (s *Service) User(ctx context.Context, id UserID) (user *User, err error) {
	err = s.store.View(ctx, func(r Reader) error {
		user, err = r.User(id)
		return err
	})
	if errors.Is(err, ErrNotFound) {
		return nil, refuseUser()
	}
	if err != nil {
		return nil, fmt.Errorf("look up user %s: %w", id, err)
	}
	return user, nil
}
