package store

import (
	"context"
	"fmt"

	"qun/internal/chat"
)

// OpenRoom finds or makes the group of an address: see chat.Store.
func (s *Store) OpenRoom(ctx context.Context, key string, g *chat.Group, first func(chat.GroupTx) error) (group *chat.Group, made bool, err error) {
	err = s.writerOf(g.ID).write(&op{ctx: ctx, do: func(t *tx) error {
		var row *groupRow
		if row, made, err = t.openRoom(key, g); err != nil {
			return err
		}
		if made && first != nil {
			if err := first(groupTx{t, row}); err != nil {
				return err
			}
		}
		group = row.copy()
		return nil
	}})
	if err != nil {
		return nil, false, err
	}
	return group, made, nil
}

// DropSilentRooms deletes rooms in which nothing ever happened: see chat.Store. A group whose head is 1 has no message
// and no member: each of these takes a number.
func (s *Store) DropSilentRooms(ctx context.Context, before chat.Time) (dropped int, err error) {
	err = s.change(ctx, func(t *tx) error {
		n, err := t.exec(`DELETE FROM groups WHERE key IN (SELECT key FROM groups
			WHERE head = 1 AND created_at < $1 AND visibility = $2 `+t.dialect.lockFree+`)`, before, chat.VisibilityOpen)
		dropped = int(n)
		t.forget()
		return err
	})
	if err != nil {
		return 0, fmt.Errorf("drop silent rooms: %w", err)
	}
	return dropped, nil
}

// groupRow is a group with what stays inside.
type groupRow struct {
	key int64
	chat.Group
	counters bool // head, counted or member count are to be written
	whole    bool // everything is
}

const groupColumns = `g.key, g.id, g.room, g.name, g.topic, g.avatar, g.kind, g.visibility, g.joining, g.history,
	g.announcement, g.slow_mode, g.muted_all, g.member_count, g.head, g.floor, g.rev, g.counted, g.created_at, g.dissolved_at`

func (g *groupRow) dest() []any {
	return []any{&g.key, &g.ID, &g.Room, &g.Name, &g.Topic, &g.Avatar, &g.Kind, &g.Visibility, &g.Joining, &g.History,
		&g.Announcement, &g.SlowMode, &g.MutedAll, &g.MemberCount, &g.Head, &g.Floor, &g.Rev, &g.Counted, &g.CreatedAt, &g.DissolvedAt}
}

func scanGroup(s scanner) (*groupRow, error) {
	g := new(groupRow)
	return g, s.Scan(g.dest()...)
}

// next takes the group's next number.
func (g *groupRow) next() chat.Seq {
	g.Head++
	g.counters = true
	return g.Head
}

// group is the row of a group, read once a transaction.
func (t *tx) group(id chat.GroupID) (*groupRow, error) {
	if g := t.groups[id]; g != nil {
		return g, nil
	}
	if t.batch != nil && !t.batch.locked[id] {
		return nil, t.batch.missing(id)
	}
	g := t.writer.kept.takeGroup(id)
	if g != nil {
		t.groups[id] = g
		return g, nil
	}
	g = new(groupRow)
	if err := t.row(`SELECT `+groupColumns+` FROM groups g WHERE g.id = $1`+t.dialect.lockRow, []any{id}, g.dest()...); err != nil {
		return nil, err
	}
	t.groups[id] = g
	return g, nil
}

// own keeps a group that t made: nobody else can see it before t ends.
func (t *tx) own(g *groupRow) {
	t.groups[g.ID] = g
	if t.batch != nil {
		t.batch.locked[g.ID] = true
	}
}

func (t *tx) writeGroup(g *groupRow) (err error) {
	switch {
	case g.whole:
		_, err = t.exec(`UPDATE groups SET name = $2, topic = $3, avatar = $4, visibility = $5, joining = $6, history = $7,
			announcement = $8, slow_mode = $9, muted_all = $10, member_count = $11, head = $12, floor = $13, rev = $14,
			counted = $15, dissolved_at = $16 WHERE key = $1`,
			g.key, g.Name, g.Topic, g.Avatar, g.Visibility, g.Joining, g.History, g.Announcement, g.SlowMode, g.MutedAll,
			g.MemberCount, g.Head, g.Floor, g.Rev, g.Counted, g.DissolvedAt)
	case g.counters:
		_, err = t.exec(`UPDATE groups SET head = $2, counted = $3, member_count = $4 WHERE key = $1`,
			g.key, g.Head, g.Counted, g.MemberCount)
	}
	g.whole, g.counters = false, false
	if err != nil {
		return fmt.Errorf("write group %s: %w", g.ID, err)
	}
	return nil
}

// insertGroup makes a group, unless its address is taken.
func (t *tx) insertGroup(key string, g *chat.Group) (made bool, err error) {
	n, err := t.exec(`INSERT INTO groups (id, room, room_key, name, topic, avatar, kind, visibility, joining, history,
		announcement, head, rev, created_at) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, 1, 1, $12)
		ON CONFLICT (room_key) DO NOTHING`,
		g.ID, g.Room, key, g.Name, g.Topic, g.Avatar, g.Kind, g.Visibility, g.Joining, g.History, g.Announcement, g.CreatedAt)
	return n == 1, err
}

// openRoom is the group at an address; made says that it was not there before.
func (t *tx) openRoom(key string, g *chat.Group) (row *groupRow, made bool, err error) {
	if made, err = t.insertGroup(key, g); err != nil {
		return nil, false, fmt.Errorf("make a group: %w", err)
	}
	row = new(groupRow)
	if err := t.row(`SELECT `+groupColumns+` FROM groups g WHERE g.room_key = $1`, []any{key}, row.dest()...); err != nil {
		return nil, false, fmt.Errorf("find the group of an address: %w", err)
	}
	if made {
		t.own(row)
		t.events = append(t.events, chat.GroupEvent(row.copy()))
	} else if known := t.groups[row.ID]; known != nil {
		row = known // its counters may not be written yet
	}
	return row, made, nil
}

// copy is the group as others may keep it.
func (g *groupRow) copy() *chat.Group {
	copied := g.Group
	return &copied
}
