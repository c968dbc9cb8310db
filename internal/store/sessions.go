package store

import (
	"context"
	"errors"
	"time"

	"qun/internal/auth"
	"qun/internal/chat"
)

// Setting reads or makes a setting: see auth.Store.
func (s *Store) Setting(ctx context.Context, name string, initial []byte) (value []byte, err error) {
	err = s.change(ctx, func(t *tx) error {
		if _, err := t.exec(`INSERT INTO settings (name, value) VALUES ($1, $2) ON CONFLICT (name) DO NOTHING`, name, initial); err != nil {
			return err
		}
		return t.row(`SELECT value FROM settings WHERE name = $1`, []any{name}, &value)
	})
	if err != nil {
		return nil, err
	}
	return value, nil
}

const accountColumns = userColumns + `, u.token_version, u.disabled_at + u.deleted_at > 0`

func readAccount(s scanner, a *auth.Account, more ...any) error {
	return readUser(s, &a.User, append([]any{&a.TokenVersion, &a.Disabled}, more...)...)
}

func scanAccount(s scanner) (*auth.Account, error) {
	a := new(auth.Account)
	return a, readAccount(s, a)
}

// Account looks an account up: see auth.Store.
func (s *Store) Account(ctx context.Context, id chat.UserID) (*auth.Account, error) {
	return read(ctx, s, scanAccount, `SELECT `+accountColumns+` FROM users u WHERE u.id = $1`, id)
}

// read reads one row outside of a View; none is auth.ErrNotFound.
func read[T any](ctx context.Context, s *Store, scan func(scanner) (T, error), query string, args ...any) (row T, err error) {
	err = s.readers.use(ctx, func(session *session) error {
		row, err = one(ctx, session, scan, query, args...)
		return err
	})
	return row, authError(err)
}

func authError(err error) error {
	if errors.Is(err, chat.ErrNotFound) {
		return auth.ErrNotFound
	}
	return err
}

// CreateSession keeps a session: see auth.Store. Those that expired go at the same time.
func (s *Store) CreateSession(ctx context.Context, in auth.Session) error {
	return authError(s.change(ctx, func(t *tx) error {
		key, err := t.userKey(in.UserID)
		if err != nil {
			return err
		}
		if _, err := t.exec(`DELETE FROM sessions WHERE expires_at < $1`, chat.TimeOf(in.CreatedAt)); err != nil {
			return err
		}
		_, err = t.exec(`INSERT INTO sessions (hash, user_key, device, created_at, seen_at, expires_at) VALUES ($1, $2, $3, $4, $5, $6)`,
			in.Hash[:], key, in.Device, chat.TimeOf(in.CreatedAt), chat.TimeOf(in.SeenAt), chat.TimeOf(in.ExpiresAt))
		return err
	}))
}

// signedIn is a session and whose it is.
type signedIn struct {
	session auth.Session
	account auth.Account
}

func scanSignedIn(s scanner) (*signedIn, error) {
	in := new(signedIn)
	var hash []byte
	var created, seen, expires chat.Time
	err := readAccount(s, &in.account, &hash, &in.session.Device, &created, &seen, &expires)
	copy(in.session.Hash[:], hash)
	in.session.UserID = in.account.User.ID
	in.session.CreatedAt, in.session.SeenAt, in.session.ExpiresAt = created.Std(), seen.Std(), expires.Std()
	return in, err
}

// Session finds a session: see auth.Store.
func (s *Store) Session(ctx context.Context, hash auth.TokenHash) (*auth.Session, *auth.Account, error) {
	in, err := read(ctx, s, scanSignedIn, `SELECT `+accountColumns+`, s.hash, s.device, s.created_at, s.seen_at, s.expires_at
		FROM sessions s JOIN users u ON u.key = s.user_key WHERE s.hash = $1`, hash[:])
	if err != nil {
		return nil, nil, err
	}
	return &in.session, &in.account, nil
}

// ExtendSession notes that a session was used: see auth.Store.
func (s *Store) ExtendSession(ctx context.Context, hash auth.TokenHash, seenAt, expiresAt time.Time) error {
	return s.change(ctx, func(t *tx) error {
		_, err := t.exec(`UPDATE sessions SET seen_at = $2, expires_at = $3 WHERE hash = $1`,
			hash[:], chat.TimeOf(seenAt), chat.TimeOf(expiresAt))
		return err
	})
}

// DeleteSession ends a session: see auth.Store.
func (s *Store) DeleteSession(ctx context.Context, hash auth.TokenHash) error {
	return s.change(ctx, func(t *tx) error {
		_, err := t.exec(`DELETE FROM sessions WHERE hash = $1`, hash[:])
		return err
	})
}
