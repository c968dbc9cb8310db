package store

import "qun/internal/chat"

func (r *reader) Pinned(g chat.GroupID, limit int) ([]*chat.Message, error) {
	return r.messages(`SELECT `+messageColumns+` FROM `+messageTables+`
		WHERE m.group_key = (SELECT key FROM groups WHERE id = $1) AND m.pinned_at > 0
		ORDER BY m.pinned_at DESC, m.seq DESC LIMIT $2`, g, limit)
}

func (x groupTx) CountPinned() (n int, err error) {
	err = x.t.row(`SELECT COUNT(*) FROM messages WHERE group_key = $1 AND pinned_at > 0`, []any{x.g.key}, &n)
	return n, err
}
