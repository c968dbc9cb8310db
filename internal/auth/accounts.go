package auth

import (
	"context"
	"errors"
	"fmt"
	"time"

	"qun/internal/chat"
)

// How often accounts may be made from one address: a class that registers in one room is no attack.
const (
	registerBurst = 40
	registerEvery = 30 * time.Second
)

// HashPassword checks a password that somebody chose for the user of these names, and makes what is stored of it.
func (s *Service) HashPassword(ctx context.Context, password string, names ...string) (string, error) {
	if err := checkPassword(password, names...); err != nil {
		return "", err
	}
	return s.passwords.hash(ctx, password)
}

// ThrottleRegistering counts one more account made from an address, or refuses.
func (s *Service) ThrottleRegistering(remote string) error {
	if wait := s.registering.Take(Household(remote)); wait > 0 {
		return refuseTries(wait)
	}
	return nil
}

// ChangePassword gives who knows its password another one. All other sessions of the account end.
func (s *Service) ChangePassword(ctx context.Context, who *Identity, current, next, remote string) error {
	account, err := s.confirm(ctx, who, current, remote)
	if err != nil {
		return err
	}
	return s.setPassword(ctx, &account.User, next, who.Session)
}

// Confirm refuses who does not know the password of its own account.
func (s *Service) Confirm(ctx context.Context, who *Identity, password, remote string) error {
	_, err := s.confirm(ctx, who, password, remote)
	return err
}

// SetPassword gives a user another password, whatever the one before was. All its sessions end.
func (s *Service) SetPassword(ctx context.Context, id chat.UserID, password string) error {
	account, err := s.store.Account(ctx, id)
	switch {
	case errors.Is(err, ErrNotFound), err == nil && (account.User.Guest || account.User.Bot):
		return refuseUser()
	case err != nil:
		return fmt.Errorf("look up an account: %w", err)
	}
	return s.setPassword(ctx, &account.User, password, nil)
}

func (s *Service) setPassword(ctx context.Context, u *chat.User, password string, keep *TokenHash) error {
	hash, err := s.HashPassword(ctx, password, u.Username, u.NickName)
	if err != nil {
		return err
	}
	if err := s.store.SetPassword(ctx, u.ID, hash, keep); err != nil {
		return fmt.Errorf("set a password: %w", err)
	}
	return nil
}

// Accounts lists or looks for accounts, for administrators.
func (s *Service) Accounts(ctx context.Context, q AccountQuery) ([]*Account, error) {
	q.At = chat.TimeOf(s.now())
	list, err := s.store.Accounts(ctx, q)
	if err != nil {
		return nil, fmt.Errorf("list accounts: %w", err)
	}
	return list, nil
}

// AccountOf is the account of a user.
func (s *Service) AccountOf(ctx context.Context, id chat.UserID) (*Account, error) {
	return s.found(s.store.Account(ctx, id))
}

// AccountNamed is the account with a username, in any spelling.
func (s *Service) AccountNamed(ctx context.Context, username string) (*Account, error) {
	return s.found(s.store.AccountNamed(ctx, chat.FoldUsername(username)))
}

func (s *Service) found(a *Account, err error) (*Account, error) {
	if errors.Is(err, ErrNotFound) {
		return nil, refuseUser()
	}
	if err != nil {
		return nil, fmt.Errorf("look up an account: %w", err)
	}
	return a, nil
}

// SetAdmin makes a member an administrator, or no longer one. There is always one.
func (s *Service) SetAdmin(ctx context.Context, by, id chat.UserID, admin bool) error {
	return accountChange(s.store.SetAdmin(ctx, id, admin, s.by(by)), "change an administrator")
}

func (s *Service) by(u chat.UserID) By { return By{u, chat.TimeOf(s.now())} }

// Disable keeps a user out: its sessions end and its tokens count as bad, its rows stay. The last administrator cannot be
// disabled.
func (s *Service) Disable(ctx context.Context, by, id chat.UserID) error {
	return accountChange(s.store.SetDisabled(ctx, id, true, s.by(by)), "disable an account")
}

// Enable lets a user in again.
func (s *Service) Enable(ctx context.Context, by, id chat.UserID) error {
	return accountChange(s.store.SetDisabled(ctx, id, false, s.by(by)), "enable an account")
}

// SignOutEverywhere ends all sessions of a user.
func (s *Service) SignOutEverywhere(ctx context.Context, by, id chat.UserID) error {
	return accountChange(s.store.EndSessions(ctx, id, s.by(by)), "end the sessions of a user")
}

func accountChange(err error, act string) error {
	switch {
	case err == nil:
		return nil
	case errors.Is(err, ErrNotFound):
		return refuseUser()
	case errors.Is(err, ErrLastAdmin):
		return refuseLastAdmin()
	}
	return fmt.Errorf("%s: %w", act, err)
}

// HasAdmin reports whether anybody administers this server.
func (s *Service) HasAdmin(ctx context.Context) (bool, error) { return s.store.HasAdmin(ctx) }
