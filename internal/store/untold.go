package store

import (
	"context"
	"fmt"

	"qun/internal/chat"
)

// Untold lists what groups have to be told: see chat.UntoldStore.
func (s *Store) Untold(ctx context.Context, limit int) (list []chat.Untold, err error) {
	err = s.readers.use(ctx, func(session *session) error {
		list, err = collect(ctx, session, func(row scanner) (u chat.Untold, err error) {
			return u, row.Scan(&u.User, &u.Group, &u.News, &u.UpTo)
		}, `SELECT u.id, g.id, n.news, n.upto FROM untold n JOIN users u ON u.key = n.user_key JOIN groups g ON g.key = n.group_key
			ORDER BY n.user_key, n.group_key LIMIT $1`, limit)
		return err
	})
	return list, err
}

// owe notes that a user's groups have to be told: those it is in, or all it ever was in. What a group is told last wins.
func (t *tx) owe(user int64, news chat.News, former bool) error {
	_, err := t.exec(`INSERT INTO untold (user_key, group_key, news)
		SELECT user_key, group_key, $2 FROM memberships WHERE user_key = $1 AND (state = $3 OR $4)
		ON CONFLICT (user_key, group_key) DO UPDATE SET news = excluded.news, upto = 0`, user, string(news), string(chat.MemberActive), former)
	if err != nil {
		return fmt.Errorf("note what groups have to be told: %w", err)
	}
	return nil
}

func (x groupTx) Untold(u chat.UserID) (*chat.Untold, error) {
	key, err := x.t.userKey(u)
	if err != nil {
		return nil, err
	}
	told := &chat.Untold{User: u, Group: x.g.ID}
	err = x.t.row(`SELECT news, upto FROM untold WHERE user_key = $1 AND group_key = $2`, []any{key, x.g.key}, &told.News, &told.UpTo)
	if err != nil {
		return nil, err
	}
	return told, nil
}

func (x groupTx) PutUntold(u *chat.Untold) error {
	key, err := x.t.userKey(u.User)
	if err != nil {
		return err
	}
	_, err = x.t.exec(`UPDATE untold SET news = $3, upto = $4 WHERE user_key = $1 AND group_key = $2`, key, x.g.key, string(u.News), u.UpTo)
	if err != nil {
		return fmt.Errorf("note how far a group is told: %w", err)
	}
	return nil
}

func (x groupTx) DropUntold(u chat.UserID) error {
	key, err := x.t.userKey(u)
	if err != nil {
		return err
	}
	if _, err := x.t.exec(`DELETE FROM untold WHERE user_key = $1 AND group_key = $2`, key, x.g.key); err != nil {
		return fmt.Errorf("note that a group is told: %w", err)
	}
	return nil
}

func (x groupTx) MessagesOf(u chat.UserID, after, upTo chat.Seq) ([]*chat.Message, error) {
	key, err := x.t.userKey(u)
	if err != nil {
		return nil, err
	}
	return collect(x.t.ctx, x.t.session, scanMessage, `SELECT `+messageColumns+` FROM `+messageTables+`
		WHERE m.group_key = $1 AND m.seq > $2 AND m.seq <= $3 AND m.user_key = $4 ORDER BY m.seq`, x.g.key, after, upTo, key)
}

func (x groupTx) Heir(without chat.UserID) (*chat.Membership, error) {
	key, err := x.t.userKey(without)
	if err != nil {
		return nil, err
	}
	m, err := one(x.t.ctx, x.t.session, scanMember, `SELECT `+memberColumns+` FROM `+memberTables+`
		WHERE b.group_key = $1 AND b.state = $2 AND b.user_key <> $3 AND NOT u.guest AND NOT u.bot AND u.deleted_at = 0
		ORDER BY CASE b.role WHEN $4 THEN 0 ELSE 1 END, b.joined_at, b.user_key LIMIT 1`,
		x.g.key, string(chat.MemberActive), key, string(chat.RoleAdmin))
	if err != nil {
		return nil, err
	}
	return &m.Membership, nil
}
