package auth

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"
	"unicode/utf8"

	"qun/internal/chat"
)

// How often a password may be tried: of one account, by whomever, and by one address, whatever the account. What turns
// out right does not count.
const (
	accountBurst = 10
	accountEvery = 30 * time.Second
	addressBurst = 30
	addressEvery = 6 * time.Second
)

// Login is a member's name and password, and who tries them.
type Login struct {
	Username string
	Password string
	Remote   string // the address, with a port
	Device   string // the user agent
}

// SignInByPassword opens a session for who knows the password. A name that nobody has, a wrong password and a disabled
// account get the same answer after the same time.
func (s *Service) SignInByPassword(ctx context.Context, in Login) (*chat.User, string, error) {
	name := chat.FoldUsername(in.Username)
	account, err := s.store.AccountNamed(ctx, name)
	switch {
	case errors.Is(err, ErrNotFound):
		account = &Account{Disabled: true}
	case err != nil:
		return nil, "", fmt.Errorf("look up a username: %w", err)
	}
	right, err := s.try(ctx, triedName(name, in.Username), in.Remote, account.Password, in.Password)
	if err != nil {
		return nil, "", err
	}
	if !right || account.Disabled {
		return nil, "", refuseSignIn()
	}
	token, err := s.SignIn(ctx, account.User.ID, in.Device)
	if err != nil {
		return nil, "", err
	}
	return &account.User, token, nil
}

// confirm refuses who does not know the password of its own account.
func (s *Service) confirm(ctx context.Context, who *Identity, password, remote string) (*Account, error) {
	if who.User.Guest || who.Bot() {
		return nil, refuseAccount()
	}
	account, err := s.store.Account(ctx, who.User.ID)
	if err != nil {
		return nil, fmt.Errorf("look up an account: %w", err)
	}
	right, err := s.try(ctx, account.User.Username, remote, account.Password, password)
	if err != nil {
		return nil, err
	}
	if !right {
		return nil, refusePassword()
	}
	return account, nil
}

// try compares a password unless too many were tried already.
func (s *Service) try(ctx context.Context, name, remote, hash, password string) (bool, error) {
	address := Household(remote)
	if wait := s.byAddress.Take(address); wait > 0 {
		return false, refuseTries(wait)
	}
	if wait := s.byAccount.Take(name); wait > 0 {
		s.byAddress.GiveBack(address)
		return false, refuseTries(wait)
	}
	right, err := s.passwords.matches(ctx, hash, password)
	if right || err != nil {
		s.byAddress.GiveBack(address)
		s.byAccount.GiveBack(name)
	}
	return right, err
}

// maxTriedName bounds what is remembered of a name that can be nobody's, in bytes.
const maxTriedName = 64

// triedName is under which name an attempt counts: what was typed, if it can be no username.
func triedName(folded, typed string) string {
	if folded != "" {
		return folded
	}
	return "?" + cut(strings.ToLower(typed), maxTriedName)
}

// cut leaves at most limit bytes of whole characters.
func cut(text string, limit int) string {
	if len(text) <= limit {
		return text
	}
	for !utf8.RuneStart(text[limit]) {
		limit--
	}
	return text[:limit]
}
