package chat_test

import (
	"fmt"
	"reflect"
	"testing"

	"qun/internal/chat"
)

func TestAReactionIsOneNumberAndMineIsMine(t *testing.T) {
	h := newHouse(t, noLimits())
	alice, bob := h.member("alice"), h.member("bob")
	g := h.enter(alice, "lobby")
	h.enter(bob, "lobby")
	m := h.send(alice, g, "hello")
	head := h.head(g)
	got, err := h.React(h.ctx, bob, g, m.Seq, "❤", true)
	h.must(err)
	want := []chat.Reaction{{Emoji: "❤️", Count: 1, UserIDs: []chat.UserID{bob.ID}, Mine: true}}
	if !reflect.DeepEqual(got.Reactions, want) || got.Rev != head+1 {
		t.Errorf("got %+v, want %+v", got, want)
	}
	again, err := h.React(h.ctx, bob, g, m.Seq, "❤️", true)
	if err != nil || !reflect.DeepEqual(again, got) || h.head(g) != head+1 {
		t.Errorf("again: %+v, %v, head %d", again, err, h.head(g))
	}
	if told := h.lastChange(g).Reactions; len(told) != 1 || told[0].Mine {
		t.Errorf("told everybody %+v", told)
	}
	_, err = h.React(h.ctx, alice, g, m.Seq, "👍", true)
	h.must(err)
	h.checkMine(bob, g, m.Seq, "❤️")
	h.checkMine(alice, g, m.Seq, "👍")
	none, err := h.React(h.ctx, bob, g, m.Seq, "❤️", false)
	if err != nil || len(none.Reactions) != 1 || none.Reactions[0].Emoji != "👍" || none.Reactions[0].Mine {
		t.Errorf("taken back: %+v, %v", none, err)
	}
	head = h.head(g)
	if _, err := h.React(h.ctx, bob, g, m.Seq, "❤️", false); err != nil || h.head(g) != head {
		t.Errorf("taken back again: %v, head %d, want %d", err, h.head(g), head)
	}
	for _, text := range []string{"", "x", "👍👍", "👍 "} {
		if _, err := h.React(h.ctx, bob, g, m.Seq, text, true); code(err) != chat.CodeInvalid {
			t.Errorf("%q: got %v", text, err)
		}
	}
	if _, err := h.React(h.ctx, bob, g, m.Seq-1, "👍", true); code(err) != chat.CodeInvalid {
		t.Errorf("a join line: got %v", err)
	}
}

// checkMine expects u to find exactly these emojis as its own, wherever it reads the message.
func (h *house) checkMine(u *chat.User, g chat.GroupID, seq chat.Seq, emojis ...string) {
	h.t.Helper()
	var found []*chat.Message
	page, err := h.History(h.ctx, u, chat.HistoryQuery{Group: g, Around: &seq})
	h.must(err)
	found = append(found, page.Messages...)
	snap, err := h.Snapshot(h.ctx, u, g)
	h.must(err)
	found = append(found, snap.Messages...)
	answer, err := h.Sync(h.ctx, u, chat.SyncQuery{Epoch: h.Epoch(), Heads: map[chat.GroupID]chat.Seq{g: seq - 1}})
	h.must(err)
	found = append(found, answer.Groups[g].Messages...)
	all, err := h.Overview(h.ctx, u)
	h.must(err)
	found = append(found, all.Groups[0].LastMessage)
	seen := 0
	for _, m := range found {
		if m.Seq != seq {
			continue
		}
		seen++
		var mine []string
		for _, r := range m.Reactions {
			if r.Mine {
				mine = append(mine, r.Emoji)
			}
		}
		if !reflect.DeepEqual(mine, emojis) {
			h.t.Errorf("%s finds %q as its own, want %q, in %+v", u.NickName, mine, emojis, m.Reactions)
		}
	}
	if seen != 4 {
		h.t.Errorf("%s reads the message in %d of 4 ways", u.NickName, seen)
	}
}

func TestAMessageHasTwentyEmojisAndNamesFiftyUsers(t *testing.T) {
	h := newHouse(t, noLimits())
	alice := h.member("alice")
	g := h.enter(alice, "lobby")
	m := h.send(alice, g, "hello")
	emojis := []rune("👍👎😀😁😂🤣😃😄😅😆😉😊😋😎😍😘🥰😗😙😚🙂")
	for _, e := range emojis[:20] {
		_, err := h.React(h.ctx, alice, g, m.Seq, string(e), true)
		h.must(err)
	}
	if _, err := h.React(h.ctx, alice, g, m.Seq, string(emojis[20]), true); code(err) != chat.CodeForbidden {
		t.Errorf("the 21st: got %v", err)
	}
	var crowd []*chat.User
	for i := range 60 {
		u := h.guest(fmt.Sprint("guest ", i))
		h.send(u, g, "hi")
		crowd = append(crowd, u)
	}
	m = h.send(alice, g, "vote")
	for _, u := range crowd {
		_, err := h.React(h.ctx, u, g, m.Seq, "👍", true)
		h.must(err)
	}
	check := func(count int, named []*chat.User) {
		t.Helper()
		r := h.lastChange(g).Reactions[0]
		if r.Count != count || len(r.UserIDs) != len(named) {
			t.Fatalf("%d reacted, %d named; want %d and %d", r.Count, len(r.UserIDs), count, len(named))
		}
		for i, u := range named {
			if r.UserIDs[i] != u.ID {
				t.Errorf("number %d is not the one who came then", i)
			}
		}
	}
	check(60, crowd[:50])
	h.checkMine(crowd[59], g, m.Seq, "👍") // not named
	h.checkMine(alice, g, m.Seq)
	_, err := h.React(h.ctx, crowd[10], g, m.Seq, "👍", false)
	h.must(err)
	check(59, append(append([]*chat.User{}, crowd[:10]...), crowd[11:51]...))
	_, err = h.React(h.ctx, crowd[59], g, m.Seq, "👍", false)
	h.must(err)
	check(58, append(append([]*chat.User{}, crowd[:10]...), crowd[11:51]...))
	_, err = h.React(h.ctx, crowd[10], g, m.Seq, "👍", true) // the last in order now
	h.must(err)
	check(59, append(append([]*chat.User{}, crowd[:10]...), crowd[11:51]...))
}
