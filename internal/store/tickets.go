package store

import (
	"context"
	"fmt"
	"time"

	"qun/internal/auth"
	"qun/internal/chat"
)

// CreateTicket keeps a ticket: see auth.Store.
func (s *Store) CreateTicket(ctx context.Context, k auth.Ticket) error {
	return s.change(ctx, func(t *tx) error {
		if _, err := t.exec(`DELETE FROM tickets WHERE expires_at <= $1`, chat.TimeOf(k.CreatedAt)); err != nil {
			return err
		}
		if err := t.putTicket(&k); err != nil {
			return err
		}
		if k.Kind != auth.TicketReset && k.Kind != auth.TicketInvite {
			return nil
		}
		return t.audit(&chat.AuditEntry{At: chat.TimeOf(k.CreatedAt), Act: string(k.Kind), By: k.CreatedBy, Target: k.UserID})
	})
}

// ReturnTicket makes a ticket good for one use more: see auth.Store.
func (s *Store) ReturnTicket(ctx context.Context, k auth.Ticket) error {
	return s.change(ctx, func(t *tx) error {
		k.Uses = 1
		return t.putTicket(&k)
	})
}

// putTicket keeps a ticket, or gives one that is there the uses of this one, too.
func (t *tx) putTicket(k *auth.Ticket) error {
	data := k.Data
	if data == nil {
		data = []byte{}
	}
	_, err := t.exec(`INSERT INTO tickets (hash, kind, user_id, data, uses, created_by, created_at, expires_at)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8) ON CONFLICT (hash) DO UPDATE SET uses = tickets.uses + excluded.uses`,
		k.Hash[:], string(k.Kind), k.UserID, data, k.Uses, k.CreatedBy, chat.TimeOf(k.CreatedAt), chat.TimeOf(k.ExpiresAt))
	if err != nil {
		return fmt.Errorf("write a ticket: %w", err)
	}
	return nil
}

// TakeTicket uses a ticket once: see auth.Store.
func (s *Store) TakeTicket(ctx context.Context, kind auth.TicketKind, hash auth.TokenHash, at time.Time) (k *auth.Ticket, err error) {
	err = s.change(ctx, func(t *tx) error {
		k = &auth.Ticket{Hash: hash, Kind: kind}
		var created, expires chat.Time
		err := t.row(`UPDATE tickets SET uses = uses - 1 WHERE hash = $1 AND kind = $2 AND uses > 0 AND expires_at > $3
			RETURNING user_id, data, uses, created_by, created_at, expires_at`,
			[]any{hash[:], string(kind), chat.TimeOf(at)}, &k.UserID, &k.Data, &k.Uses, &k.CreatedBy, &created, &expires)
		if err != nil {
			return err
		}
		k.CreatedAt, k.ExpiresAt = created.Std(), expires.Std()
		_, err = t.exec(`DELETE FROM tickets WHERE hash = $1 AND uses = 0`, hash[:])
		return err
	})
	if err != nil {
		return nil, authError(err)
	}
	return k, nil
}

// DeleteTickets ends a user's tickets of a kind: see auth.Store.
func (s *Store) DeleteTickets(ctx context.Context, kind auth.TicketKind, id chat.UserID) error {
	return s.change(ctx, func(t *tx) error {
		_, err := t.exec(`DELETE FROM tickets WHERE kind = $1 AND user_id = $2`, string(kind), id)
		return err
	})
}
