package store

import "qun/internal/chat"

func (r *reader) AnnouncementReaders(g chat.GroupID, seq chat.Seq) (n int, err error) {
	err = r.row(`SELECT COUNT(*) FROM memberships WHERE group_key = (SELECT key FROM groups WHERE id = $1)
		AND announced = $2 AND announced > 0 AND state = 'active'`, []any{g, seq}, &n)
	return n, err
}
