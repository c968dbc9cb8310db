package store

import (
	"errors"
	"fmt"

	"qun/internal/chat"
)

const requestColumns = userColumns + `, g.id, q.state, q.text, q.asked_at, q.user_rev`

const requestTables = `join_requests q JOIN groups g ON g.key = q.group_key JOIN users u ON u.key = q.user_key`

func scanRequest(s scanner) (*chat.JoinRequest, error) {
	q := &chat.JoinRequest{User: new(chat.User)}
	return q, readUser(s, q.User, &q.Group, &q.State, &q.Text, &q.AskedAt, &q.UserRev)
}

func (r *reader) JoinRequests(g chat.GroupID, since chat.Time, after chat.UserID, limit int) ([]*chat.JoinRequest, error) {
	return collect(r.ctx, r.session, scanRequest, `SELECT `+requestColumns+` FROM `+requestTables+`
		WHERE q.group_key = `+keyOfGroup+` AND q.state = 'waiting' AND (q.asked_at, q.user_key) > ($2, COALESCE((SELECT key FROM users WHERE id = $3), 0))
		ORDER BY q.asked_at, q.user_key LIMIT $4`, g, since, after, limit)
}

func (r *reader) JoinRequestsOf(u chat.UserID, since chat.Seq) ([]*chat.JoinRequest, error) {
	return collect(r.ctx, r.session, scanRequest, `SELECT `+requestColumns+` FROM `+requestTables+`
		WHERE u.id = $1 AND q.user_rev > $2 AND g.dissolved_at = 0 ORDER BY q.user_rev`, u, since)
}

func (x groupTx) JoinRequest(u chat.UserID) (*chat.JoinRequest, error) {
	return one(x.t.ctx, x.t.session, scanRequest,
		`SELECT `+requestColumns+` FROM `+requestTables+` WHERE q.group_key = $1 AND u.id = $2`, x.g.key, u)
}

func (x groupTx) PutJoinRequest(q *chat.JoinRequest) error {
	before, err := x.JoinRequest(q.User.ID)
	if err != nil && !errors.Is(err, chat.ErrNotFound) {
		return fmt.Errorf("read a join request: %w", err)
	}
	user, err := x.t.userKey(q.User.ID)
	if err != nil {
		return fmt.Errorf("find user %s: %w", q.User.ID, err)
	}
	if q.UserRev, err = x.t.nextOfUser(user); err != nil {
		return fmt.Errorf("take a number of a user: %w", err)
	}
	_, err = x.t.exec(`INSERT INTO join_requests (group_key, user_key, user_rev, state, text, asked_at)
		VALUES ($1, $2, $3, $4, $5, $6) ON CONFLICT (group_key, user_key) DO UPDATE SET user_rev = excluded.user_rev,
		state = excluded.state, text = excluded.text, asked_at = excluded.asked_at`,
		x.g.key, user, q.UserRev, q.State, q.Text, q.AskedAt)
	if err != nil {
		return fmt.Errorf("write a join request: %w", err)
	}
	x.g.Requests += waiting(q) - waiting(before)
	x.g.whole = true
	x.t.events = append(x.t.events, chat.JoinRequestEvent(q))
	return nil
}

// waiting is how many q counts among those that wait.
func waiting(q *chat.JoinRequest) int {
	if q == nil || q.State != chat.RequestWaiting {
		return 0
	}
	return 1
}
