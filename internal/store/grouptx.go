package store

import (
	"context"
	"errors"
	"fmt"

	"qun/internal/chat"
)

// groupTx is a chat.GroupTx: a group within a transaction of the one writer, which is its lock.
type groupTx struct {
	t *tx
	g *groupRow
}

var _ chat.GroupTx = groupTx{}

func (x groupTx) Group() *chat.Group { return x.g.copy() }

func (x groupTx) Membership(u chat.UserID) (*chat.Membership, error) {
	key, err := x.t.userKey(u)
	if err != nil {
		return nil, err
	}
	if err := x.t.writeMember(x.t.members[memberKey{x.g.key, key}]); err != nil { // its cursor may not be written yet
		return nil, err
	}
	m, err := one(x.t.ctx, x.t.session, scanMine,
		`SELECT `+mineColumns+` FROM `+memberTables+` WHERE b.group_key = $1 AND b.user_key = $2`, x.g.key, key)
	if err != nil {
		return nil, err
	}
	return &m.Membership, nil
}

// Message is a message; one below the floor counts as gone: its rows may be erased at any time.
func (x groupTx) Message(seq chat.Seq) (*chat.Message, error) {
	if seq < x.g.Floor {
		return nil, chat.ErrNotFound
	}
	return one(x.t.ctx, x.t.session, scanMessage,
		`SELECT `+messageColumns+` FROM `+messageTables+` WHERE m.group_key = $1 AND m.seq = $2`, x.g.key, seq)
}

func (x groupTx) PutGroup(g *chat.Group) error {
	now := x.g
	announces := now.Announcement != g.Announcement
	now.Name, now.Topic, now.Avatar, now.Announcement = g.Name, g.Topic, g.Avatar, g.Announcement
	now.Visibility, now.Joining, now.History = g.Visibility, g.Joining, g.History
	now.SlowMode, now.MutedAll, now.Floor, now.DissolvedAt = g.SlowMode, g.MutedAll, g.Floor, g.DissolvedAt
	now.Retention = g.Retention
	now.Rev, now.whole = now.next(), true
	if announces {
		now.Announced, now.AnnouncedAt, now.Informed = now.Rev, g.AnnouncedAt, 0
	}
	x.t.events = append(x.t.events, chat.GroupEvent(now.copy()))
	return nil
}

// User is a user as it is now: see chat.GroupMaker.
func (x groupTx) User(id chat.UserID) (*chat.User, error) {
	return one(x.t.ctx, x.t.session, scanUser, `SELECT `+userColumns+` FROM users u WHERE u.id = $1`, id)
}

// PutGuest stores a guest who has no row: see chat.GroupMaker.
func (x groupTx) PutGuest(u *chat.User) error {
	if err := x.t.enroll(); err != nil {
		return err
	}
	if _, err := x.t.userKey(u.ID); !errors.Is(err, chat.ErrNotFound) {
		return err
	}
	return x.t.insertGuest(u)
}

func (x groupTx) PutMembership(m *chat.Membership) error {
	key, err := x.t.userKey(m.UserID)
	if err != nil {
		return fmt.Errorf("find user %s: %w", m.UserID, err)
	}
	return x.t.putMember(x.g, key, m)
}

// AddMessage stores what the server says, or says in somebody's name. A message of a member moves its cursor as a sent
// one does.
func (x groupTx) AddMessage(m *chat.Message) error {
	key, sender, err := x.sender(m)
	if err != nil {
		return err
	}
	counted := x.g.Counted
	if m.Kind.Countable() {
		counted++
	}
	said := *m
	said.GroupID, said.Room = x.g.ID, x.g.Room
	said.Seq = x.g.Head + 1
	said.Rev = said.Seq
	made, err := x.t.insertMessage(x.g.key, key, &said, nil, counted)
	if err != nil {
		return err
	}
	if !made {
		return chat.ErrClientIDUsed
	}
	if err := x.t.useFiles(x.g.key, &said); err != nil {
		return err
	}
	x.g.next()
	x.g.Counted = counted
	if sender != nil && sender.Active() {
		sender.spoke(x.g, said.SentAt, said.Kind.Countable())
	}
	*m = said
	x.t.events = append(x.t.events, chat.MessageEvent(&x.g.Group, &said))
	return x.t.changeMentions(x.g, said.UserID, said.Seq, nil, said.Mentions)
}

// sender is the key of who m is from, and its membership; both nil for the server itself.
func (x groupTx) sender(m *chat.Message) (*int64, *memberRow, error) {
	if m.UserID == "" {
		return nil, nil, nil
	}
	key, err := x.t.userKey(m.UserID)
	if err != nil {
		return nil, nil, fmt.Errorf("find user %s: %w", m.UserID, err)
	}
	member, err := x.t.member(x.g, key, m.UserID)
	return &key, member, err
}

func (x groupTx) PutMessage(m *chat.Message) error {
	c, err := carriedBy(m)
	if err != nil {
		return err
	}
	before, err := x.Message(m.Seq)
	if err != nil {
		return fmt.Errorf("read message %d: %w", m.Seq, err)
	}
	stored := *m
	stored.GroupID, stored.Rev = x.g.ID, x.g.next()
	_, err = x.t.exec(`UPDATE messages SET rev = $3, text = $4, mentions = $5, files = $6, reactions = $7, pinned_at = $8,
		edited_at = $9, recalled_at = $10, nick = $11, preview = $12 WHERE group_key = $1 AND seq = $2`,
		x.g.key, m.Seq, stored.Rev, m.Text, c.mentions, c.files, c.reactions, m.PinnedAt, m.EditedAt, m.RecalledAt, m.NickName, c.preview)
	if err != nil {
		return fmt.Errorf("write message %d: %w", m.Seq, err)
	}
	if m.RecalledAt != 0 {
		if err := errors.Join(x.t.dropReactions(x.g.key, m.Seq), x.t.seekPreview(x.g.key, m.Seq, "", 0)); err != nil {
			return err
		}
	}
	if m.Preview != nil {
		if err := x.t.useFiles(x.g.key, m); err != nil {
			return err
		}
	}
	*m = stored
	x.t.events = append(x.t.events, chat.MessageEvent(&x.g.Group, &stored))
	return x.t.changeMentions(x.g, m.UserID, m.Seq, before.Mentions, m.Mentions)
}

// Change runs act on a group: see chat.Store.
func (s *Store) Change(ctx context.Context, id chat.GroupID, act func(chat.GroupTx) error) error {
	return s.writerOf(id).write(&op{ctx: ctx, rows: []place{{group: id}}, do: func(t *tx) error {
		g, err := t.group(id)
		if err != nil {
			return err
		}
		return act(groupTx{t, g})
	}})
}

// change runs do, which touches no group, in a writer's next transaction: all of it, or nothing.
func (s *Store) change(ctx context.Context, do func(*tx) error) error {
	return s.writers[0].write(&op{ctx: ctx, do: do})
}
