package store

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"

	"qun/internal/chat"
)

// ChangeUser runs act on a user: see chat.Store.
func (s *Store) ChangeUser(ctx context.Context, id chat.UserID, act func(chat.UserTx) error) error {
	return s.change(ctx, func(t *tx) error {
		u, err := t.user(id)
		if err != nil {
			return err
		}
		return act(u)
	})
}

// OpenUser is ChangeUser on a user that may have no row yet: see chat.Store.
func (s *Store) OpenUser(ctx context.Context, guest *chat.User, act func(chat.UserTx) error) error {
	return s.change(ctx, func(t *tx) error {
		u, err := t.user(guest.ID)
		if errors.Is(err, chat.ErrNotFound) {
			nameless := *guest
			nameless.Username, nameless.Guest = "", true
			if err := t.insertGuest(&nameless); err != nil {
				return err
			}
			u, err = t.user(guest.ID)
		}
		if err != nil {
			return err
		}
		return act(u)
	})
}

// userTx is a chat.UserTx: a user within a transaction that alone may take users' numbers.
type userTx struct {
	t   *tx
	key int64

	user        chat.User
	settings    string
	credentials chat.Credentials
}

var _ chat.UserTx = (*userTx)(nil)

// user locks a user, and keeps everybody else from taking users' numbers.
func (t *tx) user(id chat.UserID) (*userTx, error) {
	if err := t.enroll(); err != nil {
		return nil, err
	}
	return one(t.ctx, t.session, func(s scanner) (*userTx, error) {
		x := &userTx{t: t}
		return x, readUser(s, &x.user, &x.key, &x.settings, &x.credentials.Password, &x.credentials.Admin)
	}, `SELECT `+userColumns+`, u.key, u.settings, u.password, u.admin FROM users u WHERE u.id = $1`+t.dialect.lockRow, id)
}

func (x *userTx) User() *chat.User {
	copied := x.user
	return &copied
}

func (x *userTx) Settings() json.RawMessage { return json.RawMessage(x.settings) }

func (x *userTx) Audit(e *chat.AuditEntry) error { return x.t.audit(e) }

func (x *userTx) Credentials() chat.Credentials { return x.credentials }

func (x *userTx) PutUser(u *chat.User, skeletons []string) error {
	if err := x.takeUsername(u.Username); err != nil {
		return err
	}
	if _, err := x.t.exec(`DELETE FROM member_names WHERE user_key = $1`, x.key); err != nil {
		return fmt.Errorf("free the names of before: %w", err)
	}
	if err := x.t.reserveNames(x.user.ID, skeletons); err != nil {
		return err
	}
	rev, err := x.t.nextOfUser(x.key)
	if err != nil {
		return fmt.Errorf("take a number of a user: %w", err)
	}
	before := x.user
	x.user.NickName, x.user.Username, x.user.Avatar, x.user.Guest = u.NickName, u.Username, u.Avatar, u.Guest
	_, err = x.t.exec(`UPDATE users SET rev = $2, nick = $3, username = $4, avatar = $5, guest = $6 WHERE key = $1`,
		x.key, rev, u.NickName, orNull(u.Username), u.Avatar, u.Guest)
	if err != nil {
		return fmt.Errorf("write a user: %w", err)
	}
	x.t.events = append(x.t.events, chat.UserEvent(x.User(), rev))
	if x.user == before {
		return nil
	}
	return x.t.owe(x.key, chat.NewsRenamed, false)
}

// takeUsername reports chat.ErrNameTaken for a username that somebody else has. Nobody can take it meanwhile.
func (x *userTx) takeUsername(name string) error {
	var owner int64
	err := x.t.row(`SELECT key FROM users WHERE username = $1`, []any{name}, &owner)
	switch {
	case errors.Is(err, chat.ErrNotFound):
		return nil
	case err != nil:
		return fmt.Errorf("look up a username: %w", err)
	case owner != x.key:
		return chat.ErrNameTaken
	}
	return nil
}

func (x *userTx) PutSettings(settings json.RawMessage) error {
	rev, err := x.t.nextOfUser(x.key)
	if err != nil {
		return fmt.Errorf("take a number of a user: %w", err)
	}
	x.settings = string(settings)
	if _, err := x.t.exec(`UPDATE users SET settings = $2, settings_rev = $3 WHERE key = $1`, x.key, x.settings, rev); err != nil {
		return fmt.Errorf("write settings: %w", err)
	}
	x.t.events = append(x.t.events, chat.SettingsEvent(x.user.ID, x.Settings(), rev))
	return nil
}

func (x *userTx) PutCredentials(c chat.Credentials) error {
	if _, err := x.t.exec(`UPDATE users SET password = $2, admin = $3 WHERE key = $1`, x.key, c.Password, c.Admin); err != nil {
		return fmt.Errorf("write credentials: %w", err)
	}
	x.credentials = c
	return nil
}

// Delete empties the row, and ends everything by which the user could come in.
func (x *userTx) Delete(name string, at chat.Time, news chat.News) error {
	var gone bool
	err := x.t.row(`SELECT deleted_at > 0 FROM users WHERE key = $1`, []any{x.key}, &gone)
	if err == nil && gone {
		err = chat.ErrNotFound
	}
	if err != nil {
		return err
	}
	if err := x.t.hasOtherAdmin(x.key); err != nil {
		return err
	}
	for _, forget := range []string{
		`DELETE FROM member_names WHERE user_key = $1`,
		`DELETE FROM sessions WHERE user_key = $1`,
		`DELETE FROM bot_tokens WHERE user_key = $1`,
		`DELETE FROM tickets WHERE user_id = (SELECT id FROM users WHERE key = $1)`,
	} {
		if _, err := x.t.exec(forget, x.key); err != nil {
			return fmt.Errorf("forget a user: %w", err)
		}
	}
	if err := x.t.dropSubscriptions(`user_key = $1`, x.key); err != nil {
		return err
	}
	if err := x.PutCredentials(chat.Credentials{}); err != nil {
		return err
	}
	if err := x.PutSettings(json.RawMessage(`{}`)); err != nil {
		return err
	}
	emptied := x.User()
	emptied.NickName, emptied.Username, emptied.Avatar = name, "", ""
	if err := x.PutUser(emptied, nil); err != nil {
		return err
	}
	if _, err := x.t.exec(`UPDATE users SET deleted_at = $2, token_version = token_version + 1 WHERE key = $1`, x.key, at); err != nil {
		return fmt.Errorf("delete a user: %w", err)
	}
	return x.t.owe(x.key, news, true)
}

// orNull is a text column in which "" is NULL.
func orNull(text string) *string {
	if text == "" {
		return nil
	}
	return &text
}
