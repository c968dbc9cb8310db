package store

import (
	"context"
	"errors"
	"fmt"

	"qun/internal/chat"
)

// seekPreview lets a message wait for the preview of a link, or of none: see chat.PreviewTx.
func (t *tx) seekPreview(group int64, seq chat.Seq, url string, now chat.Time) (err error) {
	if url == "" {
		_, err = t.exec(`DELETE FROM links WHERE group_key = $1 AND seq = $2`, group, seq)
	} else {
		_, err = t.exec(`INSERT INTO links (group_key, seq, url, asked_at) VALUES ($1, $2, $3, $4)
			ON CONFLICT (group_key, seq) DO UPDATE SET url = excluded.url, asked_at = excluded.asked_at, tries = 0, claimed_until = 0`,
			group, seq, url, now)
	}
	if err != nil {
		return fmt.Errorf("note that a preview is wanted: %w", err)
	}
	return nil
}

func (x groupTx) SeekPreview(seq chat.Seq, url string, now chat.Time) error {
	return x.t.seekPreview(x.g.key, seq, url, now)
}

func (x groupTx) Sought(seq chat.Seq) (url string, err error) {
	err = x.t.row(`SELECT url FROM links WHERE group_key = $1 AND seq = $2`, []any{x.g.key, seq}, &url)
	if errors.Is(err, chat.ErrNotFound) {
		return "", nil
	}
	return url, err
}

// claimedLink is the place of a link that is lent.
type claimedLink struct {
	group int64
	seq   chat.Seq
}

func scanClaimedLink(s scanner) (l claimedLink, err error) { return l, s.Scan(&l.group, &l.seq) }

func scanLink(s scanner) (*chat.Link, error) {
	l := new(chat.Link)
	return l, s.Scan(&l.Group, &l.Seq, &l.URL, &l.By, &l.AskedAt, &l.Tries)
}

// ClaimLinks lends links: see chat.PreviewStore.
func (s *Store) ClaimLinks(ctx context.Context, now, until chat.Time, limit int) (lent []*chat.Link, err error) {
	err = s.change(ctx, func(t *tx) error {
		claimed, err := collect(t.ctx, t.session, scanClaimedLink, `WITH due AS MATERIALIZED (
				SELECT group_key, seq FROM links WHERE claimed_until <= $1 ORDER BY asked_at LIMIT $3`+t.dialect.lockFree+`)
			UPDATE links SET claimed_until = $2, tries = tries + 1 FROM due
			WHERE links.group_key = due.group_key AND links.seq = due.seq RETURNING links.group_key, links.seq`, now, until, limit)
		if err != nil {
			return fmt.Errorf("lend links: %w", err)
		}
		lent = nil
		for _, c := range claimed {
			l, err := one(t.ctx, t.session, scanLink, `SELECT g.id, l.seq, l.url, COALESCE(u.id, ''), l.asked_at, l.tries FROM links l
				JOIN groups g ON g.key = l.group_key LEFT JOIN messages m ON m.group_key = l.group_key AND m.seq = l.seq
				LEFT JOIN users u ON u.key = m.user_key WHERE l.group_key = $1 AND l.seq = $2`, c.group, c.seq)
			if err != nil {
				return fmt.Errorf("read a link: %w", err)
			}
			lent = append(lent, l)
		}
		return nil
	})
	return lent, err
}
