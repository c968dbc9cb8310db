package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"sync/atomic"
	"time"
)

const (
	// checkpointEvery is how long written pages may stay in the journal alone.
	checkpointEvery = time.Second
	// maxJournal is, in bytes, the journal that is cut even if writers wait for a moment: a passive checkpoint can start
	// it anew only when nobody writes or reads.
	maxJournal = 32 << 20
)

// checkpointer moves what was committed from the journal into the database, beside the writer, so that no commit waits
// for it.
type checkpointer struct {
	// Set once.
	session *session
	path    string // of the journal
	log     *slog.Logger
	stop    context.CancelFunc
	done    chan struct{}

	dirty atomic.Bool
	bell  chan struct{} // capacity 1: something was written
}

// startCheckpointer starts one on a connection of its own. To cut the journal it waits for readers with the writer
// locked out: not longer than its busy_timeout, then it gives up until the next time.
func startCheckpointer(ctx context.Context, db *sql.DB, path string, log *slog.Logger) (*checkpointer, error) {
	s, err := newSession(ctx, sqliteDialect, db)
	if err != nil {
		return nil, err
	}
	if _, err := s.exec(ctx, `PRAGMA busy_timeout = 50`); err != nil {
		return nil, errors.Join(fmt.Errorf("set a timeout: %w", err), s.close())
	}
	ctx, stop := context.WithCancel(context.Background())
	c := &checkpointer{
		session: s, path: path + "-wal", log: log, stop: stop,
		done: make(chan struct{}), bell: make(chan struct{}, 1),
	}
	go c.run(ctx)
	return c, nil
}

// wrote notes that there is something to do. The first commit since the last checkpoint rings.
func (c *checkpointer) wrote() {
	if !c.dirty.Swap(true) {
		select {
		case c.bell <- struct{}{}:
		default:
		}
	}
}

// run checkpoints some time after something was written; close waits for it.
func (c *checkpointer) run(ctx context.Context) {
	defer close(c.done)
	pause := time.NewTimer(0)
	defer pause.Stop()
	for {
		select {
		case <-c.bell:
		case <-ctx.Done():
			return
		}
		pause.Reset(checkpointEvery)
		select {
		case <-pause.C:
		case <-ctx.Done():
			return
		}
		c.dirty.Store(false)
		if err := c.checkpoint(); err != nil && ctx.Err() == nil {
			c.log.Error("checkpoint the database", "error", err)
		}
	}
}

// checkpoint copies what it can without making anybody wait; if the journal is long, it then cuts it, which is quick
// because little is left to copy.
func (c *checkpointer) checkpoint() error {
	if err := c.fold(copyJournal); err != nil {
		return fmt.Errorf("copy the journal: %w", err)
	}
	info, err := os.Stat(c.path)
	if err != nil || info.Size() < maxJournal {
		return nil
	}
	if err := c.fold(cutJournal); err != nil {
		return fmt.Errorf("cut the journal: %w", err)
	}
	return nil
}

const (
	copyJournal = `PRAGMA wal_checkpoint(PASSIVE)`
	cutJournal  = `PRAGMA wal_checkpoint(TRUNCATE)`
)

// fold runs a checkpoint. One that found somebody in its way did what it could.
func (c *checkpointer) fold(how string) error {
	var busy, pages, moved int
	return c.session.row(context.Background(), how, nil, &busy, &pages, &moved)
}

// close ends run and folds the whole journal into the database. Nobody may write any more.
func (c *checkpointer) close() error {
	c.stop()
	<-c.done
	err := c.fold(cutJournal)
	if err != nil {
		err = fmt.Errorf("fold the journal: %w", err)
	}
	return errors.Join(err, c.session.close())
}
