package store

import (
	"context"
	"database/sql"
	"encoding/json"
	"fmt"
	"time"

	"github.com/pressly/goose/v3"
)

// dialect is where SQLite and PostgreSQL say or do things differently.
type dialect struct {
	migrations string // the folder of its migrations
	goose      goose.Dialect

	beginRead string // begins a transaction that sees one moment
	lockRow   string // ends a select of a row that nobody else may change until the end
	lockFree  string // the same, of rows that may be passed over
	elements  string // a select of the elements of the list $1, as list writes it
	list      func(ids []string) (any, error)
	numbers   string // a select of the elements of the list $1 of numbers
	listOf    func(numbers any) (any, error)
	hashes    string // a select of the elements of the list $1, of what list writes of hexadecimal texts
	pairs     string // a select of group_key and seq of each of the messages that listPairs writes, from $1 on
	listPairs func([]moment) ([]any, error)

	size string // an expression: the bytes of the whole database

	// spare makes a session that only reads keep little. "": it keeps nothing.
	spare string
	// alone says that nobody but the one writer writes, so that the rows it knows stay true.
	alone bool
	// patience bounds what the writer waits for in one batch, and what begins and ends a reading; 0: no bound.
	patience time.Duration
	begin    func(*tx) error
	// prepare locks and reads what a batch needs, all of it together. nil: rows are read when they are needed.
	prepare func(*tx, []*op) error
	// enroll waits until nobody else makes users or takes their numbers. nil: there is nobody else.
	enroll func(*tx) error
	commit func(*tx) error
	// settle finds out what became of a commit that was cut.
	settle func(*writer) (committed bool, err error)
	// again says that a batch that failed with err left nothing and may be tried once more; with passOver, without the
	// groups that somebody else keeps locked.
	again func(err error) (again, passOver bool)
	// explain makes what the database said what chat.Store promises.
	explain func(err error) error
	// lost reports whether a connection is of no use any more.
	lost func(*sql.Conn) bool
	// hangUp ends a connection and all that hangs on it, soon, whatever the other side does. nil: there is no other side.
	hangUp func(*sql.Conn) error
}

// patient is a context that ends when the database had time enough. Nothing that others share ends with one caller's.
func (d *dialect) patient() (context.Context, context.CancelFunc) {
	if d.patience == 0 {
		return context.Background(), func() {}
	}
	return context.WithTimeout(context.Background(), d.patience)
}

// sqliteDialect has one writer, which is every group's lock, and a database that is always there.
var sqliteDialect = &dialect{
	migrations: "sqlite",
	goose:      goose.DialectSQLite3,
	beginRead:  `BEGIN`,
	lockRow:    ``,
	lockFree:   ``,
	alone:      true,
	spare:      `PRAGMA cache_size = -1024`, // the system has the pages too
	elements:   `SELECT value FROM json_each($1)`,
	list:       func(ids []string) (any, error) { return jsonList(ids) },
	numbers:    `SELECT value FROM json_each($1)`,
	listOf:     jsonList,
	hashes:     `SELECT unhex(value) FROM json_each($1)`,
	size:       `(SELECT page_count * page_size FROM pragma_page_count(), pragma_page_size())`,
	pairs:      `SELECT value ->> 0 AS group_key, value ->> 1 AS seq FROM json_each($1)`,
	listPairs: func(places []moment) ([]any, error) {
		pairs := make([][2]int64, len(places))
		for i, m := range places {
			pairs[i] = [2]int64{m.group, int64(m.seq)}
		}
		list, err := jsonList(pairs)
		return []any{list}, err
	},
	begin: func(t *tx) error {
		_, err := t.exec(`BEGIN IMMEDIATE`)
		t.begun = err == nil
		return err
	},
	commit: func(t *tx) error {
		_, err := t.exec(`COMMIT`)
		return err
	},
	again:   func(error) (again, passOver bool) { return false, false },
	explain: explainSQLite,
	lost:    func(*sql.Conn) bool { return false },
}

// jsonList is a list as json_each reads it.
func jsonList(list any) (any, error) {
	data, err := json.Marshal(list)
	if err != nil {
		return nil, fmt.Errorf("write a list: %w", err)
	}
	return string(data), nil
}

// texts are ids as a list takes them.
func texts[ID ~string](ids []ID) []string {
	list := make([]string, len(ids))
	for i, id := range ids {
		list[i] = string(id)
	}
	return list
}
