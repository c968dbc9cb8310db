package store

import (
	"context"
	"fmt"

	"qun/internal/chat"
)

// GroupsAfter lists groups: see chat.RetentionReader.
func (r *reader) GroupsAfter(id chat.GroupID, limit int) ([]*chat.Group, error) {
	return collect(r.ctx, r.session, func(s scanner) (*chat.Group, error) {
		g, err := scanGroup(s)
		return &g.Group, err
	}, `SELECT `+groupColumns+` FROM groups g WHERE g.id > $1 ORDER BY g.id LIMIT $2`, id, limit)
}

// SentBefore finds where what is older ends: see chat.RetentionReader. It reads no further than that.
func (r *reader) SentBefore(g chat.GroupID, at chat.Time) (end chat.Seq, err error) {
	err = r.row(`SELECT COALESCE((SELECT seq FROM messages WHERE group_key = k.key
			AND seq < COALESCE((SELECT seq FROM messages WHERE group_key = k.key AND sent_at >= $2 ORDER BY seq LIMIT 1), k.head + 1)
			ORDER BY seq DESC LIMIT 1), 0)
		FROM groups k WHERE k.id = $1`, []any{g, at}, &end)
	return end, err
}

// CursorsBefore finds who is behind: see chat.RetentionReader.
func (r *reader) CursorsBefore(g chat.GroupID, seq chat.Seq) ([]chat.UserID, error) {
	return collect(r.ctx, r.session, func(s scanner) (id chat.UserID, err error) {
		err = s.Scan(&id)
		return id, err
	}, `SELECT u.id FROM groups k JOIN memberships b ON b.group_key = k.key JOIN users u ON u.key = b.user_key
		WHERE k.id = $1 AND b.state = $2 AND b.read_seq < $3`, g, chat.MemberActive, seq)
}

// Erase deletes old messages: see chat.RetentionStore. The search index follows the floor by itself.
func (s *Store) Erase(ctx context.Context, id chat.GroupID, limit int) (erased int, err error) {
	err = s.writerOf(id).write(&op{ctx: ctx, rows: []place{{group: id}}, do: func(t *tx) error {
		g, err := t.group(id)
		if err != nil {
			return err
		}
		n, err := t.exec(`DELETE FROM messages WHERE group_key = $1 AND seq IN
			(SELECT seq FROM messages WHERE group_key = $1 AND seq < $2 ORDER BY seq LIMIT $3)`, g.key, g.Floor, limit)
		erased = int(n)
		if err != nil || erased == limit {
			return err
		}
		return t.eraseMarks(g) // of all that is gone, once it is
	}})
	if err != nil {
		return 0, fmt.Errorf("erase messages: %w", err)
	}
	return erased, nil
}

// eraseMarks deletes who is mentioned in and reacted to what is below the floor, and what waits there for a preview.
func (t *tx) eraseMarks(g *groupRow) error {
	for _, table := range []string{"mentions", "reactions", "links"} {
		if _, err := t.exec(`DELETE FROM `+table+` WHERE group_key = $1 AND seq < $2`, g.key, g.Floor); err != nil {
			return fmt.Errorf("erase %s: %w", table, err)
		}
	}
	return nil
}
