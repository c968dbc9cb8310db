package store

import (
	"qun/internal/chat"
)

// ListGroups lists groups: see chat.GroupLister. The owner is who stands first among the members.
func (r *reader) ListGroups(text string, after chat.GroupID, limit int) ([]*chat.GroupListing, error) {
	return collect(r.ctx, r.session, func(s scanner) (*chat.GroupListing, error) {
		g := new(chat.GroupListing)
		return g, s.Scan(&g.ID, &g.Room, &g.Name, &g.Avatar, &g.Visibility, &g.Joining, &g.SlowMode, &g.MutedAll, &g.Retention,
			&g.Members, &g.Messages, &g.CreatedAt, &g.LastAt, &g.Owner, &g.OwnerName)
	}, `SELECT g.id, g.room, g.name, g.avatar, g.visibility, g.joining, g.slow_mode, g.muted_all, g.retention,
		g.member_count, g.counted, g.created_at,
		COALESCE((SELECT m.sent_at FROM messages m WHERE m.group_key = g.key ORDER BY m.seq DESC LIMIT 1), 0),
		COALESCE(o.id, ''), COALESCE(o.nick, '')
		FROM groups g LEFT JOIN users o ON o.key =
			(SELECT t.user_key FROM member_terms t WHERE t.group_key = g.key AND t.rank = 0 ORDER BY t.term LIMIT 1)
		WHERE g.kind = $1 AND g.dissolved_at = 0
		AND ($2 = '' OR g.key < COALESCE((SELECT key FROM groups WHERE id = $2), 0))
		AND (g.name_key LIKE $3 ESCAPE '\' OR COALESCE(g.room_key, '') LIKE $3 ESCAPE '\' OR g.id = $4)
		ORDER BY g.key DESC LIMIT $5`, string(chat.KindGroup), string(after), like(text), text, limit)
}

// Figures counts what there is: see chat.FigureReader.
func (r *reader) Figures() (*chat.Figures, error) {
	f := new(chat.Figures)
	err := r.row(`SELECT
		(SELECT COUNT(*) FROM users WHERE NOT guest AND NOT bot AND deleted_at = 0),
		(SELECT COUNT(*) FROM users WHERE bot AND deleted_at = 0),
		(SELECT COUNT(*) FROM users WHERE guest),
		(SELECT COUNT(*) FROM groups WHERE kind = $1 AND dissolved_at = 0),
		(SELECT COUNT(*) FROM (SELECT DISTINCT group_key, seq FROM reports WHERE resolved_at = 0) AS r),
		(SELECT COUNT(*) FROM push_subscriptions),
		(SELECT COUNT(*) FROM push_subscriptions WHERE failing_at > 0),
		COALESCE((SELECT bytes FROM file_totals WHERE user_id = $2), 0), `+r.dialect.size,
		[]any{string(chat.KindGroup), everybody},
		&f.Members, &f.Bots, &f.Guests, &f.Groups, &f.Reports, &f.Push.Devices, &f.Push.Failing, &f.Files, &f.Database)
	if err != nil {
		return nil, err
	}
	w := &f.Webhooks
	return f, r.row(`SELECT COALESCE(SUM(CASE WHEN w.off_at = 0 THEN 1 ELSE 0 END), 0),
		COALESCE(SUM(CASE WHEN w.off_at = 0 AND w.head < g.head THEN 1 ELSE 0 END), 0),
		COALESCE(SUM(CASE WHEN w.off_at = 0 AND w.failing_at > 0 THEN 1 ELSE 0 END), 0),
		COALESCE(SUM(CASE WHEN w.off_at > 0 THEN 1 ELSE 0 END), 0)
		FROM webhooks w JOIN groups g ON g.key = w.group_key WHERE w.kind = 'outgoing' AND g.dissolved_at = 0`, nil,
		&w.On, &w.Behind, &w.Failing, &w.Off)
}
