package store

import (
	"context"

	"qun/internal/chat"
)

// OpenDirect finds or makes a group of two: see chat.DirectStore.
func (s *Store) OpenDirect(ctx context.Context, key string, g *chat.Group, first func(chat.GroupTx) error) (group *chat.Group, err error) {
	err = s.writerOf(g.ID).write(&op{ctx: ctx, do: func(t *tx) error {
		row, made, err := t.openGroup(address{direct: key}, g)
		if err != nil {
			return err
		}
		if made {
			if err := first(groupTx{t, row}); err != nil {
				return err
			}
		}
		group = row.copy()
		return nil
	}})
	if err != nil {
		return nil, err
	}
	return group, nil
}

const sqlPeers = `SELECT ` + userColumns + `, g.id FROM users me
	JOIN memberships b ON b.user_key = me.key JOIN groups g ON g.key = b.group_key AND g.kind = 'direct'
	JOIN memberships o ON o.group_key = g.key AND o.user_key <> me.key JOIN users u ON u.key = o.user_key
	WHERE me.id = $1`

func (r *reader) Peers(u chat.UserID, only chat.GroupID) (map[chat.GroupID]*chat.User, error) {
	peers := map[chat.GroupID]*chat.User{}
	scan := func(s scanner) (*chat.User, error) {
		var g chat.GroupID
		peer := new(chat.User)
		err := readUser(s, peer, &g)
		peers[g] = peer
		return peer, err
	}
	var err error
	if only == "" {
		_, err = collect(r.ctx, r.session, scan, sqlPeers, u)
	} else {
		_, err = collect(r.ctx, r.session, scan, sqlPeers+` AND g.id = $2`, u, only)
	}
	return peers, err
}
