package chat_test

import (
	"context"
	"sync"
	"testing"
	"time"

	"qun/internal/chat"
)

func TestInvitesEnd(t *testing.T) {
	h, pass := clocked(t)
	boss := h.member("boss")
	g := h.owned(boss, chat.NewGroup{Name: "club"})
	invite, err := h.Invite(h.ctx, boss, chat.NewInvite{Group: g, ExpiresAt: chat.TimeOf(h.cfg.Now().Add(time.Hour))})
	h.must(err)
	if got := h.tryEnter(h.member("ann"), chat.Entry{Invite: invite.Token}); got != "" {
		t.Errorf("in time: got %q", got)
	}
	pass(time.Hour)
	if got := h.tryEnter(h.member("ben"), chat.Entry{Invite: invite.Token}); got != chat.CodeNotFound {
		t.Errorf("too late: got %q", got)
	}
	if _, err := h.Invitation(h.ctx, "somebody", invite.Token); code(err) != chat.CodeNotFound {
		t.Errorf("shown too late: got %v", err)
	}
	if list, err := h.Invites(h.ctx, boss, g); err != nil || len(list) != 0 {
		t.Errorf("invites are %v, %v", list, err)
	}
}

// crowded is a store in which nobody changes a group before so many want to.
type crowded struct {
	chat.Store
	all *sync.WaitGroup
}

func (c crowded) Change(ctx context.Context, g chat.GroupID, act func(chat.GroupTx) error) error {
	c.all.Done()
	c.all.Wait()
	return c.Store.Change(ctx, g, act)
}

func TestAnInviteIsUsedAsOftenAsItSays(t *testing.T) {
	h := newHouse(t, noLimits())
	boss := h.member("boss")
	g := h.owned(boss, chat.NewGroup{Name: "club"})
	invite, err := h.Invite(h.ctx, boss, chat.NewInvite{Group: g, MaxUses: 3})
	h.must(err)
	var users []*chat.User
	for i := range 8 {
		users = append(users, h.member("user"+string(rune('a'+i))))
	}
	h.must(h.Service.Close(h.ctx))
	var ready sync.WaitGroup
	ready.Add(len(users))
	h.Service = chat.New(crowded{h.store, &ready}, h, h.cfg) // all have seen the invite before the first uses it
	results := make(chan chat.Code, len(users))
	var all sync.WaitGroup
	for _, u := range users {
		all.Go(func() { results <- h.tryEnter(u, chat.Entry{Invite: invite.Token}) })
	}
	all.Wait()
	close(results)
	count := map[chat.Code]int{}
	for c := range results {
		count[c]++
	}
	if count[""] != 3 || count[chat.CodeNotFound] != 5 || h.group(g).MemberCount != 4 {
		t.Errorf("entered %v, %d members", count, h.group(g).MemberCount)
	}
}

func TestAGroupHoldsSoManyInvites(t *testing.T) {
	h := newHouse(t, noLimits())
	boss := h.member("boss")
	g := h.owned(boss, chat.NewGroup{Name: "club"})
	var last *chat.Invite
	for range 100 {
		invite, err := h.Invite(h.ctx, boss, chat.NewInvite{Group: g})
		h.must(err)
		last = invite
	}
	if _, err := h.Invite(h.ctx, boss, chat.NewInvite{Group: g}); code(err) != chat.CodeForbidden {
		t.Errorf("one more: got %v", err)
	}
	h.must(h.RevokeInvite(h.ctx, boss, g, last.ID))
	_, err := h.Invite(h.ctx, boss, chat.NewInvite{Group: g})
	h.must(err)
}
