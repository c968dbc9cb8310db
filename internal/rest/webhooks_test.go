package rest_test

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"log/slog"
	"net/http"
	"strings"
	"testing"

	"qun/internal/chat"
	"qun/internal/rest"
)

func TestProgramPostsToAGroup(t *testing.T) {
	log := &strings.Builder{}
	s, service := newHouse(t, func(c *rest.Config) { c.Logger = logTo(log) })
	owner, err := service.CreateMember(t.Context(), chat.NewMember{Username: "owner"})
	if err != nil {
		t.Fatal(err)
	}
	entered, err := service.Enter(t.Context(), owner, chat.Entry{Room: "lobby"})
	if err != nil {
		t.Fatal(err)
	}
	w, err := service.CreateWebhook(t.Context(), owner, chat.NewWebhook{GroupID: entered.Group.ID, Kind: chat.WebhookIncoming, Name: "CI"})
	if err != nil {
		t.Fatal(err)
	}
	program := func(key string) func(*http.Request) {
		return func(r *http.Request) {
			r.Header.Del("Origin")
			r.Header.Set("Idempotency-Key", key)
		}
	}
	var first, second struct {
		Message   chat.Message
		Duplicate bool
	}
	for _, answer := range []any{&first, &second} {
		got := s.ask("POST", w.Path, `{"message":"it builds","nickName":"Build"}`, program("build-1"))
		if got.Code != http.StatusOK || json.Unmarshal(got.Body.Bytes(), answer) != nil {
			t.Fatalf("got %d %s", got.Code, got.Body)
		}
	}
	if first.Message.Text != "it builds" || first.Message.NickName != "Build" || first.Duplicate || !second.Duplicate || second.Message.Seq != first.Message.Seq {
		t.Errorf("said %+v, and again %+v", first, second)
	}
	wantRefused(t, s.ask("POST", w.Path+"x", `{"message":"x"}`, program("")), http.StatusNotFound, chat.CodeNotFound)
	wantRefused(t, s.ask("POST", w.Path, `{"message":7}`, program("")), http.StatusBadRequest, chat.CodeInvalid)
	wantRefused(t, s.ask("POST", w.Path, `{"message":"`+strings.Repeat("x", 70_000)+`"}`, program("")), http.StatusRequestEntityTooLarge, chat.CodeTooLarge)
	page := func(r *http.Request) { r.Header.Set("Origin", "https://evil.example") }
	wantRefused(t, s.ask("POST", w.Path, `{"message":"x"}`, page), http.StatusForbidden, chat.CodeForbidden)
}

// A path may hold a secret: what is logged of a request names its route.
func TestSecretsOfPathsAreNotLogged(t *testing.T) {
	log := &strings.Builder{}
	s, _ := newHouse(t, func(c *rest.Config) { c.Logger, c.Chat = logTo(log), broken{c.Chat} })
	got := s.ask("POST", "/api/v1/hooks/some-id/canary", `{"message":"x"}`, func(r *http.Request) { r.Header.Del("Origin") })
	wantRefused(t, got, http.StatusInternalServerError, chat.CodeInternal)
	if !strings.Contains(log.String(), "/hooks/{webhookId}/{secret}") || strings.Contains(log.String(), "canary") {
		t.Errorf("logged %s", log)
	}
}

// broken is a chat whose store fails.
type broken struct{ rest.Chat }

func (broken) SendByWebhook(context.Context, chat.WebhookID, string, chat.HookMessage) (*chat.Sent, error) {
	return nil, errors.New("the disk is full")
}

func logTo(w io.Writer) *slog.Logger { return slog.New(slog.NewTextHandler(w, nil)) }
