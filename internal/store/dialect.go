package store

import (
	"encoding/json"
	"fmt"

	"qun/internal/chat"
)

// dialect is where SQLite and PostgreSQL say things differently.
type dialect struct {
	beginWrite string // begins the writer's transaction
	beginRead  string // begins a transaction that sees one moment
	lockRow    string // ends a select of a row that nobody else may change until the end
	elements   string // a select of the elements of the list $1, as list writes it
	list       func([]chat.GroupID) (any, error)
}

var sqliteDialect = &dialect{
	beginWrite: `BEGIN IMMEDIATE`,
	beginRead:  `BEGIN`,
	lockRow:    ``, // there is one writer
	elements:   `SELECT value FROM json_each($1)`,
	list: func(ids []chat.GroupID) (any, error) {
		data, err := json.Marshal(ids)
		if err != nil {
			return nil, fmt.Errorf("write a list: %w", err)
		}
		return string(data), nil
	},
}
