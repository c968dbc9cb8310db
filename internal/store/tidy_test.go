package store_test

import (
	"context"
	"database/sql"
	"fmt"
	"path/filepath"
	"testing"
	"time"

	"qun/internal/chat"
	"qun/internal/store"
	"qun/internal/store/fresh"
)

// What was indexed bit by bit lies in many small trees, and a search looks into all of them. When nobody writes any more
// they are merged, and the same is found.
func TestAQuietIndexIsMerged(t *testing.T) {
	ctx, dir := t.Context(), fresh.Dir(t)
	s, err := store.Open(ctx, store.Config{Dir: dir})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	service := chat.New(s, deaf{}, chat.Config{Limits: chat.Limits{MessageLength: 8000}})
	defer service.Close(context.WithoutCancel(ctx))
	guest, err := service.NewGuest(ctx, "", false)
	if err != nil {
		t.Fatal(err)
	}
	entered, err := service.Enter(ctx, guest, chat.Entry{Room: "room"})
	if err != nil {
		t.Fatal(err)
	}
	const said = 7 // fewer than FTS5 merges by itself
	for i := range said {
		in := chat.NewMessage{Group: entered.Group.ID, Entered: true, Text: fmt.Sprint("hello ", i)}
		if _, err := service.SendMessage(ctx, guest, in); err != nil {
			t.Fatal(err)
		}
		if err := s.SettleIndex(ctx); err != nil {
			t.Fatal(err)
		}
	}

	index, err := sql.Open("sqlite", filepath.Join(dir, "search.index"))
	if err != nil {
		t.Fatal(err)
	}
	defer index.Close()
	trees := 0
	for deadline := time.Now().Add(20 * time.Second); ; <-time.After(20 * time.Millisecond) {
		if err := index.QueryRowContext(ctx, `SELECT COUNT(DISTINCT segid) FROM words_idx`).Scan(&trees); err != nil {
			t.Fatal(err)
		}
		if trees <= 3 { // 4, 2 and 1
			break
		}
		if time.Now().After(deadline) {
			t.Fatalf("%d trees hold %d messages, want 3 at most", trees, said)
		}
	}
	found, err := service.Search(ctx, guest, chat.SearchQuery{Text: "hello", Group: entered.Group.ID})
	if err != nil || len(found.Hits) != said {
		t.Errorf("found %d (%v), want %d", len(found.Hits), err, said)
	}
}
