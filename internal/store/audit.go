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

// AuditOf reads along the index of what is asked for most narrowly.
func (r *reader) AuditOf(q chat.AuditQuery) ([]*chat.AuditEntry, error) {
	if q.Before == 0 {
		q.Before = math.MaxInt64
	}
	where, args := `key < $1`, []any{q.Before, q.Limit}
	narrow := func(wanted bool, condition string, value any) {
		if wanted {
			args = append(args, value)
			where += fmt.Sprintf(" AND %s $%d", condition, len(args))
		}
	}
	narrow(q.Group != "", "group_id =", q.Group)
	narrow(q.By != "", "by_id =", q.By)
	narrow(q.Act != "", "act =", q.Act)
	narrow(q.Target != "", "target_id =", q.Target)
	narrow(q.Since != 0, "at >=", q.Since)
	narrow(q.Until != 0, "at <", q.Until)
	return collect(r.ctx, r.session, scanAudit,
		`SELECT key, at, act, by_id, group_id, target_id, value FROM audit WHERE `+where+` ORDER BY key DESC LIMIT $2`, args...)
}
