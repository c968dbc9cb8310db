package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"qun/internal/chat"
)

// Archive is data that somebody looks at and never changes. A server may be running on it.
type Archive struct {
	// Set once.
	dialect *dialect
	db      *sql.DB
	session *session
	path    string         // of a SQLite file; "" for a database server
	search  *sqliteArchive // the file of its index; nil: there is none, or the index is in the database
}

// OpenArchive opens data to look at it, until Close. It has to be of this version: ErrOlder says that it is not yet.
func OpenArchive(ctx context.Context, cfg Config) (a *Archive, err error) {
	if cfg.URL != "" {
		return openPostgresArchive(ctx, cfg.URL)
	}
	return openSQLiteArchive(ctx, cfg.Dir)
}

func openSQLiteArchive(ctx context.Context, dir string) (*Archive, error) {
	path := filepath.Join(dir, databaseName)
	if _, err := os.Stat(path); errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("open %s: %w", path, ErrAbsent)
	}
	db, err := connect(ctx, path, "busy_timeout(10000)", "query_only(1)", "temp_store(MEMORY)", "cache_size(-16384)")
	if err != nil {
		return nil, fmt.Errorf("open %s: %w", path, damage(err))
	}
	a := &Archive{dialect: sqliteDialect, db: db, path: path}
	if err := a.begin(ctx); err != nil {
		return nil, errors.Join(fmt.Errorf("open %s: %w", path, damage(err)), a.Close())
	}
	if a.search, err = openSearchArchive(ctx, filepath.Join(dir, searchName)); err != nil {
		return nil, errors.Join(err, a.Close())
	}
	return a, nil
}

func openPostgresArchive(ctx context.Context, url string) (*Archive, error) {
	config, err := parseAddress(url)
	if err != nil {
		return nil, err
	}
	config.ValidateConnect = nil // a standby is as good
	a := &Archive{dialect: postgresDialect, db: openPool(config, patientSettings)}
	if err := a.begin(ctx); err != nil {
		err = fmt.Errorf("open the database %s at %s:%d: %w", config.Database, config.Host, config.Port, refusal(err))
		return nil, errors.Join(err, a.Close())
	}
	return a, nil
}

// patientSettings are of who takes the time it takes.
var patientSettings = map[string]string{"statement_timeout": "0", "lock_timeout": "0", "idle_in_transaction_session_timeout": "0"}

// begin begins the one transaction in which everything is looked at: all of one moment.
func (a *Archive) begin(ctx context.Context) (err error) {
	if err := isOfThisVersion(ctx, a.db, a.dialect); err != nil {
		return err
	}
	if a.session, err = newSession(ctx, a.dialect, a.db); err != nil {
		return err
	}
	_, err = a.session.exec(ctx, a.dialect.beginRead)
	return err
}

// isOfThisVersion reads the version of the tables without making the table of versions, as a migration would.
func isOfThisVersion(ctx context.Context, db *sql.DB, d *dialect) error {
	provider, err := newProvider(db, d)
	if err != nil {
		return err
	}
	sources := provider.ListSources()
	newest := sources[len(sources)-1].Version
	var version int64
	if err := db.QueryRowContext(ctx, `SELECT COALESCE(MAX(version_id), 0) FROM goose_db_version`).Scan(&version); err != nil {
		if isUnreachable(err) {
			return err
		}
		return fmt.Errorf("%w: %w", ErrAbsent, err)
	}
	switch {
	case version > newest:
		return fmt.Errorf("%w: its tables are of version %d, this program knows %d", ErrNewer, version, newest)
	case version < newest:
		return fmt.Errorf("%w: its tables are of version %d, this program's of %d", ErrOlder, version, newest)
	}
	return nil
}

// isUnreachable reports whether err is of a server, and not of its tables.
func isUnreachable(err error) bool {
	of := refusal(err)
	return errors.Is(of, ErrRefused) || errors.Is(of, ErrUnreachable)
}

// View runs read; all views of an archive see the same moment, and are made one after the other.
func (a *Archive) View(ctx context.Context, read func(chat.Reader) error) error {
	return read(a.reader(ctx))
}

func (a *Archive) reader(ctx context.Context) *reader {
	return &reader{ctx: ctx, session: a.session, dialect: a.dialect}
}

// Epoch names the history of numbers of the data.
func (a *Archive) Epoch(ctx context.Context) (epoch string, err error) {
	var value []byte
	err = a.session.row(ctx, `SELECT value FROM settings WHERE name = 'epoch'`, nil, &value)
	return string(value), err
}

// Close lets go of the data.
func (a *Archive) Close() error {
	var errs []error
	if a.search != nil {
		errs = append(errs, a.search.close())
	}
	if a.session != nil {
		errs = append(errs, a.session.close())
	}
	return errors.Join(append(errs, a.db.Close())...)
}
