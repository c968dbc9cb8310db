package storetest

import (
	"errors"
	"testing"

	"qun/internal/chat"
)

func testWordListIsKept(t *testing.T, w *world) {
	read := func() (list string, err error) {
		w.view(func(r chat.Reader) error {
			stored, missing := r.WordList()
			list, err = string(stored), missing
			return nil
		})
		return list, err
	}
	if _, err := read(); !errors.Is(err, chat.ErrNotFound) {
		t.Errorf("before there is one: %v", err)
	}
	admin := w.member("admin")
	for _, list := range []string{`{"words":["赌博"]}`, `{"words":[]}`} {
		w.must(w.store.PutWordList(w.ctx, []byte(list), &chat.AuditEntry{At: w.now, Act: "setWordList", By: admin.ID}))
		w.restart()
		if got, err := read(); got != list || err != nil {
			t.Errorf("got %s, %v, want %s", got, err, list)
		}
	}
	w.view(func(r chat.Reader) error {
		if entries, err := r.AuditOf("", 0, 9); len(entries) != 2 || entries[0].Act != "setWordList" || entries[0].By != admin.ID || err != nil {
			t.Errorf("the audit is %+v, %v", entries, err)
		}
		return nil
	})
}
