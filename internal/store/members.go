package store

import (
	"errors"
	"fmt"

	"qun/internal/chat"
)

// memberRow is a membership with what stays inside.
type memberRow struct {
	key memberKey
	chat.Membership
	sent bool // cursor or the time of the newest message are to be written
}

const memberColumns = `b.group_key, b.user_key, g.id, u.id, b.rev, u.nick, b.group_nick, COALESCE(u.username, ''), u.avatar,
	b.role, u.guest, u.bot, b.state, b.muted_until, b.joined_at,
	b.user_rev, b.read_seq, b.read_count, b.own_unread, b.sent_at, b.from_seq, b.notify, b.pinned, b.draft,
	b.out_until, b.announced, b.barred`

const memberTables = `memberships b JOIN groups g ON g.key = b.group_key JOIN users u ON u.key = b.user_key`

func (m *memberRow) dest() []any {
	return []any{&m.key.group, &m.key.user, &m.GroupID, &m.UserID, &m.Rev, &m.NickName, &m.GroupNick, &m.Username, &m.Avatar,
		&m.Role, &m.Guest, &m.Bot, &m.State, &m.MutedUntil, &m.JoinedAt,
		&m.UserRev, &m.ReadSeq, &m.ReadCount, &m.OwnUnread, &m.SentAt, &m.FromSeq, &m.Notify, &m.Pinned, &m.Draft,
		&m.OutUntil, &m.Announced, &m.Barred}
}

// mineColumns are memberColumns and what only the user itself is told.
const mineColumns = memberColumns + `, ` + mentionedColumn

func (m *memberRow) mineDest() []any { return append(m.dest(), &m.Mentioned) }

func scanMine(s scanner) (*memberRow, error) {
	m := new(memberRow)
	return m, s.Scan(m.mineDest()...)
}

func scanMember(s scanner) (*memberRow, error) {
	m := new(memberRow)
	return m, s.Scan(m.dest()...)
}

// sendColumns are what a send needs. They lack who the user is (names, avatar, guest, bot): so a send pays for one table
// instead of three.
const sendColumns = `rev, group_nick, role, state, muted_until, joined_at, user_rev, read_seq, read_count, own_unread,
	sent_at, from_seq, notify, pinned, draft, out_until, announced, barred`

func (m *memberRow) sendDest() []any {
	return []any{&m.Rev, &m.GroupNick, &m.Role, &m.State, &m.MutedUntil, &m.JoinedAt, &m.UserRev, &m.ReadSeq, &m.ReadCount,
		&m.OwnUnread, &m.SentAt, &m.FromSeq, &m.Notify, &m.Pinned, &m.Draft, &m.OutUntil, &m.Announced, &m.Barred}
}

// member is sendColumns of a membership, read once a transaction; nil if there is none.
func (t *tx) member(g *groupRow, user int64, id chat.UserID) (*memberRow, error) {
	key := memberKey{g.key, user}
	if m, ok := t.members[key]; ok {
		return m, nil
	}
	if m := t.writer.kept.takeMember(key); m != nil {
		t.members[key] = m
		return m, nil
	}
	m := &memberRow{key: key}
	m.GroupID, m.UserID = g.ID, id
	err := t.row(`SELECT `+sendColumns+` FROM memberships WHERE group_key = $1 AND user_key = $2`, []any{g.key, user}, m.sendDest()...)
	if errors.Is(err, chat.ErrNotFound) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("read a membership: %w", err)
	}
	t.members[key] = m
	return m, nil
}

// writeMember writes what a send changes of a membership.
func (t *tx) writeMember(m *memberRow) error {
	if m == nil || !m.sent {
		return nil
	}
	_, err := t.exec(`UPDATE memberships SET read_seq = $3, read_count = $4, own_unread = $5, sent_at = $6
		WHERE group_key = $1 AND user_key = $2`, m.key.group, m.key.user, m.ReadSeq, m.ReadCount, m.OwnUnread, m.SentAt)
	m.sent = false
	if err != nil {
		return fmt.Errorf("write a cursor: %w", err)
	}
	return nil
}

// putMember stores the whole membership under the group's next number and the user's next, and tells both.
func (t *tx) putMember(g *groupRow, user int64, m *chat.Membership) error {
	key := memberKey{g.key, user}
	before, err := t.member(g, user, m.UserID)
	if err != nil {
		return err
	}
	stored := *m
	stored.GroupID, stored.Rev = g.ID, g.next()
	if stored.UserRev, err = t.nextOfUser(key.user); err != nil {
		return fmt.Errorf("take a number of a user: %w", err)
	}
	was, is := before != nil && before.Active(), stored.Active()
	switch {
	case is && !was: // it begins: all there is counts as read
		stored.ReadSeq, stored.ReadCount, stored.OwnUnread = g.Head, g.Counted, 0
		stored.FromSeq = stored.Rev
		g.MemberCount++
	case was:
		stored.ReadSeq, stored.ReadCount, stored.OwnUnread = before.ReadSeq, before.ReadCount, before.OwnUnread
		stored.SentAt, stored.FromSeq = before.SentAt, before.FromSeq
	}
	if was && !is {
		g.MemberCount--
	}
	g.countInformed(before, &stored)
	if err := t.upsertMember(key, &stored); err != nil {
		return fmt.Errorf("write a membership: %w", err)
	}
	if err := t.listMember(key, &stored.Member); err != nil {
		return fmt.Errorf("list a member: %w", err)
	}
	row := &memberRow{key: key, Membership: stored}
	t.members[key] = row
	seen := stored.Member
	t.events = append(t.events, chat.MemberEvent(&seen))
	err = t.tellMember(g, row)
	*m = row.Membership
	return err
}

func (t *tx) upsertMember(key memberKey, m *chat.Membership) error {
	_, err := t.exec(`INSERT INTO memberships (group_key, user_key, rev, role, state, group_nick, muted_until, joined_at,
		user_rev, read_seq, read_count, own_unread, sent_at, from_seq, notify, pinned, draft, out_until, announced, barred)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19, $20)
		ON CONFLICT (group_key, user_key) DO UPDATE SET rev = excluded.rev, role = excluded.role, state = excluded.state,
		group_nick = excluded.group_nick, muted_until = excluded.muted_until, joined_at = excluded.joined_at,
		user_rev = excluded.user_rev, read_seq = excluded.read_seq, read_count = excluded.read_count,
		own_unread = excluded.own_unread, sent_at = excluded.sent_at, from_seq = excluded.from_seq,
		notify = excluded.notify, pinned = excluded.pinned, draft = excluded.draft,
		out_until = excluded.out_until, announced = excluded.announced, barred = excluded.barred`,
		key.group, key.user, m.Rev, m.Role, m.State, m.GroupNick, m.MutedUntil, m.JoinedAt, m.UserRev, m.ReadSeq,
		m.ReadCount, m.OwnUnread, m.SentAt, m.FromSeq, m.Notify, m.Pinned, m.Draft,
		m.OutUntil, m.Announced, m.Barred)
	return err
}

// PutPrivate stores what only the user sees: see chat.GroupMaker.
func (x groupTx) PutPrivate(m *chat.Membership) error {
	user, err := x.t.userKey(m.UserID)
	if err != nil {
		return fmt.Errorf("find user %s: %w", m.UserID, err)
	}
	row, err := x.t.member(x.g, user, m.UserID)
	if err != nil {
		return err
	}
	if row == nil {
		return chat.ErrNotFound
	}
	before := *row
	row.Notify, row.Pinned, row.Draft, row.Announced = m.Notify, m.Pinned, m.Draft, m.Announced
	if row.UserRev, err = x.t.nextOfUser(user); err != nil {
		return fmt.Errorf("take a number of a user: %w", err)
	}
	_, err = x.t.exec(`UPDATE memberships SET notify = $3, pinned = $4, draft = $5, announced = $6, user_rev = $7
		WHERE group_key = $1 AND user_key = $2`,
		x.g.key, user, row.Notify, row.Pinned, row.Draft, row.Announced, row.UserRev)
	if err != nil {
		return fmt.Errorf("write what is private of a membership: %w", err)
	}
	m.UserRev = row.UserRev
	x.g.countInformed(&before, &row.Membership)
	return x.t.tellMember(x.g, row)
}

// Staff are the owner and the admins: see chat.GroupMaker. They stand first in the list of members.
func (x groupTx) Staff() ([]*chat.Membership, error) {
	return collect(x.t.ctx, x.t.session, func(s scanner) (*chat.Membership, error) {
		m, err := scanMember(s)
		return &m.Membership, err
	}, `SELECT `+memberColumns+` FROM member_terms t JOIN memberships b ON b.group_key = t.group_key AND b.user_key = t.user_key
		JOIN groups g ON g.key = b.group_key JOIN users u ON u.key = b.user_key
		WHERE t.group_key = $1 AND t.rank < $2 AND t.main ORDER BY t.rank, t.term, t.user_key`, x.g.key, lastRank)
}

// HasHeir reports whether somebody else could own the group: see chat.GroupMaker.
func (x groupTx) HasHeir(u chat.UserID) (bool, error) {
	var there int
	err := x.t.row(`SELECT 1 FROM memberships b JOIN users u ON u.key = b.user_key
		WHERE b.group_key = $1 AND b.state = 'active' AND u.guest = $2 AND u.bot = $2 AND u.id <> $3 LIMIT 1`, []any{x.g.key, false, u}, &there)
	if errors.Is(err, chat.ErrNotFound) {
		return false, nil
	}
	return err == nil, err
}

// GroupCount is how many groups a user is in: see chat.MemberReader.
func (r *reader) GroupCount(u chat.UserID) (n int, err error) {
	err = r.row(`SELECT COUNT(*) FROM memberships b JOIN groups g ON g.key = b.group_key
		WHERE b.user_key = (SELECT key FROM users WHERE id = $1) AND b.state = 'active' AND g.dissolved_at = 0`, []any{u}, &n)
	return n, err
}
