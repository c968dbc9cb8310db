package storetest

import (
	"errors"
	"slices"
	"testing"
	"time"

	"qun/internal/auth"
	"qun/internal/chat"
)

func testAdministratorsSeeWhatThereIs(t *testing.T, w *world) {
	ruler, alice := w.member("ruler"), w.member("alice")
	hall, quiet := w.room("Great Hall", ruler, alice), w.room("quiet")
	last := w.say(hall, alice, "spam")
	w.must(w.store.Change(w.ctx, hall, func(tx chat.GroupTx) error {
		m, err := tx.Membership(ruler.ID)
		w.must(err)
		m.Role = chat.RoleOwner
		return tx.PutMembership(m)
	}))
	list := func(text string, after chat.GroupID, limit int) (ids []chat.GroupID) {
		w.view(func(r chat.Reader) error {
			rows, err := r.ListGroups(text, after, limit)
			for _, g := range rows {
				ids = append(ids, g.ID)
				if g.ID == hall && (g.Members != 2 || g.Messages != 1 || g.Owner != ruler.ID || g.OwnerName != "ruler" || g.LastAt != last.SentAt) {
					t.Errorf("the hall is %+v", g)
				}
			}
			return err
		})
		return ids
	}
	for _, c := range []struct {
		text  string
		after chat.GroupID
		limit int
		want  []chat.GroupID
	}{
		{"", "", 9, []chat.GroupID{quiet, hall}}, {"", "", 1, []chat.GroupID{quiet}}, {"", quiet, 9, []chat.GroupID{hall}},
		{"t ha", "", 9, []chat.GroupID{hall}}, {string(hall), "", 9, []chat.GroupID{hall}}, {"%", "", 9, nil}, {"", "nowhere", 9, nil},
	} {
		if got := list(c.text, c.after, c.limit); !slices.Equal(got, c.want) {
			t.Errorf("%+v: got %v", c, got)
		}
	}

	w.must(w.store.Change(w.ctx, hall, func(tx chat.GroupTx) error {
		return tx.PutReport(&chat.Report{GroupID: hall, Seq: last.Seq, By: ruler.ID, Reason: "spam", CreatedAt: w.now, Author: alice.ID, NickName: "A", Text: "spam"})
	}))
	w.view(func(r chat.Reader) error {
		f, err := r.Figures()
		if err != nil || f.Members != 2 || f.Groups != 2 || f.Reports != 1 || f.Database <= 0 {
			t.Errorf("there are %+v, %v", f, err)
		}
		return nil
	})
	w.must(w.store.Change(w.ctx, hall, func(tx chat.GroupTx) error {
		_, err := tx.ResolveReports(last.Seq, ruler.ID, w.now+1)
		return err
	}))
	w.view(func(r chat.Reader) error {
		judged, err := r.ResolvedReports(9)
		if err != nil || len(judged) != 1 || judged[0].ResolvedBy != ruler.ID || judged[0].ResolvedAt != w.now+1 || judged[0].Text != "" {
			t.Errorf("judged are %+v, %v", judged, err)
		}
		return nil
	})

	w.signIn(alice, 1)
	w.signIn(alice, 2)
	w.must(w.store.SetAdmin(w.ctx, ruler.ID, true, auth.By{At: w.now}))
	only := func(kind auth.AccountKind) (names []string) {
		accounts, err := w.store.Accounts(w.ctx, auth.AccountQuery{Only: kind, At: w.now, Limit: 9})
		w.must(err)
		for _, a := range accounts {
			names = append(names, a.User.Username)
			if a.User.ID == alice.ID && kind == "" && (a.Devices != 2 || a.SeenAt == 0) {
				t.Errorf("alice has %d devices, seen %v", a.Devices, a.SeenAt)
			}
		}
		return names
	}
	wantTexts(t, "all", only(""), "ruler", "alice")
	wantTexts(t, "administrators", only(auth.OnlyAdmins), "ruler")
	wantTexts(t, "disabled", only(auth.OnlyDisabled))
	w.must(w.store.EndSessions(w.ctx, alice.ID, auth.By{User: ruler.ID, At: w.now}))
	if left := w.signedIn(alice, w.now.Std().Add(time.Second)); len(left) != 0 {
		t.Errorf("signed in are %v", left)
	}
	if err := w.store.EndSessions(w.ctx, "nobody", auth.By{}); !errors.Is(err, auth.ErrNotFound) {
		t.Errorf("of nobody: %v", err)
	}
	for q, want := range map[chat.AuditQuery][]string{
		{By: ruler.ID, Limit: 9}:                   {"signOut"},
		{Act: "setAdmin", Limit: 9}:                {"setAdmin"},
		{Target: alice.ID, Limit: 9}:               {"signOut"},
		{Target: alice.ID, Act: "ban", Limit: 9}:   nil,
		{Since: w.now, Until: w.now + 1, Limit: 9}: {"signOut", "setAdmin"},
		{Since: w.now + 1, Limit: 9}:               nil,
		{Until: w.now, Limit: 9}:                   nil,
		{Since: w.now, Act: "setAdmin", Limit: 1}:  {"setAdmin"},
		{By: ruler.ID, Before: 1, Limit: 9}:        nil,
	} {
		w.view(func(r chat.Reader) error {
			entries, err := r.AuditOf(q)
			var acts []string
			for _, e := range entries {
				acts = append(acts, e.Act)
			}
			if err != nil || !slices.Equal(acts, want) {
				t.Errorf("%+v: the audit has %q, %v, want %q", q, acts, err, want)
			}
			return nil
		})
	}
}

func testFilesOfAGroupAreListed(t *testing.T, w *world) {
	alice := w.member("alice")
	one, two := w.room("one", alice), w.room("two", alice)
	kinds := []string{"image/png", "text/plain", "image/jpeg", "image/png", "application/zip"}
	var sent []chat.Seq
	for i, kind := range kinds {
		up := w.upload(alice, kind)
		up.Type = kind
		w.must(w.store.AddUpload(w.ctx, up, 0, 0))
		sent = append(sent, w.sendFile(one, alice, up).Seq)
		if i == 0 {
			w.sendFile(two, alice, up)
		}
		w.say(one, alice, "words between")
	}
	w.recall(one, sent[3])
	for _, c := range []struct {
		pictures      bool
		first, before chat.Seq
		limit         int
		want          []chat.Seq
	}{
		{true, 0, 0, 9, []chat.Seq{sent[2], sent[0]}},
		{true, 0, 0, 1, []chat.Seq{sent[2]}}, // what was recalled takes no place
		{true, 0, sent[2], 9, []chat.Seq{sent[0]}},
		{true, sent[0] + 1, 0, 9, []chat.Seq{sent[2]}},
		{false, 0, 0, 9, []chat.Seq{sent[4], sent[1]}},
	} {
		w.view(func(r chat.Reader) error {
			rows, err := r.MessagesWithFiles(one, c.pictures, c.first, c.before, c.limit)
			var seqs []chat.Seq
			for _, m := range rows {
				seqs = append(seqs, m.Seq)
			}
			if err != nil || !slices.Equal(seqs, c.want) || len(rows[0].Files) == 0 {
				t.Errorf("%+v: got %v, %v", c, seqs, err)
			}
			return nil
		})
	}
}
