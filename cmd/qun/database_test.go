package main_test

import (
	"io/fs"
	"path/filepath"
	"strings"
	"testing"

	"qun/internal/store/pgtest"

	qun "qun/cmd/qun"
)

// in is a machine with a variable.
func in(name, value string) func(*qun.Machine) {
	return func(m *qun.Machine) {
		m.LookupEnv = func(asked string) (string, bool) {
			if asked == name {
				return value, true
			}
			return "", false
		}
	}
}

func TestTheChatIsKeptInPostgreSQL(t *testing.T) {
	url := pgtest.For(t, pgtest.Config{}).URLOf(pgtest.User+":hush", "postgres")
	var epoch string
	for visit := range 2 {
		folder := t.TempDir()
		p := startWith(t, in("QUN_DATABASE", url), "--data", folder)
		c := p.dial(t)
		entered := c.enter("大厅", "小明")
		if visit == 0 {
			epoch = entered.Epoch
			c.must("sendMessage", object{"room": "大厅", "message": "它记得"})
		} else if n := len(entered.Messages); n != 1 || entered.Messages[0].Message != "它记得" || entered.Epoch != epoch {
			t.Errorf("after a restart: got %d messages of epoch %s, want the one of epoch %s", n, entered.Epoch, epoch)
		}
		c.Close()
		p.end(t)
		if said := p.out.String() + p.err.String(); strings.Contains(said, "hush") || !strings.Contains(said, "PostgreSQL") {
			t.Errorf("it said %q, want that there is a database, and no password", said)
		}
		err := filepath.WalkDir(folder, func(name string, entry fs.DirEntry, err error) error {
			if err == nil && !entry.IsDir() {
				t.Errorf("the folder holds %s: want nothing, for nothing was uploaded", name)
			}
			return err
		})
		if err != nil {
			t.Error(err)
		}
	}
}

func TestADatabaseThatCannotBeUsedSaysSo(t *testing.T) {
	server := pgtest.For(t, pgtest.Config{})
	for name, c := range map[string]struct {
		url   string
		words []string
	}{
		"another kind":          {"mysql://qun:hush@127.0.0.1/qun", []string{"--database", "postgres://"}},
		"nobody there":          {"postgres://qun:hush@127.0.0.1:1/qun", []string{"--database", "does not answer"}},
		"no such database":      {server.URLOf(pgtest.User+":hush", "no_such_database"), []string{"--database", "let Qun in", "no_such_database"}},
		"a wrong password":      {server.URLOf(pgtest.Guarded+":hush", "postgres"), []string{"--database", "password"}},
		"a user without rights": {server.URLOf(pgtest.Guarded+":"+pgtest.Password, "postgres"), []string{"--database", "right to make tables"}},
	} {
		t.Run(name, func(t *testing.T) {
			code, out, complaint := run(t, map[string]string{"QUN_DATABASE": c.url}, "serve", "--listen", "127.0.0.1:0", "--data", t.TempDir())
			wantComplaint(t, code, complaint, c.words...)
			if strings.Contains(out+complaint, "hush") || strings.Contains(out+complaint, pgtest.Password) {
				t.Errorf("the password is shown: %s%s", out, complaint)
			}
		})
	}
}
