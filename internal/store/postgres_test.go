package store_test

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"net/url"
	"os"
	"strings"
	"sync"
	"testing"

	"github.com/jackc/pgx/v5"

	"qun/internal/store"
	"qun/internal/store/pgtest"
	"qun/internal/store/storetest"
)

// ours is the server most tests share. TestMain closes it.
var ours struct {
	once   sync.Once
	server *pgtest.Server
	err    error
}

// address is where the tests make their databases: QUN_TEST_POSTGRES if it is set, else a server of their own.
func address(t testing.TB) string {
	t.Helper()
	if set := os.Getenv("QUN_TEST_POSTGRES"); set != "" {
		return set
	}
	ours.once.Do(func() { ours.server, ours.err = pgtest.Start(pgtest.Config{}) })
	pgtest.Need(t, ours.err)
	return ours.server.URL("postgres")
}

// ask runs a query at an address.
func ask(t testing.TB, address, query string, args ...any) {
	t.Helper()
	conn, err := pgx.Connect(context.Background(), address)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close(context.Background())
	if _, err := conn.Exec(context.Background(), query, args...); err != nil {
		t.Fatalf("%s: %v", query, err)
	}
}

// database makes a place of its own for a test, in a database, and returns its address.
func database(t testing.TB) string { return databaseOf(t, t.Name()) }

// databaseOf is the same for a name: the same place for the same name.
func databaseOf(t testing.TB, name string) string {
	t.Helper()
	return schemaAt(t, address(t), name)
}

// schemaAt makes a schema: to a connection it is the whole database, and it is made and gone much more quickly.
func schemaAt(t testing.TB, at, name string) string {
	t.Helper()
	sum := sha256.Sum256([]byte(name))
	schema := fmt.Sprintf("test_%d_%x", os.Getpid(), sum[:6])
	ask(t, at, `CREATE SCHEMA IF NOT EXISTS `+schema)
	t.Cleanup(func() { ask(t, at, `DROP SCHEMA IF EXISTS `+schema+` CASCADE`) })
	return with(t, at, "search_path", schema)
}

// with is an address with a setting.
func with(t testing.TB, address, name, value string) string {
	t.Helper()
	at, err := url.Parse(address)
	if err != nil {
		t.Fatal(err)
	}
	query := at.Query()
	query.Set(name, value)
	at.RawQuery = query.Encode()
	return at.String()
}

func openPostgres(t testing.TB, url string) *store.Store {
	t.Helper()
	s, err := store.Open(context.Background(), store.Config{URL: url})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Close() })
	return s
}

// durable starts a server of the test's own that survives the machine.
func durable(t testing.TB) *pgtest.Server {
	t.Helper()
	return pgtest.For(t, pgtest.Config{Durable: true})
}

func TestPostgreSQLIsAStore(t *testing.T) {
	storetest.Run(t, func(t *testing.T, place string) storetest.Store {
		url := databaseOf(t, place)
		checkAtEnd(t, store.Config{URL: url})
		return openPostgres(t, url)
	})
}

func TestAddressThatLeadsNowhereIsSaid(t *testing.T) {
	good := database(t)
	for _, c := range []struct {
		name, url string
		want      error
	}{
		{"no address", "mysql://localhost/qun", store.ErrAddress},
		{"half an address", "postgres://localhost:port/qun", store.ErrAddress},
		{"nobody there", "postgres://qun:secret@127.0.0.1:1/qun", store.ErrUnreachable},
		{"no such database", with(t, good, "dbname", "no_such_database"), store.ErrRefused},
	} {
		s, err := store.Open(t.Context(), store.Config{URL: c.url})
		if !errors.Is(err, c.want) {
			t.Errorf("%s: got %v, want %v", c.name, err, c.want)
		}
		if err == nil {
			s.Close()
		} else if strings.Contains(err.Error(), "secret") {
			t.Errorf("%s: the password is shown: %v", c.name, err)
		}
	}
	openPostgres(t, good)
}

func TestServerThatDoesNotSuitIsSaid(t *testing.T) {
	address(t)
	if ours.server == nil {
		t.Skip("impossible here: a server of somebody else's is used")
	}
	ask(t, ours.server.URL("postgres"), `CREATE DATABASE latin ENCODING 'LATIN1' LOCALE 'C' TEMPLATE template0`)
	for _, c := range []struct {
		name, url string
		want      error
	}{
		{"a wrong password", ours.server.URLOf(pgtest.Guarded+":secret", "postgres"), store.ErrRefused},
		{"a user without rights", ours.server.URLOf(pgtest.Guarded+":"+pgtest.Password, "postgres"), store.ErrRefused},
		{"another encoding", ours.server.URL("latin"), store.ErrUnsuited},
	} {
		s, err := store.Open(t.Context(), store.Config{URL: c.url})
		if !errors.Is(err, c.want) {
			t.Errorf("%s: got %v, want %v", c.name, err, c.want)
		}
		if err == nil {
			s.Close()
		} else if strings.Contains(err.Error(), "secret") || strings.Contains(err.Error(), "sesame") {
			t.Errorf("%s: the password is shown: %v", c.name, err)
		}
	}
}

func TestPostgreSQLOfANewerVersionIsSaid(t *testing.T) {
	at := database(t)
	if err := openPostgres(t, at).Close(); err != nil {
		t.Fatal(err)
	}
	ask(t, at, `INSERT INTO goose_db_version (version_id, is_applied) VALUES (99999, true)`)
	if _, err := store.Open(t.Context(), store.Config{URL: at}); !errors.Is(err, store.ErrNewer) {
		t.Errorf("got %v, want %v", err, store.ErrNewer)
	}
}
