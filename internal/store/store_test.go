package store_test

import (
	"testing"

	"qun/internal/store"
	"qun/internal/store/fresh"
	"qun/internal/store/storetest"
)

func TestSQLiteIsAStore(t *testing.T) {
	storetest.Run(t, func(t *testing.T, place string) storetest.Store {
		checkAtEnd(t, store.Config{Dir: place})
		fresh.Fill(t, place)
		s, err := store.Open(t.Context(), store.Config{Dir: place})
		if err != nil {
			t.Fatal(err)
		}
		return s
	})
}

// A page that looks at few rows is short, or empty, or asks in another way, and says where to go on: all pages together are
// the same.
func TestASearchThatTiresLosesNothing(t *testing.T) {
	for name, open := range map[string]func(t *testing.T, place string) *store.Store{
		"SQLite": func(t *testing.T, place string) *store.Store {
			fresh.Fill(t, place)
			s, err := store.Open(t.Context(), store.Config{Dir: place})
			if err != nil {
				t.Fatal(err)
			}
			return s
		},
		"PostgreSQL": func(t *testing.T, place string) *store.Store { return openPostgres(t, databaseOf(t, place)) },
	} {
		t.Run(name, func(t *testing.T) {
			storetest.SearchPages(t, func(t *testing.T, place string) storetest.Store {
				s := open(t, place)
				s.LookAt(5)
				return s
			})
		})
	}
}
