package store

import (
	"context"
	"errors"
	"fmt"

	"qun/internal/chat"
)

const sqlRollback = `ROLLBACK`

// tx is a transaction of the writer. Groups and memberships it touched are kept as rows and written once, at the end:
// sixty messages to one group update it once.
type tx struct {
	*session
	writer      *writer
	dialect     *dialect
	ctx         context.Context       // the database's time: statements do not end with who asked, others share the transaction
	newUserKeys map[chat.UserID]int64 // found or made in this transaction
	groups      map[chat.GroupID]*groupRow
	members     map[memberKey]*memberRow // nil: there is none
	events      []chat.Event
	sendsOnly   bool // nothing else was done
	begun       bool // there may be something to roll back

	// Of a dialect that prepares batches; nil otherwise.
	batch    *batch
	passOver bool // groups that are locked are not waited for
	enrolled bool // nobody else makes users or takes their numbers
}

type memberKey struct{ group, user int64 }

func newTx(ctx context.Context, w *writer) *tx {
	t := &tx{session: w.session, writer: w, dialect: w.dialect, ctx: ctx, newUserKeys: map[chat.UserID]int64{}, sendsOnly: true}
	t.forget()
	return t
}

// forget drops all rows kept, so that they are read again.
func (t *tx) forget() {
	t.groups = map[chat.GroupID]*groupRow{}
	t.members = map[memberKey]*memberRow{}
}

func (t *tx) exec(query string, args ...any) (int64, error) {
	return t.session.exec(t.ctx, query, args...)
}

func (t *tx) row(query string, args []any, dest ...any) error {
	return t.session.row(t.ctx, query, args, dest...)
}

// isolated runs an op in a savepoint: whatever its error, it leaves nothing. An error of isolated itself is an accident.
func (t *tx) isolated(o *op) error {
	t.sendsOnly = false
	t.writer.kept.drop()
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
	if again, _ := t.dialect.again(o.err); again {
		return o.err
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
	if t.batch != nil {
		if err := t.writeTogether(); err != nil {
			return err
		}
	}
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
	if key, ok := t.knownKey(id); ok {
		return key, nil
	}
	var key int64
	if err := t.row(`SELECT key FROM users WHERE id = $1`, []any{id}, &key); err != nil {
		return 0, err
	}
	t.newUserKeys[id] = key
	return key, nil
}

func (t *tx) knownKey(id chat.UserID) (key int64, ok bool) {
	if key, ok = t.writer.userKeys[id]; !ok {
		key, ok = t.newUserKeys[id]
	}
	return key, ok
}

// enroll keeps everybody else from making users and taking their numbers, until t has ended and is told: so each user's
// numbers are told in order, and whoever waits for users waits for nothing else.
func (t *tx) enroll() error {
	if t.enrolled || t.dialect.enroll == nil {
		return nil
	}
	t.writer.stage.users.Lock()
	t.enrolled = true
	if err := t.dialect.enroll(t); err != nil {
		return fmt.Errorf("wait for users: %w", err)
	}
	return nil
}

// nextOfUser takes the next number of a user's own counter.
func (t *tx) nextOfUser(key int64) (n chat.Seq, err error) {
	if err := t.enroll(); err != nil {
		return 0, err
	}
	err = t.row(`UPDATE users SET head = head + 1 WHERE key = $1 RETURNING head`, []any{key}, &n)
	return n, err
}
