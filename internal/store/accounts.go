package store

import (
	"context"
	"fmt"
	"strconv"
	"strings"

	"qun/internal/auth"
	"qun/internal/chat"
)

const accountColumns = userColumns + `, u.token_version, u.disabled_at + u.deleted_at > 0, u.password, u.admin`

func readAccount(s scanner, a *auth.Account, more ...any) error {
	return readUser(s, &a.User, append([]any{&a.TokenVersion, &a.Disabled, &a.Password, &a.Admin}, more...)...)
}

func scanAccount(s scanner) (*auth.Account, error) {
	a := new(auth.Account)
	return a, readAccount(s, a)
}

// Account looks an account up: see auth.Store.
func (s *Store) Account(ctx context.Context, id chat.UserID) (*auth.Account, error) {
	return known(s.accounts.Ask(ctx, id))
}

// accountsOf are the accounts with some ids, nil for who has none.
func (s *Store) accountsOf(ctx context.Context, ids []chat.UserID) ([]*auth.Account, error) {
	list, err := s.dialect.list(texts(ids))
	if err != nil {
		return nil, err
	}
	found, err := readAll(ctx, s, scanAccount, `SELECT `+accountColumns+` FROM users u WHERE u.id IN (`+s.dialect.elements+`)`, list)
	return inOrder(ids, found, func(a *auth.Account) chat.UserID { return a.User.ID }), err
}

// AccountNamed looks an account up by its username: see auth.Store.
func (s *Store) AccountNamed(ctx context.Context, username string) (*auth.Account, error) {
	return read(ctx, s, scanAccount, `SELECT `+accountColumns+` FROM users u WHERE u.username = $1`, username)
}

// Accounts lists accounts: see auth.Store.
func (s *Store) Accounts(ctx context.Context, q auth.AccountQuery) (list []*auth.Account, err error) {
	err = s.readers.use(ctx, func(session *session) error {
		list, err = collect(ctx, session, func(s scanner) (*auth.Account, error) {
			a := new(auth.Account)
			return a, readAccount(s, a, &a.Devices, &a.SeenAt)
		}, `SELECT `+accountColumns+`,
			(SELECT COUNT(*) FROM sessions s WHERE s.user_key = u.key AND s.expires_at > $4)
			+ (SELECT COUNT(*) FROM bot_tokens b WHERE b.user_key = u.key),
			COALESCE((SELECT MAX(s.seen_at) FROM sessions s WHERE s.user_key = u.key),
			(SELECT b.seen_at FROM bot_tokens b WHERE b.user_key = u.key), 0)
			FROM users u
			WHERE u.key > COALESCE((SELECT key FROM users WHERE id = $1), 0) AND NOT u.guest AND u.deleted_at = 0
			AND (lower(u.nick) LIKE $2 ESCAPE '\' OR u.username LIKE $2 ESCAPE '\')`+only[q.Only]+` ORDER BY u.key LIMIT $3`,
			q.After, like(strings.ToLower(q.Search)), q.Limit, q.At)
		return err
	})
	return list, err
}

// only narrows a list of accounts.
var only = map[auth.AccountKind]string{
	auth.OnlyAdmins:   ` AND u.admin`,
	auth.OnlyDisabled: ` AND u.disabled_at > 0`,
	auth.OnlyBots:     ` AND u.bot`,
}

// like is a pattern for what holds a text, wherever.
func like(text string) string {
	return "%" + strings.NewReplacer(`\`, `\\`, `%`, `\%`, `_`, `\_`).Replace(text) + "%"
}

// SetPassword keeps a hashed password: see auth.Store.
func (s *Store) SetPassword(ctx context.Context, id chat.UserID, hash string, keep *auth.TokenHash) error {
	return authError(s.change(ctx, func(t *tx) error {
		key, err := t.userKey(id)
		if err != nil {
			return err
		}
		if _, err := t.exec(`UPDATE users SET password = $2 WHERE key = $1`, key, hash); err != nil {
			return fmt.Errorf("write a password: %w", err)
		}
		return t.endSessions(key, keep)
	}))
}

// SetAdmin makes somebody an administrator, or no longer one: see auth.Store.
func (s *Store) SetAdmin(ctx context.Context, id chat.UserID, admin bool, by auth.By) error {
	return authError(s.change(ctx, func(t *tx) error {
		key, err := t.accountKey(id)
		if err != nil {
			return err
		}
		if !admin {
			if err := t.hasOtherAdmin(key); err != nil {
				return err
			}
		}
		if _, err := t.exec(`UPDATE users SET admin = $2 WHERE key = $1`, key, admin); err != nil {
			return fmt.Errorf("write an administrator: %w", err)
		}
		return t.audit(&chat.AuditEntry{At: by.At, Act: "setAdmin", By: by.User, Target: id, Value: strconv.FormatBool(admin)})
	}))
}

// accountKey is the key of somebody who can sign in.
func (t *tx) accountKey(id chat.UserID) (key int64, err error) {
	err = t.row(`SELECT key FROM users WHERE id = $1 AND NOT guest AND NOT bot AND deleted_at = 0`, []any{id}, &key)
	return key, err
}

// hasOtherAdmin reports auth.ErrLastAdmin if nobody but this user, who is one, administers the server.
func (t *tx) hasOtherAdmin(key int64) error {
	var last bool
	err := t.row(`SELECT EXISTS (SELECT 1 FROM users WHERE key = $1 AND admin)
		AND NOT EXISTS (SELECT 1 FROM users WHERE key <> $1 AND admin AND disabled_at = 0 AND deleted_at = 0)`, []any{key}, &last)
	if err == nil && last {
		err = auth.ErrLastAdmin
	}
	return err
}

// SetDisabled keeps somebody out, or lets in again: see auth.Store.
func (s *Store) SetDisabled(ctx context.Context, id chat.UserID, disabled bool, by auth.By) error {
	return authError(s.change(ctx, func(t *tx) error {
		key, err := t.userKey(id)
		if err != nil {
			return err
		}
		act, at := "enable", chat.Time(0)
		if disabled {
			act, at = "disable", by.At
			if err := t.hasOtherAdmin(key); err != nil {
				return err
			}
			if err := t.endSessions(key, nil); err != nil {
				return err
			}
		}
		if _, err := t.exec(`UPDATE users SET disabled_at = $2 WHERE key = $1`, key, at); err != nil {
			return fmt.Errorf("write whether an account is disabled: %w", err)
		}
		return t.audit(&chat.AuditEntry{At: by.At, Act: act, By: by.User, Target: id})
	}))
}

// EndSessions signs somebody out everywhere: see auth.Store.
func (s *Store) EndSessions(ctx context.Context, id chat.UserID, by auth.By) error {
	return authError(s.change(ctx, func(t *tx) error {
		key, err := t.userKey(id)
		if err != nil {
			return err
		}
		if err := t.endSessions(key, nil); err != nil {
			return err
		}
		return t.audit(&chat.AuditEntry{At: by.At, Act: "signOut", By: by.User, Target: id})
	}))
}

// HasAdmin reports whether anybody administers the server: see auth.Store.
func (s *Store) HasAdmin(ctx context.Context) (there bool, err error) {
	err = s.readers.use(ctx, func(session *session) error {
		return session.row(ctx, `SELECT EXISTS (SELECT 1 FROM users WHERE admin AND disabled_at = 0 AND deleted_at = 0)`, nil, &there)
	})
	return there, err
}
