package store

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"

	"qun/internal/chat"
)

// reader is a chat.Reader: one transaction of one reading connection.
type reader struct {
	ctx     context.Context
	session *session
	dialect *dialect
	index   index // what the words of messages are asked of
}

var _ chat.Reader = (*reader)(nil)

// View runs read on one snapshot: see chat.Store.
func (s *Store) View(ctx context.Context, read func(chat.Reader) error) error {
	return s.view(ctx, func(r *reader) error { return read(r) })
}

func (s *Store) view(ctx context.Context, read func(*reader) error) error {
	return s.readers.use(ctx, func(session *session) error {
		// Begin and end do not end with ctx: the connection goes on to others.
		if err := session.finish(s.dialect.beginRead); err != nil {
			return fmt.Errorf("begin reading: %w", err)
		}
		err := read(&reader{ctx: ctx, session: session, dialect: s.dialect, index: s.index()})
		if end := session.finish(sqlRollback); end != nil {
			session.broken = true
			err = errors.Join(err, fmt.Errorf("end reading: %w", end))
		}
		return err
	})
}

func (r *reader) row(query string, args []any, dest ...any) error {
	return r.session.row(r.ctx, query, args, dest...)
}

func (r *reader) User(id chat.UserID) (*chat.User, error) {
	return one(r.ctx, r.session, scanUser, `SELECT `+userColumns+` FROM users u WHERE u.id = $1`, id)
}

func (r *reader) UserCounter(id chat.UserID) (head, rev chat.Seq, err error) {
	err = r.row(`SELECT COALESCE(MAX(head), 0), COALESCE(MAX(rev), 0) FROM users WHERE id = $1`, []any{id}, &head, &rev)
	return head, rev, err
}

func (r *reader) Settings(id chat.UserID) (settings json.RawMessage, rev chat.Seq, err error) {
	var text string
	err = r.row(`SELECT settings, settings_rev FROM users WHERE id = $1`, []any{id}, &text, &rev)
	if errors.Is(err, chat.ErrNotFound) {
		return json.RawMessage(`{}`), 0, nil
	}
	return json.RawMessage(text), rev, err
}

func (r *reader) NameOwner(skeleton string) (id chat.UserID, err error) {
	err = r.row(`SELECT u.id FROM member_names n JOIN users u ON u.key = n.user_key WHERE n.skeleton = $1`, []any{skeleton}, &id)
	return id, err
}

func (r *reader) Group(id chat.GroupID) (*chat.Group, error) {
	g, err := one(r.ctx, r.session, scanGroup, `SELECT `+groupColumns+` FROM groups g WHERE g.id = $1`, id)
	if err != nil {
		return nil, err
	}
	return &g.Group, nil
}

func (r *reader) GroupByRoom(key string) (*chat.Group, error) {
	g, err := one(r.ctx, r.session, scanGroup, `SELECT `+groupColumns+` FROM groups g WHERE g.room_key = $1`, key)
	if err != nil {
		return nil, err
	}
	return &g.Group, nil
}

func (r *reader) GroupByClientID(u chat.UserID, clientID string) (g chat.GroupID, asked chat.RequestHash, err error) {
	var hash []byte
	err = r.row(`SELECT g.id, g.request FROM groups g WHERE g.made_by = (SELECT key FROM users WHERE id = $1) AND g.client_id = $2`,
		[]any{u, clientID}, &g, &hash)
	copy(asked[:], hash)
	return g, asked, err
}

func (r *reader) Heads(ids []chat.GroupID) (map[chat.GroupID]chat.Seq, error) {
	return headsOf(r, `SELECT id, head FROM groups WHERE id IN (`+r.dialect.elements+`)`, ids)
}

func (r *reader) CountAfter(g chat.GroupID, since chat.Seq, limit int) (n int, err error) {
	err = r.row(`SELECT
		(SELECT COUNT(*) FROM (SELECT 1 FROM messages WHERE group_key = k.key AND seq > $2 LIMIT $3) AS a) +
		(SELECT COUNT(*) FROM (SELECT 1 FROM messages WHERE group_key = k.key AND rev > seq AND rev > $2 AND seq <= $2 LIMIT $3) AS b) +
		(SELECT COUNT(*) FROM (SELECT 1 FROM memberships WHERE group_key = k.key AND rev > $2 LIMIT $3) AS c) +
		(CASE WHEN k.rev > $2 THEN 1 ELSE 0 END)
		FROM groups k WHERE k.id = $1`, []any{g, since, limit}, &n)
	return n, err
}

func (r *reader) Membership(g chat.GroupID, u chat.UserID) (*chat.Membership, error) {
	m, err := one(r.ctx, r.session, scanMine, `SELECT `+mineColumns+` FROM `+memberTables+` WHERE g.id = $1 AND u.id = $2`, g, u)
	if err != nil {
		return nil, err
	}
	return &m.Membership, nil
}

func (r *reader) Belongings(u chat.UserID, since chat.Seq) ([]chat.Belonging, error) {
	return collect(r.ctx, r.session, scanBelonging, `SELECT `+mineColumns+`, `+groupColumns+` FROM `+memberTables+`
		WHERE u.id = $1 AND b.user_rev > $2 ORDER BY b.user_rev`, u, since)
}

func scanBelonging(s scanner) (chat.Belonging, error) {
	var g groupRow
	var m memberRow
	err := s.Scan(append(m.mineDest(), g.dest()...)...)
	return chat.Belonging{Group: &g.Group, Membership: &m.Membership}, err
}

func (r *reader) MembersAfter(g chat.GroupID, since chat.Seq, limit int) ([]*chat.Member, error) {
	return collect(r.ctx, r.session, func(s scanner) (*chat.Member, error) {
		m, err := scanMember(s)
		return &m.Member, err
	}, `SELECT `+memberColumns+` FROM `+memberTables+` WHERE b.group_key = `+keyOfGroup+` AND b.rev > $2 ORDER BY b.rev LIMIT $3`, g, since, limit)
}

// keyOfGroup is the key of the group $1. Known before anything else is read, it makes a page a range of an index: joined to
// the group, PostgreSQL would now and then read all of it and sort.
const keyOfGroup = `(SELECT key FROM groups WHERE id = $1)`

func (r *reader) messages(query string, args ...any) ([]*chat.Message, error) {
	return collect(r.ctx, r.session, scanMessage, query, args...)
}

func (r *reader) Message(g chat.GroupID, seq chat.Seq) (*chat.Message, error) {
	return one(r.ctx, r.session, scanMessage, `SELECT `+messageColumns+` FROM `+messageTables+`
		WHERE m.group_key = `+keyOfGroup+` AND m.seq = $2`, g, seq)
}

func (r *reader) Newest(g chat.GroupID, before chat.Seq, limit int) ([]*chat.Message, error) {
	if before == 0 {
		return r.messages(`SELECT `+messageColumns+` FROM `+messageTables+`
			WHERE m.group_key = `+keyOfGroup+` ORDER BY m.seq DESC LIMIT $2`, g, limit)
	}
	return r.messages(`SELECT `+messageColumns+` FROM `+messageTables+`
		WHERE m.group_key = `+keyOfGroup+` AND m.seq < $2 ORDER BY m.seq DESC LIMIT $3`, g, before, limit)
}

func (r *reader) Oldest(g chat.GroupID, after chat.Seq, limit int) ([]*chat.Message, error) {
	return r.messages(`SELECT `+messageColumns+` FROM `+messageTables+`
		WHERE m.group_key = `+keyOfGroup+` AND m.seq > $2 ORDER BY m.seq LIMIT $3`, g, after, limit)
}

// MessagesAfter merges those that never changed, whose rev is their seq, with the few that did: each part is a range of
// an index.
func (r *reader) MessagesAfter(g chat.GroupID, since chat.Seq, limit int) ([]*chat.Message, error) {
	return r.messages(`SELECT `+messageColumns+` FROM (
			SELECT * FROM (SELECT * FROM messages
				WHERE group_key = `+keyOfGroup+` AND seq > $2 AND rev = seq ORDER BY seq LIMIT $3) AS same
			UNION ALL
			SELECT * FROM (SELECT * FROM messages
				WHERE group_key = `+keyOfGroup+` AND rev > seq AND rev > $2 ORDER BY rev LIMIT $3) AS changed
		) m JOIN groups g ON g.key = m.group_key LEFT JOIN users u ON u.key = m.user_key
		ORDER BY m.rev LIMIT $3`, g, since, limit)
}

func (r *reader) LastMessages(groups []chat.GroupID) (map[chat.GroupID]*chat.Message, error) {
	list, err := r.dialect.list(texts(groups))
	if err != nil {
		return nil, err
	}
	rows, err := r.messages(`SELECT `+messageColumns+` FROM groups g
		JOIN messages m ON m.group_key = g.key AND m.seq = (SELECT MAX(seq) FROM messages WHERE group_key = g.key)
		LEFT JOIN users u ON u.key = m.user_key WHERE g.id IN (`+r.dialect.elements+`)`, list)
	if err != nil {
		return nil, err
	}
	last := make(map[chat.GroupID]*chat.Message, len(rows))
	for _, m := range rows {
		last[m.GroupID] = m
	}
	return last, nil
}

func (r *reader) MessageByClientID(u chat.UserID, clientID string) (*chat.Message, chat.RequestHash, error) {
	found, err := one(r.ctx, r.session, scanSentBefore, sqlByClientID, u, clientID)
	return found.message, found.hash, err
}

func (r *reader) CountUpTo(g chat.GroupID, upTo chat.Seq, u chat.UserID, after chat.Seq) (counted, own int64, err error) {
	var group, user int64
	err = r.row(`SELECT (SELECT key FROM groups WHERE id = $1), (SELECT COALESCE(MAX(key), 0) FROM users WHERE id = $2)`,
		[]any{g, u}, &group, &user)
	if err != nil {
		return 0, 0, fmt.Errorf("find group %s: %w", g, err)
	}
	return countUpTo(r.ctx, r.session, group, upTo, user, after)
}
