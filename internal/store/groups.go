package store

import (
	"context"
	"errors"
	"fmt"

	"qun/internal/chat"
)

// OpenRoom finds or makes the group of an address: see chat.Store.
func (s *Store) OpenRoom(ctx context.Context, key string, g *chat.Group, first func(chat.GroupTx) error) (group *chat.Group, made bool, err error) {
	err = s.writerOf(g.ID).write(&op{ctx: ctx, do: func(t *tx) error {
		var row *groupRow
		if row, made, err = t.openGroup(address{room: key}, g); err != nil {
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
	g.announcement, g.announced, g.announced_at, g.informed, g.slow_mode, g.muted_all, g.retention, g.member_count, g.requests, g.head, g.floor, g.rev,
	g.counted, g.created_at, g.dissolved_at`

func (g *groupRow) dest() []any {
	return []any{&g.key, &g.ID, &g.Room, &g.Name, &g.Topic, &g.Avatar, &g.Kind, &g.Visibility, &g.Joining, &g.History,
		&g.Announcement, &g.Announced, &g.AnnouncedAt, &g.Informed, &g.SlowMode, &g.MutedAll, &g.Retention, &g.MemberCount, &g.Requests, &g.Head, &g.Floor, &g.Rev,
		&g.Counted, &g.CreatedAt, &g.DissolvedAt}
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
			counted = $15, dissolved_at = $16, announced = $17, announced_at = $18, requests = $19, name_key = $20, retention = $21, informed = $22 WHERE key = $1`,
			g.key, g.Name, g.Topic, g.Avatar, g.Visibility, g.Joining, g.History, g.Announcement, g.SlowMode, g.MutedAll,
			g.MemberCount, g.Head, g.Floor, g.Rev, g.Counted, g.DissolvedAt, g.Announced, g.AnnouncedAt, g.Requests, g.SearchKey(), g.Retention, g.Informed)
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

// address is where a group is found beside by its id: at one of the two, or nowhere.
type address struct {
	room   string // the key of an address
	direct string // of a group of two
}

// insertGroup makes a group, unless its address is taken.
func (t *tx) insertGroup(at address, g *chat.Group) (made bool, err error) {
	n, err := t.exec(`INSERT INTO groups (id, room, room_key, direct_key, name, name_key, topic, avatar, kind, visibility, joining,
		history, announcement, head, rev, created_at) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, 1, 1, $14)
		ON CONFLICT DO NOTHING`,
		g.ID, g.Room, orNull(at.room), orNull(at.direct), g.Name, g.SearchKey(), g.Topic, g.Avatar, g.Kind, g.Visibility, g.Joining,
		g.History, g.Announcement, g.CreatedAt)
	return n == 1, err
}

// openGroup is the group at an address; made says that it was not there before.
func (t *tx) openGroup(at address, g *chat.Group) (row *groupRow, made bool, err error) {
	if made, err = t.insertGroup(at, g); err != nil {
		return nil, false, fmt.Errorf("make a group: %w", err)
	}
	where, key := `g.id = $1`, string(g.ID)
	switch {
	case made:
	case at.room != "":
		where, key = `g.room_key = $1`, at.room
	default:
		where, key = `g.direct_key = $1`, at.direct
	}
	row = new(groupRow)
	if err := t.row(`SELECT `+groupColumns+` FROM groups g WHERE `+where, []any{key}, row.dest()...); err != nil {
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

// CreateGroup makes a group: see chat.GroupStore. It is asked by one at a time, here and on other nodes: nobody takes the
// clientId or the address meanwhile.
func (s *Store) CreateGroup(ctx context.Context, f *chat.Founding, first func(chat.GroupTx) error) error {
	return s.writerOf(f.Group.ID).write(&op{ctx: ctx, do: func(t *tx) error {
		by, err := t.unmade(f)
		if err != nil {
			return err
		}
		row, made, err := t.openGroup(address{room: f.Key}, f.Group)
		if err != nil {
			return err
		}
		if !made {
			return chat.ErrNameTaken
		}
		if f.ClientID != "" {
			_, err = t.exec(`UPDATE groups SET made_by = $2, client_id = $3, request = $4 WHERE key = $1`, row.key, by, f.ClientID, f.Hash[:])
		}
		if err != nil {
			return fmt.Errorf("write a clientId: %w", err)
		}
		return first(groupTx{t, row})
	}})
}

// unmade is the key of who makes a group, unless it did before.
func (t *tx) unmade(f *chat.Founding) (by int64, err error) {
	if f.ClientID == "" {
		return 0, nil
	}
	if by, err = t.userKey(f.By); err != nil {
		return 0, fmt.Errorf("find user %s: %w", f.By, err)
	}
	var group int64
	err = t.row(`SELECT key FROM groups WHERE made_by = $1 AND client_id = $2`, []any{by, f.ClientID}, &group)
	switch {
	case err == nil:
		return 0, chat.ErrClientIDUsed
	case errors.Is(err, chat.ErrNotFound):
		return by, nil
	}
	return 0, fmt.Errorf("look up a clientId: %w", err)
}

// SetAddress is asked by one at a time, here and on other nodes: nobody takes the address meanwhile.
func (x groupTx) SetAddress(room, key string) error {
	if key != "" {
		var owner int64
		err := x.t.row(`SELECT key FROM groups WHERE room_key = $1`, []any{key}, &owner)
		if err == nil && owner != x.g.key {
			return chat.ErrNameTaken
		}
		if err != nil && !errors.Is(err, chat.ErrNotFound) {
			return fmt.Errorf("look an address up: %w", err)
		}
	}
	if _, err := x.t.exec(`UPDATE groups SET room = $2, room_key = $3 WHERE key = $1`, x.g.key, room, orNull(key)); err != nil {
		return fmt.Errorf("write an address: %w", err)
	}
	x.g.Room = room
	return nil
}

// copy is the group as others may keep it.
func (g *groupRow) copy() *chat.Group {
	copied := g.Group
	return &copied
}
