package main_test

import (
	"strings"
	"testing"
	"time"

	"qun/internal/store/pgtest"

	qun "qun/cmd/qun"
)

// A chat moves under its server: it can be read until the copy is done, and whoever comes back to the server on the database
// goes on from the numbers it holds.
func TestAChatMovesIntoADatabase(t *testing.T) {
	url := pgtest.For(t, pgtest.Config{}).URL("postgres")
	folder, p, entered := lived(t)
	c := p.dial(t, withToken(entered.Token))
	var out, complaint notes
	code := make(chan int, 1)
	go func() {
		code <- qun.Run(t.Context(), []string{"migrate", "--from", "sqlite:" + folder, "--to", url}, machine(&out, &complaint, nil))
	}()
	for deadline := time.Now().Add(patience); !strings.Contains(out.String(), "Now stop the server"); {
		if time.Now().After(deadline) {
			t.Fatalf("it says %s%s", out.String(), complaint.String())
		}
		<-time.After(10 * time.Millisecond)
	}
	group := entered.Group.GroupID
	var history struct{ Messages []line }
	c.must("history", object{"groupId": group}).into(t, &history)
	head := history.Messages[len(history.Messages)-1].Seq
	c.Close()
	p.end(t)
	if ended := <-code; ended != 0 || !strings.Contains(out.String(), "has moved") || !strings.Contains(out.String(), "messages") {
		t.Fatalf("%d: %s%s", ended, out.String(), complaint.String())
	}

	p = startWith(t, in("QUN_DATABASE", url), "--data", folder)
	c = p.dial(t, withToken(entered.Token))
	next := c.post(group, "下一条")
	var missed struct {
		Epoch  string
		Groups map[string]struct {
			Messages []line
			Reset    bool
		}
	}
	c.must("sync", object{"epoch": entered.Epoch, "heads": object{group: head}}).into(t, &missed)
	if got := missed.Groups[group]; got.Reset || len(got.Messages) != 1 || got.Messages[0] != next || next.Seq != head+1 || missed.Epoch != entered.Epoch {
		t.Errorf("since number %d of %s: got %+v, want number %d and nothing else", head, entered.Epoch, missed, next.Seq)
	}
	if code, out, complaint := run(t, map[string]string{"QUN_DATABASE": url}, "check", "--data", folder); code != 0 {
		t.Errorf("check: %s%s", out, complaint)
	}
	endCode, _, said2 := run(t, nil, "serve", "--listen", "127.0.0.1:0", "--data", folder)
	wantComplaint(t, endCode, said2, "has moved", "--database", "migrate --restored")
}

func TestAMoveThatCannotBeSaysWhatToDo(t *testing.T) {
	server := pgtest.For(t, pgtest.Config{})
	if err := server.CreateDatabase("empty"); err != nil {
		t.Fatal(err)
	}
	folder, p, _ := lived(t)
	p.end(t)
	url := server.URLOf(pgtest.User+":hush", "postgres")
	if code, _, complaint := run(t, nil, "migrate", "--data", folder, "--database", url); code != 0 {
		t.Fatal(complaint)
	}
	for name, c := range map[string]struct {
		words []string
		args  []string
	}{
		"half of it":        {[]string{"--from", "--to"}, []string{"--from", "sqlite:" + folder}},
		"another kind":      {[]string{"--from", "sqlite:"}, []string{"--from", "postgres://qun:hush@127.0.0.1/x", "--to", url}},
		"into another kind": {[]string{"--to", "postgres://"}, []string{"--from", "sqlite:" + folder, "--to", "mysql://qun:hush@127.0.0.1/x"}},
		"no chat":           {[]string{"no chat in"}, []string{"--from", "sqlite:" + t.TempDir(), "--to", url}},
		"not empty":         {[]string{"--to", "not empty", "createdb"}, []string{"--from", "sqlite:" + folder + "/qun.db", "--to", url}},
		"nobody there":      {[]string{"--to", "does not answer"}, []string{"--from", "sqlite:" + folder, "--to", "postgres://qun:hush@127.0.0.1:1/qun"}},
		"no rights": {
			[]string{"--to", "right to make tables"},
			[]string{"--from", "sqlite:" + folder, "--to", server.URLOf(pgtest.Guarded+":"+pgtest.Password, "empty")},
		},
		"taken back as well": {[]string{"--restored", "--from"}, []string{"--from", "sqlite:" + folder, "--to", url, "--restored"}},
	} {
		t.Run(name, func(t *testing.T) {
			code, _, complaint := run(t, nil, append([]string{"migrate"}, c.args...)...)
			wantComplaint(t, code, complaint, c.words...)
			if strings.Contains(complaint, "hush") || strings.Contains(complaint, pgtest.Password) {
				t.Errorf("the password is shown: %s", complaint)
			}
		})
	}
}
