package store

import (
	"context"
	"fmt"

	"qun/internal/chat"
)

// ChangeSetting changes a setting: see chat.SettingStore. The row is made first, so that there is one to lock.
func (s *Store) ChangeSetting(ctx context.Context, name string, change func([]byte) ([]byte, []*chat.AuditEntry, error)) error {
	return s.change(ctx, func(t *tx) error {
		if _, err := t.exec(`INSERT INTO settings (name, value) VALUES ($1, $2) ON CONFLICT (name) DO NOTHING`, name, []byte{}); err != nil {
			return fmt.Errorf("make a setting: %w", err)
		}
		var before []byte
		if err := t.row(`SELECT value FROM settings WHERE name = $1`+t.dialect.lockRow, []any{name}, &before); err != nil {
			return fmt.Errorf("read a setting: %w", err)
		}
		if len(before) == 0 {
			before = nil
		}
		after, entries, err := change(before)
		if err != nil {
			return err
		}
		if _, err := t.exec(`UPDATE settings SET value = $2 WHERE name = $1`, name, after); err != nil {
			return fmt.Errorf("write a setting: %w", err)
		}
		for _, e := range entries {
			if err := t.audit(e); err != nil {
				return err
			}
		}
		return nil
	})
}

func (r *reader) NamedSetting(name string) (value []byte, err error) {
	err = r.row(`SELECT value FROM settings WHERE name = $1`, []any{name}, &value)
	if err == nil && len(value) == 0 {
		err = chat.ErrNotFound
	}
	return value, err
}
