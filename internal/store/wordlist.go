package store

import (
	"context"
	"fmt"

	"qun/internal/chat"
)

const wordListSetting = "word-list"

// PutWordList stores the list of words: see chat.WordListStore.
func (s *Store) PutWordList(ctx context.Context, list []byte, entry *chat.AuditEntry) error {
	return s.change(ctx, func(t *tx) error {
		_, err := t.exec(`INSERT INTO settings (name, value) VALUES ($1, $2) ON CONFLICT (name) DO UPDATE SET value = excluded.value`,
			wordListSetting, list)
		if err != nil {
			return fmt.Errorf("write the list of words: %w", err)
		}
		return t.audit(entry)
	})
}

func (r *reader) WordList() (list []byte, err error) {
	err = r.row(`SELECT value FROM settings WHERE name = $1`, []any{wordListSetting}, &list)
	return list, err
}
