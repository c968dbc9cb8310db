package chat_test

import (
	"testing"

	"qun/internal/chat"
)

func TestOwnerLeavesWhenNobodyElseCouldOwn(t *testing.T) {
	h := newHouse(t, noLimits())
	boss, bob, guest := h.member("boss"), h.member("bob"), h.guest("guest")
	g := h.owned(boss, chat.NewGroup{Name: "hall", Visibility: chat.VisibilityOpen, Members: []chat.UserID{bob.ID}})
	h.enter(guest, "hall")
	h.send(guest, g, "hello")
	if err := h.Leave(h.ctx, boss, g); code(err) != chat.CodeConflict {
		t.Errorf("with a member in it: got %v", err)
	}
	h.must(h.Leave(h.ctx, bob, g))
	if err := h.Leave(h.ctx, bob, g); code(err) != chat.CodeNotInRoom {
		t.Errorf("again: got %v", err)
	}
	h.must(h.Leave(h.ctx, boss, g))
	if row := h.group(g); row.DissolvedAt != 0 || row.MemberCount != 1 {
		t.Errorf("with a guest in it: %+v", row)
	}
	h.send(guest, g, "still here")
	h.must(h.Leave(h.ctx, guest, g))
	h.must(h.Leave(h.ctx, h.guest("passing by"), g)) // leaves nothing, and nothing behind
}

// A group that guests made, or were left alone in, belongs to the first member who has an account.
func TestAGroupOfGuestsBelongsToTheFirstWithAnAccount(t *testing.T) {
	h := newHouse(t, noLimits())
	role := func(g chat.GroupID, u *chat.User) chat.Role { t.Helper(); return h.membership(g, u.ID).Role }
	guest, alice, bob := h.guest("guest"), h.member("alice"), h.member("bob")

	lobby := h.enter(guest, "lobby")
	h.send(guest, lobby, "mine")
	h.enter(alice, "lobby")
	h.enter(bob, "lobby")
	if a, b := role(lobby, alice), role(lobby, bob); a != chat.RoleOwner || b != chat.RoleMember {
		t.Errorf("alice, who came first, is %s, and bob %s", a, b)
	}
	h.must(h.Leave(h.ctx, bob, lobby))
	h.must(h.Leave(h.ctx, alice, lobby)) // only the guest is left
	h.enter(bob, "lobby")
	h.enter(alice, "lobby")
	if a, b := role(lobby, alice), role(lobby, bob); a != chat.RoleMember || b != chat.RoleOwner {
		t.Errorf("bob, who came back first, is %s, and alice %s", b, a)
	}

	den := h.enter(guest, "den")
	h.send(guest, den, "mine, too")
	second, third := h.guest("second"), h.guest("third")
	for _, u := range []*chat.User{second, third} {
		h.enter(u, "den")
		h.send(u, den, "hello")
	}
	guest = h.register(guest, chat.NewMember{Username: "dan"})
	h.awaitTold()
	h.register(second, chat.NewMember{Username: "sec"})
	h.awaitTold()
	if one, two, three := role(den, guest), role(den, second), role(den, third); one != chat.RoleOwner || two != chat.RoleMember || three != chat.RoleMember {
		t.Errorf("the first guest who registered is %s, the second %s, and who did not %s", one, two, three)
	}
	if r := role(lobby, guest); r != chat.RoleMember {
		t.Errorf("in a group that has an owner it is %s", r)
	}
	checkDense(t, h.events(den, ""))
}

func TestADissolvedGroupIsOneRowWhateverItsSize(t *testing.T) {
	h := newHouse(t, noLimits())
	boss := h.member("boss")
	g := h.owned(boss, chat.NewGroup{Name: "hall", Visibility: chat.VisibilityPublic})
	others := []*chat.User{boss}
	for _, name := range []string{"ann", "ben", "cat"} {
		u := h.member(name)
		h.enter(u, "hall")
		others = append(others, u)
	}
	head := h.group(g).Head
	heads := map[chat.UserID]int{}
	for _, u := range others {
		heads[u.ID] = len(h.events("", u.ID))
	}
	h.must(h.Dissolve(h.ctx, boss, g))
	if now := h.group(g).Head; now != head+2 {
		t.Errorf("took %d numbers, want one for the line and one for the group", now-head)
	}
	for _, u := range others {
		if n := len(h.events("", u.ID)); n != heads[u.ID] {
			t.Errorf("%s's own counter moved", u.NickName)
		}
		if err := h.Leave(h.ctx, u, g); code(err) != chat.CodeNotFound {
			t.Errorf("leave: got %v", err)
		}
		all, err := h.Overview(h.ctx, u)
		if err != nil || len(all.Groups) != 0 {
			t.Errorf("overview has %v, %v", all.Groups, err)
		}
		answer, err := h.Sync(h.ctx, u, chat.SyncQuery{Epoch: h.Epoch(), Heads: map[chat.GroupID]chat.Seq{g: head}})
		if err != nil || answer.Groups[g].Gone != chat.GoneDissolved {
			t.Errorf("sync: %+v, %v", answer.Groups[g], err)
		}
	}
	checkDense(t, h.events(g, ""))
}
