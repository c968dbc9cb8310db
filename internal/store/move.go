package store

import (
	"cmp"
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"modernc.org/sqlite"
)

// Move is the way of a chat from a file of SQLite's into a PostgreSQL database: StartMove, Copy, Finish, Close. It keeps its
// ids, keys, numbers and epoch, so that clients go on as if nothing had been.
//
// From StartMove on nobody else writes into the file. A server that runs on it answers reads, and says chat.ErrBusy to what
// would be written; it has to end before Finish does, or it would go on with the old data. In the database everything
// happens in one transaction: whatever cuts a move, the database is as empty as it was.
type Move struct {
	// Set once.
	dir    string
	db     *sql.DB
	source *session // in the one transaction that writes

	folder *dirLock        // nil while a server holds it
	config *pgx.ConnConfig // of the target; nil until Copy
	target *pgx.Conn       // in its transaction; nil until Copy

	settles time.Duration // how long a server is asked what became of a commit that was cut; 0: maxSettle
}

// movedTables are the tables that move, each behind those it refers to. What else is in PostgreSQL is its own: who writes
// (writers), and the index, which is made again.
var movedTables = []string{
	"settings", "users", "groups", "member_names", "sessions", "memberships", "messages", "mentions", "reactions", "member_terms",
	"invites", "join_requests", "blocks", "audit", "untold", "tickets", "bot_tokens", "files", "file_uses", "file_totals",
	"webhooks", "push_subscriptions", "push_marks", "reports", "links",
}

// settingMoved is in a file whose chat has moved. A server that took it up again would give out numbers a second time.
const settingMoved = "moved"

// StartMove keeps everybody else from writing into the data of a folder, until Close. Data of another version is ErrOlder or
// ErrNewer, none is ErrAbsent, and what has moved before ErrMoved.
func StartMove(ctx context.Context, dir string) (m *Move, err error) {
	path := filepath.Join(dir, databaseName)
	if _, err := os.Stat(path); errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("open %s: %w", path, ErrAbsent)
	}
	m = &Move{dir: dir}
	if err := m.freeze(ctx, path); err != nil {
		return nil, errors.Join(fmt.Errorf("open %s: %w", path, explainSource(err)), m.Close())
	}
	return m, nil
}

func (m *Move) freeze(ctx context.Context, path string) (err error) {
	if m.folder, err = lockFile(filepath.Join(m.dir, lockName)); err != nil && !errors.Is(err, ErrLocked) {
		return err
	}
	m.db, err = connect(ctx, path, "busy_timeout(10000)", "synchronous(FULL)", "temp_store(MEMORY)", "cache_size(-16384)")
	if err != nil {
		return err
	}
	if err := isOfThisVersion(ctx, m.db, sqliteDialect); err != nil {
		return err
	}
	if m.source, err = newSession(ctx, sqliteDialect, m.db); err != nil {
		return err
	}
	if _, err := m.source.exec(ctx, `BEGIN IMMEDIATE`); err != nil {
		return err
	}
	return wantUnmoved(ctx, m.db)
}

// wantUnmoved is ErrMoved for a chat that is in a PostgreSQL database now.
func wantUnmoved(ctx context.Context, db *sql.DB) error {
	var moved bool
	err := db.QueryRowContext(ctx, `SELECT EXISTS (SELECT 1 FROM settings WHERE name = $1)`, settingMoved).Scan(&moved)
	if err == nil && moved {
		err = ErrMoved
	}
	return err
}

// SQLite's result codes for a file that somebody else writes into, and for one that may not be written into.
const (
	sqliteBusy     = 5
	sqliteReadOnly = 8
)

func explainSource(err error) error {
	var of *sqlite.Error
	if errors.As(err, &of) {
		switch of.Code() & 0xff {
		case sqliteBusy:
			return fmt.Errorf("%w: %w", ErrLocked, err)
		case sqliteReadOnly:
			return fmt.Errorf("%w: %w", ErrUnwritable, err)
		}
	}
	return damage(err)
}

// Copy copies everything into a database in which there is nothing, and compares what is there then with what was copied,
// group by group: ErrCopy says that it is not the same. A database that is not empty is ErrOccupied, and left alone. Each
// table is told of when it is done.
func (m *Move) Copy(ctx context.Context, url string, copied func(table string, rows int64)) error {
	config, err := parseAddress(url)
	if err != nil {
		return err
	}
	if err := m.copy(ctx, config, copied); err != nil {
		return fmt.Errorf("copy into the database %s at %s:%d: %w", config.Database, config.Host, config.Port, refusal(err))
	}
	return nil
}

func (m *Move) copy(ctx context.Context, config *pgx.ConnConfig, copied func(string, int64)) (err error) {
	m.config = withSettings(config, patientSettings)
	if m.target, err = pgx.ConnectConfig(ctx, m.config); err != nil {
		return err
	}
	if err := wantEmpty(ctx, m.target); err != nil {
		return err
	}
	if err := migratePostgres(ctx, config, postgresDialect); err != nil {
		return err
	}
	if err := m.begin(ctx); err != nil {
		return err
	}
	for _, name := range movedTables {
		rows, err := m.copyTable(ctx, name)
		if err != nil {
			return err
		}
		copied(name, rows)
	}
	_, err = m.target.Exec(ctx, `ANALYZE `+strings.Join(movedTables, ", "))
	return err
}

// begin begins the transaction. Nodes that start meanwhile wait for its end, as they do for one that migrates.
func (m *Move) begin(ctx context.Context) error {
	_, err := m.target.Exec(ctx, `BEGIN;
		SELECT set_config('synchronous_commit', 'on', true) WHERE current_setting('synchronous_commit') = 'off'`)
	if err == nil {
		_, err = m.target.Exec(ctx, `SELECT pg_advisory_xact_lock($1)`, lockMigrations)
	}
	if err != nil {
		return err
	}
	return wantEmpty(ctx, m.target)
}

// wantEmpty is ErrOccupied for a database in which there is a row, whoever wrote it.
func wantEmpty(ctx context.Context, conn *pgx.Conn) error {
	rows, err := conn.Query(ctx, `SELECT relname::text FROM pg_class WHERE relnamespace = current_schema()::regnamespace
		AND relkind IN ('r', 'p') AND relname <> 'goose_db_version' ORDER BY relname`)
	if err != nil {
		return err
	}
	tables, err := pgx.CollectRows(rows, pgx.RowTo[string])
	if err != nil {
		return err
	}
	for _, name := range tables {
		var occupied bool
		err := conn.QueryRow(ctx, `SELECT EXISTS (SELECT 1 FROM `+pgx.Identifier{name}.Sanitize()+`)`).Scan(&occupied)
		if err == nil && occupied {
			err = fmt.Errorf("%w: its table %s has rows", ErrOccupied, name)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// copyTable copies the rows of a table, and reads them again.
func (m *Move) copyTable(ctx context.Context, name string) (n int64, err error) {
	t, err := describeTable(ctx, m.target, name)
	if err != nil {
		return 0, fmt.Errorf("look at the columns of %s: %w", name, err)
	}
	sent, err := t.send(ctx, m.source, m.target)
	if err != nil {
		return 0, fmt.Errorf("copy %s: %w", name, err)
	}
	stored, err := t.readBack(ctx, m.target)
	if err != nil {
		return 0, fmt.Errorf("read %s again: %w", name, err)
	}
	if err := m.compare(ctx, name, sent, stored); err != nil {
		return 0, err
	}
	if slices.Contains(t.columns, "key") { // made by a sequence, which goes on behind
		_, err = m.target.Exec(ctx, `SELECT setval(pg_get_serial_sequence($1, 'key'), COALESCE(MAX(key), 0) + 1, false) FROM `+name, name)
	}
	for _, s := range sent {
		n += s.rows
	}
	return n, err
}

// compare names the groups in which a table is not what was sent.
func (m *Move) compare(ctx context.Context, table string, sent, stored sums) error {
	differ := sent.differences(stored)
	if len(differ) == 0 {
		return nil
	}
	var where []string
	for _, key := range differ[:min(len(differ), examples)] {
		of := fmt.Sprintf("%d rows, not %d", stored[key].rows, sent[key].rows)
		if stored[key].rows == sent[key].rows {
			of = "other rows"
		}
		if key != noGroup {
			id := fmt.Sprintf("with the key %d", key)
			if err := m.source.row(ctx, `SELECT id FROM groups WHERE key = $1`, []any{key}, &id); err != nil && !isNone(err) {
				return err
			}
			of = "group " + id + ": " + of
		}
		where = append(where, of)
	}
	return fmt.Errorf("%w: in %s: %s, in all at %d places", ErrCopy, table, strings.Join(where, "; "), len(differ))
}

// waitForServer is how often a server that has to end is looked for.
const waitForServer = 200 * time.Millisecond

// Finish makes the copy what counts, and notes in the folder that its chat has moved. It waits for a server that still runs
// on the folder; waiting is called before it does.
func (m *Move) Finish(ctx context.Context, waiting func()) error {
	if err := m.takeFolder(ctx, waiting); err != nil {
		return fmt.Errorf("take the folder %s: %w", m.dir, err)
	}
	ctx = context.WithoutCancel(ctx) // from here on it is both or none
	if err := m.commit(ctx); err != nil {
		return fmt.Errorf("commit: %w", refusal(err))
	}
	_, err := m.source.exec(ctx, `INSERT INTO settings (name, value) VALUES ($1, $2)`, settingMoved, []byte(time.Now().UTC().Format(time.RFC3339)))
	if err == nil {
		_, err = m.source.exec(ctx, `COMMIT`)
	}
	if err != nil {
		return fmt.Errorf("all is in the database, but the folder %s could not be told: do not serve it again: %w", m.dir, err)
	}
	return nil
}

// commit makes the copy what counts. What became of a commit that was cut the database itself says, as soon as it can be
// reached again: it has the chat's epoch or none. ErrUnknown: it could not be reached.
func (m *Move) commit(ctx context.Context) error {
	did, err := m.target.Exec(ctx, `COMMIT`)
	switch {
	case err == nil && did.String() != "COMMIT":
		return fmt.Errorf("the server answered %s", did)
	case err == nil || !m.target.IsClosed():
		return err
	}
	ctx, cancel := context.WithTimeout(ctx, cmp.Or(m.settles, maxSettle))
	defer cancel()
	pause := time.NewTicker(100 * time.Millisecond)
	defer pause.Stop()
	for {
		committed, unanswered := m.arrived(ctx)
		switch {
		case unanswered == nil && committed:
			return nil
		case unanswered == nil:
			return fmt.Errorf("%w: %w", ErrUnreachable, err)
		}
		select {
		case <-pause.C:
		case <-ctx.Done():
			return fmt.Errorf("%w: %w", ErrUnknown, unanswered)
		}
	}
}

// arrived reports whether the target has the chat of the source. It waits for the end of a transaction that the server is still
// in, by the lock that it holds.
func (m *Move) arrived(ctx context.Context) (yes bool, err error) {
	conn, err := pgx.ConnectConfig(ctx, m.config)
	if err != nil {
		return false, err
	}
	defer conn.Close(context.WithoutCancel(ctx))
	if _, err := conn.Exec(ctx, `SELECT pg_advisory_xact_lock($1)`, lockMigrations); err != nil {
		return false, err
	}
	var epoch []byte
	if err := m.source.row(ctx, `SELECT value FROM settings WHERE name = 'epoch'`, nil, &epoch); err != nil {
		return false, err
	}
	err = conn.QueryRow(ctx, `SELECT EXISTS (SELECT 1 FROM settings WHERE name = 'epoch' AND value = $1)`, epoch).Scan(&yes)
	return yes, err
}

func (m *Move) takeFolder(ctx context.Context, waiting func()) (err error) {
	if m.folder != nil {
		return nil
	}
	waiting()
	tick := time.NewTicker(waitForServer)
	defer tick.Stop()
	for {
		if m.folder, err = lockFile(filepath.Join(m.dir, lockName)); !errors.Is(err, ErrLocked) {
			return err
		}
		select {
		case <-tick.C:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

// Close lets go of both. What was not finished leaves nothing.
func (m *Move) Close() error {
	var errs []error
	if m.target != nil {
		ctx, cancel := context.WithTimeout(context.Background(), time.Second)
		defer cancel()
		m.target.Close(ctx) // has nothing to add
	}
	if m.source != nil {
		errs = append(errs, m.source.close())
	}
	if m.db != nil {
		errs = append(errs, m.db.Close())
	}
	if m.folder != nil {
		errs = append(errs, m.folder.release())
	}
	return errors.Join(errs...)
}

// whereCopied adds to what PostgreSQL says of a COPY the row that it means.
func whereCopied(err error) error {
	var said *pgconn.PgError
	if errors.As(err, &said) && said.Where != "" {
		return fmt.Errorf("%w: %s", err, said.Where)
	}
	return err
}
