package store

import (
	"fmt"
	"math"

	"qun/internal/chat"
)

func (x groupTx) Audit(e *chat.AuditEntry) error { return x.t.audit(e) }

func (t *tx) audit(e *chat.AuditEntry) error {
	_, err := t.exec(`INSERT INTO audit (at, act, by_id, group_id, target_id, value) VALUES ($1, $2, $3, $4, $5, $6)`,
		e.At, e.Act, e.By, e.Group, e.Target, e.Value)
	if err != nil {
		return fmt.Errorf("write the audit: %w", err)
	}
	return nil
}

func scanAudit(s scanner) (*chat.AuditEntry, error) {
	e := new(chat.AuditEntry)
	return e, s.Scan(&e.Number, &e.At, &e.Act, &e.By, &e.Group, &e.Target, &e.Value)
}

func (r *reader) AuditOf(g chat.GroupID, before int64, limit int) ([]*chat.AuditEntry, error) {
	if before == 0 {
		before = math.MaxInt64
	}
	const columns = `SELECT key, at, act, by_id, group_id, target_id, value FROM audit `
	if g == "" {
		return collect(r.ctx, r.session, scanAudit, columns+`WHERE key < $1 ORDER BY key DESC LIMIT $2`, before, limit)
	}
	return collect(r.ctx, r.session, scanAudit, columns+`WHERE group_id = $1 AND key < $2 ORDER BY key DESC LIMIT $3`, g, before, limit)
}
