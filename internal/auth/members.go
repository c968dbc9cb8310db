package auth

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"strings"

	"qun/internal/chat"
)

// maxDevice bounds the description of a device, in bytes.
const maxDevice = 256

// SignIn opens a session for a member on a device (a user agent, shown to the member only) and returns its token. The
// caller has verified that it is that member who asks.
func (s *Service) SignIn(ctx context.Context, id chat.UserID, device string) (token string, err error) {
	var secret [tokenSize]byte
	rand.Read(secret[:]) // never fails, see crypto/rand
	token = memberPrefix + encoding.EncodeToString(secret[:])
	now := s.now()
	err = s.store.CreateSession(ctx, Session{
		Hash:      hashToken(token),
		UserID:    id,
		Device:    cut(strings.ToValidUTF8(device, ""), maxDevice),
		CreatedAt: now,
		SeenAt:    now,
		ExpiresAt: now.Add(SessionLife),
	})
	if err != nil {
		return "", fmt.Errorf("open a session: %w", err)
	}
	return token, nil
}

// SignOut ends the session of a member's token. A guest's token cannot be ended: forgetting it is enough.
func (s *Service) SignOut(ctx context.Context, token string) error {
	if !strings.HasPrefix(token, memberPrefix) || len(token) > maxToken {
		return nil
	}
	if err := s.store.DeleteSession(ctx, hashToken(token)); err != nil {
		return fmt.Errorf("end a session: %w", err)
	}
	return nil
}

// member looks a session up by the hash of its token. The look-up compares hashes of secrets, so how long it takes says
// nothing about a token.
func (s *Service) member(ctx context.Context, token string) (*Identity, error) {
	hash := hashToken(token)
	session, account, err := s.store.Session(ctx, hash)
	switch {
	case errors.Is(err, ErrNotFound):
		return nil, ErrUnauthorized
	case err != nil:
		return nil, fmt.Errorf("look up a session: %w", err)
	case account.Disabled, !s.now().Before(session.ExpiresAt):
		return nil, ErrUnauthorized
	}
	if err := s.extend(ctx, session); err != nil {
		return nil, err
	}
	return &Identity{User: account.User, Session: &hash, Admin: account.Admin}, nil
}

// extend lets a session that is used live on. The store hears of it once an hour at most.
func (s *Service) extend(ctx context.Context, session *Session) error {
	now := s.now()
	if now.Sub(session.SeenAt) < extendAfter {
		return nil
	}
	if err := s.store.ExtendSession(ctx, session.Hash, now, now.Add(SessionLife)); err != nil {
		return fmt.Errorf("extend a session: %w", err)
	}
	return nil
}
