package store

import (
	"context"
	"fmt"

	"qun/internal/chat"
)

// CreateBot makes a bot: see chat.BotStore.
func (s *Store) CreateBot(ctx context.Context, bot *chat.User, owner chat.UserID, skeletons []string) error {
	return s.change(ctx, func(t *tx) error {
		key, err := t.userKey(owner)
		if err != nil {
			return err
		}
		if err := t.insertUser(bot, chat.Credentials{}); err != nil {
			return err
		}
		if _, err := t.exec(`UPDATE users SET owner_key = $2 WHERE id = $1`, bot.ID, key); err != nil {
			return fmt.Errorf("note whose a bot is: %w", err)
		}
		if err := t.reserveNames(bot.ID, skeletons); err != nil {
			return err
		}
		return t.audit(&chat.AuditEntry{At: bot.CreatedAt, Act: "createBot", By: owner, Target: bot.ID})
	})
}

func (r *reader) BotsOf(owner chat.UserID) ([]*chat.User, error) {
	return collect(r.ctx, r.session, scanUser, `SELECT `+userColumns+` FROM users u
		WHERE u.owner_key = (SELECT key FROM users WHERE id = $1) AND u.deleted_at = 0 ORDER BY u.key`, owner)
}

func (r *reader) BotOwner(bot chat.UserID) (owner chat.UserID, err error) {
	err = r.row(`SELECT o.id FROM users u JOIN users o ON o.key = u.owner_key WHERE u.id = $1 AND u.deleted_at = 0`, []any{bot}, &owner)
	return owner, err
}
