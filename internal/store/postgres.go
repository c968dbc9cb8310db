package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"maps"
	"runtime"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/stdlib"
	"github.com/pressly/goose/v3"

	"qun/internal/chat"
)

const (
	// postgresWriters is how many write at once from here: while one waits for the disk, the others' groups go on.
	postgresWriters = 4
	// postgresPatience bounds a batch, and each wait for an answer in it: longer than the server's own limits below, so
	// that it says itself what was wrong, unless it says nothing at all.
	postgresPatience = 15 * time.Second
	// oldestPostgres is the server version that is the least we are tested with.
	oldestPostgres = 15
)

// postgresSettings are a connection's, unless its address says otherwise. A transaction that stands still, since its
// node does, is ended by the server, and with it the locks that others wait for.
var postgresSettings = map[string]string{
	"application_name":                    "qun",
	"statement_timeout":                   "10s",
	"lock_timeout":                        "1s",
	"idle_in_transaction_session_timeout": "5s",
	"jit":                                 "off",
}

// postgresDialect shares the groups with writers here and elsewhere. Deadlocks cannot be, for all wait in one order:
// first for the rows of all groups of the batch, in the order of their keys; then for the users (enroll), one waiter at
// a time; then, in one statement and in order, for clientIds that another transaction is about to store.
var postgresDialect = &dialect{
	migrations: "postgres",
	goose:      goose.DialectPostgres,
	beginRead:  `BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY`,
	lockRow:    ` FOR UPDATE`,
	lockFree:   ` FOR UPDATE SKIP LOCKED`,
	size:       `pg_database_size(current_database())`,
	elements:   `SELECT unnest($1::text[])`,
	list:       func(ids []string) (any, error) { return ids, nil },
	hashes:     `SELECT decode(hash, 'hex') FROM unnest($1::text[]) AS hash`,
	numbers:    `SELECT unnest($1::bigint[])`,
	listOf:     func(numbers any) (any, error) { return numbers, nil },
	pairs:      `SELECT * FROM unnest($1::bigint[], $2::bigint[]) AS pair (group_key, seq)`,
	listPairs: func(places []moment) ([]any, error) {
		groups, seqs := make([]int64, len(places)), make([]int64, len(places))
		for i, m := range places {
			groups[i], seqs[i] = m.group, int64(m.seq)
		}
		return []any{groups, seqs}, nil
	},
	patience: postgresPatience,
	begin:    beginPostgres,
	prepare:  (*tx).prepare,
	enroll:   enrollPostgres,
	commit:   commitPostgres,
	settle:   settlePostgres,
	again:    againPostgres,
	explain:  explainPostgres,
	lost:     func(c *sql.Conn) bool { return native(c, func(c *pgx.Conn) error { return closed(c) }) != nil },
	hangUp: func(c *sql.Conn) error {
		return native(c, func(c *pgx.Conn) error {
			ctx, cancel := context.WithTimeout(context.Background(), time.Second)
			defer cancel()
			return c.Close(ctx)
		})
	},
}

// openPostgres opens the data of a database server.
func openPostgres(ctx context.Context, cfg Config) (*Store, error) {
	config, err := parseAddress(cfg.URL)
	if err != nil {
		return nil, err
	}
	s := &Store{dialect: postgresDialect, db: openPool(config, nil), log: cfg.Logger}
	s.release = s.db.Close
	if err := s.startPostgres(ctx, config); err != nil {
		err = fmt.Errorf("open the database %s at %s:%d: %w", config.Database, config.Host, config.Port, err)
		return nil, errors.Join(err, s.db.Close())
	}
	return s, nil
}

// parseAddress reads an address; it is never shown, for it may hold a password.
func parseAddress(url string) (*pgx.ConnConfig, error) {
	scheme, _, _ := strings.Cut(url, "://")
	if scheme != "postgres" && scheme != "postgresql" {
		return nil, fmt.Errorf("read the address of the database: %w (it begins with postgres://)", ErrAddress)
	}
	config, err := pgx.ParseConfig(url)
	if err != nil {
		return nil, fmt.Errorf("read the address of the database: %w: %w", ErrAddress, err)
	}
	for name, value := range postgresSettings {
		if _, said := config.RuntimeParams[name]; !said {
			config.RuntimeParams[name] = value
		}
	}
	if config.ConnectTimeout == 0 {
		config.ConnectTimeout = 5 * time.Second
	}
	if config.ValidateConnect == nil { // a server that was demoted is left for the one that took its place
		config.ValidateConnect = pgconn.ValidateConnectTargetSessionAttrsReadWrite
	}
	return config, nil
}

// openPool makes connections with other settings than config's. Sessions are kept by us; what is put back is closed.
func openPool(config *pgx.ConnConfig, settings map[string]string) *sql.DB {
	db := stdlib.OpenDB(*withSettings(config, settings))
	db.SetMaxIdleConns(-1)
	return db
}

func withSettings(config *pgx.ConnConfig, settings map[string]string) *pgx.ConnConfig {
	config = config.Copy()
	maps.Copy(config.RuntimeParams, settings)
	return config
}

// startPostgres checks and migrates the database and starts the writers.
func (s *Store) startPostgres(ctx context.Context, config *pgx.ConnConfig) error {
	if err := migratePostgres(ctx, config, s.dialect); err != nil {
		return refusal(err)
	}
	connect := func(ctx context.Context) (*session, error) {
		session, err := newSession(ctx, s.dialect, s.db)
		if err != nil {
			return nil, err
		}
		if err := native(session.conn, func(c *pgx.Conn) error { return prepareWriter(ctx, c) }); err != nil {
			return nil, errors.Join(fmt.Errorf("connect: %w", err), session.close())
		}
		return session, nil
	}
	if err := s.start(ctx, postgresWriters, max(8, 4*runtime.GOMAXPROCS(0)), connect, func() {}); err != nil {
		return refusal(err)
	}
	s.follow(newPostgresIndex(s.readers))
	return nil
}

// prepareWriter sets what a writer's connection needs beside. What was answered is on the disk, whatever the server's
// habit. Every statement of a writer goes by a key: it takes the index even while the planner thinks a table small, and
// is planned once.
func prepareWriter(ctx context.Context, c *pgx.Conn) error {
	return c.PgConn().Exec(ctx, `SET plan_cache_mode = force_generic_plan;
		SET enable_seqscan = off; SET enable_hashjoin = off; SET enable_mergejoin = off;
		SELECT set_config('synchronous_commit', 'on', false) WHERE current_setting('synchronous_commit') = 'off'`).Close()
}

// Advisory locks of the database.
const (
	lockMigrations = 0x71756e01
	lockUsers      = 0x71756e02
	lockExclusive  = 0x71756e03 // with the name of what is done alone
	lockPeriods    = 0x71756e04
)

// migrateTries bounds how often the tables are migrated.
const migrateTries = 5

// migratePostgres checks the server and migrates the tables. A node that works while another starts may be in its way: whom the
// server sends back, to end a deadlock, comes again.
func migratePostgres(ctx context.Context, config *pgx.ConnConfig, d *dialect) (err error) {
	for range migrateTries {
		if err = migrateAlone(ctx, config, d); !isRolledBack(err) {
			break
		}
	}
	return err
}

// isRolledBack reports whether the server ended a transaction that may be tried again: it left nothing.
func isRolledBack(err error) bool {
	var said *pgconn.PgError
	return errors.As(err, &said) && isClass(said, "40")
}

// migrateAlone does it while no other node does, and takes the time it takes.
func migrateAlone(ctx context.Context, config *pgx.ConnConfig, d *dialect) (err error) {
	db := openPool(config, patientSettings)
	defer func() { err = errors.Join(err, db.Close()) }()
	conn, err := db.Conn(ctx)
	if err != nil {
		return err
	}
	defer conn.Close()
	var version int
	var encoding string
	err = conn.QueryRowContext(ctx, `SELECT current_setting('server_version_num')::int / 10000, current_setting('server_encoding')`).
		Scan(&version, &encoding)
	switch {
	case err != nil:
		return fmt.Errorf("ask for its version: %w", err)
	case version < oldestPostgres:
		return fmt.Errorf("%w: it is PostgreSQL %d, needed is %d or newer", ErrUnsuited, version, oldestPostgres)
	case encoding != "UTF8":
		return fmt.Errorf("%w: its encoding is %s, needed is UTF8 (createdb --encoding=UTF8 --template=template0)", ErrUnsuited, encoding)
	}
	if _, err := conn.ExecContext(ctx, `SELECT pg_advisory_lock($1)`, lockMigrations); err != nil { // the end of conn lets go
		return fmt.Errorf("wait for other nodes: %w", err)
	}
	if err := migrate(ctx, db, d); err != nil {
		return err
	}
	_, err = conn.ExecContext(ctx, `DELETE FROM writers WHERE at < now() - interval '1 day'`)
	return err
}

// native runs do on the driver's own connection.
func native(conn *sql.Conn, do func(*pgx.Conn) error) error {
	return conn.Raw(func(c any) error { return do(c.(*stdlib.Conn).Conn()) })
}

func closed(c *pgx.Conn) error {
	if c.IsClosed() {
		return sql.ErrConnDone
	}
	return nil
}

// refusal says why a database does not open.
func refusal(err error) error {
	var said *pgconn.PgError
	var unreached *pgconn.ConnectError
	switch {
	case errors.As(err, &said) && (isClass(said, "28") || said.Code == "3D000" || said.Code == "42501"):
		return fmt.Errorf("%w: %w", ErrRefused, err)
	case errors.As(err, &unreached) || errors.Is(explainPostgres(err), chat.ErrBusy):
		return fmt.Errorf("%w: %w", ErrUnreachable, err)
	}
	return err
}

func isClass(e *pgconn.PgError, class string) bool { return strings.HasPrefix(e.Code, class) }

// errRaced says that somebody stored a clientId between our look-up and our insert.
var errRaced = errors.New("a clientId was stored meanwhile")

// Of PostgreSQL's codes.
const (
	lockNotAvailable = "55P03"
	queryCanceled    = "57014" // by statement_timeout: nobody else cancels
)

// againPostgres: others were faster, or in the way; or the connection had ended, before anything was committed.
func againPostgres(err error) (again, passOver bool) {
	var said *pgconn.PgError
	var lost *lostError
	switch {
	case errors.Is(err, errRaced):
		return true, false
	case errors.As(err, &lost):
		return true, false
	case errors.As(err, &said):
		return said.Code == lockNotAvailable || isClass(said, "40"), said.Code == lockNotAvailable
	}
	return false, false
}

// explainPostgres makes chat.ErrBusy, "come again", of what passes: a server that cannot be reached, is going down or
// short of something, or a lock that is held too long.
func explainPostgres(err error) error {
	var said *pgconn.PgError
	var unreached *pgconn.ConnectError
	var lost *lostError
	switch {
	case err == nil || errors.Is(err, ErrUnknown) || errors.Is(err, context.Canceled):
		return err
	case errors.As(err, &said):
		if said.Code != lockNotAvailable && said.Code != queryCanceled &&
			!isClass(said, "08") && !isClass(said, "40") && !isClass(said, "53") && !isClass(said, "57P") {
			return err
		}
	case !errors.As(err, &unreached) && !errors.As(err, &lost):
		return err
	}
	return fmt.Errorf("%w: %w", chat.ErrBusy, err)
}
