package chat_test

import (
	"testing"

	"qun/internal/chat"
)

// Who gets no answer asks again.
func TestAGroupAskedForAgainIsMadeOnce(t *testing.T) {
	h := newHouse(t, noLimits())
	alice, bob := h.member("alice"), h.member("bob")
	in := chat.NewGroup{Name: "读书", Members: []chat.UserID{bob.ID}, ClientID: "c1"}
	first, err := h.CreateGroup(h.ctx, alice, in)
	h.must(err)
	if first.Duplicate {
		t.Error("the first is called a duplicate")
	}
	name := "Books"
	_, err = h.UpdateGroup(h.ctx, alice, chat.GroupUpdate{Group: first.Group.ID, Name: &name})
	h.must(err)
	again, err := h.CreateGroup(h.ctx, alice, in)
	h.must(err)
	if g := again.Group; !again.Duplicate || g.ID != first.Group.ID || g.Name != name || g.MemberCount != 2 || g.Me.Role != chat.RoleOwner {
		t.Errorf("asked again: got %+v", again)
	}
	in.Topic = "another"
	if _, err := h.CreateGroup(h.ctx, alice, in); code(err) != chat.CodeConflict {
		t.Errorf("another group under this clientId: got %v", err)
	}
	if other := h.owned(bob, in); other == first.Group.ID {
		t.Error("a clientId is its user's, and bob got alice's group")
	}
	in.ClientID = ""
	if one := h.owned(alice, in); one == h.owned(alice, in) {
		t.Error("without a clientId each request makes a group")
	}
	in.ClientID = string(make([]byte, 65))
	if _, err := h.CreateGroup(h.ctx, alice, in); code(err) != chat.CodeInvalid {
		t.Errorf("a long clientId: got %v", err)
	}
}

// The group that a clientId stands for is shown to who may see it.
func TestAGroupMadeBeforeAndGoneIsNotMadeAgain(t *testing.T) {
	h := newHouse(t, noLimits())
	alice := h.member("alice")
	in := chat.NewGroup{Name: "hall", Visibility: chat.VisibilityPublic, ClientID: "c1"}
	g := h.owned(alice, in)
	h.must(h.Dissolve(h.ctx, alice, g))
	if _, err := h.CreateGroup(h.ctx, alice, in); code(err) != chat.CodeNotFound {
		t.Errorf("dissolved: got %v", err)
	}
}
