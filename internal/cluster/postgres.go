package cluster

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
)

const (
	// postgresLimit is below the 8000 bytes that PostgreSQL lets a notification carry.
	postgresLimit = 7900
	// connectTime bounds a connection's making.
	connectTime = 5 * time.Second
)

// Postgres is a Bus on LISTEN and NOTIFY of a database. It holds two connections, one to hear and one to speak. What is
// said is said after the commit it is about, never in its transaction: a commit that notifies waits for all others that do.
type Postgres struct {
	config  *pgx.ConnConfig
	channel string
	log     *slog.Logger
	speak   *pgx.Conn // nil: lost. Owned by who publishes
}

var _ Bus = (*Postgres)(nil)

// NewPostgres is a bus on a channel, which has the name of an identifier, of the database at an address. That may hold a
// password and is never shown.
func NewPostgres(url, channel string, log *slog.Logger) (*Postgres, error) {
	config, err := pgx.ParseConfig(url)
	if err != nil {
		return nil, errors.New("read the address of the database")
	}
	config.RuntimeParams["application_name"] = "qun nodes"
	config.RuntimeParams["statement_timeout"] = "5s"
	config.DefaultQueryExecMode = pgx.QueryExecModeExec
	if config.ConnectTimeout == 0 {
		config.ConnectTimeout = connectTime
	}
	if config.ValidateConnect == nil {
		config.ValidateConnect = pgconn.ValidateConnectTargetSessionAttrsReadWrite
	}
	return &Postgres{config: config, channel: channel, log: log}, nil
}

// Limit is the size of the largest payload.
func (b *Postgres) Limit() int { return postgresLimit }

// Run hears: see Bus.
func (b *Postgres) Run(ctx context.Context, hear func([]byte), up func()) {
	again(ctx, up, func(ctx context.Context, up func()) error { return b.listen(ctx, hear, up) }, func(err error) {
		b.log.Warn("the database tells nothing of other nodes for now", "error", err)
	})
}

func (b *Postgres) listen(ctx context.Context, hear func([]byte), up func()) error {
	conn, err := b.connect(ctx)
	if err != nil {
		return err
	}
	defer hangUp(conn)
	listening, cancel := context.WithTimeout(ctx, connectTime)
	defer cancel()
	if _, err := conn.Exec(listening, "LISTEN "+b.channel); err != nil {
		return fmt.Errorf("listen: %w", err)
	}
	up()
	for {
		waiting, cancel := context.WithTimeout(ctx, silence)
		n, err := conn.WaitForNotification(waiting)
		cancel()
		if err != nil {
			return fmt.Errorf("wait for a notification: %w", err)
		}
		hear([]byte(n.Payload))
	}
}

func (b *Postgres) connect(ctx context.Context) (*pgx.Conn, error) {
	ctx, cancel := context.WithTimeout(ctx, connectTime)
	defer cancel()
	conn, err := pgx.ConnectConfig(ctx, b.config)
	if err != nil {
		return nil, fmt.Errorf("connect: %w", err)
	}
	return conn, nil
}

func hangUp(conn *pgx.Conn) {
	ctx, cancel := context.WithTimeout(context.Background(), time.Second)
	defer cancel()
	_ = conn.Close(ctx) // it is of no use any more
}

// Publish notifies: see Bus.
func (b *Postgres) Publish(ctx context.Context, payload []byte) (err error) {
	if b.speak == nil {
		if b.speak, err = b.connect(ctx); err != nil {
			return err
		}
	}
	if _, err = b.speak.Exec(ctx, "SELECT pg_notify($1, $2)", b.channel, string(payload)); err != nil {
		hangUp(b.speak)
		b.speak = nil
		return fmt.Errorf("notify: %w", err)
	}
	return nil
}

// Close hangs up.
func (b *Postgres) Close() error {
	if b.speak != nil {
		hangUp(b.speak)
		b.speak = nil
	}
	return nil
}
