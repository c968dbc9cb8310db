package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"time"

	"qun/internal/chat"
)

// session is a connection that remembers its prepared statements. One goroutine at a time uses it.
type session struct {
	dialect *dialect
	conn    *sql.Conn
	stmts   map[string]*sql.Stmt
	asked   int64 // statements run since it was lent
	worked  bool  // something was answered since it was lent
	broken  bool  // nobody knows what state it is in: it is not to be used again

	rested time.Time // since when it is idle; zero: it was not yet
}

func newSession(ctx context.Context, d *dialect, db *sql.DB) (*session, error) {
	conn, err := db.Conn(ctx)
	if err != nil {
		return nil, fmt.Errorf("connect: %w", err)
	}
	return &session{dialect: d, conn: conn, stmts: map[string]*sql.Stmt{}}, nil
}

// newReadingSession is for those of which there are several.
func newReadingSession(ctx context.Context, d *dialect, db *sql.DB) (*session, error) {
	s, err := newSession(ctx, d, db)
	if err != nil || d.spare == "" {
		return s, err
	}
	if _, err := s.exec(ctx, d.spare); err != nil {
		return nil, errors.Join(fmt.Errorf("keep little: %w", err), s.close())
	}
	return s, nil
}

func (s *session) close() error {
	if s.dialect.hangUp != nil {
		err := s.dialect.hangUp(s.conn)
		s.conn.Close() // has nothing to add
		return err
	}
	var errs []error
	for _, stmt := range s.stmts {
		errs = append(errs, stmt.Close())
	}
	return errors.Join(append(errs, s.conn.Close())...)
}

const (
	// maxRest is how long a session may be idle before it has to give a sign of life, and maxSilence how long that may take.
	maxRest    = time.Second
	maxSilence = 3 * time.Second
)

// lives reports whether a session is of use that was idle. What stands between here and the server may have forgotten its
// connection without a word, and who asks it anything would wait for ever.
func (s *session) lives() bool {
	if s.dialect.hangUp == nil || time.Since(s.rested) < maxRest {
		return true
	}
	ctx, cancel := context.WithTimeout(context.Background(), maxSilence)
	defer cancel()
	return s.conn.PingContext(ctx) == nil
}

func (s *session) stmt(ctx context.Context, query string) (*sql.Stmt, error) {
	s.asked++
	if stmt := s.stmts[query]; stmt != nil {
		return stmt, nil
	}
	stmt, err := s.conn.PrepareContext(ctx, query) //nolint:sqlclosecheck // kept: close does, with the session
	if err != nil {
		return nil, fmt.Errorf("prepare %q: %w", query, err)
	}
	s.stmts[query] = stmt
	return stmt, nil
}

// exec runs a statement and returns how many rows it touched.
func (s *session) exec(ctx context.Context, query string, args ...any) (int64, error) {
	stmt, err := s.stmt(ctx, query) //nolint:sqlclosecheck // kept: close does, with the session
	if err != nil {
		return 0, err
	}
	result, err := stmt.ExecContext(ctx, args...)
	if err != nil {
		return 0, err
	}
	s.worked = true
	return result.RowsAffected()
}

// finish runs a statement whatever becomes of who asked.
func (s *session) finish(query string) error {
	ctx, cancel := s.dialect.patient()
	defer cancel()
	_, err := s.exec(ctx, query)
	return err
}

// row reads the one row of a query; none is chat.ErrNotFound.
func (s *session) row(ctx context.Context, query string, args []any, dest ...any) error {
	stmt, err := s.stmt(ctx, query) //nolint:sqlclosecheck // kept: close does, with the session
	if err != nil {
		return err
	}
	err = stmt.QueryRowContext(ctx, args...).Scan(dest...)
	if errors.Is(err, sql.ErrNoRows) {
		return chat.ErrNotFound
	}
	return err
}

// collect reads all rows of a query; never nil without an error.
func collect[T any](ctx context.Context, s *session, scan func(scanner) (T, error), query string, args ...any) ([]T, error) {
	stmt, err := s.stmt(ctx, query) //nolint:sqlclosecheck // kept: close does, with the session
	if err != nil {
		return nil, err
	}
	rows, err := stmt.QueryContext(ctx, args...)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	all := []T{}
	for rows.Next() {
		one, err := scan(rows)
		if err != nil {
			return nil, err
		}
		all = append(all, one)
	}
	return all, rows.Err()
}

// each calls take with the rows of a query, until it wants no more.
func each(ctx context.Context, s *session, take func(scanner) (more bool, err error), query string, args ...any) error {
	stmt, err := s.stmt(ctx, query) //nolint:sqlclosecheck // kept: close does, with the session
	if err != nil {
		return err
	}
	rows, err := stmt.QueryContext(ctx, args...)
	if err != nil {
		return err
	}
	defer rows.Close()
	for rows.Next() {
		if more, err := take(rows); err != nil || !more {
			return err
		}
	}
	return rows.Err()
}

// scanner is a row of a result.
type scanner interface {
	Scan(dest ...any) error
}

// one reads one row of a query with scan; none is chat.ErrNotFound.
func one[T any](ctx context.Context, s *session, scan func(scanner) (T, error), query string, args ...any) (T, error) {
	all, err := collect(ctx, s, scan, query, args...)
	if err == nil && len(all) == 0 {
		err = chat.ErrNotFound
	}
	if err != nil {
		var none T
		return none, err
	}
	return all[0], nil
}
