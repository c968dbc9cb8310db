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

func (r *reader) Peer(u chat.UserID, g chat.GroupID) (*chat.User, error) {
	return one(r.ctx, r.session, scanUser, `SELECT `+userColumns+` FROM users me
		JOIN memberships b ON b.user_key = me.key JOIN groups g ON g.key = b.group_key AND g.kind = 'direct'
		JOIN memberships o ON o.group_key = g.key AND o.user_key <> me.key JOIN users u ON u.key = o.user_key
		WHERE me.id = $1 AND g.id = $2`, u, g)
}
