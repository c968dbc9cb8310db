package store

import (
	"context"
	"fmt"
	"time"
)

// SQLUnlist is for a look at its plan.
const SQLUnlist = sqlUnlist

// LookAt bounds how many rows of the index a page of a search looks at, and how many messages a period has; and what counts
// as few.
func (s *Store) LookAt(rows int) {
	switch x := s.indexer.index.(type) {
	case *sqliteIndex:
		x.looks, x.fewMessages = rows, rows
	case *postgresIndex:
		x.period, x.looks, x.reach, x.fewGroups, x.fewMessages = rows, rows, rows, rows, rows
	}
}

// ExplainSQLite is what a store makes of an error of SQLite's.
var ExplainSQLite = explainSQLite

// Fill lets the writer of a file take so many pages of it and no more, or, if it is larger already, no more at all.
func (s *Store) Fill(pages int) error {
	return s.writers[0].write(&op{ctx: context.Background(), do: func(t *tx) error {
		_, err := t.exec(fmt.Sprintf(`PRAGMA max_page_count = %d`, pages))
		return err
	}})
}

// SettleFor bounds how long the database is asked what became of a commit that was cut. Nothing was written yet.
func (s *Store) SettleFor(d time.Duration) {
	for _, w := range s.writers {
		w.settles = d
	}
}

// SettleFor bounds how long the database is asked what became of a commit that was cut.
func (m *Move) SettleFor(d time.Duration) { m.settles = d }
