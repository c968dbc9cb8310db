package storetest

import (
	"slices"
	"testing"

	"qun/internal/chat"
)

func testEverybodyAndTheirWordsAreListed(t *testing.T, w *world) {
	alice, bob, carol := w.member("alice"), w.member("bob"), w.guest("carol")
	one, two := w.room("one", alice, bob), w.room("two", bob)
	said := []*chat.Message{w.say(one, alice, "a"), w.say(one, bob, "b"), w.say(one, alice, "c"), w.say(one, alice, "d")}
	w.say(two, bob, "elsewhere")
	w.say(two, carol, "a guest who spoke")
	w.view(func(r chat.Reader) error {
		var ids []chat.UserID
		for last := chat.UserID(""); ; last = ids[len(ids)-1] {
			page, err := r.UsersAfter(last, 2)
			w.must(err)
			if len(page) == 0 {
				break
			}
			for _, u := range page {
				ids = append(ids, u.ID)
			}
		}
		if !slices.Equal(ids, []chat.UserID{alice.ID, bob.ID, carol.ID}) {
			t.Errorf("users are %v", ids)
		}
		first, err := r.SentBy(alice.ID, one, 0, 2)
		w.must(err)
		rest, err := r.SentBy(alice.ID, one, first[1].Seq, 2)
		w.must(err)
		if got := append(texts(first), texts(rest)...); !slices.Equal(got, []string{"a", "c", "d"}) || first[0].Seq != said[0].Seq {
			t.Errorf("alice said %q", got)
		}
		if none, err := r.SentBy(alice.ID, two, 0, 2); err != nil || len(none) != 0 {
			t.Errorf("in two alice said %d, %v", len(none), err)
		}
		return nil
	})
}
