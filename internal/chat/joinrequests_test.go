package chat_test

import (
	"testing"

	"qun/internal/chat"
)

func TestWhoCannotBeInIsNotLetIn(t *testing.T) {
	cfg := noLimits()
	cfg.Limits.GroupsPerUser, cfg.Limits.MembersPerGroup = 2, 2
	h := newHouse(t, cfg)
	boss, busy, late := h.member("boss"), h.member("busy"), h.member("late")
	g := h.owned(boss, chat.NewGroup{Name: "club", Visibility: chat.VisibilityPublic, Joining: chat.JoiningApproval})
	for _, u := range []*chat.User{busy, late} {
		entered, err := h.Enter(h.ctx, u, chat.Entry{Group: g})
		h.must(err)
		if !entered.Pending {
			t.Errorf("%s entered at once", u.NickName)
		}
	}
	h.enter(busy, "one")
	h.enter(busy, "two")
	if err := h.Approve(h.ctx, boss, g, busy.ID, true); code(err) != chat.CodeForbidden {
		t.Errorf("who is in too many groups: got %v", err)
	}
	h.must(h.Approve(h.ctx, boss, g, late.ID, true))
	h.must(h.Leave(h.ctx, busy, chat.GroupID(h.enter(busy, "one"))))
	if err := h.Approve(h.ctx, boss, g, busy.ID, true); code(err) != chat.CodeForbidden {
		t.Errorf("of a full group: got %v", err)
	}
	h.must(h.Approve(h.ctx, boss, g, busy.ID, false))
	if n := h.group(g).Requests; n != 0 {
		t.Errorf("%d wait", n)
	}
}

// What is private to a user is read again from any number, wherever it was lost.
func TestRequestsAndBlocksAreReadAgain(t *testing.T) {
	for every := 2; every <= 4; every++ {
		h := newHouse(t, noLimits())
		h.must(h.Service.Close(h.ctx))
		h.Service = chat.New(leaky{h.store, every}, h, noLimits())
		boss, bob := h.member("boss"), h.member("bob")
		g := h.owned(boss, chat.NewGroup{Name: "club", Visibility: chat.VisibilityPublic, Joining: chat.JoiningApproval})
		for range 3 {
			_, err := h.Enter(h.ctx, bob, chat.Entry{Group: g})
			h.must(err)
			h.must(h.Block(h.ctx, bob, boss.ID, true))
			h.must(h.Approve(h.ctx, boss, g, bob.ID, false))
			h.must(h.Block(h.ctx, bob, boss.ID, false))
		}
		for _, u := range []*chat.User{boss, bob} { // two in a row: at least one is heard, and brings what came before
			h.must(h.Block(h.ctx, u, h.member("other"+u.NickName).ID, true))
			h.must(h.Block(h.ctx, u, h.member("another"+u.NickName).ID, true))
		}
		h.must(h.Service.Close(h.ctx))
		checkDense(t, h.heard)
		since := chat.Seq(1)
		answer, err := h.Sync(h.ctx, bob, chat.SyncQuery{Epoch: h.Epoch(), Me: &since})
		h.must(err)
		me := answer.Me
		if len(me.Pending) != 1 || me.Pending[0].State != chat.RequestRejected || len(me.Blocks) != 3 || me.Blocks[0].On || !me.Blocks[2].On {
			t.Errorf("sync of me: %+v", me)
		}
	}
}
