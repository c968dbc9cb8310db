package store

import (
	"context"
	"fmt"

	"qun/internal/chat"
)

// subscriptionsPerUser bounds the devices of a user: the oldest make room.
const subscriptionsPerUser = 20

// PutSubscription keeps a device: see chat.WebPushStore. What the device was told before, maybe as somebody else's, is
// forgotten.
func (s *Store) PutSubscription(ctx context.Context, d *chat.Subscription) error {
	return s.change(ctx, func(t *tx) error {
		user, err := t.userKey(d.UserID)
		if err != nil {
			return err
		}
		if err := t.dropSubscriptions(`endpoint = $1`, d.Endpoint); err != nil {
			return err
		}
		_, err = t.exec(`INSERT INTO push_subscriptions (user_key, endpoint, p256dh, auth, session, created_at)
			VALUES ($1, $2, $3, $4, $5, $6)`, user, d.Endpoint, d.P256DH, d.Auth, orNoBytes(d.Session), d.CreatedAt)
		if err != nil {
			return fmt.Errorf("write a subscription: %w", err)
		}
		return t.dropSubscriptions(`user_key = $1 AND key NOT IN
			(SELECT key FROM push_subscriptions WHERE user_key = $1 ORDER BY created_at DESC, key DESC LIMIT $2)`, user, subscriptionsPerUser)
	})
}

// orNoBytes is a column of bytes in which none is NULL.
func orNoBytes(b []byte) any {
	if len(b) == 0 {
		return nil
	}
	return b
}

func (t *tx) dropSubscriptions(which string, args ...any) error {
	_, err := t.exec(`DELETE FROM push_marks WHERE subscription_key IN (SELECT key FROM push_subscriptions WHERE `+which+`)`, args...)
	if err == nil {
		_, err = t.exec(`DELETE FROM push_subscriptions WHERE `+which, args...)
	}
	if err != nil {
		return fmt.Errorf("delete subscriptions: %w", err)
	}
	return nil
}

// DropSubscription forgets a device: see chat.WebPushStore.
func (s *Store) DropSubscription(ctx context.Context, u chat.UserID, endpoint string) error {
	return s.change(ctx, func(t *tx) error {
		return t.dropSubscriptions(`endpoint = $1 AND user_key = (SELECT key FROM users WHERE id = $2)`, endpoint, u)
	})
}

// ClaimSubscriptions lends devices: see chat.WebPushStore.
func (s *Store) ClaimSubscriptions(ctx context.Context, now, until chat.Time, endpoints []string) (lent []string, err error) {
	err = s.change(ctx, func(t *tx) error {
		lent = nil
		for _, endpoint := range endpoints {
			n, err := t.exec(`UPDATE push_subscriptions SET claimed_until = $2 WHERE endpoint = $3 AND claimed_until <= $1`, now, until, endpoint)
			if err != nil {
				return fmt.Errorf("lend a subscription: %w", err)
			}
			if n == 1 {
				lent = append(lent, endpoint)
			}
		}
		return nil
	})
	return lent, err
}

// SettleCalls keeps what came of calls: see chat.WebPushStore.
func (s *Store) SettleCalls(ctx context.Context, calls []chat.Called) error {
	return s.change(ctx, func(t *tx) error {
		for _, c := range calls {
			if err := t.settleCall(c); err != nil {
				return err
			}
		}
		return nil
	})
}

func (t *tx) settleCall(c chat.Called) error {
	if c.Gone {
		return t.dropSubscriptions(`endpoint = $1`, c.Endpoint)
	}
	_, err := t.exec(`UPDATE push_subscriptions SET tries = $2, failing_at = $3, due_at = $4, claimed_until = 0 WHERE endpoint = $1`,
		c.Endpoint, c.Tries, c.FailingAt, c.DueAt)
	if err == nil && c.Seq > 0 {
		_, err = t.exec(`INSERT INTO push_marks (subscription_key, group_key, seq, at)
			SELECT s.key, g.key, $3, $4 FROM push_subscriptions s, groups g WHERE s.endpoint = $1 AND g.id = $2
			ON CONFLICT (subscription_key, group_key) DO UPDATE SET seq = excluded.seq, at = excluded.at`, c.Endpoint, c.Group, c.Seq, c.At)
	}
	if err != nil {
		return fmt.Errorf("settle a call: %w", err)
	}
	return nil
}

func (r *reader) Subscriptions() (n int, err error) {
	return n, r.row(`SELECT COUNT(*) FROM push_subscriptions`, nil, &n)
}

// manyMembers is from how many members on it is quicker to look each device's membership up than each member's devices.
const manyMembers = 1000

func (r *reader) Callees(id chat.GroupID, now chat.Time) ([]*chat.Callee, error) {
	var group int64
	var head chat.Seq
	var members int
	if err := r.row(`SELECT key, head, member_count FROM groups WHERE id = $1`, []any{id}, &group, &head, &members); err != nil {
		return nil, err
	}
	from := `memberships b CROSS JOIN push_subscriptions s` // SQLite takes this order for an order
	if members > manyMembers {
		from = `push_subscriptions s CROSS JOIN memberships b`
	}
	return collect(r.ctx, r.session, scanCallee, `SELECT s.endpoint, s.p256dh, s.auth, s.created_at, s.tries, s.failing_at, s.due_at,
			u.id, u.nick, u.settings, b.notify, b.read_seq, b.from_seq, COALESCE(k.seq, 0), COALESCE(k.at, 0)
		FROM `+from+` JOIN users u ON u.key = s.user_key
		LEFT JOIN push_marks k ON k.subscription_key = s.key AND k.group_key = $1
		WHERE b.group_key = $1 AND s.user_key = b.user_key AND b.state = 'active' AND b.notify <> 'nothing' AND b.read_seq < $2
			AND s.due_at <= $3 AND u.disabled_at = 0 AND u.deleted_at = 0
			AND (s.session IS NULL OR EXISTS (SELECT 1 FROM sessions x WHERE x.hash = s.session AND x.expires_at > $3))
		ORDER BY s.key`, group, head, now)
}

func scanCallee(s scanner) (*chat.Callee, error) {
	c := new(chat.Callee)
	return c, s.Scan(&c.Endpoint, &c.P256DH, &c.Auth, &c.CreatedAt, &c.Tries, &c.FailingAt, &c.DueAt,
		&c.UserID, &c.NickName, &c.Settings, &c.Notify, &c.ReadSeq, &c.FromSeq, &c.Seq, &c.At)
}

func (r *reader) CalleeGroups(now, since chat.Time, failed bool) ([]chat.GroupID, error) {
	least := 0
	if failed {
		least = 1
	}
	return collect(r.ctx, r.session, scanGroupID, `SELECT DISTINCT g.id FROM push_subscriptions s
		JOIN memberships b ON b.user_key = s.user_key JOIN groups g ON g.key = b.group_key
		WHERE s.tries >= $3 AND s.due_at <= $1 AND s.claimed_until <= $1
			AND b.state = 'active' AND b.notify <> 'nothing' AND b.read_seq < g.head AND g.dissolved_at = 0
			AND (SELECT m.sent_at FROM messages m WHERE m.group_key = g.key ORDER BY m.seq DESC LIMIT 1) >= $2`, now, since, least)
}
