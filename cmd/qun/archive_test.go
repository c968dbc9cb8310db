package main_test

import (
	"bufio"
	"database/sql"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"qun/internal/store"
)

// lived is a folder of data in which somebody said something and sent a file, and the program that still runs on it.
func lived(t *testing.T) (folder string, p *program, entered entrance) {
	t.Helper()
	folder = t.TempDir()
	p = start(t, "--data", folder)
	c := p.dial(t)
	entered = c.enter("大厅", "小明")
	c.must("sendMessage", object{"room": "大厅", "message": "它记得 <b>"})
	c.Close()
	return folder, p, entered
}

func TestABackupIsMadeWhileTheServerRunsAndComesBack(t *testing.T) {
	folder, p, before := lived(t)
	if err := os.WriteFile(filepath.Join(folder, "files", "kept", "some-file"), []byte("bytes"), 0o600); err != nil {
		t.Fatal(err)
	}
	backup, again := filepath.Join(t.TempDir(), "backup"), filepath.Join(t.TempDir(), "again")
	wantDone := func(args ...string) string {
		t.Helper()
		code, out, complaint := run(t, nil, args...)
		if code != 0 {
			t.Fatalf("%v: %d: %s", args, code, complaint)
		}
		return out
	}
	if out := wantDone("check", "--data", folder); !strings.Contains(out, "All is well.") || !strings.Contains(out, "1 groups") {
		t.Errorf("check says %q", out)
	}
	wantDone("backup", "--data", folder, backup)
	p.end(t)
	wantDone("check", "--data", backup)
	wantDone("restore", "--data", again, backup)
	after := start(t, "--data", again).dial(t).enter("大厅", "小红")
	if len(after.Messages) != 1 || after.Messages[0].Message != "它记得 <b>" {
		t.Errorf("after a restore: got %d messages", len(after.Messages))
	}
	if after.Epoch == before.Epoch || after.Epoch == "" {
		t.Error("the epoch is the one from before the backup")
	}
	if data, err := os.ReadFile(filepath.Join(again, "files", "kept", "some-file")); string(data) != "bytes" {
		t.Errorf("the file is %q, %v", data, err)
	}
	for _, c := range []struct {
		words []string
		args  []string
	}{
		{[]string{"not empty"}, []string{"backup", "--data", folder, backup}},
		{[]string{again, "holds a chat", "--data"}, []string{"restore", "--data", again, backup}},
		{[]string{"no chat in", "--data"}, []string{"restore", "--data", t.TempDir(), t.TempDir()}},
		{[]string{"no chat in", "--data"}, []string{"backup", "--data", t.TempDir(), filepath.Join(t.TempDir(), "new")}},
		{[]string{"pg_dump", "migrate --restored"}, []string{"backup", "--database", "postgres://127.0.0.1/x", backup}},
	} {
		code, _, complaint := run(t, nil, c.args...)
		wantComplaint(t, code, complaint, c.words...)
	}
}

func TestMigrateBringsDataUpToDate(t *testing.T) {
	folder, p, _ := lived(t)
	p.end(t)
	epoch := func() string {
		a, err := store.OpenArchive(t.Context(), store.Config{Dir: folder})
		if err != nil {
			t.Fatal(err)
		}
		defer a.Close()
		epoch, err := a.Epoch(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		return epoch
	}
	before := epoch()
	if code, _, complaint := run(t, nil, "migrate", "--data", folder); code != 0 || epoch() != before {
		t.Errorf("migrate: %d: %s, epoch %s after %s", code, complaint, epoch(), before)
	}
	if code, _, complaint := run(t, nil, "migrate", "--data", folder, "--restored"); code != 0 || epoch() == before {
		t.Errorf("migrate --restored: %d: %s, epoch %s after %s", code, complaint, epoch(), before)
	}
}

func TestCheckFailsOnWhatIsNotWhole(t *testing.T) {
	folder, p, _ := lived(t)
	p.end(t)
	db, err := sql.Open("sqlite", "file:"+filepath.Join(folder, "qun.db")) // the driver is the store's
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	if _, err := db.ExecContext(t.Context(), `UPDATE groups SET counted = counted + 1`); err != nil {
		t.Fatal(err)
	}
	code, out, complaint := run(t, nil, "check", "--data", folder)
	wantComplaint(t, code, complaint, "not whole")
	if !strings.Contains(out, "Wrong: a group's count") {
		t.Errorf("it says %q", out)
	}
	code, _, complaint = run(t, nil, "check", "--data", t.TempDir())
	wantComplaint(t, code, complaint, "no chat in", "--data")
}

func TestCheckComparesFilesWithWhatIsKnownOfThem(t *testing.T) {
	folder := t.TempDir()
	p := start(t, "--data", folder)
	b := p.browser(t)
	b.signIn(t, "小明")
	var paths []string
	for _, text := range []string{"whole", "shorter", "other", "lost"} {
		id, _ := b.upload(t, p.url, text)
		found, err := filepath.Glob(filepath.Join(folder, "files", "kept", "*", id))
		if err != nil || len(found) != 1 {
			t.Fatalf("the file %s is at %v, %v", id, found, err)
		}
		paths = append(paths, found[0])
	}
	if code, out, complaint := run(t, nil, "check", "--data", folder); code != 0 || strings.Contains(out, "Note") {
		t.Fatalf("all is well, and it says %d: %s %s", code, out, complaint)
	}
	p.end(t)
	write := func(path, text string) {
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	write(paths[1], "short")
	write(paths[2], "rehto")
	write(paths[3][:len(paths[3])-4]+"0000", "nobody's")
	if err := os.Remove(paths[3]); err != nil {
		t.Fatal(err)
	}
	code, out, complaint := run(t, nil, "check", "--data", folder)
	wantComplaint(t, code, complaint, "not whole")
	for _, want := range []string{
		"not what was uploaded (2)", "it has 5 bytes, and should have 7", "its bytes are others",
		"not there (1)", filepath.Base(paths[3]), "What to do: bring it back from a backup", "to 1 files",
	} {
		if !strings.Contains(out, want) {
			t.Errorf("it does not say %q:\n%s", want, out)
		}
	}
}

// exported is what an export holds: how many lines of each type, and all of it.
func exported(t *testing.T, text string) map[string]int {
	t.Helper()
	counts, lines := map[string]int{}, 0
	var last struct {
		Type  string
		Lines int
	}
	for scan := bufio.NewScanner(strings.NewReader(text)); scan.Scan(); lines++ {
		last.Type = ""
		if err := json.Unmarshal(scan.Bytes(), &last); err != nil || last.Type == "" {
			t.Fatalf("%s: %v", scan.Text(), err)
		}
		counts[last.Type]++
	}
	if last.Type != "end" || last.Lines != lines-2 {
		t.Errorf("it ends with %+v after %d lines", last, lines)
	}
	return counts
}

func TestExportWritesAllOrOneGroupOrOneUser(t *testing.T) {
	folder, _, entered := lived(t)
	group, me := string(entered.Group.GroupID), string(entered.Me.UserID)
	for _, c := range []struct {
		args []string
		want string
	}{
		{nil, "map[end:1 export:1 group:1 member:1 message:1 user:1]"},
		{[]string{"--group", group}, "map[end:1 export:1 group:1 member:1 message:1]"},
		{[]string{"--user", me}, "map[end:1 export:1 member:1 message:1 user:1]"},
	} {
		code, out, complaint := run(t, nil, append([]string{"export", "--data", folder}, c.args...)...)
		if code != 0 || fmt.Sprint(exported(t, out)) != c.want || !strings.Contains(out, "它记得 <b>") {
			t.Errorf("%v: %d: %s%s, want %s", c.args, code, complaint, out, c.want)
		}
	}
	out := filepath.Join(t.TempDir(), "out")
	if code, _, complaint := run(t, nil, "export", "--data", folder, "--out", out); code != 0 {
		t.Fatalf("%d: %s", code, complaint)
	}
	text, err := os.ReadFile(filepath.Join(out, "export.jsonl"))
	if err != nil || exported(t, string(text))["message"] != 1 {
		t.Errorf("%v: %s", err, text)
	}
	code, _, complaint := run(t, nil, "export", "--data", folder, "--out", out)
	wantComplaint(t, code, complaint, "--out", "not empty")
	code, _, complaint = run(t, nil, "export", "--data", folder, "--group", "none")
	wantComplaint(t, code, complaint, "no such group")
}
