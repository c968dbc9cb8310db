package store_test

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"qun/internal/chat"
	"qun/internal/store"
	"qun/internal/store/fresh"
)

// places are the databases that archives are tested on, each with a way to do damage to it.
func places(t *testing.T, test func(t *testing.T, at store.Config, damage func(query string))) {
	t.Run("SQLite", func(t *testing.T) {
		at := store.Config{Dir: fresh.Dir(t)}
		test(t, at, func(query string) { execSQLite(t, filepath.Join(at.Dir, "qun.db"), query) })
	})
	t.Run("PostgreSQL", func(t *testing.T) {
		at := store.Config{URL: database(t)}
		test(t, at, func(query string) { ask(t, at.URL, query) })
	})
}

func execSQLite(t *testing.T, path, query string) {
	t.Helper()
	db, err := sql.Open("sqlite", "file:"+path)
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	if _, err := db.ExecContext(t.Context(), query); err != nil {
		t.Fatalf("%s: %v", query, err)
	}
}

// checked is what a check of the data at a place finds.
func checked(t *testing.T, at store.Config) *store.Report {
	t.Helper()
	a, err := store.OpenArchive(context.Background(), at)
	if err != nil {
		t.Fatal(err)
	}
	defer a.Close()
	report, err := a.Check(context.Background())
	if err != nil {
		t.Fatal(err)
	}
	return report
}

// wantClean fails if anything is wrong at a place.
func wantClean(t *testing.T, at store.Config) {
	t.Helper()
	for _, f := range checked(t, at).Findings {
		t.Errorf("%s, %d times: %s", f.What, f.Count, strings.Join(f.Examples, " | "))
	}
}

// checkAtEnd checks what a test of the suite leaves behind, but for those that do damage on purpose: they keep the text of
// a recalled message, raise a floor without moving cursors, or carry files that nobody uploaded.
func checkAtEnd(t *testing.T, at store.Config) {
	if slices.Contains([]string{"RecalledIsNeverFound", "IdleFilesAreForgotten", "MessageCarriesMentionsAndFiles"}, path.Base(t.Name())) {
		return
	}
	t.Cleanup(func() {
		a, err := store.OpenArchive(context.Background(), at)
		if errors.Is(err, store.ErrAbsent) { // of a test that opened it twice: it was checked, and is gone
			return
		}
		if err == nil {
			err = a.Close()
		}
		if err != nil {
			t.Error(err)
			return
		}
		wantClean(t, at)
	})
}

// furnish makes data in which everything is that a check looks at, and returns its two groups.
func furnish(t *testing.T, at store.Config) {
	t.Helper()
	s, err := store.Open(t.Context(), at)
	if err != nil {
		t.Fatal(err)
	}
	service := chat.New(s, deaf{}, chat.Config{Limits: chat.Limits{MessageLength: 100}, Retention: 0})
	must := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	var users []*chat.User
	for _, name := range []string{"alice", "bob"} {
		u, err := service.CreateMember(t.Context(), chat.NewMember{Username: name})
		must(err)
		users = append(users, u)
	}
	guest, err := service.NewGuest(t.Context(), "guest", false)
	must(err)
	users = append(users, guest)
	for _, room := range []string{"one", "two"} {
		for i, u := range users {
			entered, err := service.Enter(t.Context(), u, chat.Entry{Room: room})
			must(err)
			for n := range 5 {
				_, err = service.SendMessage(t.Context(), u, chat.NewMessage{Group: entered.Group.ID, Entered: true, Text: fmt.Sprint("words 上海 ", i, n)})
				must(err)
			}
		}
	}
	must(s.SettleIndex(t.Context()))
	must(service.Close(t.Context()))
	must(s.Close())
}

func TestACheckOfWhatIsWholeFindsNothing(t *testing.T) {
	places(t, func(t *testing.T, at store.Config, _ func(string)) {
		furnish(t, at)
		report := checked(t, at)
		if len(report.Findings) > 0 || report.Groups != 2 || report.Users != 3 || report.Messages < 30 {
			t.Errorf("got %+v", report)
		}
	})
}

func TestACheckFindsEachKindOfDamage(t *testing.T) {
	one := `group_key = (SELECT MIN(group_key) FROM messages)`
	middle := one + ` AND seq = (SELECT MAX(seq) - 3 FROM messages WHERE ` + one + `)`
	member := one + ` AND user_key = (SELECT MIN(user_key) FROM memberships WHERE ` + one + `)`
	for name, damage := range map[string]struct{ query, want string }{
		"a lost message":           {`DELETE FROM messages WHERE ` + middle, "running count"},
		"a lost newest message":    {`DELETE FROM messages WHERE ` + one + ` AND seq = (SELECT MAX(seq) FROM messages WHERE ` + one + `)`, "newest number"},
		"a message of the future":  {`UPDATE messages SET rev = rev + 1000 WHERE ` + middle, "seq ≤ rev ≤ head"},
		"a rev before its seq":     {`UPDATE messages SET rev = 1 WHERE ` + middle, "seq ≤ rev ≤ head"},
		"a number given twice":     {`UPDATE messages SET rev = rev + 1 WHERE ` + middle, "one number of a group is on several rows"},
		"a member's number":        {`UPDATE memberships SET rev = 1000 WHERE ` + member, "a member's number"},
		"a head that went ahead":   {`UPDATE groups SET head = head + 1`, "newest number"},
		"a count":                  {`UPDATE messages SET counted = counted + 1 WHERE ` + middle, "running count"},
		"a group's count":          {`UPDATE groups SET counted = counted + 1`, "a group's count"},
		"a number of members":      {`UPDATE groups SET member_count = member_count - 1`, "number of members"},
		"who was informed":         {`UPDATE groups SET informed = informed + 1`, "who has read an announcement"},
		"an owner too many":        {`UPDATE memberships SET role = 'owner' WHERE ` + one, "two owners"},
		"a floor above the end":    {`UPDATE groups SET floor = head + 2`, "floor"},
		"who waits":                {`UPDATE groups SET requests = 1`, "who waits"},
		"a member not listed":      {`DELETE FROM member_terms WHERE user_key = (SELECT MIN(user_key) FROM member_terms)`, "list of members"},
		"a webhook ahead":          {`INSERT INTO webhooks (id, group_key, kind, name, secret, made_by, created_at, head) SELECT 'w', MIN(key), 'outgoing', 'w', (SELECT value FROM settings WHERE name = 'epoch'), (SELECT MIN(key) FROM users), 0, 1000 FROM groups`, "a webhook was told"},
		"a device ahead":           {`INSERT INTO push_subscriptions (user_key, endpoint, p256dh, auth, created_at) SELECT (SELECT MIN(key) FROM users), 'e', value, value, 0 FROM settings WHERE name = 'epoch'; INSERT INTO push_marks (subscription_key, group_key, seq, at) SELECT MAX(s.key), MIN(g.key), 1000, 0 FROM push_subscriptions s, groups g`, "a device was told"},
		"a file nobody knows":      {`INSERT INTO file_uses (file_id, group_key, seq) SELECT 'f', group_key, seq FROM messages WHERE ` + middle, "not known"},
		"a file that is not used":  {`UPDATE messages SET files = '[]' WHERE ` + middle, "nothing says so"},
		"a sum of bytes":           {`INSERT INTO file_totals (user_id, bytes) VALUES ('u', 7)`, "files take"},
		"what was read":            {`UPDATE memberships SET read_count = read_count - 1 WHERE ` + member, "what a member has read"},
		"a cursor ahead":           {`UPDATE memberships SET read_seq = 1000 WHERE ` + member, "what a member has read"},
		"own messages":             {`UPDATE memberships SET own_unread = own_unread + 1 WHERE ` + member, "own messages"},
		"a recalled text":          {`UPDATE messages SET recalled_at = 1 WHERE ` + middle, "recalled"},
		"a mention of nothing":     {`INSERT INTO mentions (group_key, user_key, seq, by_key) SELECT group_key, 0, seq, 1 FROM messages WHERE ` + middle, "somebody is mentioned"},
		"a reaction to nothing":    {`INSERT INTO reactions (group_key, user_key, seq, emoji, rev) SELECT group_key, 1, seq, 'x', rev FROM messages WHERE ` + middle, "somebody reacted"},
		"a reply to what comes":    {`UPDATE messages SET reply_to = seq WHERE ` + middle, "replies to one after it"},
		"a history without a past": {`UPDATE memberships SET from_seq = 1000 WHERE ` + member, "history begins"},
		"a user's number":          {`UPDATE memberships SET user_rev = 1000 WHERE ` + member, "not one of its user"},
		"a user's number twice":    {`UPDATE memberships SET user_rev = 2 WHERE user_key = (SELECT MIN(key) FROM users)`, "one number of a user"},
		"words that are not there": {`UPDATE messages SET text = 'other' WHERE ` + middle, "search index"},
	} {
		t.Run(name, func(t *testing.T) {
			places(t, func(t *testing.T, at store.Config, do func(string)) {
				furnish(t, at)
				do(damage.query)
				for _, f := range checked(t, at).Findings {
					if strings.Contains(f.What, damage.want) && f.Count > 0 && len(f.Examples) > 0 {
						return
					}
				}
				t.Errorf("nothing is found with %q", damage.want)
			})
		})
	}
}

func TestACheckFindsAnIndexOutOfStep(t *testing.T) {
	for name, query := range map[string]string{
		"a word too few": `DELETE FROM words WHERE rowid = (SELECT MAX(rowid) FROM words)`,
		"too far ahead":  `UPDATE indexed SET rev = rev + 1`,
	} {
		t.Run(name, func(t *testing.T) {
			at := store.Config{Dir: fresh.Dir(t)}
			furnish(t, at)
			execSQLite(t, filepath.Join(at.Dir, "search.index"), query)
			if found := checked(t, at).Findings; len(found) != 1 || !strings.Contains(found[0].What, "search index") {
				t.Errorf("found %+v", found)
			}
		})
	}
	at := store.Config{URL: database(t)}
	furnish(t, at)
	for _, query := range []string{
		`UPDATE periods SET number = number + 1`,
		`UPDATE periods SET number = number - 1; DELETE FROM message_words WHERE seq = (SELECT MAX(seq) FROM message_words)`,
	} {
		ask(t, at.URL, query)
		if found := checked(t, at).Findings; len(found) != 1 || found[0].Count != 2 {
			t.Errorf("%s: found %+v", query, found)
		}
	}
}

// An index that is behind is no damage; nor is one that is not there.
func TestACheckMindsNoIndexThatIsBehind(t *testing.T) {
	at := store.Config{Dir: fresh.Dir(t)}
	furnish(t, at)
	execSQLite(t, filepath.Join(at.Dir, "search.index"), `DELETE FROM words WHERE rowid = (SELECT MAX(rowid) FROM words)`)
	execSQLite(t, filepath.Join(at.Dir, "search.index"), `UPDATE indexed SET rev = rev - 1 WHERE group_key = (SELECT MAX(group_key) FROM indexed)`)
	wantClean(t, at)
	if err := os.Remove(filepath.Join(at.Dir, "search.index")); err != nil {
		t.Fatal(err)
	}
	if report := checked(t, at); len(report.Findings) > 0 || len(report.Notes) != 1 {
		t.Errorf("got %+v", report)
	}
}

func TestACheckFindsADamagedFile(t *testing.T) {
	at := store.Config{Dir: fresh.Dir(t)}
	furnish(t, at)
	path := filepath.Join(at.Dir, "qun.db")
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	for i := len(data) / 2; i < len(data)/2+3000; i++ {
		data[i] ^= 0xff
	}
	if err := os.WriteFile(path, data, 0o600); err != nil {
		t.Fatal(err)
	}
	a, err := store.OpenArchive(t.Context(), at)
	if err == nil {
		defer a.Close()
		var report *store.Report
		if report, err = a.Check(t.Context()); err == nil && len(report.Findings) == 0 {
			t.Error("nothing was found")
		}
	}
	if err != nil && !errors.Is(err, store.ErrDamaged) {
		t.Errorf("got %v", err)
	}
}

func TestAnArchiveIsReadWhileAServerWrites(t *testing.T) {
	places(t, func(t *testing.T, at store.Config, _ func(string)) {
		furnish(t, at)
		s, err := store.Open(t.Context(), at)
		if err != nil {
			t.Fatal(err)
		}
		defer s.Close()
		wantClean(t, at)
	})
}

func TestAnArchiveThatIsNotThereSaysSo(t *testing.T) {
	for _, at := range []store.Config{{Dir: t.TempDir()}, {URL: database(t)}} {
		if _, err := store.OpenArchive(t.Context(), at); !errors.Is(err, store.ErrAbsent) {
			t.Errorf("got %v", err)
		}
	}
	places(t, func(t *testing.T, at store.Config, do func(string)) {
		furnish(t, at)
		do(`UPDATE goose_db_version SET version_id = 999 WHERE version_id = 1`)
		if _, err := store.OpenArchive(t.Context(), at); !errors.Is(err, store.ErrNewer) {
			t.Errorf("a newer one: got %v", err)
		}
		do(`DELETE FROM goose_db_version WHERE version_id > 5`)
		if _, err := store.OpenArchive(t.Context(), at); !errors.Is(err, store.ErrOlder) {
			t.Errorf("an older one: got %v", err)
		}
	})
}
