package store_test

import (
	"fmt"
	"sync"
	"testing"

	"qun/internal/chat"
)

// Two nodes look for work at the same time: neither waits for the other, and nothing is lent twice.
func TestWebhooksOfPostgreSQLAreLentToOneNode(t *testing.T) {
	at := database(t)
	one, two := openPostgres(t, at), openPostgres(t, at)
	service := chat.New(one, deaf{}, chat.Config{Limits: chat.Limits{MessageLength: 8000}})
	t.Cleanup(func() {
		if err := service.Close(t.Context()); err != nil {
			t.Error(err)
		}
	})
	owner, err := service.CreateMember(t.Context(), chat.NewMember{Username: "owner"})
	if err != nil {
		t.Fatal(err)
	}
	const hooks = 40
	for i := range hooks {
		entered, err := service.Enter(t.Context(), owner, chat.Entry{Room: fmt.Sprint("room ", i)})
		if err != nil {
			t.Fatal(err)
		}
		g := entered.Group.ID
		in := chat.NewWebhook{GroupID: g, Kind: chat.WebhookOutgoing, Name: "hook", URL: "https://example.org/"}
		if _, err := service.CreateWebhook(t.Context(), owner, in); err != nil {
			t.Fatal(err)
		}
		if _, err := service.SendMessage(t.Context(), owner, chat.NewMessage{Group: g, Text: "news"}); err != nil {
			t.Fatal(err)
		}
	}
	const now, until = 1_000_000, 2_000_000
	var mu sync.Mutex
	lent := map[chat.WebhookID]int{}
	var nodes sync.WaitGroup
	for _, node := range []chat.Store{one, two} {
		nodes.Go(func() {
			for {
				some, err := node.ClaimWebhooks(t.Context(), now, until, 3)
				if err != nil {
					t.Error(err)
				}
				mu.Lock()
				for _, w := range some {
					lent[w.ID]++
				}
				all := len(lent) == hooks
				mu.Unlock()
				if err != nil || all {
					return
				}
			}
		})
	}
	nodes.Wait()
	for id, times := range lent {
		if times != 1 {
			t.Errorf("%s was lent %d times", id, times)
		}
	}
}
