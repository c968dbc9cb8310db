package chat_test

import (
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"qun/internal/chat"
)

func TestWhatIsOnTheListCannotBeSaid(t *testing.T) {
	h := newHouse(t, noLimits())
	admin, alice := h.member("admin"), h.member("alice")
	g := h.enter(alice, "lobby")
	say := func(text, clientID string) (*chat.Sent, error) {
		return h.SendMessage(h.ctx, alice, chat.NewMessage{Group: g, Text: text, ClientID: clientID})
	}
	if _, err := say("一起赌博吧", "before"); err != nil {
		t.Errorf("without a list: %v", err)
	}
	list, err := h.SetWordList(h.ctx, admin, []string{" 赌博 ", "casino", "赌博", "", "Casino"})
	if err != nil || strings.Join(list.Words, " ") != "赌博 casino Casino" {
		t.Fatalf("set %v, %v", list, err)
	}
	for text, want := range map[string]chat.Code{
		"一起赌 博吧": "", "一起赌博吧": chat.CodeInvalid, "ＣＡＳＩＮＯ!": chat.CodeInvalid, "casinos": "", "hello": "",
	} {
		_, err := say(text, "")
		if code(err) != want || want != "" && !strings.Contains(err.Error(), "赌博") && !strings.Contains(err.Error(), "casino") {
			t.Errorf("%q: got %v, want %q", text, err, want)
		}
	}
	if sent, err := say("一起赌博吧", "before"); err != nil || !sent.Duplicate {
		t.Errorf("what was said before there was a list: %+v, %v", sent, err)
	}
	before, err := say("一起赌博吧", "before")
	h.must(err)
	innocent := h.send(alice, g, "hello")
	if _, err := h.EditMessage(h.ctx, alice, chat.Edit{Group: g, Seq: innocent.Seq, Text: "casino"}); code(err) != chat.CodeInvalid {
		t.Errorf("by an edit: %v", err)
	}
	if _, err := h.Forward(h.ctx, alice, chat.Forward{Group: g, Seq: before.Message.Seq, To: g}); code(err) != chat.CodeInvalid {
		t.Errorf("by forwarding what was said before: %v", err)
	}
	if now, err := h.WordList(h.ctx); err != nil || len(now.Words) != 3 {
		t.Errorf("the list is %v, %v", now, err)
	}
	if _, err = h.SetWordList(h.ctx, admin, nil); err != nil {
		t.Fatal(err)
	}
	if _, err := say("一起赌博吧", ""); err != nil {
		t.Errorf("after it was emptied: %v", err)
	}
	page, _, err := h.ServerAudit(h.ctx, chat.AuditQuery{})
	if err != nil || len(page.Entries) != 2 || page.Entries[0].Act != "setWordList" || page.Entries[0].By != admin.ID {
		t.Errorf("the audit is %+v, %v", page, err)
	}
}

func TestBotsAreBoundByTheList(t *testing.T) {
	h := newHouse(t, noLimits())
	owner := h.member("owner")
	w := h.door(owner, h.enter(owner, "lobby"))
	if _, err := h.SetWordList(h.ctx, owner, []string{"casino"}); err != nil {
		t.Fatal(err)
	}
	if _, err := h.SendByWebhook(h.ctx, w.ID, w.Secret, chat.HookMessage{Text: "a casino"}); code(err) != chat.CodeInvalid {
		t.Errorf("got %v", err)
	}
}

func TestListOutlivesARestartAndIsReadAgain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newHouse(t, noLimits())
		alice := h.member("alice")
		g := h.enter(alice, "lobby")
		if _, err := h.SetWordList(h.ctx, alice, []string{"casino"}); err != nil {
			t.Fatal(err)
		}
		h.close()
		h.open()
		say := func() chat.Code {
			_, err := h.SendMessage(h.ctx, alice, chat.NewMessage{Group: g, Text: "casino"})
			return code(err)
		}
		if got := say(); got != chat.CodeInvalid {
			t.Errorf("after a restart: got %q", got)
		}
		// as another node does
		h.must(h.store.ChangeSetting(h.ctx, "word-list", func([]byte) ([]byte, []*chat.AuditEntry, error) { return []byte(`{"words":[]}`), nil, nil }))
		if got := say(); got != chat.CodeInvalid {
			t.Errorf("at once: got %q, for the list is not read for every message", got)
		}
		time.Sleep(31 * time.Second)
		if got := say(); got != "" {
			t.Errorf("after half a minute: got %q", got)
		}
	})
}

func TestListsThatAreTooLongAreRefused(t *testing.T) {
	h := newHouse(t, noLimits())
	admin := h.member("admin")
	many := make([]string, 10_001)
	for i := range many {
		many[i] = strings.Repeat("x", 1+i%50) + string(rune(0x4e00+i))
	}
	for name, words := range map[string][]string{"many": many, "long": {strings.Repeat("x", 101)}, "no text": {"\xff"}} {
		if _, err := h.SetWordList(h.ctx, admin, words); code(err) != chat.CodeInvalid {
			t.Errorf("%s: got %v", name, err)
		}
	}
	if _, err := h.SetWordList(h.ctx, admin, many[:10_000]); err != nil {
		t.Errorf("as many as there may be: %v", err)
	}
}
