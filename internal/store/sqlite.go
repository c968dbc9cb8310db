package store

import (
	"bytes"
	"context"
	"database/sql"
	"embed"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"log/slog"
	"net/url"
	"os"
	"path/filepath"
	"runtime"
	"strings"

	"github.com/pressly/goose/v3"
	"modernc.org/sqlite"
)

//go:embed migrations
var migrations embed.FS

const (
	databaseName = "qun.db"
	lockName     = "qun.lock"

	// maxQuickCheck bounds, in bytes, the database that is read through when it is opened (about 0.3 s). In a larger one a
	// damage shows when it is met: a check at every start would cost more than it finds, and `qun check` reads all of it.
	maxQuickCheck = 128 << 20
)

// Config says which data to open.
type Config struct {
	Dir    string       // the folder of the data; made if it is not there
	Logger *slog.Logger // nil: discards. Accidents nobody waits for
}

// Open opens the data in a folder, making it if it is not there, and holds it alone until Close.
func Open(ctx context.Context, cfg Config) (s *Store, err error) {
	if cfg.Logger == nil {
		cfg.Logger = slog.New(slog.DiscardHandler)
	}
	lock, err := occupy(cfg.Dir)
	if err != nil {
		return nil, err
	}
	defer func() {
		if err != nil {
			err = errors.Join(err, lock.release())
		}
	}()
	path := filepath.Join(cfg.Dir, databaseName)
	if err := prepare(path); err != nil {
		return nil, err
	}
	db, err := connect(ctx, path)
	if err != nil {
		return nil, fmt.Errorf("open %s: %w", path, damage(err))
	}
	s = &Store{dialect: sqliteDialect, lock: lock, db: db, log: cfg.Logger, path: path}
	if err := s.start(ctx); err != nil {
		return nil, errors.Join(fmt.Errorf("open %s: %w", path, damage(err)), db.Close())
	}
	return s, nil
}

// occupy makes the folder and locks it.
func occupy(dir string) (*dirLock, error) {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, fmt.Errorf("make data folder %s: %w: %w", dir, ErrUnwritable, err)
	}
	lock, err := lockFile(filepath.Join(dir, lockName))
	if err != nil {
		return nil, fmt.Errorf("lock data folder %s: %w", dir, err)
	}
	return lock, nil
}

// sqliteHeader begins every SQLite file.
var sqliteHeader = []byte("SQLite format 3\x00")

// prepare makes the file, for its owner alone, and looks at its first bytes: SQLite itself would take a file of less
// than a header for an empty one.
func prepare(path string) error {
	file, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return fmt.Errorf("open %s: %w: %w", path, ErrUnwritable, err)
	}
	defer file.Close()
	head := make([]byte, len(sqliteHeader))
	switch n, err := io.ReadFull(file, head); {
	case err != nil && !errors.Is(err, io.EOF) && !errors.Is(err, io.ErrUnexpectedEOF):
		return fmt.Errorf("read %s: %w", path, err)
	case n > 0 && !bytes.Equal(head, sqliteHeader):
		return fmt.Errorf("open %s: %w", path, ErrDamaged)
	}
	return nil
}

// connect opens the database. The journal is a write-ahead log that is on the disk before a commit returns
// (synchronous=FULL); checkpoints are made by a goroutine of ours, not by whoever commits.
func connect(ctx context.Context, path string) (*sql.DB, error) {
	options := url.Values{"_pragma": {
		"busy_timeout(10000)", "journal_mode(WAL)", "synchronous(FULL)", "foreign_keys(1)", "wal_autocheckpoint(0)",
		"temp_store(MEMORY)", "cache_size(-4096)",
	}}
	path, err := filepath.Abs(path)
	if err != nil {
		return nil, err
	}
	name := url.URL{Scheme: "file", Path: "/" + strings.TrimPrefix(filepath.ToSlash(path), "/"), RawQuery: options.Encode()}
	db, err := sql.Open("sqlite", name.String())
	if err != nil {
		return nil, err
	}
	db.SetMaxIdleConns(-1) // sessions are kept by us; what is put back is closed
	if err := db.PingContext(ctx); err != nil {
		return nil, errors.Join(err, db.Close())
	}
	return db, nil
}

// quickCheck reads a database that is not too large through.
func quickCheck(ctx context.Context, db *sql.DB, path string) error {
	info, err := os.Stat(path)
	if err != nil {
		return err
	}
	if info.Size() > maxQuickCheck {
		return nil
	}
	var result string
	if err := db.QueryRowContext(ctx, `PRAGMA quick_check(1)`).Scan(&result); err != nil {
		return fmt.Errorf("check: %w", err)
	}
	if result != "ok" {
		return fmt.Errorf("%w: %s", ErrDamaged, result)
	}
	return nil
}

// migrate brings the tables to this version's.
func migrate(ctx context.Context, db *sql.DB, name string, dialect goose.Dialect) error {
	folder, err := fs.Sub(migrations, "migrations/"+name)
	if err != nil {
		return err
	}
	provider, err := goose.NewProvider(dialect, db, folder)
	if err != nil {
		return fmt.Errorf("read migrations: %w", err)
	}
	sources := provider.ListSources()
	version, err := provider.GetDBVersion(ctx)
	if err != nil {
		return fmt.Errorf("read the version of the tables: %w", err)
	}
	if newest := sources[len(sources)-1].Version; version > newest {
		return fmt.Errorf("%w: its tables are of version %d, this program knows %d", ErrNewer, version, newest)
	}
	if _, err := provider.Up(ctx); err != nil {
		return fmt.Errorf("migrate: %w", err)
	}
	return nil
}

// SQLite's result codes for a damaged file: SQLITE_CORRUPT and SQLITE_NOTADB.
const (
	sqliteCorrupt = 11
	sqliteNotADB  = 26
)

// damage makes what SQLite says of a damaged file ErrDamaged.
func damage(err error) error {
	var of *sqlite.Error
	if errors.As(err, &of) && (of.Code()&0xff == sqliteCorrupt || of.Code()&0xff == sqliteNotADB) {
		return fmt.Errorf("%w: %w", ErrDamaged, err)
	}
	return err
}

// readerCount is how many may read at once.
func readerCount() int { return max(4, 2*runtime.GOMAXPROCS(0)) }
