package store

import (
	"context"
	"database/sql"
	"encoding/binary"
	"errors"
	"fmt"
	"hash/maphash"
	"slices"
	"strings"

	"github.com/jackc/pgx/v5"

	"qun/internal/chat"
)

// movedTable is a table that is copied.
type movedTable struct {
	name    string
	columns []string
	types   []string // PostgreSQL's
	group   int      // the column that says of which group a row is; -1: none does
	seed    maphash.Seed
}

// describeTable asks the target for the columns: the tables of both are alike, and only the types differ.
func describeTable(ctx context.Context, target *pgx.Conn, name string) (*movedTable, error) {
	t := &movedTable{name: name, seed: maphash.MakeSeed()}
	rows, err := target.Query(ctx, `SELECT attname::text, format_type(atttypid, NULL) FROM pg_attribute
		WHERE attrelid = $1::text::regclass AND attnum > 0 AND NOT attisdropped ORDER BY attnum`, name)
	if err != nil {
		return nil, err
	}
	var column, kind string
	_, err = pgx.ForEachRow(rows, []any{&column, &kind}, func() error {
		t.columns, t.types = append(t.columns, column), append(t.types, kind)
		return nil
	})
	of := "group_key"
	if name == "groups" {
		of = "key"
	}
	t.group = slices.Index(t.columns, of)
	return t, err
}

// list is the columns, as a statement names them.
func (t *movedTable) list() string { return strings.Join(t.columns, ", ") }

// send streams the rows of one to the other, and sums up what it sent.
func (t *movedTable) send(ctx context.Context, from *session, to *pgx.Conn) (sums, error) {
	rows, err := from.conn.QueryContext(ctx, `SELECT `+t.list()+` FROM `+t.name)
	if err != nil {
		return nil, damage(err)
	}
	defer rows.Close()
	s := &sending{table: t, rows: rows, sums: sums{}, values: make([]any, len(t.columns)), dest: make([]any, len(t.columns))}
	for i := range s.values {
		s.dest[i] = &s.values[i]
	}
	if _, err := to.CopyFrom(ctx, pgx.Identifier{t.name}, t.columns, s); err != nil {
		return nil, whereCopied(err)
	}
	return s.sums, damage(rows.Err())
}

// sending is a pgx.CopyFromSource.
type sending struct {
	table  *movedTable
	rows   *sql.Rows
	values []any // of the row that comes next
	dest   []any
	sums   sums
	line   []byte
}

func (s *sending) Next() bool { return s.rows.Next() }

func (s *sending) Err() error { return damage(s.rows.Err()) }

func (s *sending) Values() ([]any, error) {
	if err := s.rows.Scan(s.dest...); err != nil {
		return nil, damage(err)
	}
	for i, value := range s.values {
		switch v := value.(type) {
		case []byte:
			if v == nil { // the driver's for no bytes, and PostgreSQL's for no value
				s.values[i] = []byte{}
			}
		case int64:
			if s.table.types[i] != "boolean" {
				continue
			}
			if v != 0 && v != 1 {
				return nil, fmt.Errorf("%s is %d, and should be 0 or 1", s.table.columns[i], v)
			}
			s.values[i] = v == 1
		}
	}
	var err error
	s.line, err = s.sums.add(s.table, s.values, s.line)
	return s.values, err
}

// readBack sums up what is stored.
func (t *movedTable) readBack(ctx context.Context, from *pgx.Conn) (sums, error) {
	rows, err := from.Query(ctx, `SELECT `+t.list()+` FROM `+t.name)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	all := sums{}
	var line []byte
	for rows.Next() {
		values, err := rows.Values()
		if err != nil {
			return nil, err
		}
		if line, err = all.add(t, values, line); err != nil {
			return nil, err
		}
	}
	return all, rows.Err()
}

// sums are what a table has of each group, by its key, whatever the order: how many rows, and the sum of their hashes.
type sums map[int64]sum

type sum struct {
	rows int64
	hash uint64
}

// noGroup is in the place of a key for rows of no group.
const noGroup = -1

// add adds a row. line is scratch, and returned for the next one.
func (s sums) add(t *movedTable, values []any, line []byte) ([]byte, error) {
	line = line[:0]
	for i, value := range values {
		var err error
		if line, err = appendValue(line, value); err != nil {
			return line, fmt.Errorf("%s: %w", t.columns[i], err)
		}
	}
	key := int64(noGroup)
	if t.group >= 0 {
		key, _ = values[t.group].(int64)
	}
	at := s[key]
	s[key] = sum{at.rows + 1, at.hash + maphash.Bytes(t.seed, line)}
	return line, nil
}

// appendValue writes a value in the one way that both databases share, such that no two rows are written alike.
func appendValue(line []byte, value any) ([]byte, error) {
	text := func(kind byte, s string) []byte {
		return append(binary.AppendUvarint(append(line, kind), uint64(len(s))), s...)
	}
	switch v := value.(type) {
	case nil:
		return append(line, 'n'), nil
	case bool:
		if v {
			return binary.AppendVarint(append(line, 'i'), 1), nil
		}
		return binary.AppendVarint(append(line, 'i'), 0), nil
	case int32:
		return binary.AppendVarint(append(line, 'i'), int64(v)), nil
	case int64:
		return binary.AppendVarint(append(line, 'i'), v), nil
	case string:
		return text('t', v), nil
	case []byte:
		return text('b', string(v)), nil
	}
	return line, fmt.Errorf("a value of a type that is not expected, %T", value)
}

// differences are the keys at which two are not the same, in order.
func (s sums) differences(other sums) []int64 {
	var keys []int64
	for key, here := range s {
		if other[key] != here {
			keys = append(keys, key)
		}
	}
	for key := range other {
		if _, both := s[key]; !both {
			keys = append(keys, key)
		}
	}
	slices.Sort(keys)
	return keys
}

func isNone(err error) bool { return errors.Is(err, chat.ErrNotFound) }
