package chat_test

import (
	"slices"
	"testing"

	"qun/internal/chat"
)

func TestAdministratorsJudgeInGroupsTheyAreNotIn(t *testing.T) {
	h := newHouse(t, noLimits())
	judge, owner, loud, quiet := h.member("judge"), h.member("owner"), h.member("loud"), h.member("quiet")
	g := h.owned(owner, chat.NewGroup{Name: "closed", Members: []chat.UserID{loud.ID, quiet.ID}})
	reported := func(text string) chat.Seq {
		t.Helper()
		m := h.send(loud, g, text)
		h.must(h.Report(h.ctx, quiet, g, m.Seq, "bad"))
		return m.Seq
	}
	open := func() int {
		list, _, err := h.ServerReports(h.ctx, false)
		h.must(err)
		return len(list)
	}
	do := func(v chat.Verdict, seq chat.Seq) error {
		return h.Judge(h.ctx, judge, chat.Judgement{Group: g, Seq: seq, Verdict: v})
	}

	seq := reported("first")
	if err := do("burn", seq); code(err) != chat.CodeInvalid || open() != 1 {
		t.Errorf("an unknown verdict: %v, and %d reports are open", err, open())
	}
	h.must(do(chat.VerdictRecall, seq))
	if m := h.lastChange(g); m.Seq != seq || m.RecalledAt == 0 || m.Text != "" || open() != 0 {
		t.Errorf("after the recall: %+v", m)
	}
	if err := do(chat.VerdictRecall, seq); code(err) != chat.CodeNotFound {
		t.Errorf("judged twice: %v", err)
	}
	h.must(do(chat.VerdictMute, reported("second")))
	if m := h.membership(g, loud.ID); m.MutedUntil != chat.Forever {
		t.Errorf("muted until %v", m.MutedUntil)
	}
	h.change(g, func(tx chat.GroupTx) error {
		m, err := tx.Membership(loud.ID)
		m.MutedUntil = 0
		h.must(err)
		return tx.PutMembership(m)
	})
	seq = reported("third")
	h.must(do(chat.VerdictBan, seq))
	if m := h.membership(g, loud.ID); m.State != chat.MemberBanned {
		t.Errorf("its author is %s", m.State)
	}
	list, named, err := h.ServerReports(h.ctx, true)
	if err != nil || len(list) != 3 || list[0].Seq != seq || list[0].Text != "" || list[0].ResolvedBy != judge.ID ||
		list[0].Author.State != chat.MemberBanned || !list[2].Recalled || named.Groups[g] != "closed" || named.Users[judge.ID] != "judge" {
		t.Errorf("judged so far: %+v, %+v, %v", list, named, err)
	}

	mine := h.send(owner, g, "as owner")
	h.must(h.Report(h.ctx, quiet, g, mine.Seq, "bad"))
	h.must(do(chat.VerdictKick, mine.Seq)) // the server stands above an owner
	if m := h.membership(g, owner.ID); m.State != chat.MemberKicked {
		t.Errorf("the owner is %s", m.State)
	}
	if n := h.group(g).MemberCount; n != 1 {
		t.Errorf("%d are left; who judges is none of them", n)
	}
	page, _, err := h.ServerAudit(h.ctx, chat.AuditQuery{By: judge.ID})
	h.must(err)
	var acts []string
	for _, e := range page.Entries {
		acts = append(acts, e.Act)
	}
	want := []string{"resolveReports", "kick", "resolveReports", "ban", "resolveReports", "mute", "resolveReports", "recall"}
	if !slices.Equal(acts, want) {
		t.Errorf("the audit has %q, want %q", acts, want)
	}
}

func TestAdministratorsGovernGroups(t *testing.T) {
	h := newHouse(t, noLimits())
	ruler, owner, heir := h.member("ruler"), h.member("owner"), h.member("heir")
	g := h.owned(owner, chat.NewGroup{Name: "Hall", Members: []chat.UserID{heir.ID}})
	direct, err := h.OpenDirect(h.ctx, owner, heir.ID)
	h.must(err)

	list, err := h.ServerGroups(h.ctx, "hAL", "", 9)
	if err != nil || len(list) != 1 || list[0].ID != g || list[0].Members != 2 || list[0].Owner != owner.ID || list[0].OwnerName != "owner" || list[0].LastAt == 0 {
		t.Fatalf("the groups are %+v, %v", list, err)
	}
	if list, err := h.ServerGroups(h.ctx, "", "", 9); len(list) != 1 || err != nil {
		t.Errorf("conversations of two are listed: %+v, %v", list, err)
	}
	slow, muted := 30, true
	h.must(h.LimitGroup(h.ctx, ruler, g, chat.GroupLimits{SlowMode: &slow, MutedAll: &muted}))
	if row := h.group(g); row.SlowMode != 30 || !row.MutedAll {
		t.Errorf("its limits are %+v", row)
	}
	if _, err := h.GiveOwner(h.ctx, ruler, g, ruler.ID); code(err) != chat.CodeNotFound {
		t.Errorf("who is not in the group cannot own it: %v", err)
	}
	if _, err := h.GiveOwner(h.ctx, ruler, g, heir.ID); err != nil {
		t.Fatal(err)
	}
	if a, b := h.membership(g, owner.ID), h.membership(g, heir.ID); a.Role != chat.RoleAdmin || b.Role != chat.RoleOwner {
		t.Errorf("they are %s and %s", a.Role, b.Role)
	}
	members, err := h.ServerMembers(h.ctx, chat.MemberQuery{Group: g})
	if err != nil || len(members.Members) != 2 || members.Members[0].UserID != heir.ID {
		t.Errorf("its members are %+v, %v", members, err)
	}
	for what, err := range map[string]error{
		"limit":    h.LimitGroup(h.ctx, ruler, direct.ID, chat.GroupLimits{SlowMode: &slow}),
		"dissolve": h.DissolveGroup(h.ctx, ruler, direct.ID),
	} {
		if code(err) != chat.CodeForbidden {
			t.Errorf("%s a conversation of two: %v", what, err)
		}
	}
	if _, err := h.ServerMembers(h.ctx, chat.MemberQuery{Group: direct.ID}); code(err) != chat.CodeNotFound {
		t.Errorf("who is in a conversation of two: %v", err)
	}
	h.must(h.DissolveGroup(h.ctx, ruler, g))
	if list, err := h.ServerGroups(h.ctx, "", "", 9); len(list) != 0 || err != nil {
		t.Errorf("after it was dissolved: %+v, %v", list, err)
	}
	if err := h.DissolveGroup(h.ctx, ruler, g); code(err) != chat.CodeNotFound {
		t.Errorf("dissolved twice: %v", err)
	}
	f, err := h.Figures(h.ctx)
	if err != nil || f.Members != 3 || f.Groups != 0 || f.Database == 0 {
		t.Errorf("there are %+v, %v", f, err)
	}
}

func TestAdministratorsDeleteAccountsOfOthers(t *testing.T) {
	h := newHouse(t, noLimits())
	ruler := h.register(nil, chat.NewMember{Username: "ruler", Admin: true})
	alice := h.member("alice")
	if err := h.RemoveUser(h.ctx, ruler, ruler.ID, false); code(err) != chat.CodeInvalid {
		t.Errorf("oneself: %v", err)
	}
	h.must(h.RemoveUser(h.ctx, ruler, alice.ID, false))
	if u := h.user(alice.ID); !u.Deleted() {
		t.Errorf("there is %+v", u)
	}
	added, err := h.AddUser(h.ctx, ruler, chat.NewMember{Username: "bob"})
	h.must(err)
	page, _, err := h.ServerAudit(h.ctx, chat.AuditQuery{By: ruler.ID})
	if err != nil || len(page.Entries) != 2 || page.Entries[1].Act != chat.AuditDeleteUser || page.Entries[1].Value != "alice" ||
		page.Entries[0].Act != chat.AuditAddUser || page.Entries[0].Target != added.ID {
		t.Errorf("the audit has %+v, %v", page, err)
	}
}
