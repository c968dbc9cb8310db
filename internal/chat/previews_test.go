package chat_test

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"time"

	"qun/internal/chat"
)

// withPreviews is a house whose messages get previews.
func withPreviews(t *testing.T, change func(*chat.Config)) (*house, *shelf) {
	t.Helper()
	return withFiles(t, func(cfg *chat.Config) {
		cfg.Previews = true
		if change != nil {
			change(cfg)
		}
	})
}

// claim lends one link, which there must be.
func (h *house) claim() *chat.Link {
	h.t.Helper()
	links, err := h.ClaimLinks(h.ctx, 10)
	h.must(err)
	if len(links) != 1 {
		h.t.Fatalf("%d links wait", len(links))
	}
	return links[0]
}

func (h *house) wantNoLink(what string) {
	h.t.Helper()
	links, err := h.ClaimLinks(h.ctx, 10)
	h.must(err)
	for _, l := range links {
		h.t.Errorf("%s: %s waits for a preview", what, l.URL)
	}
}

func (h *house) row(u *chat.User, g chat.GroupID, seq chat.Seq) *chat.Message {
	h.t.Helper()
	page, err := h.History(h.ctx, u, chat.HistoryQuery{Group: g, Around: &seq, Limit: 1})
	h.must(err)
	if len(page.Messages) != 1 || page.Messages[0].Seq != seq {
		h.t.Fatalf("message %d is not there: %+v", seq, page)
	}
	return page.Messages[0]
}

var page = &chat.Page{Site: "例子", Title: "标题", Description: "说明", Picture: []byte("image of it")}

func TestFirstLinkIsTheOneThatTheAppShows(t *testing.T) {
	for text, want := range map[string]string{
		"https://example.org":                                 "https://example.org",
		"看这个https://example.org/a?b=1#c，很好":                   "https://example.org/a?b=1#c",
		"(see http://example.org/x).":                         "http://example.org/x",
		"**HTTPS://Example.org/**":                            "HTTPS://Example.org/",
		"[words](https://example.org/md) https://other.org":   "https://example.org/md",
		"`https://code.org` and https://real.org":             "https://real.org",
		"```\nhttps://code.org\n```\nhttps://real.org":        "https://real.org",
		"```\nhttps://code.org":                               "",
		"ftp://example.org file:///etc/passwd javascript://x": "",
		"https://user:secret@example.org/":                    "",
		"https:// http://":                                    "",
		"no link at all":                                      "",
		"https://a.org/" + strings.Repeat("x", 3000):          "",
	} {
		if got := chat.FirstLink(text); got != want {
			t.Errorf("%q: got %q, want %q", text, got, want)
		}
	}
}

func TestAPreviewComesAsAChange(t *testing.T) {
	h, _ := withPreviews(t, nil)
	alice, bob := h.member("alice"), h.member("bob")
	g := h.enter(alice, "lobby")
	h.enter(bob, "lobby")
	sent := h.send(alice, g, "see https://example.org/a")
	l := h.claim()
	if l.Group != g || l.Seq != sent.Seq || l.URL != "https://example.org/a" || l.By != alice.ID {
		t.Errorf("lent %+v", l)
	}
	h.must(h.SettleLink(h.ctx, l, page))
	got := h.row(bob, g, sent.Seq)
	p := got.Preview
	if p == nil || p.URL != l.URL || p.Site != "例子" || p.Title != "标题" || p.Description != "说明" || p.Picture == nil || got.EditedAt != 0 {
		t.Fatalf("got %+v of %+v", p, got)
	}
	if !h.await(g, got.Rev) {
		t.Fatal("nobody heard of it")
	}
	events := h.events(g, "")
	last := events[len(events)-1]
	if last.Change == nil || last.Change.Message == nil || last.Change.Message.Preview == nil || last.Number != got.Rev {
		t.Errorf("told %+v", last)
	}
	if !h.sees(bob, p.Picture) || !h.sees(nil, p.Picture) {
		t.Error("who sees the message does not see the picture") // the group is open
	}
	h.must(h.SettleLink(h.ctx, l, page)) // a second look changes nothing
	if again := h.row(bob, g, sent.Seq); again.Rev != got.Rev {
		t.Error("a preview was shown twice")
	}
	h.wantNoLink("afterwards")
	answer, err := h.Sync(h.ctx, bob, chat.SyncQuery{Epoch: h.Epoch(), Heads: map[chat.GroupID]chat.Seq{g: sent.Seq}})
	h.must(err)
	if rows := answer.Groups[g].Messages; len(rows) != 1 || rows[0].Preview == nil {
		t.Errorf("sync answers %+v", rows)
	}
}

func TestNothingToShowLeavesTheMessageAsItIs(t *testing.T) {
	h, shelf := withPreviews(t, nil)
	alice := h.member("alice")
	g := h.enter(alice, "lobby")
	for what, p := range map[string]*chat.Page{
		"no page": nil, "no title": {Site: "x", Description: "y", Picture: []byte("image")}, "hidden title": {Title: "\u202e\u200b \x00"},
	} {
		sent := h.send(alice, g, "https://example.org/"+what[:2])
		h.must(h.SettleLink(h.ctx, h.claim(), p))
		if got := h.row(alice, g, sent.Seq); got.Preview != nil || got.Rev != sent.Rev {
			t.Errorf("%s: got %+v", what, got)
		}
	}
	if len(shelf.kept) != 0 {
		t.Errorf("%d pictures are kept", len(shelf.kept))
	}
}

func TestStrangersWordsAreCleanedAndCut(t *testing.T) {
	h, _ := withPreviews(t, nil)
	alice := h.member("alice")
	g := h.enter(alice, "lobby")
	sent := h.send(alice, g, "https://www.example.org/")
	h.must(h.SettleLink(h.ctx, h.claim(), &chat.Page{
		Title: "a\u202eb\n\t c<script>" + strings.Repeat("长", 300), Description: strings.Repeat("x", 5000),
	}))
	p := h.row(alice, g, sent.Seq).Preview
	if p.Site != "example.org" || !strings.HasPrefix(p.Title, "ab c<script>长") || len([]rune(p.Title)) != 200 || len([]rune(p.Description)) != 300 {
		t.Errorf("got %q, %q (%d), %d", p.Site, p.Title, len([]rune(p.Title)), len([]rune(p.Description)))
	}
	if !strings.HasSuffix(p.Title, "…") || p.Picture != nil {
		t.Errorf("got %+v", p)
	}
}

func TestAPreviewFollowsItsLink(t *testing.T) {
	h, _ := withPreviews(t, nil)
	alice, bob := h.member("alice"), h.member("bob")
	g := h.enter(alice, "lobby")
	h.enter(bob, "lobby")
	edit := func(seq chat.Seq, text string) *chat.Message {
		t.Helper()
		m, err := h.EditMessage(h.ctx, alice, chat.Edit{Group: g, Seq: seq, Text: text})
		h.must(err)
		return m
	}
	sent := h.send(alice, g, "https://example.org/a")
	slow := h.claim() // its page is still looked at
	if m := edit(sent.Seq, "see https://example.org/a!"); m.Preview != nil {
		t.Errorf("got %+v", m.Preview)
	}
	h.must(h.SettleLink(h.ctx, slow, page))
	first := h.row(alice, g, sent.Seq).Preview
	if m := edit(sent.Seq, "look: https://example.org/a"); m.Preview == nil {
		t.Error("the same link lost its preview")
	}
	if m := edit(sent.Seq, "https://example.org/b"); m.Preview != nil {
		t.Error("another link has the preview of the first")
	}
	late := *slow
	h.must(h.SettleLink(h.ctx, &late, page)) // of the first link, too late
	if m := h.row(alice, g, sent.Seq); m.Preview != nil {
		t.Error("another link got the preview of the first")
	}
	if h.sees(bob, first.Picture) {
		t.Error("the picture of a preview that is gone is seen")
	}
	h.must(h.SettleLink(h.ctx, h.claim(), page))
	if m := h.row(alice, g, sent.Seq); m.Preview == nil || m.Preview.URL != "https://example.org/b" {
		t.Errorf("got %+v", m.Preview)
	}
	if m := edit(sent.Seq, "no link"); m.Preview != nil {
		t.Error("without its link it has a preview")
	}
	h.wantNoLink("without a link")

	gone := h.send(alice, g, "https://example.org/c")
	l := h.claim()
	_, err := h.RecallMessage(h.ctx, alice, g, gone.Seq)
	h.must(err)
	h.must(h.SettleLink(h.ctx, l, page))
	if m := h.row(alice, g, gone.Seq); m.Preview != nil {
		t.Error("a recalled message got a preview")
	}
	shown := h.send(alice, g, "https://example.org/d")
	h.must(h.SettleLink(h.ctx, h.claim(), page))
	picture := h.row(alice, g, shown.Seq).Preview.Picture
	_, err = h.RecallMessage(h.ctx, alice, g, shown.Seq)
	h.must(err)
	if m := h.row(alice, g, shown.Seq); m.Preview != nil || h.sees(bob, picture) {
		t.Error("a recalled message keeps its preview")
	}
}

func TestTheAuthorTakesAPreviewOff(t *testing.T) {
	h, _ := withPreviews(t, nil)
	alice, bob := h.member("alice"), h.member("bob")
	g := h.enter(alice, "lobby")
	h.enter(bob, "lobby")
	sent := h.send(bob, g, "https://example.org/a")
	l := h.claim()
	h.must(h.SettleLink(h.ctx, l, page))
	if _, err := h.RemovePreview(h.ctx, alice, g, sent.Seq); code(err) != chat.CodeForbidden {
		t.Errorf("an owner, of somebody else's: got %v", err)
	}
	m, err := h.RemovePreview(h.ctx, bob, g, sent.Seq)
	h.must(err)
	if m.Preview != nil || m.EditedAt != 0 {
		t.Errorf("got %+v", m)
	}
	if again, err := h.RemovePreview(h.ctx, bob, g, sent.Seq); err != nil || again.Rev != m.Rev {
		t.Errorf("again: rev %d became %d, %v", m.Rev, again.Rev, err)
	}
	edited, err := h.EditMessage(h.ctx, bob, chat.Edit{Group: g, Seq: sent.Seq, Text: "again https://example.org/a"})
	h.must(err)
	h.wantNoLink("the same link after its preview was taken off")
	if edited.Preview != nil {
		t.Error("it came back")
	}
	early := h.send(bob, g, "https://example.org/b")
	l = h.claim()
	_, err = h.RemovePreview(h.ctx, bob, g, early.Seq)
	h.must(err)
	h.must(h.SettleLink(h.ctx, l, page))
	if m := h.row(bob, g, early.Seq); m.Preview != nil {
		t.Error("what was taken off before it came came all the same")
	}
}

func TestLinksAreLookedAtWithinBounds(t *testing.T) {
	h, _ := withPreviews(t, func(cfg *chat.Config) {
		cfg.Limits = chat.DefaultLimits()
		cfg.Limits.MessageBurst = 100
	})
	alice := h.member("alice")
	g := h.enter(alice, "lobby")
	for i := range 30 {
		h.send(alice, g, fmt.Sprintf("https://example.org/%d", i))
	}
	links, err := h.ClaimLinks(h.ctx, 100)
	h.must(err)
	if len(links) < 10 || len(links) > 11 {
		t.Errorf("of 30 links at once %d are looked at", len(links))
	}
}

func TestThereAreNoPreviewsOfOurOwnPagesAndWhereTheyAreOff(t *testing.T) {
	h, _ := withPreviews(t, func(cfg *chat.Config) { cfg.URL = "https://chat.example.org" })
	alice := h.member("alice")
	h.send(alice, h.enter(alice, "lobby"), "https://chat.example.org/#/invite/secret")
	h.wantNoLink("an address of this server")
	off := newHouse(t, noLimits())
	alice = off.member("alice")
	off.send(alice, off.enter(alice, "lobby"), "https://example.org/")
	off.wantNoLink("switched off")
}

func TestALinkThatNobodyGetsToTheEndOfIsGivenUp(t *testing.T) {
	now := time.Now()
	h, _ := withPreviews(t, func(cfg *chat.Config) { cfg.Now = func() time.Time { return now } })
	alice := h.member("alice")
	h.send(alice, h.enter(alice, "lobby"), "https://example.org/")
	for range 3 {
		h.claim()
		h.wantNoLink("while it is lent")
		now = now.Add(61 * time.Second)
	}
	h.wantNoLink("after three times")
	if links, err := h.store.ClaimLinks(context.Background(), 1<<50, 1<<50, 9); err != nil || len(links) != 0 {
		t.Errorf("still there: %v, %v", links, err)
	}
}

func TestAForwardedLinkHasAPreviewOfItsOwn(t *testing.T) {
	h, _ := withPreviews(t, nil)
	alice := h.member("alice")
	one, two := h.enter(alice, "one"), h.enter(alice, "two")
	sent := h.send(alice, one, "https://example.org/")
	h.must(h.SettleLink(h.ctx, h.claim(), page))
	again, err := h.Forward(h.ctx, alice, chat.Forward{Group: one, Seq: sent.Seq, To: two})
	h.must(err)
	if l := h.claim(); l.Group != two || l.Seq != again.Message.Seq {
		t.Errorf("lent %+v", l)
	}
}
