package store

import (
	"fmt"

	"qun/internal/chat"
)

func (x groupTx) NickOwner(skeleton string) (id chat.UserID, err error) {
	err = x.t.row(`SELECT u.id FROM memberships b JOIN users u ON u.key = b.user_key
		WHERE b.group_key = $1 AND b.nick_key = $2 AND b.nick_key <> '' AND b.state = 'active' LIMIT 1`, []any{x.g.key, skeleton}, &id)
	return id, err
}

func (x groupTx) SetNickSkeleton(u chat.UserID, skeleton string) error {
	key, err := x.t.userKey(u)
	if err != nil {
		return fmt.Errorf("find user %s: %w", u, err)
	}
	if _, err := x.t.exec(`UPDATE memberships SET nick_key = $3 WHERE group_key = $1 AND user_key = $2`, x.g.key, key, skeleton); err != nil {
		return fmt.Errorf("write a name: %w", err)
	}
	return nil
}

func (r *reader) Roll(g chat.GroupID, after chat.UserID, limit int) ([]*chat.Membership, error) {
	return collect(r.ctx, r.session, func(s scanner) (*chat.Membership, error) {
		m, err := scanMember(s)
		return &m.Membership, err
	}, `SELECT `+memberColumns+` FROM `+memberTables+` WHERE b.group_key = `+keyOfGroup+`
		AND b.user_key > (SELECT COALESCE(MAX(key), 0) FROM users WHERE id = $2) ORDER BY b.user_key LIMIT $3`, g, after, limit)
}
