package store

import (
	"fmt"

	"qun/internal/chat"
)

const inviteColumns = `i.id, g.id, i.token, u.id, i.created_at, i.expires_at, i.max_uses, i.uses, i.revoked_at`

const inviteTables = `invites i JOIN groups g ON g.key = i.group_key JOIN users u ON u.key = i.user_key`

func scanInvite(s scanner) (*chat.Invite, error) {
	i := new(chat.Invite)
	return i, s.Scan(&i.ID, &i.Group, &i.Token, &i.By, &i.CreatedAt, &i.ExpiresAt, &i.MaxUses, &i.Uses, &i.RevokedAt)
}

const sqlInvites = `SELECT ` + inviteColumns + ` FROM ` + inviteTables + `
	WHERE g.id = $1 AND i.revoked_at = 0 AND (i.expires_at = 0 OR i.expires_at > $2) AND (i.max_uses = 0 OR i.uses < i.max_uses)
	ORDER BY i.key DESC`

func (r *reader) InviteByToken(token string) (*chat.Invite, error) {
	return one(r.ctx, r.session, scanInvite, `SELECT `+inviteColumns+` FROM `+inviteTables+` WHERE i.token = $1`, token)
}

func (r *reader) Invites(g chat.GroupID, at chat.Time) ([]*chat.Invite, error) {
	return collect(r.ctx, r.session, scanInvite, sqlInvites, g, at)
}

func (x groupTx) Invite(id chat.InviteID) (*chat.Invite, error) {
	return one(x.t.ctx, x.t.session, scanInvite,
		`SELECT `+inviteColumns+` FROM `+inviteTables+` WHERE i.id = $1 AND i.group_key = $2`, id, x.g.key)
}

func (x groupTx) Invites(at chat.Time) ([]*chat.Invite, error) {
	return collect(x.t.ctx, x.t.session, scanInvite, sqlInvites, x.g.ID, at)
}

func (x groupTx) PutInvite(i *chat.Invite) error {
	by, err := x.t.userKey(i.By)
	if err != nil {
		return fmt.Errorf("find user %s: %w", i.By, err)
	}
	_, err = x.t.exec(`INSERT INTO invites (id, token, group_key, user_key, created_at, expires_at, max_uses, uses, revoked_at)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)
		ON CONFLICT (id) DO UPDATE SET uses = excluded.uses, revoked_at = excluded.revoked_at`,
		i.ID, i.Token, x.g.key, by, i.CreatedAt, i.ExpiresAt, i.MaxUses, i.Uses, i.RevokedAt)
	if err != nil {
		return fmt.Errorf("write an invite: %w", err)
	}
	return nil
}
