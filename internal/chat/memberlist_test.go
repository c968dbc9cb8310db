package chat_test

import (
	"slices"
	"testing"

	"qun/internal/chat"
)

func TestMembersAreFoundByTheirIDsEvenWhenTheyLeft(t *testing.T) {
	h := newHouse(t, noLimits())
	boss, gone, stranger := h.member("boss"), h.member("gone"), h.member("stranger")
	g := h.owned(boss, chat.NewGroup{Name: "hall", Visibility: chat.VisibilityPublic})
	h.enter(gone, "hall")
	h.must(h.Leave(h.ctx, gone, g))
	page, err := h.Members(h.ctx, boss, chat.MemberQuery{Group: g, UserIDs: []chat.UserID{gone.ID, stranger.ID, boss.ID}})
	h.must(err)
	states := make([]string, len(page.Members))
	for i, m := range page.Members {
		states[i] = m.NickName + " " + string(m.State)
	}
	if want := []string{"gone left", "boss active"}; !slices.Equal(states, want) || page.Cursor != "" {
		t.Errorf("got %q, %q, want %q", states, page.Cursor, want)
	}
	if _, err := h.Members(h.ctx, stranger, chat.MemberQuery{Group: g, UserIDs: []chat.UserID{boss.ID}}); code(err) == "" {
		t.Error("a stranger is told who is in a group")
	}
	if _, err := h.Members(h.ctx, boss, chat.MemberQuery{Group: g, UserIDs: make([]chat.UserID, 101)}); code(err) != chat.CodeInvalid {
		t.Errorf("more than a page: %v", err)
	}
}
