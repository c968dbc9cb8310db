package store

import (
	"fmt"

	"qun/internal/chat"
)

func (x groupTx) PutReport(r *chat.Report) error {
	by, err := x.t.userKey(r.By)
	if err != nil {
		return err
	}
	_, err = x.t.exec(`INSERT INTO reports (group_key, seq, user_key, reason, author, nick, text, created_at)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8) ON CONFLICT (group_key, seq, user_key) DO NOTHING`,
		x.g.key, r.Seq, by, r.Reason, r.Author, r.NickName, r.Text, r.CreatedAt)
	if err != nil {
		return fmt.Errorf("write a report: %w", err)
	}
	return nil
}

func (x groupTx) ResolveReports(seq chat.Seq, by chat.UserID, at chat.Time) (int, error) {
	key, err := x.t.userKey(by)
	if err != nil {
		return 0, fmt.Errorf("find user %s: %w", by, err)
	}
	n, err := x.t.exec(`UPDATE reports SET resolved_at = $3, resolved_by = $4, text = '', nick = ''
		WHERE group_key = $1 AND seq = $2 AND resolved_at = 0`, x.g.key, seq, at, key)
	if err != nil {
		return 0, fmt.Errorf("resolve reports: %w", err)
	}
	return int(n), nil
}

func (r *reader) Reports(g chat.GroupID, limit int) ([]*chat.Report, error) {
	return collect(r.ctx, r.session, scanReport, selectReports+`
		WHERE p.resolved_at = 0 AND ($1 = '' OR g.id = $1) ORDER BY p.key DESC LIMIT $2`, string(g), limit)
}

func (r *reader) ResolvedReports(limit int) ([]*chat.Report, error) {
	return collect(r.ctx, r.session, scanReport, selectReports+` WHERE p.resolved_at > 0 ORDER BY p.resolved_at DESC, p.key DESC LIMIT $1`, limit)
}

const selectReports = `SELECT g.id, p.seq, u.id, p.reason, p.created_at, p.author, p.nick, p.text, p.resolved_at, COALESCE(b.id, '')
	FROM reports p JOIN groups g ON g.key = p.group_key JOIN users u ON u.key = p.user_key LEFT JOIN users b ON b.key = p.resolved_by`

func scanReport(s scanner) (*chat.Report, error) {
	one := new(chat.Report)
	return one, s.Scan(&one.GroupID, &one.Seq, &one.By, &one.Reason, &one.CreatedAt, &one.Author, &one.NickName, &one.Text,
		&one.ResolvedAt, &one.ResolvedBy)
}
