package store

// SQLUnlist is for a look at its plan.
const SQLUnlist = sqlUnlist

// LookAt bounds how many rows of the index a page of a search looks at.
func (s *Store) LookAt(rows int) { s.indexer.index.(*sqliteIndex).looks = rows }
