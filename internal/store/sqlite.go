package store

import (
	"bytes"
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io"
	"net/url"
	"os"
	"path/filepath"
	"runtime"
	"strings"

	"modernc.org/sqlite"

	"qun/internal/chat"
)

const (
	databaseName = "qun.db"
	lockName     = "qun.lock"

	// maxQuickCheck bounds, in bytes, the database that is read through when it is opened (about 0.3 s). In a larger one a
	// damage shows when it is met: a check at every start would cost more than it finds, and `qun check` reads all of it.
	maxQuickCheck = 128 << 20
)

// openSQLite opens the data in a folder and holds it alone.
func openSQLite(ctx context.Context, cfg Config) (s *Store, err error) {
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
	db, err := connect(ctx, path, sqlitePragmas...)
	if err != nil {
		return nil, fmt.Errorf("open %s: %w", path, damage(err))
	}
	s = &Store{dialect: sqliteDialect, db: db, log: cfg.Logger}
	if err := s.startSQLite(ctx, path, lock, cfg.Moved); err != nil {
		return nil, errors.Join(fmt.Errorf("open %s: %w", path, damage(err)), db.Close())
	}
	return s, nil
}

// startSQLite checks and migrates the database and starts the writer and who looks after what it wrote.
func (s *Store) startSQLite(ctx context.Context, path string, lock *dirLock, moved bool) error {
	if err := quickCheck(ctx, s.db, path); err != nil {
		return err
	}
	if err := migrate(ctx, s.db, s.dialect); err != nil {
		return err
	}
	if !moved {
		if err := wantUnmoved(ctx, s.db); err != nil {
			return err
		}
	}
	checkpoint, err := startCheckpointer(ctx, s.db, path, s.log)
	if err != nil {
		return err
	}
	s.release = func() error { return errors.Join(checkpoint.close(), s.db.Close(), lock.release()) }
	connect := func(ctx context.Context) (*session, error) { return newSession(ctx, s.dialect, s.db) }
	if err := s.start(ctx, 1, readerCount(), connect, checkpoint.wrote); err != nil {
		return errors.Join(err, checkpoint.close())
	}
	search, err := openSQLiteIndex(ctx, filepath.Join(filepath.Dir(path), searchName), s.epoch)
	if err != nil {
		return errors.Join(err, s.stop(), checkpoint.close())
	}
	s.follow(search)
	return nil
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

// sqlitePragmas are those of the chat's own file. Its journal is a write-ahead log that is on the disk before a commit
// returns (synchronous=FULL); checkpoints are made by a goroutine of ours, not by whoever commits.
var sqlitePragmas = []string{
	"busy_timeout(5000)", "journal_mode(WAL)", "synchronous(FULL)", "foreign_keys(1)", "wal_autocheckpoint(0)",
	"temp_store(MEMORY)", "cache_size(-4096)",
}

// connect opens a file of SQLite's.
func connect(ctx context.Context, path string, pragmas ...string) (*sql.DB, error) {
	options := url.Values{"_pragma": pragmas}
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

// Of SQLite's result codes.
const (
	sqliteCorrupt = 11
	sqliteFull    = 13 // the disk
	sqliteNotADB  = 26
)

// sqliteCode is the result code that an error of SQLite's bears; 0 if it is another's.
func sqliteCode(err error) int {
	var of *sqlite.Error
	if !errors.As(err, &of) {
		return 0
	}
	return of.Code() & 0xff // beyond it is what says more precisely where
}

// damage makes what SQLite says of a damaged file ErrDamaged.
func damage(err error) error {
	if code := sqliteCode(err); code == sqliteCorrupt || code == sqliteNotADB {
		return fmt.Errorf("%w: %w", ErrDamaged, err)
	}
	return err
}

// explainSQLite makes chat.ErrBusy, "come again", of what passes: a full disk, or a file that another program holds for writing
// (see Move).
func explainSQLite(err error) error {
	if code := sqliteCode(err); code == sqliteFull || code == sqliteBusy {
		return fmt.Errorf("%w: %w", chat.ErrBusy, err)
	}
	return err
}

// readerCount is how many may read at once.
func readerCount() int { return max(4, 2*runtime.GOMAXPROCS(0)) }
