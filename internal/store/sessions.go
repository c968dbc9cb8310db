package store

import (
	"context"
	"encoding/hex"
	"errors"
	"fmt"
	"time"

	"qun/internal/auth"
	"qun/internal/chat"
	"qun/internal/gather"
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

// read reads one row outside of a View; none is auth.ErrNotFound.
func read[T any](ctx context.Context, s *Store, scan func(scanner) (T, error), query string, args ...any) (row T, err error) {
	err = s.readers.use(ctx, func(session *session) error {
		row, err = one(ctx, session, scan, query, args...)
		return err
	})
	return row, authError(err)
}

// readAll reads rows outside of a View.
func readAll[T any](ctx context.Context, s *Store, scan func(scanner) (T, error), query string, args ...any) (rows []T, err error) {
	err = s.readers.use(ctx, func(session *session) error {
		rows, err = collect(ctx, session, scan, query, args...)
		return err
	})
	return rows, err
}

// Who comes is looked up together with those who come at the same time.
const (
	lookUpsAtOnce    = 2
	lookedUpTogether = 64
	lookUpPatience   = 10 * time.Second // clients wait no longer either
)

func lookUps[K, T any](answer func(context.Context, []K) ([]*T, error)) *gather.Gather[K, *T] {
	return gather.New(gather.Config[K, *T]{
		Answer: answer, AtOnce: lookUpsAtOnce, Most: lookedUpTogether, Patience: lookUpPatience,
	})
}

// inOrder are the rows that belong to some keys, nil where there is none.
func inOrder[K comparable, T any](keys []K, found []*T, keyOf func(*T) K) []*T {
	byKey := make(map[K]*T, len(found))
	for _, row := range found {
		byKey[keyOf(row)] = row
	}
	rows := make([]*T, len(keys))
	for i, key := range keys {
		rows[i] = byKey[key]
	}
	return rows
}

// known makes a row that is not there auth.ErrNotFound.
func known[T any](row *T, err error) (*T, error) {
	if row == nil && err == nil {
		err = auth.ErrNotFound
	}
	return row, err
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
	in.session = sessionOf(in.account.User.ID, hash, in.session.Device, created, seen, expires)
	return in, err
}

func sessionOf(id chat.UserID, hash []byte, device string, created, seen, expires chat.Time) auth.Session {
	session := auth.Session{UserID: id, Device: device, CreatedAt: created.Std(), SeenAt: seen.Std(), ExpiresAt: expires.Std()}
	copy(session.Hash[:], hash)
	return session
}

// Session finds a session: see auth.Store.
func (s *Store) Session(ctx context.Context, hash auth.TokenHash) (*auth.Session, *auth.Account, error) {
	in, err := known(s.sessions.Ask(ctx, hash))
	if err != nil {
		return nil, nil, err
	}
	return &in.session, &in.account, nil
}

// signedInBy are the sessions with some hashes, nil for one that there is not.
func (s *Store) signedInBy(ctx context.Context, hashes []auth.TokenHash) ([]*signedIn, error) {
	list, err := s.hashList(hashes)
	if err != nil {
		return nil, err
	}
	found, err := readAll(ctx, s, scanSignedIn, `SELECT `+accountColumns+`, s.hash, s.device, s.created_at, s.seen_at, s.expires_at
		FROM sessions s JOIN users u ON u.key = s.user_key WHERE s.hash IN (`+s.dialect.hashes+`)`, list)
	return inOrder(hashes, found, func(in *signedIn) auth.TokenHash { return in.session.Hash }), err
}

// hashList is a list for the dialect's hashes.
func (s *Store) hashList(hashes []auth.TokenHash) (any, error) {
	texts := make([]string, len(hashes))
	for i, hash := range hashes {
		texts[i] = hex.EncodeToString(hash[:])
	}
	return s.dialect.list(texts)
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

// Sessions lists a user's sessions: see auth.Store.
func (s *Store) Sessions(ctx context.Context, id chat.UserID, at time.Time) (list []auth.Session, err error) {
	err = s.readers.use(ctx, func(session *session) error {
		list, err = collect(ctx, session, func(row scanner) (auth.Session, error) {
			var hash []byte
			var device string
			var created, seen, expires chat.Time
			err := row.Scan(&hash, &device, &created, &seen, &expires)
			return sessionOf(id, hash, device, created, seen, expires), err
		}, `SELECT s.hash, s.device, s.created_at, s.seen_at, s.expires_at FROM sessions s JOIN users u ON u.key = s.user_key
			WHERE u.id = $1 AND s.expires_at > $2 ORDER BY s.seen_at DESC, s.hash`, id, chat.TimeOf(at))
		return err
	})
	return list, err
}

// DeleteSessions ends a user's sessions: see auth.Store.
func (s *Store) DeleteSessions(ctx context.Context, id chat.UserID, keep *auth.TokenHash) error {
	return authError(s.change(ctx, func(t *tx) error {
		key, err := t.userKey(id)
		if err != nil {
			return err
		}
		return t.endSessions(key, keep)
	}))
}

// endSessions ends all of a user's sessions but keep's.
func (t *tx) endSessions(key int64, keep *auth.TokenHash) error {
	kept := []byte{}
	if keep != nil {
		kept = keep[:]
	}
	if _, err := t.exec(`DELETE FROM sessions WHERE user_key = $1 AND hash <> $2`, key, kept); err != nil {
		return fmt.Errorf("end sessions: %w", err)
	}
	return nil
}

// LiveSessions are those of some hashes that name something: see auth.Store.
func (s *Store) LiveSessions(ctx context.Context, hashes []auth.TokenHash) (live []auth.TokenHash, err error) {
	list, err := s.hashList(hashes)
	if err != nil {
		return nil, err
	}
	err = s.readers.use(ctx, func(session *session) error {
		live, err = collect(ctx, session, func(row scanner) (hash auth.TokenHash, err error) {
			var bytes []byte
			err = row.Scan(&bytes)
			copy(hash[:], bytes)
			return hash, err
		}, `SELECT hash FROM sessions WHERE hash IN (`+s.dialect.hashes+`) UNION ALL
			SELECT hash FROM bot_tokens WHERE hash IN (`+s.dialect.hashes+`)`, list)
		return err
	})
	return live, err
}
