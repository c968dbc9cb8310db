package storetest

import (
	"fmt"
	"reflect"
	"slices"
	"testing"

	"qun/internal/chat"
)

// link sends a message that waits for a preview.
func (w *world) link(g chat.GroupID, u *chat.User, url string) *chat.Message {
	w.t.Helper()
	p := w.posting(g, u, "see "+url, "")
	p.Link = url
	sent, err := w.store.AppendMessage(w.ctx, p)
	w.must(err)
	return sent.Message
}

// lent are the links that are lent now, as "seq url tries".
func (w *world) lent(now, until chat.Time, limit int) (list []string) {
	w.t.Helper()
	links, err := w.store.ClaimLinks(w.ctx, now, until, limit)
	w.must(err)
	for _, l := range links {
		list = append(list, fmt.Sprint(l.Seq, " ", l.URL, " ", l.Tries))
	}
	slices.Sort(list)
	return list
}

func testLinksAreLentOnceAtATime(t *testing.T, w *world) {
	alice := w.member("alice")
	g := w.room("one", alice)
	one := w.link(g, alice, "https://example.org/1")
	again := w.posting(g, alice, "see https://example.org/2", "once")
	again.Link = "https://example.org/2"
	for range 2 { // sent once, it waits once
		if _, err := w.store.AppendMessage(w.ctx, again); err != nil {
			t.Fatal(err)
		}
	}
	refused := w.posting(g, w.member("mallory"), "see https://example.org/3", "")
	refused.Link = "https://example.org/3"
	if _, err := w.store.AppendMessage(w.ctx, refused); err == nil {
		t.Fatal("who is not in the group was heard")
	}
	two := one.Seq + 1
	w.restart()
	now := w.now + 1
	links, err := w.store.ClaimLinks(w.ctx, now, now+1000, 1)
	w.must(err)
	if len(links) != 1 || links[0].By != alice.ID || links[0].Group != g || links[0].AskedAt != one.SentAt || links[0].Tries != 1 {
		t.Fatalf("lent %+v", links)
	}
	other := two
	if links[0].Seq == two {
		other = one.Seq
	}
	if got := w.lent(now, now+1000, 9); len(got) != 1 || got[0][:len(fmt.Sprint(other))] != fmt.Sprint(other) {
		t.Errorf("beside it lent %q", got)
	}
	if got := w.lent(now+999, now+9999, 9); len(got) != 0 {
		t.Errorf("while all are lent: %q", got)
	}
	back := []string{fmt.Sprint(one.Seq, " https://example.org/1 2"), fmt.Sprint(two, " https://example.org/2 2")}
	if got := w.lent(now+1000, now+9999, 9); !slices.Equal(got, back) {
		t.Errorf("when the loans have ended: %q, want %q", got, back)
	}
	w.must(w.store.Change(w.ctx, g, func(tx chat.GroupTx) error { return tx.SeekPreview(one.Seq, "", w.now) }))
	w.must(w.store.Change(w.ctx, g, func(tx chat.GroupTx) error { return tx.SeekPreview(two, "https://example.org/new", w.now) }))
	w.must(w.store.Change(w.ctx, g, func(tx chat.GroupTx) error {
		for seq, want := range map[chat.Seq]string{one.Seq: "", two: "https://example.org/new"} {
			if got, err := tx.Sought(seq); got != want || err != nil {
				t.Errorf("message %d waits for %q, %v, want %q", seq, got, err, want)
			}
		}
		return nil
	}))
	if got := w.lent(now, now+1000, 9); !slices.Equal(got, []string{fmt.Sprint(two, " https://example.org/new 1")}) {
		t.Errorf("another link is lent anew: %q", got)
	}
	w.recall(g, two)
	if got := w.lent(now+9999, now+99999, 9); len(got) != 0 {
		t.Errorf("for a recalled message waits %q", got)
	}
}

func testPreviewsAreRowsOfTheirMessages(t *testing.T, w *world) {
	alice, bob := w.member("alice"), w.member("bob")
	g := w.room("one", alice, bob)
	w.must(w.store.Change(w.ctx, g, func(tx chat.GroupTx) error {
		row := tx.Group()
		row.Visibility = chat.VisibilityPrivate
		return tx.PutGroup(row)
	}))
	m := w.link(g, alice, "https://example.org/")
	first, second := w.uploaded(alice, "first"), w.uploaded(alice, "second")
	show := func(p *chat.Preview) {
		t.Helper()
		w.must(w.store.Change(w.ctx, g, func(tx chat.GroupTx) error {
			row, err := tx.Message(m.Seq)
			if err != nil {
				return err
			}
			row.Preview = p
			return tx.PutMessage(row)
		}))
	}
	want := &chat.Preview{URL: "https://example.org/", Site: "例子", Title: `<b>"标题" & more`, Description: "说明", Picture: &first.File}
	show(want)
	w.restart()
	w.view(func(r chat.Reader) error {
		rows, err := r.MessagesAfter(g, m.Rev, 10)
		if err != nil || len(rows) != 1 || rows[0].Rev <= m.Rev || rows[0].EditedAt != 0 || !reflect.DeepEqual(rows[0].Preview, want) {
			t.Errorf("got %+v, %v, want %+v", rows, err, want)
		}
		return nil
	})
	if uses := w.uses(first, bob); len(uses) != 1 || uses[0].Seq != m.Seq {
		t.Errorf("bob, who sees the message, sees its picture in %v", uses)
	}
	ended := func() (ids []chat.FileID) {
		w.view(func(r chat.Reader) error {
			uses, err := r.EndedFileUses(10)
			for _, use := range uses {
				ids = append(ids, use.File)
			}
			return err
		})
		return ids
	}
	if got := ended(); len(got) != 0 {
		t.Errorf("ended are %v", got)
	}
	show(&chat.Preview{URL: "https://example.org/2", Title: "other", Picture: &second.File})
	if uses := w.uses(first, bob); len(uses) != 0 {
		t.Errorf("the picture of a preview that is gone is seen in %v", uses)
	}
	if got := ended(); !slices.Equal(got, []chat.FileID{first.ID}) {
		t.Errorf("ended are %v, want the first", got)
	}
	show(nil)
	if uses := w.uses(second, bob); len(uses) != 0 {
		t.Errorf("without a preview its picture is seen in %v", uses)
	}
}
