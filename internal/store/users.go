package store

import (
	"context"
	"fmt"

	"qun/internal/chat"
)

const userColumns = `u.id, u.nick, COALESCE(u.username, ''), u.avatar, u.guest, u.bot, u.created_at`

func readUser(s scanner, u *chat.User, more ...any) error {
	u.Presence = chat.PresenceOffline
	dest := []any{&u.ID, &u.NickName, &u.Username, &u.Avatar, &u.Guest, &u.Bot, &u.CreatedAt}
	return s.Scan(append(dest, more...)...)
}

func scanUser(s scanner) (*chat.User, error) {
	u := new(chat.User)
	return u, readUser(s, u)
}

// CreateUser makes a member: see chat.Store.
func (s *Store) CreateUser(ctx context.Context, u *chat.User, c chat.Credentials, skeletons []string) error {
	return s.change(ctx, func(t *tx) error {
		if err := t.insertUser(u, c); err != nil {
			return err
		}
		return t.reserveNames(u.ID, skeletons)
	})
}

// insertUser makes a user; a username that is there already is chat.ErrNameTaken.
func (t *tx) insertUser(u *chat.User, c chat.Credentials) error {
	n, err := t.exec(`INSERT INTO users (id, head, rev, nick, username, avatar, guest, bot, admin, password, created_at)
		VALUES ($1, 1, 1, $2, $3, $4, $5, $6, $7, $8, $9) ON CONFLICT (username) DO NOTHING`,
		u.ID, u.NickName, orNull(u.Username), u.Avatar, u.Guest, u.Bot, c.Admin, c.Password, u.CreatedAt)
	if err != nil {
		return fmt.Errorf("write a user: %w", err)
	}
	if n == 0 {
		return chat.ErrNameTaken
	}
	return nil
}

// insertGuest makes the row of a guest, who may be here already, and tells it: its own counter begins.
func (t *tx) insertGuest(u *chat.User) error {
	if err := t.insertUser(u, chat.Credentials{}); err != nil {
		return err
	}
	guest := *u
	t.events = append(t.events, chat.UserEvent(&guest, 1))
	return nil
}

// reserveNames makes names a member's own.
func (t *tx) reserveNames(id chat.UserID, skeletons []string) error {
	key, err := t.userKey(id)
	if err != nil {
		return err
	}
	for _, skeleton := range skeletons {
		n, err := t.exec(`INSERT INTO member_names (skeleton, user_key) VALUES ($1, $2) ON CONFLICT (skeleton) DO NOTHING`, skeleton, key)
		if err != nil {
			return fmt.Errorf("reserve a name: %w", err)
		}
		if n == 0 {
			return chat.ErrNameTaken
		}
	}
	return nil
}
