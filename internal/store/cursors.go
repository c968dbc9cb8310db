package store

import (
	"context"
	"errors"
	"fmt"

	"qun/internal/chat"
)

// maxCursors is how many cursors share a place in the writer's queue: messages pass between two such places.
const maxCursors = 100

// MoveCursors marks what was read: see chat.Store.
func (s *Store) MoveCursors(ctx context.Context, cursors []chat.Cursor) error {
	for len(cursors) > 0 {
		part := cursors[:min(len(cursors), maxCursors)]
		cursors = cursors[len(part):]
		o := &op{ctx: ctx, do: func(t *tx) error { return t.moveCursors(part) }}
		for _, c := range part {
			o.rows = append(o.rows, place{c.Group, c.User})
		}
		if err := s.writers[0].write(o); err != nil {
			return fmt.Errorf("move cursors: %w", err)
		}
	}
	return nil
}

func (t *tx) moveCursors(cursors []chat.Cursor) error {
	for _, c := range cursors {
		if err := t.moveCursor(c); err != nil && !errors.Is(err, chat.ErrNotFound) {
			return err
		}
	}
	return nil
}

func (t *tx) moveCursor(c chat.Cursor) error {
	g, err := t.group(c.Group)
	if err != nil {
		return err
	}
	key, err := t.userKey(c.User)
	if err != nil {
		return err
	}
	m, err := t.member(g, key, c.User)
	if err != nil || m == nil || !m.Active() {
		return err
	}
	to := min(c.Read, g.Head)
	if to <= m.ReadSeq {
		return nil
	}
	counted, own, err := countUpTo(t.ctx, t.session, g.key, to, key, m.ReadSeq)
	if err != nil {
		return err
	}
	m.ReadSeq, m.ReadCount, m.OwnUnread = to, counted, m.OwnUnread-own
	if m.UserRev, err = t.nextOfUser(key); err != nil {
		return err
	}
	_, err = t.exec(`UPDATE memberships SET read_seq = $3, read_count = $4, own_unread = $5, user_rev = $6
		WHERE group_key = $1 AND user_key = $2`, g.key, key, m.ReadSeq, m.ReadCount, m.OwnUnread, m.UserRev)
	if err != nil {
		return err
	}
	return t.tellMember(g, m)
}

// countUpTo is chat.Reader's CountUpTo by keys. It counts what was erased, too: where nothing is left up to there, the
// message after it knows.
func countUpTo(ctx context.Context, s *session, group int64, upTo chat.Seq, user int64, after chat.Seq) (counted, own int64, err error) {
	err = s.row(ctx, `SELECT
		COALESCE((SELECT counted FROM messages WHERE group_key = $1 AND seq <= $2 ORDER BY seq DESC LIMIT 1),
			(SELECT counted - CASE WHEN kind IN ('text', 'file') THEN 1 ELSE 0 END FROM messages WHERE group_key = $1 AND seq > $2 ORDER BY seq LIMIT 1),
			(SELECT counted FROM groups WHERE key = $1), 0),
		(SELECT COUNT(*) FROM messages WHERE group_key = $1 AND seq > $3 AND seq <= $2 AND user_key = $4 AND kind IN ('text', 'file'))`,
		[]any{group, upTo, after, user}, &counted, &own)
	if err != nil {
		return 0, 0, fmt.Errorf("count messages: %w", err)
	}
	return counted, own, nil
}
