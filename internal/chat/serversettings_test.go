package chat_test

import (
	"slices"
	"testing"
	"time"

	"qun/internal/chat"
)

func TestSettingsHoldAtOnceAndForGood(t *testing.T) {
	cfg := chat.Config{Guests: chat.GuestsOpen, Registration: chat.RegistrationInvite, Limits: chat.DefaultLimits(), Fixed: map[string]string{"retention": "--retention"}}
	h := newHouse(t, cfg)
	ruler, alice := h.member("ruler"), h.member("alice")
	g := h.enter(alice, "lobby")
	first := h.send(alice, g, "one")
	name, off, open, rate, seconds, days := " 群 ", chat.GuestsOff, chat.RegistrationOpen, 0.001, 0, 7

	if _, err := h.SetServerSettings(h.ctx, ruler, chat.SettingsUpdate{ServerSettings: chat.ServerSettings{Retention: &days}}); code(err) != chat.CodeConflict {
		t.Errorf("what the start fixed: %v", err)
	}
	wrong := chat.GuestPolicy("maybe")
	if _, err := h.SetServerSettings(h.ctx, ruler, chat.SettingsUpdate{ServerSettings: chat.ServerSettings{Name: &name, Guests: &wrong}}); code(err) != chat.CodeInvalid || h.ServerName() != "" {
		t.Errorf("what cannot be: %v, and it is called %q", err, h.ServerName())
	}
	out, err := h.SetServerSettings(h.ctx, ruler, chat.SettingsUpdate{ServerSettings: chat.ServerSettings{
		Name: &name, Guests: &off, Registration: &open, MessagesPerSecond: &rate, RecallSeconds: &seconds,
	}})
	if err != nil || *out.Settings.Name != "群" || !slices.Equal(out.Changed, []string{"guests", "messagesPerSecond", "name", "recallSeconds", "registration"}) ||
		out.Fixed["retention"] != "--retention" {
		t.Fatalf("got %+v, %v", out, err)
	}
	check := func(when string) {
		t.Helper()
		if h.ServerName() != "群" || h.Registration() != open || h.Limits().RecallWithin != 0 || h.Limits().EditWithin != 24*time.Hour {
			t.Errorf("%s: %q, %s, %+v", when, h.ServerName(), h.Registration(), h.Limits())
		}
		if _, err := h.Enter(h.ctx, h.guest("guest"), chat.Entry{Room: "lobby"}); code(err) != chat.CodeForbidden {
			t.Errorf("%s: a guest enters: %v", when, err)
		}
		if _, err := h.SendMessage(h.ctx, alice, chat.NewMessage{Group: g, Text: "two"}); err != nil {
			t.Errorf("%s: the burst is spent: %v", when, err)
		}
		if _, err := h.SendMessage(h.ctx, alice, chat.NewMessage{Group: g, Text: "three"}); code(err) != chat.CodeRateLimited {
			t.Errorf("%s: beyond the rate: %v", when, err)
		}
	}
	check("at once")
	h.close()
	h.open()
	if h.Guests() != chat.GuestsOpen {
		t.Error("they hold before they were read")
	}
	h.must(h.ReadSettings(h.ctx))
	check("after a restart")

	out, err = h.SetServerSettings(h.ctx, ruler, chat.SettingsUpdate{Back: []string{"guests", "messagesPerSecond", "name"}})
	if err != nil || h.Guests() != chat.GuestsOpen || h.ServerName() != "" || h.Limits().MessagesPerSecond != 2 || len(out.Changed) != 2 {
		t.Errorf("given back: %+v, %v", out, err)
	}
	if _, err := h.RecallMessage(h.ctx, alice, g, first.Seq); err != nil {
		t.Errorf("recalled when there is no limit: %v", err)
	}
	page, _, err := h.ServerAudit(h.ctx, chat.AuditQuery{Act: chat.AuditSetting})
	h.must(err)
	var values []string
	for _, e := range page.Entries {
		values = append(values, e.Value)
	}
	want := []string{"name", "messagesPerSecond", "guests", "registration=open", "recallSeconds=0", "name=群", "messagesPerSecond=0.001", "guests=off"}
	if !slices.Equal(values, want) {
		t.Errorf("the audit has %q, want %q", values, want)
	}
}

// Another node that shares the database changes them: who speaks next reads them again.
func TestSettingsOfAnotherNodeAreRead(t *testing.T) {
	cfg := noLimits()
	now := time.Now()
	cfg.Now = func() time.Time { return now }
	h := newHouse(t, cfg)
	alice := h.member("alice")
	g := h.enter(alice, "lobby")
	h.send(alice, g, "one")
	h.must(h.store.ChangeSetting(h.ctx, "server-settings", func([]byte) ([]byte, []*chat.AuditEntry, error) { return []byte(`{"guests":"off"}`), nil, nil }))
	h.send(alice, g, "two")
	if h.Guests() == chat.GuestsOff {
		t.Error("they were read before it was time")
	}
	now = now.Add(31 * time.Second)
	h.send(alice, g, "three")
	if h.Guests() != chat.GuestsOff {
		t.Error("they were not read")
	}
}
