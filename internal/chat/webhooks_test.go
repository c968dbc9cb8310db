package chat_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"qun/internal/chat"
)

// setRole makes u what it shall be in g.
func (h *house) setRole(g chat.GroupID, u *chat.User, role chat.Role) {
	h.t.Helper()
	h.change(g, func(tx chat.GroupTx) error {
		m, err := tx.Membership(u.ID)
		if err != nil {
			return err
		}
		m.Role = role
		return tx.PutMembership(m)
	})
}

func incoming(g chat.GroupID, name string) chat.NewWebhook {
	return chat.NewWebhook{GroupID: g, Kind: chat.WebhookIncoming, Name: name}
}

func outgoing(g chat.GroupID, url string) chat.NewWebhook {
	return chat.NewWebhook{GroupID: g, Kind: chat.WebhookOutgoing, Name: "hook", URL: url}
}

// door makes an incoming webhook, and says something by it.
func (h *house) door(u *chat.User, g chat.GroupID) *chat.WebhookSecret {
	h.t.Helper()
	w, err := h.CreateWebhook(h.ctx, u, incoming(g, "CI"))
	h.must(err)
	return w
}

func TestWebhooksAreForWhoAdministersTheGroup(t *testing.T) {
	h := newHouse(t, noLimits())
	owner, admin, member, stranger := h.member("owner"), h.member("admin"), h.member("member"), h.member("stranger")
	g := h.enter(owner, "lobby")
	h.enter(admin, "lobby")
	h.enter(member, "lobby")
	h.setRole(g, admin, chat.RoleAdmin)
	hook, err := h.CreateWebhook(h.ctx, owner, outgoing(g, "https://example.org/"))
	h.must(err)
	for _, c := range []struct {
		who   *chat.User
		group chat.GroupID
		want  chat.Code
	}{
		{owner, g, ""}, {admin, g, ""}, {member, g, chat.CodeForbidden}, {stranger, g, chat.CodeNotInRoom},
		{owner, "nowhere", chat.CodeNotFound}, {h.guest("guest"), g, chat.CodeForbidden},
	} {
		on, head := true, h.head(g)
		_, list := h.Webhooks(h.ctx, c.who, c.group)
		_, create := h.CreateWebhook(h.ctx, c.who, outgoing(c.group, "https://example.org/"))
		_, update := h.UpdateWebhook(h.ctx, c.who, chat.WebhookUpdate{GroupID: c.group, WebhookID: hook.ID, On: &on})
		_, rotate := h.RotateWebhook(h.ctx, c.who, c.group, hook.ID)
		for act, err := range map[string]error{"list": list, "create": create, "update": update, "rotate": rotate} {
			if code(err) != c.want {
				t.Errorf("%s %ss: got %v, want %q", c.who.NickName, act, err, c.want)
			}
		}
		if h.head(g) != head {
			t.Errorf("%s's acts took numbers", c.who.NickName)
		}
		if c.want == "" {
			continue
		}
		for act, err := range map[string]error{
			"delete": h.DeleteWebhook(h.ctx, c.who, c.group, hook.ID), "test": h.TestWebhook(h.ctx, c.who, c.group, hook.ID),
		} {
			if code(err) != c.want {
				t.Errorf("%s %ss: got %v, want %q", c.who.NickName, act, err, c.want)
			}
		}
	}
	other := h.enter(owner, "other")
	if err := h.DeleteWebhook(h.ctx, owner, other, hook.ID); code(err) != chat.CodeNotFound {
		t.Errorf("a webhook of another group: %v", err)
	}
	h.must(h.DeleteWebhook(h.ctx, owner, g, hook.ID))
	page, err := h.Audit(h.ctx, owner, chat.AuditQuery{Group: g})
	h.must(err)
	if last := page.Entries[0]; last.Act != "deleteWebhook" || last.By != owner.ID || last.Value != "hook" {
		t.Errorf("the audit ends with %+v", last)
	}
}

// head is the group's counter.
func (h *house) head(g chat.GroupID) (head chat.Seq) {
	h.t.Helper()
	heads, err := h.Heads(h.ctx, []chat.GroupID{g})
	h.must(err)
	return heads[g]
}

func TestProgramSpeaksByAnIncomingWebhook(t *testing.T) {
	h := newHouse(t, noLimits())
	owner := h.member("owner")
	g := h.enter(owner, "lobby")
	w := h.door(owner, g)
	if w.Path != "/api/v1/hooks/"+string(w.ID)+"/"+w.Secret || len(w.Secret) != 32 || strings.Contains(string(w.Webhook.Secret), w.Secret) {
		t.Errorf("made %+v", w)
	}
	say := func(secret string, in chat.HookMessage) (*chat.Sent, error) {
		return h.SendByWebhook(h.ctx, w.ID, secret, in)
	}
	sent, err := say(w.Secret, chat.HookMessage{Text: "it builds"})
	if err != nil || sent.Message.NickName != "CI" || sent.Message.UserID != w.UserID || sent.Message.GroupID != g || sent.Message.Guest {
		t.Errorf("said %+v, %v", sent, err)
	}
	if bot, err := h.User(h.ctx, w.UserID); err != nil || !bot.Bot {
		t.Errorf("the bot is %+v, %v", bot, err)
	}
	named, err := say(w.Secret, chat.HookMessage{Text: "deployed", NickName: "Release"})
	if err != nil || named.Message.NickName != "Release" {
		t.Errorf("under another name: %+v, %v", named, err)
	}
	for name, in := range map[chat.Code]chat.HookMessage{
		chat.CodeNameTaken: {Text: "hi", NickName: "0wner"}, chat.CodeInvalid: {Text: ""}, chat.CodeTooLarge: {Text: strings.Repeat("x", 8001)},
	} {
		if _, err := say(w.Secret, in); code(err) != name {
			t.Errorf("%+v: got %v, want %s", in, err, name)
		}
	}
	for _, secret := range []string{"", "x", w.Secret + "x", string(w.Webhook.Secret), strings.ToUpper(w.Secret)} {
		if _, err := say(secret, chat.HookMessage{Text: "x"}); code(err) != chat.CodeNotFound {
			t.Errorf("with the secret %q: %v", secret, err)
		}
	}
	if _, err := h.SendByWebhook(h.ctx, "nowhere", w.Secret, chat.HookMessage{Text: "x"}); code(err) != chat.CodeNotFound {
		t.Errorf("an absent webhook: %v", err)
	}
	out, err := h.CreateWebhook(h.ctx, owner, outgoing(g, "https://example.org/"))
	h.must(err)
	if _, err := h.SendByWebhook(h.ctx, out.ID, out.Secret, chat.HookMessage{Text: "x"}); code(err) != chat.CodeNotFound {
		t.Errorf("an outgoing webhook: %v", err)
	}
}

func TestSameKeyIsSaidOnce(t *testing.T) {
	h := newHouse(t, noLimits())
	owner := h.member("owner")
	w := h.door(owner, h.enter(owner, "lobby"))
	for _, key := range []string{"build-1", strings.Repeat("long ", 100), "bad \xff utf8"} {
		var seqs []chat.Seq
		for range 3 {
			sent, err := h.SendByWebhook(h.ctx, w.ID, w.Secret, chat.HookMessage{Text: "it builds", Key: key})
			h.must(err)
			seqs = append(seqs, sent.Message.Seq)
		}
		if seqs = slices.Compact(seqs); len(seqs) != 1 {
			t.Errorf("key %.10q was said at %v", key, seqs)
		}
		if _, err := h.SendByWebhook(h.ctx, w.ID, w.Secret, chat.HookMessage{Text: "another", Key: key}); code(err) != chat.CodeConflict {
			t.Errorf("another text under key %.10q: %v", key, err)
		}
	}
}

func TestRotatedAndDeletedWebhooksAreShut(t *testing.T) {
	h := newHouse(t, noLimits())
	owner := h.member("owner")
	g := h.enter(owner, "lobby")
	w := h.door(owner, g)
	again, err := h.RotateWebhook(h.ctx, owner, g, w.ID)
	h.must(err)
	if _, err := h.SendByWebhook(h.ctx, w.ID, w.Secret, chat.HookMessage{Text: "x"}); code(err) != chat.CodeNotFound {
		t.Errorf("with the old secret: %v", err)
	}
	_, err = h.SendByWebhook(h.ctx, w.ID, again.Secret, chat.HookMessage{Text: "x"})
	h.must(err)
	h.must(h.DeleteWebhook(h.ctx, owner, g, w.ID))
	if _, err := h.SendByWebhook(h.ctx, w.ID, again.Secret, chat.HookMessage{Text: "x"}); code(err) != chat.CodeNotFound {
		t.Errorf("a deleted one: %v", err)
	}
	last := h.events(g, "")
	if left := last[len(last)-1].Change; left == nil || left.Member == nil || left.Member.UserID != w.UserID || left.Member.State != chat.MemberLeft {
		t.Errorf("told last: %+v", left)
	}
}

func TestRulesOfTheGroupHoldForItsBots(t *testing.T) {
	h := newHouse(t, noLimits())
	owner := h.member("owner")
	g := h.enter(owner, "lobby")
	w := h.door(owner, g)
	say := func() chat.Code {
		_, err := h.SendByWebhook(h.ctx, w.ID, w.Secret, chat.HookMessage{Text: "x"})
		return code(err)
	}
	bot, err := h.User(h.ctx, w.UserID)
	h.must(err)
	h.setGroup(g, func(row *chat.Group) { row.MutedAll = true })
	if got := say(); got != chat.CodeMuted {
		t.Errorf("all are muted: got %q", got)
	}
	h.setGroup(g, func(row *chat.Group) { row.MutedAll = false })
	h.setState(g, bot, chat.MemberBanned)
	if got := say(); got != chat.CodeForbidden {
		t.Errorf("banned: got %q", got)
	}
	slow := newHouse(t, chat.Config{})
	owner = slow.member("owner")
	w = slow.door(owner, slow.enter(owner, "lobby"))
	refused := chat.Code("")
	for range 20 {
		if _, err := slow.SendByWebhook(slow.ctx, w.ID, w.Secret, chat.HookMessage{Text: "x"}); err != nil {
			refused = code(err)
		}
	}
	if refused != chat.CodeRateLimited {
		t.Errorf("20 messages at once: got %q", refused)
	}
}

func TestWebhooksThatMakeNoSenseAreRefused(t *testing.T) {
	h := newHouse(t, noLimits())
	owner := h.member("owner")
	g := h.enter(owner, "lobby")
	for name, in := range map[string]chat.NewWebhook{
		"no kind":         {GroupID: g, Name: "x", URL: "https://example.org/"},
		"no name":         {GroupID: g, Kind: chat.WebhookIncoming},
		"no address":      outgoing(g, ""),
		"another scheme":  outgoing(g, "file:///etc/passwd"),
		"no host":         outgoing(g, "https:///x"),
		"a password":      outgoing(g, "https://user:secret@example.org/"),
		"too long":        outgoing(g, "https://example.org/"+strings.Repeat("x", 2000)),
		"broken":          outgoing(g, "https://exa mple.org/"),
		"an unknown push": {GroupID: g, Kind: chat.WebhookOutgoing, Name: "x", URL: "https://example.org/", Events: []chat.WebhookEvent{"typing"}},
	} {
		if _, err := h.CreateWebhook(h.ctx, owner, in); code(err) != chat.CodeInvalid {
			t.Errorf("%s: got %v", name, err)
		}
	}
	if _, err := h.CreateWebhook(h.ctx, owner, incoming(g, "owner")); code(err) != chat.CodeNameTaken {
		t.Errorf("a member's name: got %v", err)
	}
	for i := range 20 {
		_, err := h.CreateWebhook(h.ctx, owner, outgoing(g, fmt.Sprint("https://example.org/", i)))
		h.must(err)
	}
	if _, err := h.CreateWebhook(h.ctx, owner, outgoing(g, "https://example.org/")); code(err) != chat.CodeForbidden {
		t.Errorf("one too many: got %v", err)
	}
}
