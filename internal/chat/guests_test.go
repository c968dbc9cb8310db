package chat_test

import (
	"errors"
	"regexp"
	"strings"
	"testing"

	"qun/internal/chat"
)

func TestGuestWithoutANameGetsOne(t *testing.T) {
	h := newHouse(t, chat.Config{})
	if got := h.guest(" \u200b").NickName; !regexp.MustCompile(`^访客\d{4}$`).MatchString(got) {
		t.Errorf("got %q", got)
	}
}

func TestGuestsMayShareAName(t *testing.T) {
	h := newHouse(t, chat.Config{})
	a, b := h.guest("小明"), h.guest("小明")
	if a.NickName != "小明" || b.NickName != "小明" || a.ID == b.ID {
		t.Errorf("got %+v and %+v", a, b)
	}
}

func TestGuestCannotBearOrImitateAMembersName(t *testing.T) {
	h := newHouse(t, chat.Config{})
	_, err := h.CreateMember(h.ctx, chat.NewMember{Username: "alice", NickName: "爱丽丝"})
	h.must(err)
	for _, name := range []string{"爱丽丝", "爱 丽\u200b丝", "alice", "Alice", "аlісе", "ａｌｉｃｅ", "a1ice", "alice（访客）", "系统", "System"} {
		got := h.guest(name).NickName
		if !strings.HasSuffix(got, "（访客）") || strings.Count(got, "访客") != 1 {
			t.Errorf("%q becomes %q", name, got)
		}
		_, err := h.NewGuest(h.ctx, name, true)
		var refused *chat.Error
		if !errors.As(err, &refused) || refused.Code != chat.CodeNameTaken || refused.Suggestion == "" {
			t.Errorf("%q, strictly: got %v", name, err)
			continue
		}
		again, err := h.NewGuest(h.ctx, refused.Suggestion, true)
		if err != nil || again.NickName != refused.Suggestion {
			t.Errorf("the suggestion %q: got %+v, %v", refused.Suggestion, again, err)
		}
	}
}

func TestGuestWhoseNameAMemberTookIsMarkedWhenItEnters(t *testing.T) {
	h := newHouse(t, noLimits())
	guest := h.guest("alice")
	h.enter(guest, "lobby")
	h.member("alice")
	entered, err := h.Enter(h.ctx, guest, chat.Entry{Room: "lobby", Plain: true})
	h.must(err)
	if entered.User.NickName != "alice（访客）" || entered.User.ID != guest.ID || guest.NickName != "alice" {
		t.Errorf("entered as %+v", entered.User)
	}
	if line := entered.JoinLine; line == nil || line.NickName != "alice（访客）" {
		t.Errorf("join line is %+v", line)
	}
}

func TestMembersNamesAreUniqueAndPlain(t *testing.T) {
	h := newHouse(t, chat.Config{})
	alice := h.member("Alice")
	if alice.Username != "alice" || alice.NickName != "Alice" || alice.Guest {
		t.Errorf("member is %+v", alice)
	}
	for _, c := range []struct {
		in   chat.NewMember
		want chat.Code
	}{
		{chat.NewMember{Username: "ALICE"}, chat.CodeNameTaken},
		{chat.NewMember{Username: "bob", NickName: "аlice"}, chat.CodeNameTaken},
		{chat.NewMember{Username: "a1ice", NickName: "bob"}, chat.CodeNameTaken},
		{chat.NewMember{Username: ""}, chat.CodeInvalid},
		{chat.NewMember{Username: "a b"}, chat.CodeInvalid},
		{chat.NewMember{Username: "bob", NickName: "bob（访客）"}, chat.CodeInvalid},
		{chat.NewMember{Username: "bob", NickName: strings.Repeat("b", 33)}, chat.CodeInvalid},
		{chat.NewMember{Username: "bob", NickName: "Bob"}, ""},
	} {
		if _, err := h.CreateMember(h.ctx, c.in); code(err) != c.want {
			t.Errorf("%+v: got %v, want %q", c.in, err, c.want)
		}
	}
	if u, err := h.User(h.ctx, alice.ID); err != nil || *u != *alice {
		t.Errorf("looked up %+v, %v", u, err)
	}
	if _, err := h.User(h.ctx, "nobody"); code(err) != chat.CodeNotFound {
		t.Errorf("nobody: got %v", err)
	}
}
