package chat_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"reflect"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"qun/internal/chat"
)

func TestMessageIsDurableAnnouncedAndThenAcknowledged(t *testing.T) {
	h := newHouse(t, noLimits())
	guest := h.guest("小明")
	g := h.enter(guest, "大厅")
	sent, err := h.SendMessage(h.ctx, guest, chat.NewMessage{Group: g, Entered: true, Text: "你好 <b>", ClientID: "c1"})
	h.must(err)
	events := h.events(g, "") // SendMessage returned: it is announced
	last := events[len(events)-1]
	if last.Message == nil || !reflect.DeepEqual(last.Message, sent.Message) || last.Number != sent.Message.Seq {
		t.Errorf("announced %+v, acknowledged %+v", last, sent.Message)
	}
	page, err := h.History(h.ctx, guest, chat.HistoryQuery{Group: g})
	h.must(err)
	if len(page.Messages) != 1 || !reflect.DeepEqual(page.Messages[0], sent.Message) {
		t.Errorf("stored %+v, acknowledged %+v", page.Messages, sent.Message)
	}
	m := sent.Message
	if m.Text != "你好 <b>" || m.Room != "大厅" || m.NickName != "小明" || !m.Guest || m.UserID != guest.ID || m.ClientID != "c1" || m.Rev != m.Seq {
		t.Errorf("message is %+v", m)
	}
}

func TestSentOnceHoweverOftenRetried(t *testing.T) {
	h := newHouse(t, noLimits())
	alice := h.member("alice")
	g := h.enter(alice, "lobby")
	in := chat.NewMessage{Group: g, Text: "once", ClientID: "c1"}
	var first *chat.Message
	for i := range 5 {
		sent, err := h.SendMessage(h.ctx, alice, in)
		h.must(err)
		if first == nil {
			first = sent.Message
		}
		if sent.Duplicate != (i > 0) || !reflect.DeepEqual(sent.Message, first) {
			t.Errorf("answer %d is %+v of %+v", i, sent, sent.Message)
		}
		h.close()
		h.open()
	}
	for _, other := range []chat.NewMessage{
		{Group: g, Text: "twice", ClientID: "c1"},
		{Group: g, Text: "once", ClientID: "c1", ReplyTo: first.Seq},
		{Group: h.enter(alice, "other"), Text: "once", ClientID: "c1"},
		{Group: g, Text: "", ClientID: "c1"},
		{Group: "nowhere", Text: "once", ClientID: "c1"},
	} {
		if _, err := h.SendMessage(h.ctx, alice, other); code(err) != chat.CodeConflict {
			t.Errorf("%+v: got %v, want %s", other, err, chat.CodeConflict)
		}
	}
}

func TestDuplicateIsAnsweredBeforeAnyRule(t *testing.T) {
	cfg := chat.Config{Limits: chat.DefaultLimits()}
	cfg.Limits.MessageBurst = 2
	h := newHouse(t, cfg)
	alice := h.member("alice")
	g := h.enter(alice, "lobby")
	in := chat.NewMessage{Group: g, Text: "once", ClientID: "c1"}
	_, err := h.SendMessage(h.ctx, alice, in)
	h.must(err)
	h.send(alice, g, "spent")
	if _, err := h.SendMessage(h.ctx, alice, chat.NewMessage{Group: g, Text: "new"}); code(err) != chat.CodeRateLimited {
		t.Fatalf("the rate is not spent: %v", err)
	}
	check := func(when string) {
		t.Helper()
		if sent, err := h.SendMessage(h.ctx, alice, in); err != nil || !sent.Duplicate {
			t.Errorf("%s: got %+v, %v", when, sent, err)
		}
	}
	check("too fast")
	h.setState(g, alice, chat.MemberKicked)
	check("kicked")
	h.setGroup(g, func(g *chat.Group) { g.DissolvedAt = 1 })
	check("dissolved")
}

func TestBadMessagesAreRefused(t *testing.T) {
	h := newHouse(t, noLimits())
	alice := h.member("alice")
	g := h.enter(alice, "lobby")
	for _, c := range []struct {
		in   chat.NewMessage
		want chat.Code
	}{
		{chat.NewMessage{Text: strings.Repeat("群", 8000)}, ""},
		{chat.NewMessage{Text: strings.Repeat("群", 8001)}, chat.CodeTooLarge},
		{chat.NewMessage{Text: ""}, chat.CodeInvalid},
		{chat.NewMessage{Text: "a\x00b"}, chat.CodeInvalid},
		{chat.NewMessage{Text: "a\xff"}, chat.CodeInvalid},
		{chat.NewMessage{Text: "a", ClientID: strings.Repeat("x", 64)}, ""},
		{chat.NewMessage{Text: "a", ClientID: strings.Repeat("x", 65)}, chat.CodeInvalid},
		{chat.NewMessage{Text: "a", ClientID: "\x00"}, chat.CodeInvalid},
		{chat.NewMessage{Text: "a", ReplyTo: 99}, chat.CodeInvalid},
		{chat.NewMessage{Text: "a", ReplyTo: -1}, chat.CodeInvalid},
		{chat.NewMessage{Text: "a", Files: []chat.FileID{"x"}}, chat.CodeInvalid},
	} {
		c.in.Group = g
		if _, err := h.SendMessage(h.ctx, alice, c.in); code(err) != c.want {
			t.Errorf("%.40q: got %v, want %q", fmt.Sprint(c.in), err, c.want)
		}
	}
}

func TestWhoNeverEnteredCannotSpeak(t *testing.T) {
	h := newHouse(t, noLimits())
	g := h.enter(h.member("alice"), "lobby")
	for _, u := range []*chat.User{h.guest("guest"), h.member("bob")} {
		if _, err := h.SendMessage(h.ctx, u, chat.NewMessage{Group: g, Text: "let me in"}); code(err) != chat.CodeNotInRoom {
			t.Errorf("%s: got %v, want %s", u.NickName, err, chat.CodeNotInRoom)
		}
	}
}

func TestMutedAndSlowedSayUntilWhen(t *testing.T) {
	h := newHouse(t, noLimits())
	alice, bob := h.member("alice"), h.member("bob")
	g := h.enter(alice, "lobby")
	h.enter(bob, "lobby")
	until := chat.TimeOf(time.Now().Add(time.Hour))
	h.change(g, func(tx chat.GroupTx) error {
		m, err := tx.Membership(bob.ID)
		if err != nil {
			return err
		}
		m.MutedUntil = until
		return tx.PutMembership(m)
	})
	var refused *chat.Error
	if _, err := h.SendMessage(h.ctx, bob, chat.NewMessage{Group: g, Text: "x"}); !errors.As(err, &refused) || refused.Code != chat.CodeMuted || refused.Until != until {
		t.Errorf("muted: got %+v", err)
	}
	h.setGroup(g, func(g *chat.Group) { g.MutedAll = true })
	h.send(alice, g, "the owner may")
	if _, err := h.SendMessage(h.ctx, h.guest(""), chat.NewMessage{Group: g, Entered: true, Text: "x"}); code(err) != chat.CodeMuted {
		t.Errorf("a guest where all are muted: got %v", err)
	}
}

func TestRateIsPerUserAndComesBack(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newHouse(t, chat.Config{})
		alice, bob := h.member("alice"), h.member("bob")
		g := h.enter(alice, "lobby")
		h.enter(bob, "lobby")
		for range 10 {
			h.send(alice, g, "burst")
		}
		var refused *chat.Error
		_, err := h.SendMessage(h.ctx, alice, chat.NewMessage{Group: g, Text: "x"})
		if !errors.As(err, &refused) || refused.Code != chat.CodeRateLimited || refused.RetryAfter <= 0 || refused.RetryAfter > 500*time.Millisecond {
			t.Fatalf("the eleventh: got %+v", err)
		}
		h.send(bob, g, "another user")
		time.Sleep(refused.RetryAfter)
		h.send(alice, g, "after the wait")
		if _, err := h.SendMessage(h.ctx, alice, chat.NewMessage{Group: g, Text: "x"}); code(err) != chat.CodeRateLimited {
			t.Errorf("one more: got %v", err)
		}
		h.close()
		h.cfg = noLimits()
		h.open()
		for range 30 {
			h.send(alice, g, "no limit")
		}
	})
}

func TestMessageHasTheShapeOfTheProtocol(t *testing.T) {
	m := chat.Message{ID: "i", GroupID: "g", Seq: 2, Rev: 3, Room: "r", UserID: "u", NickName: "n", Guest: true,
		Kind: chat.MessageText, Text: "<b>", EditedAt: 1_700_000_000_001, SentAt: 1_700_000_000_000}
	data, err := json.Marshal(m)
	want := `{"id":"i","groupId":"g","seq":2,"rev":3,"room":"r","userId":"u","nickName":"n","guest":true,"kind":"text",` +
		`"message":"\u003cb\u003e","editedAt":"2023-11-14T22:13:20.001Z","sentAt":"2023-11-14T22:13:20.000Z"}`
	if err != nil || string(data) != want {
		t.Errorf("got  %s, %v\nwant %s", data, err, want)
	}
	var back chat.Message
	if err := json.Unmarshal(data, &back); err != nil || !reflect.DeepEqual(back, m) {
		t.Errorf("back: %+v, %v", back, err)
	}
	refused := &chat.Error{Code: chat.CodeSlowMode, Message: "m", RetryAfter: 1500 * time.Millisecond}
	if data, err := json.Marshal(refused); err != nil || string(data) != `{"code":"SLOW_MODE","message":"m","retryAfter":1500}` {
		t.Errorf("error is %s, %v", data, err)
	}
}
