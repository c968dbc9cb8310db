package storetest

import (
	"errors"
	"testing"

	"qun/internal/chat"
)

func testSettingsAreKept(t *testing.T, w *world) {
	read := func() (list string, err error) {
		w.view(func(r chat.Reader) error {
			stored, missing := r.NamedSetting("word-list")
			list, err = string(stored), missing
			return nil
		})
		return list, err
	}
	if _, err := read(); !errors.Is(err, chat.ErrNotFound) {
		t.Errorf("before there is one: %v", err)
	}
	admin, before := w.member("admin"), ""
	for _, list := range []string{`{"words":["赌博"]}`, `{"words":[]}`} {
		w.must(w.store.ChangeSetting(w.ctx, "word-list", func(old []byte) ([]byte, []*chat.AuditEntry, error) {
			if string(old) != before {
				t.Errorf("it was %q before, want %q", old, before)
			}
			return []byte(list), []*chat.AuditEntry{{At: w.now, Act: "setWordList", By: admin.ID}}, nil
		}))
		before = list
		refused := w.store.ChangeSetting(w.ctx, "word-list", func([]byte) ([]byte, []*chat.AuditEntry, error) {
			return []byte("{}"), []*chat.AuditEntry{{Act: "no"}}, chat.ErrBusy
		})
		if !errors.Is(refused, chat.ErrBusy) {
			t.Errorf("got %v", refused)
		}
		w.restart()
		if got, err := read(); got != list || err != nil {
			t.Errorf("got %s, %v, want %s", got, err, list)
		}
	}
	w.view(func(r chat.Reader) error {
		if entries, err := r.AuditOf(chat.AuditQuery{Limit: 9}); len(entries) != 2 || entries[0].Act != "setWordList" || entries[0].By != admin.ID || err != nil {
			t.Errorf("the audit is %+v, %v", entries, err)
		}
		return nil
	})
}
