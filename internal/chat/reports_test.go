package chat_test

import (
	"errors"
	"strings"
	"testing"

	"qun/internal/chat"
)

func TestReportReachesWhoAdministersTheGroupWithoutItsAuthor(t *testing.T) {
	h := newHouse(t, noLimits())
	owner, loud, quiet, stranger := h.member("owner"), h.member("loud"), h.member("quiet"), h.member("stranger")
	g := h.enter(owner, "lobby")
	h.enter(loud, "lobby")
	h.enter(quiet, "lobby")
	bad := h.send(loud, g, "spam")
	head := h.head(g)
	h.must(h.Report(h.ctx, quiet, g, bad.Seq, "it is spam"))
	h.must(h.Report(h.ctx, quiet, g, bad.Seq, "said once more"))
	h.must(h.Report(h.ctx, owner, g, bad.Seq, ""))
	if h.head(g) != head {
		t.Error("reports took numbers")
	}
	list, err := h.Reports(h.ctx, owner, g)
	if err != nil || len(list) != 1 {
		t.Fatalf("got %v, %v", list, err)
	}
	r := list[0]
	if r.Seq != bad.Seq || r.UserID != loud.ID || r.NickName != "loud" || r.Text != "spam" || len(r.Reports) != 2 || r.Reports[1].Reason != "it is spam" {
		t.Errorf("got %+v", r)
	}
	for _, c := range r.Reports {
		if c.UserID != "" {
			t.Errorf("the group reads that %s reported", c.UserID)
		}
	}
	all, named, err := h.ServerReports(h.ctx, false)
	if err != nil || len(all) != 1 || all[0].Reports[1].UserID != quiet.ID || named.Users[quiet.ID] != "quiet" || all[0].Author == nil {
		t.Errorf("the server's administrators read %+v, %v", all, err)
	}
	for who, want := range map[*chat.User]chat.Code{quiet: chat.CodeForbidden, stranger: chat.CodeNotInRoom} {
		if _, err := h.Reports(h.ctx, who, g); code(err) != want {
			t.Errorf("%s lists: %v", who.NickName, err)
		}
		if err := h.ResolveReports(h.ctx, who, g, bad.Seq); code(err) != want {
			t.Errorf("%s resolves: %v", who.NickName, err)
		}
	}
	h.must(h.ResolveReports(h.ctx, owner, g, bad.Seq))
	if err := h.ResolveReports(h.ctx, owner, g, bad.Seq); code(err) != chat.CodeNotFound {
		t.Errorf("resolved twice: %v", err)
	}
	if list, err := h.Reports(h.ctx, owner, g); len(list) != 0 || list == nil || err != nil {
		t.Errorf("after that: %v, %v", list, err)
	}
	page, err := h.Audit(h.ctx, owner, chat.AuditQuery{Group: g})
	if err != nil || len(page.Entries) != 1 || page.Entries[0].Act != "resolveReports" {
		t.Errorf("the audit is %+v, %v", page, err)
	}
}

func TestServersAdministratorsEndReportsOfAnyGroup(t *testing.T) {
	h := newHouse(t, noLimits())
	admin, alice, bob := h.member("admin"), h.member("alice"), h.member("bob")
	g := h.enter(alice, "lobby")
	h.enter(bob, "lobby")
	bad := h.send(bob, g, "spam")
	h.must(h.Report(h.ctx, alice, g, bad.Seq, "spam"))
	for group, want := range map[chat.GroupID]chat.Code{"nowhere": chat.CodeNotFound, g: ""} {
		if err := h.ResolveServerReports(h.ctx, admin, group, bad.Seq); code(err) != want {
			t.Errorf("in group %s: %v", group, err)
		}
	}
	if all, _, err := h.ServerReports(h.ctx, false); len(all) != 0 || err != nil {
		t.Errorf("left are %v, %v", all, err)
	}
}

func TestOnlyWhatSomebodySaidAndICanReadIsReported(t *testing.T) {
	h := newHouse(t, noLimits())
	owner, late, stranger := h.member("owner"), h.member("late"), h.member("stranger")
	g := h.enter(owner, "lobby")
	old := h.send(owner, g, "before you came")
	h.enter(late, "lobby")
	recalled := h.send(owner, g, "taken back")
	h.change(g, func(tx chat.GroupTx) error {
		m := *recalled
		m.RecalledAt = 1
		return tx.PutMessage(&m)
	})
	said := h.send(owner, g, "said")
	for name, c := range map[string]struct {
		who    *chat.User
		seq    chat.Seq
		reason string
		want   chat.Code
	}{
		"a stranger":     {stranger, said.Seq, "x", chat.CodeNotInRoom},
		"a join line":    {late, old.Seq - 1, "x", chat.CodeNotFound},
		"nothing":        {late, 999, "x", chat.CodeNotFound},
		"a recalled one": {late, recalled.Seq, "x", chat.CodeNotFound},
		"a long reason":  {late, said.Seq, strings.Repeat("x", 501), chat.CodeTooLarge},
		"no text":        {late, said.Seq, "\x00", chat.CodeInvalid},
		"a visitor":      {h.guest("guest"), said.Seq, "x", chat.CodeForbidden},
		"an old one":     {late, old.Seq, "x", ""},
	} {
		if err := h.Report(h.ctx, c.who, g, c.seq, c.reason); code(err) != c.want {
			t.Errorf("%s: got %v, want %q", name, err, c.want)
		}
	}
	h.setGroup(g, func(row *chat.Group) { row.History = chat.ExtentJoined })
	h.change(g, func(tx chat.GroupTx) error {
		m, err := tx.Membership(late.ID)
		m.FromSeq = old.Seq + 1
		return errors.Join(err, tx.PutMembership(m))
	})
	if err := h.Report(h.ctx, late, g, old.Seq, "x"); code(err) != chat.CodeNotFound {
		t.Errorf("of hidden history: %v", err)
	}
}
