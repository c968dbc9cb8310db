package store

import (
	"context"
	"fmt"
	"strings"

	"qun/internal/chat"
)

const webhookColumns = `w.id, g.id, w.kind, w.name, COALESCE(u.id, ''), w.url, w.events, m.id, w.created_at, w.secret,
	w.head, w.tries, w.tried_at, w.due_at, w.told_at, w.failing_at, w.failure, w.off_at`

const webhookTables = `webhooks w JOIN groups g ON g.key = w.group_key JOIN users m ON m.key = w.made_by
	LEFT JOIN users u ON u.key = w.user_key`

func scanWebhook(s scanner) (*chat.Webhook, error) {
	w := new(chat.Webhook)
	var events string
	err := s.Scan(&w.ID, &w.GroupID, &w.Kind, &w.Name, &w.UserID, &w.URL, &events, &w.MadeBy, &w.CreatedAt, &w.Secret,
		&w.Head, &w.Tries, &w.TriedAt, &w.DueAt, &w.ToldAt, &w.FailingAt, &w.Failure, &w.OffAt)
	for _, e := range strings.Fields(events) {
		w.Events = append(w.Events, chat.WebhookEvent(e))
	}
	return w, err
}

func joinEvents(events []chat.WebhookEvent) string {
	words := make([]string, len(events))
	for i, e := range events {
		words[i] = string(e)
	}
	return strings.Join(words, " ")
}

const sqlWebhooks = `SELECT ` + webhookColumns + ` FROM ` + webhookTables + ` WHERE g.id = $1 ORDER BY w.key`

func (r *reader) Webhooks(g chat.GroupID) ([]*chat.Webhook, error) {
	return collect(r.ctx, r.session, scanWebhook, sqlWebhooks, g)
}

func (r *reader) Webhook(id chat.WebhookID) (*chat.Webhook, error) {
	return one(r.ctx, r.session, scanWebhook, `SELECT `+webhookColumns+` FROM `+webhookTables+` WHERE w.id = $1`, id)
}

func (x groupTx) Webhooks() ([]*chat.Webhook, error) {
	return collect(x.t.ctx, x.t.session, scanWebhook, sqlWebhooks, x.g.ID)
}

// PutWebhook ends the loan of whoever is at it: what came of that is not kept.
func (x groupTx) PutWebhook(w *chat.Webhook) error {
	maker, err := x.t.userKey(w.MadeBy)
	if err != nil {
		return fmt.Errorf("find user %s: %w", w.MadeBy, err)
	}
	var bot *int64
	if w.UserID != "" {
		key, err := x.t.userKey(w.UserID)
		if err != nil {
			return fmt.Errorf("find user %s: %w", w.UserID, err)
		}
		bot = &key
	}
	_, err = x.t.exec(`INSERT INTO webhooks (id, group_key, kind, name, user_key, secret, url, events, made_by, created_at,
		head, tries, tried_at, due_at, told_at, failing_at, failure, off_at)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18)
		ON CONFLICT (id) DO UPDATE SET name = excluded.name, secret = excluded.secret, url = excluded.url,
		events = excluded.events, head = excluded.head, tries = excluded.tries, tried_at = excluded.tried_at,
		due_at = excluded.due_at, told_at = excluded.told_at, failing_at = excluded.failing_at, failure = excluded.failure,
		off_at = excluded.off_at, claimed_until = 0`,
		w.ID, x.g.key, w.Kind, w.Name, bot, w.Secret, w.URL, joinEvents(w.Events), maker, w.CreatedAt,
		w.Head, w.Tries, w.TriedAt, w.DueAt, w.ToldAt, w.FailingAt, w.Failure, w.OffAt)
	if err != nil {
		return fmt.Errorf("write a webhook: %w", err)
	}
	return nil
}

func (x groupTx) DropWebhook(id chat.WebhookID) error {
	if _, err := x.t.exec(`DELETE FROM webhooks WHERE id = $1 AND group_key = $2`, id, x.g.key); err != nil {
		return fmt.Errorf("delete a webhook: %w", err)
	}
	return nil
}

func (x groupTx) AddBot(u *chat.User) error {
	if err := x.t.enroll(); err != nil {
		return err
	}
	return x.t.insertUser(u, chat.Credentials{})
}

// ClaimWebhooks lends webhooks: see chat.OutboxStore.
func (s *Store) ClaimWebhooks(ctx context.Context, now, until chat.Time, limit int) (lent []*chat.Webhook, err error) {
	err = s.change(ctx, func(t *tx) error {
		keys, err := collect(t.ctx, t.session, scanKey, `WITH due AS MATERIALIZED (
				SELECT w.key FROM webhooks w
				WHERE w.kind = 'outgoing' AND w.off_at = 0 AND w.due_at <= $1 AND w.claimed_until <= $1
					AND w.head < (SELECT g.head FROM groups g WHERE g.key = w.group_key AND g.dissolved_at = 0)
				ORDER BY w.due_at LIMIT $3`+t.dialect.lockFree+`)
			UPDATE webhooks SET claimed_until = $2 FROM due WHERE webhooks.key = due.key RETURNING webhooks.key`, now, until, limit)
		if err != nil {
			return fmt.Errorf("lend webhooks: %w", err)
		}
		lent = nil
		for _, key := range keys {
			w, err := one(t.ctx, t.session, scanWebhook, `SELECT `+webhookColumns+` FROM `+webhookTables+` WHERE w.key = $1`, key)
			if err != nil {
				return fmt.Errorf("read a webhook: %w", err)
			}
			lent = append(lent, w)
		}
		return nil
	})
	return lent, err
}

func scanKey(s scanner) (key int64, err error) { return key, s.Scan(&key) }

// SettleWebhook ends a loan: see chat.OutboxStore.
func (s *Store) SettleWebhook(ctx context.Context, id chat.WebhookID, until chat.Time, p chat.Progress) error {
	return s.change(ctx, func(t *tx) error {
		_, err := t.exec(`UPDATE webhooks SET head = $3, tries = $4, tried_at = $5, due_at = $6, told_at = $7, failing_at = $8,
			failure = $9, off_at = $10, claimed_until = 0 WHERE id = $1 AND claimed_until = $2`,
			id, until, p.Head, p.Tries, p.TriedAt, p.DueAt, p.ToldAt, p.FailingAt, p.Failure, p.OffAt)
		if err != nil {
			return fmt.Errorf("settle a webhook: %w", err)
		}
		return nil
	})
}

func (r *reader) WebhookGroups() ([]chat.GroupID, error) {
	return collect(r.ctx, r.session, scanGroupID, `SELECT DISTINCT g.id FROM webhooks w JOIN groups g ON g.key = w.group_key
		WHERE w.kind = 'outgoing' AND w.off_at = 0 AND g.dissolved_at = 0`)
}

func scanGroupID(s scanner) (id chat.GroupID, err error) { return id, s.Scan(&id) }

func (r *reader) WebhooksDue() (chat.Time, error) {
	due, err := collect(r.ctx, r.session, func(s scanner) (at chat.Time, err error) {
		var due, claimed chat.Time
		err = s.Scan(&due, &claimed)
		return max(due, claimed), err
	}, `SELECT w.due_at, w.claimed_until FROM webhooks w JOIN groups g ON g.key = w.group_key
		WHERE w.kind = 'outgoing' AND w.off_at = 0 AND g.dissolved_at = 0 AND w.head < g.head
		ORDER BY CASE WHEN w.due_at > w.claimed_until THEN w.due_at ELSE w.claimed_until END LIMIT 1`)
	if err == nil && len(due) == 0 {
		err = chat.ErrNotFound
	}
	if err != nil {
		return 0, err
	}
	return due[0], nil
}
