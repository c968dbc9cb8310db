package store_test

import (
	"database/sql"
	"path/filepath"
	"strings"
	"testing"

	"qun/internal/store"
)

// Of a group of a hundred thousand, three rows are found by an index, or each who joins would wait for all who are in.
func TestAMemberIsFoundWithoutGoingThroughItsGroup(t *testing.T) {
	dir := t.TempDir()
	s, err := store.Open(t.Context(), store.Config{Dir: dir})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	db, err := sql.Open("sqlite", filepath.Join(dir, "qun.db"))
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	var step, parent, unused int
	var plan string
	row := db.QueryRowContext(t.Context(), "EXPLAIN QUERY PLAN "+store.SQLUnlist, 1, 1)
	if err := row.Scan(&step, &parent, &unused, &plan); err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(plan, "member_terms_user (user_key=?)") {
		t.Errorf("the plan is %s", plan)
	}
}
