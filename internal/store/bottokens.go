package store

import (
	"context"
	"time"

	"qun/internal/auth"
	"qun/internal/chat"
)

// SetBotToken gives a bot its token: see auth.Store.
func (s *Store) SetBotToken(ctx context.Context, in auth.BotToken) error {
	return authError(s.change(ctx, func(t *tx) error {
		key, err := t.userKey(in.UserID)
		if err != nil {
			return err
		}
		_, err = t.exec(`INSERT INTO bot_tokens (hash, user_key, scopes, created_at, seen_at) VALUES ($1, $2, $3, $4, $5)
			ON CONFLICT (user_key) DO UPDATE SET hash = excluded.hash, scopes = excluded.scopes, created_at = excluded.created_at,
			seen_at = excluded.seen_at`,
			in.Hash[:], key, auth.JoinScopes(in.Scopes), chat.TimeOf(in.CreatedAt), chat.TimeOf(in.SeenAt))
		return err
	}))
}

const botTokenColumns = `b.hash, b.scopes, b.created_at, b.seen_at`

// botToken is a token and whose it is.
type botToken struct {
	token   auth.BotToken
	account auth.Account
	hash    []byte
	scopes  string

	created, seen chat.Time
}

func (b *botToken) dest() []any { return []any{&b.hash, &b.scopes, &b.created, &b.seen} }

func (b *botToken) done(id chat.UserID) {
	copy(b.token.Hash[:], b.hash)
	b.token.UserID, b.token.Scopes = id, auth.SplitScopes(b.scopes)
	b.token.CreatedAt, b.token.SeenAt = b.created.Std(), b.seen.Std()
}

// BotToken finds a token: see auth.Store.
func (s *Store) BotToken(ctx context.Context, hash auth.TokenHash) (*auth.BotToken, *auth.Account, error) {
	found, err := read(ctx, s, func(row scanner) (*botToken, error) {
		b := new(botToken)
		var ownerOut bool
		err := readAccount(row, &b.account, append(b.dest(), &ownerOut)...)
		b.account.Disabled = b.account.Disabled || ownerOut
		b.done(b.account.User.ID)
		return b, err
	}, `SELECT `+accountColumns+`, `+botTokenColumns+`, COALESCE(o.disabled_at + o.deleted_at > 0, $2)
		FROM bot_tokens b JOIN users u ON u.key = b.user_key LEFT JOIN users o ON o.key = u.owner_key WHERE b.hash = $1`, hash[:], true)
	if err != nil {
		return nil, nil, err
	}
	return &found.token, &found.account, nil
}

// BotTokenOf finds the token of a bot: see auth.Store.
func (s *Store) BotTokenOf(ctx context.Context, bot chat.UserID) (*auth.BotToken, error) {
	found, err := read(ctx, s, func(row scanner) (*botToken, error) {
		b := new(botToken)
		err := row.Scan(b.dest()...)
		b.done(bot)
		return b, err
	}, `SELECT `+botTokenColumns+` FROM bot_tokens b JOIN users u ON u.key = b.user_key WHERE u.id = $1`, bot)
	if err != nil {
		return nil, err
	}
	return &found.token, nil
}

// TouchBotToken notes that a bot was here: see auth.Store.
func (s *Store) TouchBotToken(ctx context.Context, hash auth.TokenHash, seenAt time.Time) error {
	return s.change(ctx, func(t *tx) error {
		_, err := t.exec(`UPDATE bot_tokens SET seen_at = $2 WHERE hash = $1`, hash[:], chat.TimeOf(seenAt))
		return err
	})
}
