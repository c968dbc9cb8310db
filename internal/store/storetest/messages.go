package storetest

import (
	"context"
	"errors"
	"fmt"
	"reflect"
	"slices"
	"sync"
	"testing"

	"qun/internal/chat"
)

func testNumbersAreDense(t *testing.T, w *world) {
	alice, bob := w.member("alice"), w.member("bob")
	one, two := w.room("one", alice, bob), w.room("two", alice)
	for i := range 20 {
		w.say(one, alice, fmt.Sprint(i))
		m := w.say(two, w.guest("guest"), fmt.Sprint(i))
		w.must(w.store.Change(w.ctx, two, func(tx chat.GroupTx) error {
			edited, err := tx.Message(m.Seq)
			if err != nil {
				return err
			}
			edited.Text, edited.EditedAt = "edited", w.now
			return tx.PutMessage(edited)
		}))
		w.must(w.store.Change(w.ctx, one, func(tx chat.GroupTx) error {
			g := tx.Group()
			g.Topic = fmt.Sprint(i)
			if err := tx.PutGroup(g); err != nil {
				return err
			}
			return tx.AddMessage(&chat.Message{ID: chat.MessageID(w.id()), Kind: chat.MessageSystem, SentAt: w.now,
				System: &chat.SystemAct{Act: "topic", By: alice.ID, Value: g.Topic}})
		}))
	}
	w.checkDense()
	for _, g := range []chat.GroupID{one, two} {
		events, row := w.heard(g), w.groupRow(g)
		if last := events[len(events)-1].Number; events[0].Number != 1 || last != row.Head || len(events) != int(row.Head) {
			t.Errorf("%d events, the last is %d, head %d", len(events), last, row.Head)
		}
	}
	if m := w.history(one)[1]; m.System == nil || m.System.Act != "topic" || m.System.By != alice.ID || m.UserID != "" {
		t.Errorf("system line came back as %+v", m)
	}
}

func testConcurrentSendersShareOneOrder(t *testing.T, w *world) {
	const senders, each = 24, 12
	groups := []chat.GroupID{w.room("one"), w.room("two")}
	var postings [senders][]*chat.Posting
	for i := range postings {
		guest := w.guest(fmt.Sprint("guest ", i))
		for n := range each {
			postings[i] = append(postings[i], w.posting(groups[n%2], guest, fmt.Sprintf("%d/%d", i, n), fmt.Sprint(n)))
		}
	}
	var wait sync.WaitGroup
	for _, mine := range postings {
		wait.Go(func() {
			for _, p := range mine {
				sent, err := w.store.AppendMessage(w.ctx, p)
				if err != nil || sent.Duplicate || sent.Message.Text != p.Message.Text {
					t.Errorf("append %s: got %+v, %v", p.Message.Text, sent, err)
				}
			}
		})
	}
	wait.Wait()
	w.checkDense()
	for _, g := range groups {
		stored := w.history(g)
		if len(stored) != senders*each/2 {
			t.Errorf("%d messages stored, want %d", len(stored), senders*each/2)
		}
		var told []*chat.Message
		for _, e := range w.heard(g) {
			if e.Message != nil {
				told = append(told, e.Message)
			}
		}
		if !reflect.DeepEqual(stored, told) {
			t.Errorf("told %v, stored %v", texts(told), texts(stored))
		}
		checkOwnOrder(t, stored)
	}
}

// checkOwnOrder fails unless everybody's messages stand in the order in which they were sent.
func checkOwnOrder(t *testing.T, stored []*chat.Message) {
	t.Helper()
	last := map[chat.UserID]int{}
	for _, m := range stored {
		var sender, n int
		if _, err := fmt.Sscanf(m.Text, "%d/%d", &sender, &n); err != nil {
			t.Fatalf("%q: %v", m.Text, err)
		}
		if before, ok := last[m.UserID]; ok && n <= before {
			t.Errorf("%s stands after its number %d", m.Text, before)
		}
		last[m.UserID] = n
	}
}

func testDuplicateIsAnsweredWithTheRow(t *testing.T, w *world) {
	alice := w.member("alice")
	g, other := w.room("one", alice), w.room("two", alice)
	first, err := w.store.AppendMessage(w.ctx, w.posting(g, alice, "hello", "id"))
	w.must(err)
	w.must(w.store.Change(w.ctx, g, func(tx chat.GroupTx) error {
		m, err := tx.Message(first.Message.Seq)
		if err != nil {
			return err
		}
		m.Text, m.EditedAt = "hullo", w.now
		return tx.PutMessage(m)
	}))
	head := w.groupRow(g).Head
	for range 3 {
		again, err := w.store.AppendMessage(w.ctx, w.posting(g, alice, "hello", "id"))
		w.must(err)
		if m := again.Message; !again.Duplicate || m.Seq != first.Message.Seq || m.ID != first.Message.ID || m.Text != "hullo" || m.Rev != head {
			t.Errorf("got %+v, want the row as it is now, as a duplicate", again)
		}
	}
	for _, p := range []*chat.Posting{w.posting(g, alice, "something else", "id"), w.posting(other, alice, "hello", "id")} {
		if _, err := w.store.AppendMessage(w.ctx, p); !errors.Is(err, chat.ErrClientIDUsed) {
			t.Errorf("another request under the same id: got %v, want %v", err, chat.ErrClientIDUsed)
		}
	}
	if now := w.groupRow(g).Head; now != head {
		t.Errorf("duplicates moved the head from %d to %d", head, now)
	}
	if _, err := w.store.AppendMessage(w.ctx, w.posting(g, w.guest("bob"), "hello", "id")); err != nil {
		t.Errorf("the same id of another sender: %v", err)
	}
}

func testConcurrentDuplicatesMakeOneMessage(t *testing.T, w *world) {
	const times = 32
	g, guest := w.room("one"), w.guest("guest")
	var postings []*chat.Posting
	for range times {
		postings = append(postings, w.posting(g, guest, "once", "id"))
	}
	seqs := make(chan chat.Seq, times)
	fresh := make(chan struct{}, times)
	var wait sync.WaitGroup
	for _, p := range postings {
		wait.Go(func() {
			sent, err := w.store.AppendMessage(w.ctx, p)
			if err != nil {
				t.Error(err)
				return
			}
			seqs <- sent.Message.Seq
			if !sent.Duplicate {
				fresh <- struct{}{}
			}
		})
	}
	wait.Wait()
	close(seqs)
	first := <-seqs
	for seq := range seqs {
		if seq != first {
			t.Errorf("answers with seq %d and %d", first, seq)
		}
	}
	if len(fresh) != 1 || len(w.history(g)) != 1 {
		t.Errorf("%d answers are no duplicates, %d messages stored; want 1 and 1", len(fresh), len(w.history(g)))
	}
	w.checkDense()
}

func testDuplicateOfTheRemovedIsAnswered(t *testing.T, w *world) {
	alice := w.member("alice")
	g := w.room("one", alice)
	_, err := w.store.AppendMessage(w.ctx, w.posting(g, alice, "hello", "id"))
	w.must(err)
	w.put(g, alice, chat.MemberBanned)
	again, err := w.store.AppendMessage(w.ctx, w.posting(g, alice, "hello", "id"))
	if err != nil || !again.Duplicate {
		t.Errorf("got %+v, %v; want the duplicate", again, err)
	}
	if _, err := w.store.AppendMessage(w.ctx, w.posting(g, alice, "other", "id")); !errors.Is(err, chat.ErrClientIDUsed) {
		t.Errorf("another request under the id: got %v", err)
	}
	var refused *chat.Error
	if _, err := w.store.AppendMessage(w.ctx, w.posting(g, alice, "hello", "new")); !errors.As(err, &refused) || refused.Code != chat.CodeForbidden {
		t.Errorf("a new message of the removed: got %v", err)
	}
}

func testRefusalLeavesTheOthersOfItsBatch(t *testing.T, w *world) {
	const pairs = 40
	alice, mallory := w.member("alice"), w.member("mallory")
	g := w.room("one", alice)
	var wait sync.WaitGroup
	var good, bad []*chat.Posting
	for i := range pairs {
		good = append(good, w.posting(g, alice, fmt.Sprint(i), ""))
		bad = append(bad, w.posting(g, mallory, "let me in", ""))
	}
	for i := range pairs {
		wait.Go(func() {
			if _, err := w.store.AppendMessage(w.ctx, good[i]); err != nil {
				t.Errorf("a good message: %v", err)
			}
		})
		wait.Go(func() {
			var refused *chat.Error
			if _, err := w.store.AppendMessage(w.ctx, bad[i]); !errors.As(err, &refused) || refused.Code != chat.CodeNotInRoom {
				t.Errorf("a refused message: got %v", err)
			}
		})
		wait.Go(func() {
			err := w.store.Change(w.ctx, g, func(tx chat.GroupTx) error {
				if err := tx.PutGroup(tx.Group()); err != nil {
					return err
				}
				return errChanged
			})
			if !errors.Is(err, errChanged) {
				t.Errorf("a refused change: got %v", err)
			}
		})
	}
	wait.Wait()
	w.checkDense()
	if stored := w.history(g); len(stored) != pairs {
		t.Errorf("%d messages stored, want %d", len(stored), pairs)
	}
	if head := w.groupRow(g).Head; head != 2+pairs {
		t.Errorf("head is %d, want %d: refusals take no number", head, 2+pairs)
	}
}

var errChanged = errors.New("changed my mind")

func testRefusedChangeLeavesNothing(t *testing.T, w *world) {
	alice, bob := w.member("alice"), w.member("bob")
	g := w.room("one", alice)
	before, heard := w.groupRow(g), len(w.heard(g))
	err := w.store.Change(w.ctx, g, func(tx chat.GroupTx) error {
		changed := tx.Group()
		changed.Name = "two"
		m := &chat.Membership{Member: chat.Member{UserID: bob.ID, State: chat.MemberActive, Role: chat.RoleMember}, Notify: chat.NotifyAll}
		said := &chat.Message{ID: chat.MessageID(w.id()), UserID: alice.ID, NickName: "alice", Kind: chat.MessageText, Text: "x", SentAt: w.now}
		return errors.Join(tx.PutGroup(changed), tx.PutMembership(m), tx.AddMessage(said), errChanged)
	})
	if !errors.Is(err, errChanged) {
		t.Fatalf("got %v, want what act returned", err)
	}
	if after := w.groupRow(g); !reflect.DeepEqual(before, after) {
		t.Errorf("group was %+v, is %+v", before, after)
	}
	w.view(func(r chat.Reader) error {
		if _, err := r.Membership(g, bob.ID); !errors.Is(err, chat.ErrNotFound) {
			t.Errorf("bob's membership: %v", err)
		}
		if head, _, err := r.UserCounter(bob.ID); head != 1 || err != nil {
			t.Errorf("bob's counter is %d, %v", head, err)
		}
		return nil
	})
	if len(w.history(g)) != 0 || len(w.heard(g)) != heard {
		t.Errorf("something was said: %v", texts(w.history(g)))
	}
	w.say(g, alice, "and on")
	w.checkDense()
	if err := w.store.Change(w.ctx, "nowhere", func(chat.GroupTx) error { return nil }); !errors.Is(err, chat.ErrNotFound) {
		t.Errorf("change of an unknown group: %v", err)
	}
}

func testGuestBecomesMemberWithItsFirstMessage(t *testing.T, w *world) {
	g, guest := w.room("one"), w.guest("小明")
	w.view(func(r chat.Reader) error {
		_, err := r.User(guest.ID)
		if !errors.Is(err, chat.ErrNotFound) {
			t.Errorf("a guest that never spoke: %v", err)
		}
		return nil
	})
	first := w.say(g, guest, "你好")
	m, row := w.membership(g, guest), w.groupRow(g)
	if first.Seq != 3 || m.Rev != 2 || row.Head != 3 || row.MemberCount != 1 {
		t.Errorf("seq %d, rev %d, head %d, %d members; want 3, 2, 3, 1", first.Seq, m.Rev, row.Head, row.MemberCount)
	}
	if !m.Active() || !m.Guest || m.NickName != "小明" || m.Unread(row.Counted) != 0 || m.ReadSeq != 3 {
		t.Errorf("membership is %+v", m)
	}
	w.view(func(r chat.Reader) error {
		u, err := r.User(guest.ID)
		if err != nil || !reflect.DeepEqual(u, guest) {
			t.Errorf("guest is %+v, %v", u, err)
		}
		return nil
	})
	if second := w.say(g, guest, "again"); second.Seq != 4 {
		t.Errorf("second message has seq %d, want 4", second.Seq)
	}
	events := w.heard(g)
	if len(events) != 4 || events[1].Change == nil || events[1].Change.Member == nil || events[2].Message == nil {
		t.Errorf("events are %+v", events)
	}
	w.checkDense()
}

func testReplyNeedsItsMessage(t *testing.T, w *world) {
	alice := w.member("alice")
	g := w.room("one", alice)
	first := w.say(g, alice, "hello")
	reply := w.posting(g, alice, "to you", "")
	reply.Message.ReplyTo = first.Seq
	sent, err := w.store.AppendMessage(w.ctx, reply)
	w.must(err)
	if sent.Message.ReplyTo != first.Seq || w.history(g)[1].ReplyTo != first.Seq {
		t.Errorf("reply is %+v", sent.Message)
	}
	for _, seq := range []chat.Seq{1, 99} {
		reply.Message.ReplyTo = seq
		if _, err := w.store.AppendMessage(w.ctx, reply); !errors.Is(err, chat.ErrNoReply) {
			t.Errorf("reply to %d: got %v, want %v", seq, err, chat.ErrNoReply)
		}
	}
}

func testSlowModeCountsFromTheLastMessage(t *testing.T, w *world) {
	alice := w.member("alice")
	g := w.room("one", alice)
	w.must(w.store.Change(w.ctx, g, func(tx chat.GroupTx) error {
		row := tx.Group()
		row.SlowMode = 10
		return tx.PutGroup(row)
	}))
	w.say(g, alice, "first")
	w.now += 4000
	var refused *chat.Error
	_, err := w.store.AppendMessage(w.ctx, w.posting(g, alice, "too soon", ""))
	if !errors.As(err, &refused) || refused.Code != chat.CodeSlowMode || refused.RetryAfter.Seconds() != 6 {
		t.Errorf("after 4 s of 10: got %v", err)
	}
	w.now += 6000
	w.say(g, alice, "second")
}

func testReopenedStoreIsAsBefore(t *testing.T, w *world) {
	alice := w.member("alice")
	g := w.room("one", alice)
	for i := range 50 {
		w.say(g, w.guest("guest"), fmt.Sprint(i))
	}
	epoch, row, all, m := w.store.Epoch(), w.groupRow(g), w.history(g), w.membership(g, alice)
	w.restart()
	if w.store.Epoch() != epoch || epoch == "" {
		t.Errorf("epoch was %q, is %q", epoch, w.store.Epoch())
	}
	if now := w.groupRow(g); !reflect.DeepEqual(now, row) {
		t.Errorf("group was %+v, is %+v", row, now)
	}
	if now := w.history(g); !reflect.DeepEqual(now, all) {
		t.Errorf("history was %v, is %v", texts(all), texts(now))
	}
	if now := w.membership(g, alice); !reflect.DeepEqual(now, m) {
		t.Errorf("membership was %+v, is %+v", m, now)
	}
	if next := w.say(g, alice, "next"); next.Seq != row.Head+1 {
		t.Errorf("next seq is %d, head was %d", next.Seq, row.Head)
	}
}

func testPagesAreRangesOfSeq(t *testing.T, w *world) {
	alice := w.member("alice")
	g := w.room("one", alice)
	w.room("two")
	var all []chat.Seq
	for i := range 30 {
		all = append(all, w.say(g, alice, fmt.Sprint(i)).Seq)
		w.put(g, alice, chat.MemberActive) // takes a number: seqs of messages are not dense
	}
	w.view(func(r chat.Reader) error {
		for bound := chat.Seq(0); bound <= all[29]+2; bound++ {
			checkPage(t, r, g, all, bound)
		}
		return nil
	})
}

func checkPage(t *testing.T, r chat.Reader, g chat.GroupID, all []chat.Seq, bound chat.Seq) {
	t.Helper()
	const limit = 7
	var later, earlier []chat.Seq
	for _, seq := range all {
		if seq > bound {
			later = append(later, seq)
		}
		if seq < bound || bound == 0 {
			earlier = append(earlier, seq)
		}
	}
	slices.Reverse(earlier)
	oldest, err := r.Oldest(g, bound, limit)
	if got, want := seqs(oldest), later[:min(limit, len(later))]; err != nil || !slices.Equal(got, want) {
		t.Errorf("oldest after %d: got %v, %v, want %v", bound, got, err, want)
	}
	newest, err := r.Newest(g, bound, limit)
	if got, want := seqs(newest), earlier[:min(limit, len(earlier))]; err != nil || !slices.Equal(got, want) {
		t.Errorf("newest before %d: got %v, %v, want %v", bound, got, err, want)
	}
}

func testViewIsOfOneMoment(t *testing.T, w *world) {
	alice := w.member("alice")
	g := w.room("one", alice)
	w.say(g, alice, "before")
	w.view(func(r chat.Reader) error {
		before, err := r.Group(g)
		w.must(err)
		w.say(g, alice, "meanwhile")
		after, err := r.Group(g)
		w.must(err)
		messages, err := r.Oldest(g, 0, 10)
		w.must(err)
		if after.Head != before.Head || len(messages) != 1 {
			t.Errorf("head went from %d to %d, messages are %v", before.Head, after.Head, texts(messages))
		}
		return nil
	})
	ended, cancel := context.WithCancel(w.ctx)
	cancel()
	if err := w.store.View(ended, func(r chat.Reader) error { _, err := r.Group(g); return err }); err == nil {
		t.Error("a view goes on after its context has ended")
	}
	w.groupRow(g) // and the store serves others
}

// testCancelledWriteIsStoredOrRefused ends requests at any moment: what is answered is there, what is refused is not.
func testCancelledWriteIsStoredOrRefused(t *testing.T, w *world) {
	const each = 40
	g := w.room("one")
	var postings [each * 3]*chat.Posting
	for i := range postings {
		postings[i] = w.posting(g, w.guest("guest"), fmt.Sprint(i), "")
	}
	var stored [len(postings)]bool
	var wait sync.WaitGroup
	for i, p := range postings {
		ctx, cancel := context.WithCancel(w.ctx)
		wait.Go(func() {
			_, err := w.store.AppendMessage(ctx, p)
			stored[i] = err == nil
			if err != nil && !errors.Is(err, context.Canceled) {
				t.Errorf("got %v, want %v", err, context.Canceled)
			}
			cancel()
		})
		if i%3 > 0 {
			wait.Go(cancel)
		}
	}
	wait.Wait()
	found := map[string]bool{}
	for _, m := range w.history(g) {
		found[m.Text] = true
	}
	for i, yes := range stored {
		if found[fmt.Sprint(i)] != yes || i%3 == 0 && !yes {
			t.Errorf("message %d: answered %v, stored %v", i, yes, found[fmt.Sprint(i)])
		}
	}
	w.checkDense()
}
