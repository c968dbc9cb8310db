package store

import (
	"context"
	"errors"
	"fmt"

	"qun/internal/chat"
)

const (
	sqlCommit   = `COMMIT`
	sqlRollback = `ROLLBACK`
)

// tx is a transaction of the writer. Groups and memberships it touched are kept as rows and written once, at the end:
// sixty messages to one group update it once.
type tx struct {
	*session
	dialect     *dialect
	userKeys    map[chat.UserID]int64 // the writer's
	newUserKeys map[chat.UserID]int64 // found or made in this transaction
	groups      map[chat.GroupID]*groupRow
	members     map[memberKey]*memberRow
	events      []chat.Event
}

type memberKey struct{ group, user int64 }

func newTx(s *session, d *dialect, userKeys map[chat.UserID]int64) *tx {
	t := &tx{session: s, dialect: d, userKeys: userKeys, newUserKeys: map[chat.UserID]int64{}}
	t.forget()
	return t
}

// forget drops all rows kept, so that they are read again.
func (t *tx) forget() {
	t.groups = map[chat.GroupID]*groupRow{}
	t.members = map[memberKey]*memberRow{}
}

// The writer's statements do not end with who asked: others share the transaction.
func (t *tx) exec(query string, args ...any) (int64, error) {
	return t.session.exec(context.Background(), query, args...)
}

func (t *tx) row(query string, args []any, dest ...any) error {
	return t.session.row(context.Background(), query, args, dest...)
}

func (t *tx) begin() error {
	if _, err := t.exec(t.dialect.beginWrite); err != nil {
		return fmt.Errorf("begin: %w", err)
	}
	return nil
}

func (t *tx) rollback() error {
	if _, err := t.exec(sqlRollback); err != nil {
		return fmt.Errorf("roll back: %w", err)
	}
	return nil
}

// isolated runs an op in a savepoint: whatever its error, it leaves nothing. An error of isolated itself is an accident.
func (t *tx) isolated(o *op) error {
	if err := t.flush(); err != nil {
		return err
	}
	if _, err := t.exec(`SAVEPOINT op`); err != nil {
		return fmt.Errorf("set a savepoint: %w", err)
	}
	told := len(t.events)
	o.err = o.do(t)
	if o.err == nil {
		o.err = t.flush()
	}
	if o.err == nil {
		_, err := t.exec(`RELEASE op`)
		return err
	}
	t.events = t.events[:told]
	t.forget()
	clear(t.newUserKeys)
	_, back := t.exec(`ROLLBACK TO op`)
	_, release := t.exec(`RELEASE op`)
	if err := errors.Join(back, release); err != nil {
		return fmt.Errorf("roll back to a savepoint: %w (after %w)", err, o.err)
	}
	return nil
}

// flush writes the rows that changed.
func (t *tx) flush() error {
	for _, g := range t.groups {
		if err := t.writeGroup(g); err != nil {
			return err
		}
	}
	for _, m := range t.members {
		if err := t.writeMember(m); err != nil {
			return err
		}
	}
	return nil
}

// userKey is the key of a user; chat.ErrNotFound if it has no row.
func (t *tx) userKey(id chat.UserID) (int64, error) {
	if key, ok := t.userKeys[id]; ok {
		return key, nil
	}
	if key, ok := t.newUserKeys[id]; ok {
		return key, nil
	}
	var key int64
	if err := t.row(`SELECT key FROM users WHERE id = $1`, []any{id}, &key); err != nil {
		return 0, err
	}
	t.newUserKeys[id] = key
	return key, nil
}

// nextOfUser takes the next number of a user's own counter.
func (t *tx) nextOfUser(key int64) (n chat.Seq, err error) {
	err = t.row(`UPDATE users SET head = head + 1 WHERE key = $1 RETURNING head`, []any{key}, &n)
	return n, err
}
