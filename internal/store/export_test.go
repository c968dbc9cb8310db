package store

// SQLUnlist is for a look at its plan.
const SQLUnlist = sqlUnlist

// LookAt bounds how many rows of the index a page of a search looks at, or goes through by time.
func (s *Store) LookAt(rows int) {
	switch x := s.indexer.index.(type) {
	case *sqliteIndex:
		x.looks = rows
	case *postgresIndex:
		x.step, x.far = rows, 2*rows
	}
}

// ExplainSQLite is what a store makes of an error of SQLite's.
var ExplainSQLite = explainSQLite
