package store

import "qun/internal/chat"

// UsersAfter lists users: see chat.ExportReader.
func (r *reader) UsersAfter(id chat.UserID, limit int) ([]*chat.User, error) {
	return collect(r.ctx, r.session, scanUser, `SELECT `+userColumns+` FROM users u WHERE u.id > $1 ORDER BY u.id LIMIT $2`, id, limit)
}

// SentBy lists what a user said: see chat.ExportReader.
func (r *reader) SentBy(u chat.UserID, g chat.GroupID, after chat.Seq, limit int) ([]*chat.Message, error) {
	return r.messages(`SELECT `+messageColumns+` FROM `+messageTables+`
		WHERE m.group_key = `+keyOfGroup+` AND m.user_key = (SELECT key FROM users WHERE id = $2) AND m.seq > $3 ORDER BY m.seq LIMIT $4`, g, u, after, limit)
}
