package store

import (
	"context"
	"crypto/rand"
	"database/sql"
	"encoding/hex"
	"errors"
	"fmt"
	"log/slog"
	"sync"

	"github.com/pressly/goose/v3"

	"qun/internal/auth"
	"qun/internal/chat"
)

// Store keeps the chat in SQL.
type Store struct {
	// Set once.
	dialect *dialect
	lock    *dirLock
	db      *sql.DB
	log     *slog.Logger
	path    string
	epoch   string

	writer     *writer
	readers    *pool
	checkpoint *checkpointer

	closing sync.Once
}

var (
	_ chat.Store = (*Store)(nil)
	_ auth.Store = (*Store)(nil)
)

// start checks and migrates the database and starts the writer.
func (s *Store) start(ctx context.Context) error {
	if err := quickCheck(ctx, s.db, s.path); err != nil {
		return err
	}
	if err := migrate(ctx, s.db, "sqlite", goose.DialectSQLite3); err != nil {
		return err
	}
	session, err := newSession(ctx, s.db)
	if err != nil {
		return err
	}
	if s.checkpoint, err = startCheckpointer(ctx, s.db, s.path, s.log); err != nil {
		return errors.Join(err, session.close())
	}
	s.readers = newPool(s.db, readerCount())
	s.writer = startWriter(session, s.dialect, s.checkpoint.wrote)
	epoch, err := s.Setting(ctx, "epoch", newEpoch())
	if err != nil {
		return errors.Join(fmt.Errorf("read the epoch: %w", err), s.stop())
	}
	s.epoch = string(epoch)
	return nil
}

// newEpoch names a history of numbers: 64 random bits.
func newEpoch() []byte {
	bits := make([]byte, 8)
	rand.Read(bits)
	return []byte(hex.EncodeToString(bits))
}

// Epoch names the history of numbers: see chat.Store.
func (s *Store) Epoch() string { return s.epoch }

// Hear names who is told of events: see chat.Store.
func (s *Store) Hear(hear func([]chat.Event)) { s.writer.hear = hear }

// Close writes what waits, folds the journal into the database, and lets go of the folder.
func (s *Store) Close() (err error) {
	s.closing.Do(func() {
		err = errors.Join(s.stop(), s.db.Close(), s.lock.release())
	})
	return err
}

// stop ends all goroutines of s: first the writer, then who looks after what it wrote.
func (s *Store) stop() error {
	s.writer.close()
	return errors.Join(s.writer.session.close(), s.readers.close(), s.checkpoint.close())
}
