package store

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"qun/internal/chat"
)

const uploadColumns = `f.id, f.user_id, COALESCE(f.upload_key, ''), f.hash, f.name, f.type, f.size, f.width, f.height, f.thumb,
	f.made_at, f.idle_at`

func scanUpload(s scanner) (*chat.Upload, error) {
	u := new(chat.Upload)
	var hash []byte
	var thumb bool
	err := s.Scan(&u.ID, &u.By, &u.Key, &hash, &u.Name, &u.Type, &u.Size, &u.Width, &u.Height, &thumb, &u.MadeAt, &u.IdleAt)
	copy(u.Hash[:], hash)
	u.Complete(thumb)
	return u, err
}

func (r *reader) Upload(id chat.FileID) (*chat.Upload, error) {
	return one(r.ctx, r.session, scanUpload, `SELECT `+uploadColumns+` FROM files f WHERE f.id = $1`, id)
}

// Uploads calls take with everything that was uploaded, in order of id.
func (a *Archive) Uploads(ctx context.Context, take func(*chat.Upload) error) error {
	return each(ctx, a.session, func(s scanner) (more bool, err error) {
		u, err := scanUpload(s)
		if err != nil {
			return false, err
		}
		return true, take(u)
	}, `SELECT `+uploadColumns+` FROM files f ORDER BY f.id`)
}

func (r *reader) UploadByKey(u chat.UserID, key string) (*chat.Upload, error) {
	return one(r.ctx, r.session, scanUpload, `SELECT `+uploadColumns+` FROM files f WHERE f.user_id = $1 AND f.upload_key = $2`, u, key)
}

// everybody is whose row in file_totals counts all files.
const everybody = ""

func (r *reader) Stored(u chat.UserID) (own, all int64, err error) {
	err = r.row(`SELECT COALESCE((SELECT bytes FROM file_totals WHERE user_id = $1), 0),
		COALESCE((SELECT bytes FROM file_totals WHERE user_id = $2), 0)`, []any{u, everybody}, &own, &all)
	return own, all, err
}

// carries holds for a message m that carries the file of a use x, as it is now: what was edited or recalled may not.
const carries = `m.files || m.preview LIKE '%' || x.file_id || '%'`

func scanFileUse(s scanner) (use chat.FileUse, err error) {
	err = s.Scan(&use.File, &use.Group, &use.Seq)
	return use, err
}

func (r *reader) FileUses(f chat.FileID, u chat.UserID, limit int) ([]chat.FileUse, error) {
	return collect(r.ctx, r.session, scanFileUse, `SELECT x.file_id, g.id, MAX(x.seq) FROM file_uses x
		JOIN groups g ON g.key = x.group_key
		JOIN messages m ON m.group_key = x.group_key AND m.seq = x.seq AND `+carries+`
		LEFT JOIN memberships b ON b.group_key = x.group_key AND b.user_key = (SELECT key FROM users WHERE id = $2)
		WHERE x.file_id = $1 AND (g.visibility = $3 OR b.state = $4)
		GROUP BY x.file_id, g.id LIMIT $5`, f, u, chat.VisibilityOpen, chat.MemberActive, limit)
}

func (r *reader) EndedFileUses(limit int) ([]chat.FileUse, error) {
	return collect(r.ctx, r.session, scanFileUse, `SELECT x.file_id, g.id, x.seq FROM file_uses x
		JOIN groups g ON g.key = x.group_key
		LEFT JOIN messages m ON m.group_key = x.group_key AND m.seq = x.seq
		WHERE m.seq IS NULL OR NOT (`+carries+`) OR x.seq < g.floor OR g.dissolved_at > 0 LIMIT $1`, limit)
}

func (r *reader) AvatarsInUse() ([]string, error) {
	return collect(r.ctx, r.session, func(s scanner) (path string, err error) {
		err = s.Scan(&path)
		return path, err
	}, `SELECT avatar FROM users WHERE avatar <> '' UNION SELECT avatar FROM groups WHERE avatar <> ''`)
}

// useFiles notes that a message carries files; once each, however often it does.
func (t *tx) useFiles(group int64, m *chat.Message) error {
	for _, f := range m.Carried() {
		_, err := t.exec(`INSERT INTO file_uses (file_id, group_key, seq) VALUES ($1, $2, $3) ON CONFLICT DO NOTHING`, f.ID, group, m.Seq)
		if err != nil {
			return fmt.Errorf("note that a message carries a file: %w", err)
		}
	}
	return nil
}

// AddUpload stores an upload: see chat.FileStore.
func (s *Store) AddUpload(ctx context.Context, u *chat.Upload, own, all int64) error {
	return s.change(ctx, func(t *tx) error {
		n, err := t.exec(`INSERT INTO files (id, user_id, upload_key, hash, name, type, size, width, height, thumb, made_at, idle_at)
			VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12)
			ON CONFLICT (user_id, upload_key) WHERE upload_key IS NOT NULL DO NOTHING`,
			u.ID, u.By, orNull(u.Key), u.Hash[:], u.Name, u.Type, u.Size, u.Width, u.Height, u.ThumbURL != "", u.MadeAt, u.IdleAt)
		switch {
		case err != nil:
			return fmt.Errorf("write an upload: %w", err)
		case n == 0:
			return chat.ErrKeyUsed
		}
		if err := t.addBytes(u.By, u.Size, own, chat.ErrQuota); err != nil {
			return err
		}
		return t.addBytes(everybody, u.Size, all, chat.ErrFull)
	})
}

// addBytes adds to a total, unless that would be more than limit (0: no limit).
func (t *tx) addBytes(u chat.UserID, size, limit int64, tooMuch error) error {
	var total int64
	err := t.row(`INSERT INTO file_totals (user_id, bytes) VALUES ($1, $2)
		ON CONFLICT (user_id) DO UPDATE SET bytes = file_totals.bytes + excluded.bytes RETURNING bytes`, []any{u, size}, &total)
	if err != nil {
		return fmt.Errorf("count bytes: %w", err)
	}
	if limit > 0 && total > limit {
		return tooMuch
	}
	return nil
}

// EndFileUses forgets uses: see chat.FileStore.
func (s *Store) EndFileUses(ctx context.Context, uses []chat.FileUse, now chat.Time) error {
	return s.change(ctx, func(t *tx) error {
		for _, use := range uses {
			_, err := t.exec(`DELETE FROM file_uses WHERE file_id = $1 AND seq = $3 AND group_key = (SELECT key FROM groups WHERE id = $2)`,
				use.File, use.Group, use.Seq)
			if err != nil {
				return fmt.Errorf("forget that a message carries a file: %w", err)
			}
			if _, err := t.exec(`UPDATE files SET idle_at = $2 WHERE id = $1`, use.File, now); err != nil {
				return fmt.Errorf("note that a file is idle: %w", err)
			}
		}
		return nil
	})
}

// idle is an upload that goes.
type idle struct {
	id   chat.FileID
	by   chat.UserID
	size int64
}

// ForgetIdle deletes idle uploads: see chat.FileStore.
func (s *Store) ForgetIdle(ctx context.Context, before chat.Time, limit int) (ids []chat.FileID, err error) {
	err = s.change(ctx, func(t *tx) error {
		gone, err := collect(t.ctx, t.session, func(s scanner) (i idle, err error) {
			err = s.Scan(&i.id, &i.by, &i.size)
			return i, err
		}, `DELETE FROM files WHERE id IN (SELECT id FROM files f WHERE idle_at < $1
			AND NOT EXISTS (SELECT 1 FROM file_uses x WHERE x.file_id = f.id) ORDER BY idle_at LIMIT $2) RETURNING id, user_id, size`, before, limit)
		if err != nil {
			return fmt.Errorf("forget idle uploads: %w", err)
		}
		ids = make([]chat.FileID, len(gone))
		for i, u := range gone {
			ids[i] = u.id
		}
		return t.subtract(gone)
	})
	return ids, err
}

// subtract takes what goes off the totals, in the order in which two transactions could meet.
func (t *tx) subtract(gone []idle) error {
	slices.SortFunc(gone, func(a, b idle) int { return strings.Compare(string(a.by), string(b.by)) })
	var all int64
	for _, u := range gone {
		all += u.size
		if err := t.addBytes(u.by, -u.size, 0, nil); err != nil {
			return err
		}
	}
	return t.addBytes(everybody, -all, 0, nil)
}
