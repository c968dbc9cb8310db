package store_test

import (
	"testing"

	"qun/internal/store"
	"qun/internal/store/storetest"
)

func TestSQLiteIsAStore(t *testing.T) {
	storetest.Run(t, func(t *testing.T, place string) storetest.Store {
		checkAtEnd(t, store.Config{Dir: place})
		s, err := store.Open(t.Context(), store.Config{Dir: place})
		if err != nil {
			t.Fatal(err)
		}
		return s
	})
}
