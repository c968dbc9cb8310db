package store_test

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"qun/internal/chat"
	"qun/internal/store"
	"qun/internal/store/fresh"
)

// move moves the data of a folder into a database; at each waiting the server that runs on the folder is ended by end.
func move(t *testing.T, dir, url string, end func()) error {
	t.Helper()
	m, err := store.StartMove(t.Context(), dir)
	if err != nil {
		return err
	}
	defer m.Close()
	if err := m.Copy(t.Context(), url, func(string, int64) {}); err != nil {
		return err
	}
	return m.Finish(t.Context(), end)
}

func nobody() {}

// tables are the tables of a file, and their columns.
func tables(t *testing.T, db *sql.DB) map[string][]column {
	t.Helper()
	rows, err := db.QueryContext(t.Context(), `SELECT t.name, c.name, c.type, c."notnull" OR c.pk FROM sqlite_master t JOIN pragma_table_info(t.name) c
		WHERE t.type = 'table' AND t.name NOT LIKE 'sqlite_%' AND t.name <> 'goose_db_version' ORDER BY t.name, c.cid`)
	if err != nil {
		t.Fatal(err)
	}
	defer rows.Close()
	all := map[string][]column{}
	for rows.Next() {
		var table string
		var c column
		if err := rows.Scan(&table, &c.name, &c.kind, &c.needed); err != nil {
			t.Fatal(err)
		}
		all[table] = append(all[table], c)
	}
	if err := rows.Err(); err != nil {
		t.Fatal(err)
	}
	return all
}

type column struct {
	name, kind string
	needed     bool
}

// value is what a column holds in row 0, as little as possible, or in row 1.
func (c column) value(row int) string {
	switch {
	case row == 0 && !c.needed:
		return `NULL`
	case c.kind == "INTEGER":
		return fmt.Sprint(row) // also a key, a truth
	case c.kind == "BLOB":
		return []string{`x''`, `x'00ff5c0a'`}[row]
	}
	return []string{`''`, `'群 😀' || char(9, 10, 92, 34, 39) || 'x'`}[row]
}

// overfurnish writes two rows into every table there is.
func overfurnish(t *testing.T, path string) *sql.DB {
	t.Helper()
	db, err := sql.Open("sqlite", "file:"+path)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { db.Close() })
	for table, columns := range tables(t, db) {
		for row := range 2 {
			values := make([]string, len(columns))
			for i, c := range columns {
				values[i] = c.value(row)
			}
			if _, err := db.ExecContext(t.Context(), `INSERT INTO `+table+` VALUES (`+strings.Join(values, ", ")+`)`); err != nil {
				t.Fatalf("%s: %v", table, err)
			}
		}
	}
	return db
}

// TestEveryColumnOfEveryTableMoves compares both as they say it themselves, in text.
func TestEveryColumnOfEveryTableMoves(t *testing.T) {
	dir, url := fresh.Dir(t), database(t)
	db := overfurnish(t, filepath.Join(dir, "qun.db"))
	all := tables(t, db)
	want := map[string]string{}
	for table, columns := range all {
		want[table] = ""
		for _, row := range texts(t, db, table, columns) {
			want[table] += row + "\n"
		}
	}
	if err := move(t, dir, url, nobody); err != nil {
		t.Fatal(err)
	}
	conn, err := pgx.Connect(t.Context(), url)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close(context.Background())
	for table, columns := range all {
		parts := make([]string, len(columns))
		for i, c := range columns {
			parts[i] = c.name + `::text`
			switch c.kind {
			case "BLOB":
				parts[i] = `upper(encode(` + c.name + `, 'hex'))`
			case "INTEGER":
				parts[i] = `replace(replace(` + parts[i] + `, 'true', '1'), 'false', '0')`
			}
			parts[i] = `COALESCE(` + parts[i] + `, 'NULL')`
		}
		rows, err := conn.Query(t.Context(), `SELECT concat_ws('|', `+strings.Join(parts, ", ")+`) FROM `+table)
		if err != nil {
			t.Fatal(err)
		}
		lines, err := pgx.CollectRows(rows, pgx.RowTo[string])
		if err != nil {
			t.Fatal(err)
		}
		slices.Sort(lines)
		if got := strings.Join(lines, "\n") + "\n"; got != want[table] || len(lines) != 2 {
			t.Errorf("%s: got\n%swant\n%s", table, got, want[table])
		}
	}
}

// texts are the rows of a table.
func texts(t *testing.T, db *sql.DB, table string, columns []column) (all []string) {
	t.Helper()
	parts := make([]string, len(columns))
	for i, c := range columns {
		parts[i] = `CAST(` + c.name + ` AS TEXT)`
		if c.kind == "BLOB" {
			parts[i] = `hex(` + c.name + `)`
		}
		parts[i] = `CASE WHEN ` + c.name + ` IS NULL THEN 'NULL' ELSE ` + parts[i] + ` END`
	}
	rows, err := db.QueryContext(t.Context(), `SELECT `+strings.Join(parts, " || '|' || ")+` AS row FROM `+table+` ORDER BY row`)
	if err != nil {
		t.Fatal(err)
	}
	defer rows.Close()
	for rows.Next() {
		var text string
		if err := rows.Scan(&text); err != nil {
			t.Fatal(err)
		}
		all = append(all, text)
	}
	if err := rows.Err(); err != nil {
		t.Fatal(err)
	}
	return all
}

// A chat that moved is whole, and goes on with its numbers where it was.
func TestAChatGoesOnWhereItMoved(t *testing.T) {
	from, to := store.Config{Dir: fresh.Dir(t)}, store.Config{URL: database(t)}
	furnish(t, from)
	type state struct {
		epoch  string
		heads  map[chat.GroupID]chat.Seq
		mine   []chat.Belonging
		newest []*chat.Message
	}
	var alice *chat.User
	var group chat.GroupID
	look := func(s *store.Store) (now state) {
		t.Helper()
		now.epoch = s.Epoch()
		err := s.View(t.Context(), func(r chat.Reader) (err error) {
			users, err := r.UsersAfter("", 10)
			if err != nil {
				return err
			}
			alice = users[slices.IndexFunc(users, func(u *chat.User) bool { return u.NickName == "alice" })]
			if now.mine, err = r.Belongings(alice.ID, 0); err != nil {
				return err
			}
			group = now.mine[0].Group.ID
			if now.heads, err = r.Heads([]chat.GroupID{group}); err != nil {
				return err
			}
			now.newest, err = r.Newest(group, 0, 100)
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
		return now
	}
	s, err := store.Open(t.Context(), from)
	if err != nil {
		t.Fatal(err)
	}
	before := look(s)
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	if err := move(t, from.Dir, to.URL, func() { t.Error("it waits for nobody") }); err != nil {
		t.Fatal(err)
	}
	s = openPostgres(t, to.URL)
	if after := look(s); !reflect.DeepEqual(after, before) {
		t.Errorf("got %+v, want %+v", after, before)
	}
	service := chat.New(s, deaf{}, chat.Config{Limits: chat.Limits{MessageLength: 100}})
	sent, err := service.SendMessage(t.Context(), alice, chat.NewMessage{Group: group, Text: "here"})
	if err != nil || sent.Message.Seq != before.heads[group]+1 {
		t.Errorf("the next message: got %+v, %v, want number %d", sent, err, before.heads[group]+1)
	}
	if _, err := service.CreateMember(t.Context(), chat.NewMember{Username: "carol"}); err != nil {
		t.Errorf("a new user: %v", err)
	}
	if err := errors.Join(s.SettleIndex(t.Context()), service.Close(t.Context())); err != nil {
		t.Fatal(err)
	}
	wantClean(t, to)

	if _, err := store.Open(t.Context(), from); !errors.Is(err, store.ErrMoved) {
		t.Errorf("the folder is opened again: %v", err)
	}
	if _, err := store.StartMove(t.Context(), from.Dir); !errors.Is(err, store.ErrMoved) {
		t.Errorf("it moves again: %v", err)
	}
	from.Moved = true
	if s, err = store.Open(t.Context(), from); err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(s.NewEpoch(t.Context()), s.Close()); err != nil {
		t.Fatal(err)
	}
	from.Moved = false
	if s, err = store.Open(t.Context(), from); err != nil {
		t.Fatalf("taken back: %v", err)
	}
	defer s.Close()
	if s.Epoch() == before.epoch {
		t.Error("it was taken back, and its numbers count as before")
	}
}

// While it moves a chat can be read and not written. What keeps it from moving leaves it as it was.
func TestAServerRunsWhileItsChatMoves(t *testing.T) {
	from, url := store.Config{Dir: fresh.Dir(t)}, database(t)
	furnish(t, from)
	s, err := store.Open(t.Context(), from)
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	ended := false
	err = move(t, from.Dir, url, func() {
		err := s.View(t.Context(), func(r chat.Reader) error {
			users, err := r.UsersAfter("", 10)
			if len(users) != 3 {
				t.Errorf("there are %d users", len(users))
			}
			return err
		})
		if err != nil {
			t.Errorf("it cannot be read: %v", err)
		}
		db, err := sql.Open("sqlite", "file:"+filepath.Join(from.Dir, "qun.db"))
		if err != nil {
			t.Fatal(err)
		}
		defer db.Close()
		_, err = db.ExecContext(t.Context(), `UPDATE groups SET topic = 'late'`)
		if !errors.Is(store.ExplainSQLite(err), chat.ErrBusy) {
			t.Errorf("it can be written, or says something else: %v", err)
		}
		ended = true
		if err := s.Close(); err != nil {
			t.Errorf("the server ends: %v", err)
		}
	})
	if err != nil || !ended {
		t.Fatalf("moved: %v, and waited for the server: %v", err, ended)
	}

	ctx, stop := context.WithCancel(t.Context())
	from, url = store.Config{Dir: fresh.Dir(t)}, schemaAt(t, address(t), t.Name()+"2")
	furnish(t, from)
	if s, err = store.Open(t.Context(), from); err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	m, err := store.StartMove(t.Context(), from.Dir)
	if err != nil {
		t.Fatal(err)
	}
	if err := m.Copy(ctx, url, func(string, int64) {}); err != nil {
		t.Fatal(err)
	}
	if err := m.Finish(ctx, stop); !errors.Is(err, context.Canceled) {
		t.Errorf("stopped: got %v", err)
	}
	if err := m.Close(); err != nil {
		t.Error(err)
	}
	if _, err := s.Setting(t.Context(), "a setting", []byte("x")); err != nil {
		t.Errorf("it is not let go of: %v", err)
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	if err := move(t, from.Dir, url, nobody); err != nil {
		t.Errorf("after one that was stopped: %v", err)
	}
}

// A commit that is cut on its way has not happened, and one whose answer is cut has. Of one after which the server is gone nobody
// can say it, and the folder is left as it was.
func TestAMoveWhoseCommitIsCutSaysTruly(t *testing.T) {
	for _, c := range []struct {
		name  string
		cut   cut
		moved bool
		want  error
	}{
		{"before the server", beforeServer, false, store.ErrUnreachable},
		{"after the server", afterServer, true, nil},
		{"after the server, for good", afterServerForGood, true, store.ErrUnknown},
	} {
		t.Run(c.name, func(t *testing.T) {
			from, url := store.Config{Dir: fresh.Dir(t)}, database(t)
			furnish(t, from)
			proxy := newProxy(t, url)
			m, err := store.StartMove(t.Context(), from.Dir)
			if err != nil {
				t.Fatal(err)
			}
			defer m.Close()
			if c.cut == afterServerForGood {
				m.SettleFor(time.Millisecond)
			}
			if err := m.Copy(t.Context(), proxy.url, func(string, int64) {}); err != nil {
				t.Fatal(err)
			}
			proxy.cutNext(c.cut)
			err = m.Finish(t.Context(), nobody)
			if !errors.Is(err, c.want) || errors.Is(err, store.ErrUnknown) != errors.Is(c.want, store.ErrUnknown) || !proxy.fired() {
				t.Errorf("got %v, want %v", err, c.want)
			}
			if err := m.Close(); err != nil {
				t.Error(err)
			}
			if again := move(t, from.Dir, url, nobody); c.moved != (again != nil) {
				t.Errorf("moved: %v; once more: %v", c.moved, again)
			}
		})
	}
}

// Triggers stand for whatever makes of what was copied something else.
func TestACopyThatDiffersIsFound(t *testing.T) {
	dir := fresh.Dir(t)
	furnish(t, store.Config{Dir: dir})
	db, err := sql.Open("sqlite", "file:"+filepath.Join(dir, "qun.db"))
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	var second string
	if err := db.QueryRowContext(t.Context(), `SELECT id FROM groups WHERE key = 2`).Scan(&second); err != nil {
		t.Fatal(err)
	}
	url := database(t)
	s, err := store.Open(t.Context(), store.Config{URL: url})
	if err != nil {
		t.Fatal(err)
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct{ table, does, want string }{
		{"messages", `IF NEW.group_key = 2 AND NEW.seq = 5 THEN NEW.text := 'other'; END IF; RETURN NEW`, "group " + second + ": other rows"},
		{"messages", `IF NEW.group_key = 2 AND NEW.seq = 5 THEN RETURN NULL; END IF; RETURN NEW`, "group " + second + ": "},
		{"messages", `IF NEW.group_key = 2 AND NEW.seq = 5 THEN NEW.rev := NEW.rev + 1000; END IF; RETURN NEW`, "group " + second + ": other rows"},
		{"groups", `IF NEW.key = 2 THEN NEW.head := NEW.head + 1; END IF; RETURN NEW`, "group " + second + ": other rows"},
		{"memberships", `IF NEW.group_key = 2 THEN NEW.read_seq := NEW.read_seq - 1; END IF; RETURN NEW`, "group " + second + ": other rows"},
		{"users", `NEW.head := NEW.head + 1; RETURN NEW`, "in users: other rows"},
	} {
		ask(t, url, `DELETE FROM settings; DELETE FROM writers;
			CREATE FUNCTION plant() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN `+c.does+`; END $$;
			CREATE TRIGGER plant BEFORE INSERT ON `+c.table+` FOR EACH ROW EXECUTE FUNCTION plant()`)
		err := move(t, dir, url, nobody)
		if !errors.Is(err, store.ErrCopy) || !strings.Contains(err.Error(), "in "+c.table) || !strings.Contains(err.Error(), c.want) || !strings.Contains(err.Error(), "at 1 places") {
			t.Errorf("%s, %s: got %v", c.table, c.does, err)
		}
		ask(t, url, `DROP FUNCTION plant CASCADE`)
	}
	if err := move(t, dir, url, nobody); err != nil {
		t.Errorf("without any: %v", err)
	}
}

func TestAMoveThatCannotBeSaysSo(t *testing.T) {
	full := store.Config{Dir: fresh.Dir(t)}
	furnish(t, full)
	older, newer := fresh.Dir(t), fresh.Dir(t)
	execSQLite(t, filepath.Join(older, "qun.db"), `DELETE FROM goose_db_version WHERE version_id > 5`)
	execSQLite(t, filepath.Join(newer, "qun.db"), `UPDATE goose_db_version SET version_id = 999 WHERE version_id = 1`)
	inUse, foreign, advanced := database(t), schemaAt(t, address(t), t.Name()+"foreign"), schemaAt(t, address(t), t.Name()+"advanced")
	furnish(t, store.Config{URL: inUse})
	ask(t, foreign, `CREATE TABLE somebodys AS SELECT 1`)
	ask(t, advanced, `CREATE TABLE goose_db_version (id int, version_id bigint, is_applied bool, tstamp timestamp);
		INSERT INTO goose_db_version VALUES (1, 999, true, now())`)
	odd := fresh.Dir(t)
	execSQLite(t, filepath.Join(odd, "qun.db"), `INSERT INTO files VALUES ('f', 'u', NULL, x'', '', '', 1, 1, 1, 7, 1, 1)`)
	for name, c := range map[string]struct {
		dir, url string
		want     error
		says     string
	}{
		"no source":                  {t.TempDir(), inUse, store.ErrAbsent, ""},
		"an older source":            {older, inUse, store.ErrOlder, ""},
		"a newer source":             {newer, inUse, store.ErrNewer, ""},
		"a target in use":            {full.Dir, inUse, store.ErrOccupied, "has rows"},
		"a target of somebody else":  {full.Dir, foreign, store.ErrOccupied, "somebodys"},
		"a target of a newer Qun":    {full.Dir, advanced, store.ErrNewer, ""},
		"a target that is no server": {full.Dir, "mysql://127.0.0.1/x", store.ErrAddress, ""},
		"nobody there":               {full.Dir, "postgres://qun@127.0.0.1:1/x", store.ErrUnreachable, ""},
		"no such database":           {full.Dir, with(t, inUse, "dbname", "no_such_database"), store.ErrRefused, ""},
		"a truth that is none":       {odd, schemaAt(t, address(t), t.Name()+"odd"), nil, "thumb is 7"},
	} {
		err := move(t, c.dir, c.url, nobody)
		if err == nil || c.want != nil && !errors.Is(err, c.want) || !strings.Contains(err.Error(), c.says) {
			t.Errorf("%s: got %v, want %v %s", name, err, c.want, c.says)
		}
	}
	first, err := store.StartMove(t.Context(), full.Dir)
	if err != nil {
		t.Fatal(err)
	}
	defer first.Close()
	if _, err := store.Open(t.Context(), full); !errors.Is(err, store.ErrLocked) {
		t.Errorf("a server starts while it moves: %v", err)
	}
}

// What is written while a chat moves is refused as what may be tried again, and the store goes on when the move is over.
func TestWhatIsWrittenDuringAMoveMayBeTriedAgain(t *testing.T) {
	t.Parallel() // it waits as long as SQLite does
	at := store.Config{Dir: fresh.Dir(t)}
	s, err := store.Open(t.Context(), at)
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	m, err := store.StartMove(t.Context(), at.Dir)
	if err != nil {
		t.Fatal(err)
	}
	_, err = s.Setting(t.Context(), "a setting", []byte("x"))
	if !errors.Is(err, chat.ErrBusy) || strings.Contains(err.Error(), "roll") {
		t.Errorf("got %v", err)
	}
	if err := m.Close(); err != nil {
		t.Fatal(err)
	}
	if _, err := s.Setting(t.Context(), "a setting", []byte("x")); err != nil {
		t.Errorf("when the move is over: %v", err)
	}
}
