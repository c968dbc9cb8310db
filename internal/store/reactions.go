package store

import (
	"fmt"

	"qun/internal/chat"
)

func (r *reader) MyReactions(g chat.GroupID, u chat.UserID, first, last chat.Seq) (map[chat.Seq][]string, error) {
	mine := map[chat.Seq][]string{}
	_, err := collect(r.ctx, r.session, func(s scanner) (seq chat.Seq, err error) {
		var emoji string
		err = s.Scan(&seq, &emoji)
		mine[seq] = append(mine[seq], emoji)
		return seq, err
	}, `SELECT seq, emoji FROM reactions WHERE group_key = (SELECT key FROM groups WHERE id = $1)
		AND user_key = (SELECT key FROM users WHERE id = $2) AND seq >= $3 AND seq <= $4`, g, u, first, last)
	return mine, err
}

func (x groupTx) SetReaction(seq chat.Seq, u chat.UserID, emoji string, on bool) (changed bool, err error) {
	key, err := x.t.userKey(u)
	if err != nil {
		return false, fmt.Errorf("find user %s: %w", u, err)
	}
	var n int64
	if on {
		n, err = x.t.exec(`INSERT INTO reactions (group_key, user_key, seq, emoji, rev) VALUES ($1, $2, $3, $4, $5)
			ON CONFLICT (group_key, user_key, seq, emoji) DO NOTHING`, x.g.key, key, seq, emoji, x.g.Head+1)
	} else {
		n, err = x.t.exec(`DELETE FROM reactions WHERE group_key = $1 AND user_key = $2 AND seq = $3 AND emoji = $4`,
			x.g.key, key, seq, emoji)
	}
	if err != nil {
		return false, fmt.Errorf("write a reaction: %w", err)
	}
	return n == 1, nil
}

func (x groupTx) Reactors(seq chat.Seq, emoji string, limit int) ([]chat.UserID, error) {
	return collect(x.t.ctx, x.t.session, func(s scanner) (id chat.UserID, err error) {
		err = s.Scan(&id)
		return id, err
	}, `SELECT u.id FROM reactions r JOIN users u ON u.key = r.user_key
		WHERE r.group_key = $1 AND r.seq = $2 AND r.emoji = $3 ORDER BY r.rev LIMIT $4`, x.g.key, seq, emoji, limit)
}

func (x groupTx) MyReactions(seq chat.Seq, u chat.UserID) ([]string, error) {
	return collect(x.t.ctx, x.t.session, func(s scanner) (emoji string, err error) {
		err = s.Scan(&emoji)
		return emoji, err
	}, `SELECT emoji FROM reactions WHERE group_key = $1 AND user_key = (SELECT key FROM users WHERE id = $2) AND seq = $3`, x.g.key, u, seq)
}

// dropReactions forgets who reacted to a message.
func (t *tx) dropReactions(group int64, seq chat.Seq) error {
	if _, err := t.exec(`DELETE FROM reactions WHERE group_key = $1 AND seq = $2`, group, seq); err != nil {
		return fmt.Errorf("drop reactions: %w", err)
	}
	return nil
}
