package store

import (
	"cmp"
	"context"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"
)

// beginPostgres begins a transaction and writes into it which one it is, in one round trip.
func beginPostgres(t *tx) error {
	t.begun = true // as its first part may be, whatever comes of the second
	return native(t.conn, func(c *pgx.Conn) error {
		return c.PgConn().Exec(t.ctx, fmt.Sprintf(`BEGIN ISOLATION LEVEL READ COMMITTED READ WRITE;
			INSERT INTO writers (id, batch, at) VALUES ('%s', %d, now())
			ON CONFLICT (id) DO UPDATE SET batch = excluded.batch, at = excluded.at`, *t.writer.name.Load(), t.writer.batches)).Close()
	})
}

// enrollPostgres waits for the writers of other nodes; those of this one have waited for each other already.
func enrollPostgres(t *tx) error {
	_, err := t.exec(`SELECT pg_advisory_xact_lock($1)`, lockUsers)
	return err
}

// commitPostgres commits. The server answers the commit of a transaction that has failed with ROLLBACK, and no error.
func commitPostgres(t *tx) error {
	return native(t.conn, func(c *pgx.Conn) error {
		results, err := c.PgConn().Exec(t.ctx, `COMMIT`).ReadAll()
		if err != nil {
			return err
		}
		if did := results[0].CommandTag.String(); did != "COMMIT" {
			return fmt.Errorf("the server answered %s", did)
		}
		return nil
	})
}

// maxSettle bounds how long a database is asked what became of a commit that was cut.
const maxSettle = 10 * time.Second

// settlePostgres asks, as soon as the server can be reached again, whether the writer's last transaction is there. The
// transaction itself says so: whatever was lost, be it a crashed server's or a failed-over one's memory of it, was lost
// together with all else the transaction wrote.
func settlePostgres(w *writer) (committed bool, err error) {
	end := time.NewTimer(cmp.Or(w.settles, maxSettle))
	defer end.Stop()
	pause := time.NewTicker(100 * time.Millisecond)
	defer pause.Stop()
	for {
		batch, err := lastBatch(w)
		if err == nil {
			return batch == w.batches, nil
		}
		select {
		case <-pause.C:
		case <-end.C:
			return false, err
		case <-w.ending:
			return false, err
		}
	}
}

// lastBatch is the last transaction of w that happened. It waits for one the server is still in, by inserting the row
// that the other holds, and never by looking only: what is not committed would be passed over.
func lastBatch(w *writer) (batch int64, err error) {
	ctx, cancel := context.WithTimeout(context.Background(), maxSettle/2)
	defer cancel()
	if err := w.ready(ctx); err != nil {
		return 0, err
	}
	err = w.session.row(ctx, `INSERT INTO writers (id, batch, at) VALUES ($1, 0, now())
		ON CONFLICT (id) DO UPDATE SET at = excluded.at RETURNING batch`, []any{*w.name.Load()}, &batch)
	if err != nil && w.dialect.lost(w.session.conn) {
		w.leave()
	}
	return batch, err
}
