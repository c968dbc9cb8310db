package store

import (
	"context"
	"errors"
	"fmt"

	"qun/internal/chat"
)

// PutBlock stores who blocks whom: see chat.BlockStore. A group of two that is made meanwhile is found at the next try.
func (s *Store) PutBlock(ctx context.Context, b chat.Block) error {
	for {
		var direct chat.GroupID
		err := s.readers.use(ctx, func(session *session) (err error) {
			direct, err = directOf(ctx, session, b)
			return err
		})
		if err != nil {
			return fmt.Errorf("find the group of two: %w", err)
		}
		o := &op{ctx: ctx, do: func(t *tx) error { return t.putBlock(b, direct) }}
		if direct != "" {
			o.rows = []place{{group: direct}}
		}
		if err := s.writers[0].write(o); !errors.Is(err, errMoved) {
			return err
		}
	}
}

// errMoved says that a group of two was made meanwhile. It is a refusal to the writer: it spoils nothing.
var errMoved = fmt.Errorf("%w: a group of two was made meanwhile", chat.ErrBusy)

// directOf is the group of two of who blocks and who is blocked; "" if there is none.
func directOf(ctx context.Context, s *session, b chat.Block) (id chat.GroupID, err error) {
	err = s.row(ctx, `SELECT id FROM groups WHERE direct_key = $1`, []any{chat.DirectKey(b.By, b.User)}, &id)
	if errors.Is(err, chat.ErrNotFound) {
		err = nil
	}
	return id, err
}

func (t *tx) putBlock(b chat.Block, direct chat.GroupID) error {
	if now, err := directOf(t.ctx, t.session, b); err != nil {
		return err
	} else if now != direct {
		return errMoved
	}
	by, err := t.userKey(b.By)
	if err != nil {
		return err
	}
	target, err := t.userKey(b.User)
	if err != nil {
		return err
	}
	if is, err := blocked(t.ctx, t.session, b.By, b.User); err != nil || is == b.On {
		return err
	}
	if b.UserRev, err = t.nextOfUser(by); err != nil {
		return fmt.Errorf("take a number of a user: %w", err)
	}
	_, err = t.exec(`INSERT INTO blocks (user_key, target_key, user_rev, blocked) VALUES ($1, $2, $3, $4)
		ON CONFLICT (user_key, target_key) DO UPDATE SET user_rev = excluded.user_rev, blocked = excluded.blocked`,
		by, target, b.UserRev, b.On)
	if err != nil {
		return fmt.Errorf("write a block: %w", err)
	}
	t.events = append(t.events, chat.BlockEvent(b))
	if direct == "" {
		return nil
	}
	return t.bar(direct, b)
}

// bar marks both in their group of two. Neither is told: the other must not learn that it was blocked.
func (t *tx) bar(direct chat.GroupID, b chat.Block) error {
	g, err := t.group(direct)
	if err != nil {
		return err
	}
	for _, side := range []struct {
		user chat.UserID
		bar  chat.Bar
	}{{b.By, chat.BarredByMe}, {b.User, chat.BarredByPeer}} {
		key, err := t.userKey(side.user)
		if err != nil {
			return err
		}
		m, err := t.member(g, key, side.user)
		if err != nil || m == nil {
			return err
		}
		if m.Barred &^= side.bar; b.On {
			m.Barred |= side.bar
		}
		if _, err := t.exec(`UPDATE memberships SET barred = $3 WHERE group_key = $1 AND user_key = $2`, g.key, key, m.Barred); err != nil {
			return fmt.Errorf("bar a member: %w", err)
		}
	}
	return nil
}

func blocked(ctx context.Context, s *session, by, target chat.UserID) (is bool, err error) {
	err = s.row(ctx, `SELECT b.blocked FROM blocks b JOIN users u ON u.key = b.user_key JOIN users t ON t.key = b.target_key
		WHERE u.id = $1 AND t.id = $2`, []any{by, target}, &is)
	if errors.Is(err, chat.ErrNotFound) {
		err = nil
	}
	return is, err
}

func (x groupTx) Blocked(by, target chat.UserID) (bool, error) {
	return blocked(x.t.ctx, x.t.session, by, target)
}

func (r *reader) Blocked(by, target chat.UserID) (bool, error) {
	return blocked(r.ctx, r.session, by, target)
}

const blockColumns = `u.id, t.id, b.blocked, b.user_rev`

const blockTables = `blocks b JOIN users u ON u.key = b.user_key JOIN users t ON t.key = b.target_key`

func scanBlock(s scanner) (b chat.Block, err error) {
	err = s.Scan(&b.By, &b.User, &b.On, &b.UserRev)
	return b, err
}

func (r *reader) Blocks(u chat.UserID, since chat.Seq) ([]chat.Block, error) {
	return collect(r.ctx, r.session, scanBlock,
		`SELECT `+blockColumns+` FROM `+blockTables+` WHERE u.id = $1 AND b.user_rev > $2 ORDER BY b.user_rev`, u, since)
}
