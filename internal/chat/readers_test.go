package chat_test

import (
	"fmt"
	"slices"
	"testing"

	"qun/internal/chat"
)

func TestReadByIsWhoReadIt(t *testing.T) {
	h := newHouse(t, noLimits())
	alice, bob, carol, dave := h.member("alice"), h.member("bob"), h.member("carol"), h.member("dave")
	g := h.enter(alice, "lobby")
	for _, u := range []*chat.User{bob, carol, dave} {
		h.enter(u, "lobby")
	}
	m := h.send(alice, g, "read this")
	readBy := func(seq chat.Seq) (names []string) {
		t.Helper()
		page, err := h.ReadBy(h.ctx, bob, g, seq, "")
		h.must(err)
		if page.Cursor != "" {
			t.Errorf("there is another page: %+v", page)
		}
		for _, one := range page.Members {
			names = append(names, one.NickName)
		}
		slices.Sort(names)
		return names
	}
	if got := readBy(m.Seq); len(got) != 0 {
		t.Errorf("nobody has, got %v", got)
	}
	for _, u := range []*chat.User{carol, bob} {
		state, err := h.ReadUpTo(h.ctx, u, g, m.Seq) // not written yet
		h.must(err)
		if !state.Moved || state.MemberCount != 4 {
			t.Errorf("got %+v", state)
		}
		if state, err = h.ReadUpTo(h.ctx, u, g, m.Seq); err != nil || state.Moved {
			t.Errorf("again: %+v, %v", state, err)
		}
	}
	if got := readBy(m.Seq); !slices.Equal(got, []string{"bob", "carol"}) {
		t.Errorf("got %v", got)
	}
	h.close()
	h.open()
	if got := readBy(m.Seq); !slices.Equal(got, []string{"bob", "carol"}) {
		t.Errorf("written: got %v", got)
	}
	later := h.send(alice, g, "and this")
	if got := readBy(later.Seq); len(got) != 0 {
		t.Errorf("got %v", got)
	}
	h.setState(g, carol, chat.MemberLeft)
	if got := readBy(m.Seq); !slices.Equal(got, []string{"bob"}) {
		t.Errorf("carol left: got %v", got)
	}
	if _, err := h.ReadBy(h.ctx, bob, g, 99, ""); code(err) != chat.CodeNotFound {
		t.Errorf("no message: %v", err)
	}
	if _, err := h.ReadBy(h.ctx, bob, g, m.Seq, "?"); code(err) != chat.CodeInvalid {
		t.Errorf("no cursor: %v", err)
	}
	if _, err := h.ReadBy(h.ctx, h.member("eve"), g, m.Seq, ""); code(err) != chat.CodeNotInRoom {
		t.Errorf("a stranger: %v", err)
	}
}

func TestReadByOfALargeGroupComesInPages(t *testing.T) {
	h := newHouse(t, noLimits())
	alice := h.member("alice")
	g := h.enter(alice, "lobby")
	for i := range 1100 {
		h.send(h.guest(fmt.Sprint("guest ", i)), g, "hi")
	}
	m := h.send(alice, g, "last")
	seen, cursor, pages := map[chat.UserID]bool{}, "", 0
	for {
		page, err := h.ReadBy(h.ctx, alice, g, m.Seq-501, cursor) // all who came after it have read it
		h.must(err)
		for _, one := range page.Members {
			if seen[one.UserID] {
				t.Errorf("%s comes twice", one.NickName)
			}
			seen[one.UserID] = true
		}
		pages++
		if cursor = page.Cursor; cursor == "" {
			break
		}
	}
	if pages != 2 || len(seen) < 200 || len(seen) > 300 {
		t.Errorf("%d members on %d pages", len(seen), pages)
	}
}
