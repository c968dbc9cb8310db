package store

import (
	"context"
	"crypto/rand"
	"database/sql"
	"embed"
	"encoding/hex"
	"errors"
	"fmt"
	"hash/fnv"
	"io/fs"
	"log/slog"
	"sync"

	"github.com/pressly/goose/v3"

	"qun/internal/auth"
	"qun/internal/chat"
	"qun/internal/gather"
)

// Store keeps the chat in SQL.
type Store struct {
	// Set once.
	dialect *dialect
	db      *sql.DB
	log     *slog.Logger
	epoch   string

	stage    *stage
	writers  []*writer // at least one
	readers  *pool
	accounts *gather.Gather[chat.UserID, *auth.Account] // of who comes
	sessions *gather.Gather[auth.TokenHash, *signedIn]
	indexer  *indexer     // nil until the store is open
	release  func() error // lets go of what the dialect holds, once nobody writes or reads

	closing sync.Once
}

var (
	_ chat.Store = (*Store)(nil)
	_ auth.Store = (*Store)(nil)
)

// Config says which data to open.
type Config struct {
	Dir    string       // the folder of the data; made if it is not there
	URL    string       // postgres://user:password@host:port/database?…: the data is there, and Dir is not used. It is a secret
	Moved  bool         // open a folder whose chat has moved as well, which is ErrMoved otherwise
	Logger *slog.Logger // nil: discards. Accidents nobody waits for
}

// Open opens the data, making it if it is not there, until Close. A folder is held alone; a PostgreSQL database may be
// held by several, see "Several" in the documentation of the package.
func Open(ctx context.Context, cfg Config) (*Store, error) {
	if cfg.Logger == nil {
		cfg.Logger = slog.New(slog.DiscardHandler)
	}
	if cfg.URL != "" {
		return openPostgres(ctx, cfg)
	}
	return openSQLite(ctx, cfg)
}

//go:embed migrations
var migrations embed.FS

// migrate brings the tables to this version's.
func migrate(ctx context.Context, db *sql.DB, d *dialect) error {
	provider, err := newProvider(db, d)
	if err != nil {
		return err
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

func newProvider(db *sql.DB, d *dialect) (*goose.Provider, error) {
	folder, err := fs.Sub(migrations, "migrations/"+d.migrations)
	if err != nil {
		return nil, err
	}
	provider, err := goose.NewProvider(d.goose, db, folder)
	if err != nil {
		return nil, fmt.Errorf("read migrations: %w", err)
	}
	return provider, nil
}

// start starts so many writers, and those who read.
func (s *Store) start(ctx context.Context, writers, readers int, connect func(context.Context) (*session, error), wrote func()) error {
	s.stage = &stage{hear: func([]chat.Event) {}}
	s.readers = newPool(s.dialect, s.db, readers)
	s.accounts, s.sessions = lookUps(s.accountsOf), lookUps(s.signedInBy)
	for range writers {
		s.writers = append(s.writers, startWriter(&writer{
			connect: connect, dialect: s.dialect, stage: s.stage, log: s.log, wrote: wrote,
		}))
	}
	epoch, err := s.Setting(ctx, "epoch", []byte(newName()))
	if err != nil {
		return errors.Join(fmt.Errorf("read the epoch: %w", err), s.stop())
	}
	s.epoch = string(epoch)
	return nil
}

// newName is a name nobody else has: 64 random bits.
func newName() string {
	bits := make([]byte, 8)
	rand.Read(bits)
	return hex.EncodeToString(bits)
}

// writerOf is the one writer here of a group.
func (s *Store) writerOf(id chat.GroupID) *writer {
	if len(s.writers) == 1 {
		return s.writers[0]
	}
	hash := fnv.New32a()
	hash.Write([]byte(id))
	return s.writers[hash.Sum32()%uint32(len(s.writers))]
}

// Epoch names the history of numbers: see chat.Store.
func (s *Store) Epoch() string { return s.epoch }

// Statements is how many statements its readers have run, those that begin and end a View included. It is for who measures
// what an answer costs.
func (s *Store) Statements() int64 { return s.readers.asked.Load() }

// Hear names who is told of events: see chat.Store.
func (s *Store) Hear(hear func([]chat.Event)) {
	s.stage.mu.Lock()
	defer s.stage.mu.Unlock()
	s.stage.hear = hear
}

// follow starts to keep an index of what is written, now that all else has started.
func (s *Store) follow(i index) {
	startIndexer(s, i)
	s.stage.mu.Lock()
	defer s.stage.mu.Unlock()
	s.stage.index = s.indexer
}

// Close writes what waits, and lets go of the data.
func (s *Store) Close() (err error) {
	s.closing.Do(func() { err = errors.Join(s.stop(), s.release()) })
	return err
}

// stop ends those who write and who read.
func (s *Store) stop() error {
	var errs []error
	for _, w := range s.writers {
		errs = append(errs, w.close())
	}
	if s.indexer != nil {
		errs = append(errs, s.indexer.close())
	}
	return errors.Join(append(errs, s.readers.close())...)
}
