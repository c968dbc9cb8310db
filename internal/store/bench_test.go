package store_test

import (
	"context"
	"fmt"
	"sync/atomic"
	"testing"

	"qun/internal/chat"
	"qun/internal/store"
)

// deaf is a Notifier that does nothing.
type deaf struct{}

func (deaf) Notify(chat.Event) {}

// BenchmarkSend sends from so many senders at once to one group, or to several; each waits for its
// acknowledgement, so every message counted is durable and announced. In groups of one every sender has rows of its own.
func BenchmarkSend(b *testing.B) {
	benchmarkSends(b, func(b *testing.B) store.Config { return store.Config{Dir: b.TempDir()} })
}

// BenchmarkSendPostgreSQL is the same on a server here that puts every commit on the disk.
func BenchmarkSendPostgreSQL(b *testing.B) {
	server := durable(b)
	benchmarkSends(b, func(b *testing.B) store.Config {
		return store.Config{URL: schemaAt(b, server.URL("postgres"), fmt.Sprint(b.Name(), b.N))}
	})
}

func benchmarkSends(b *testing.B, place func(*testing.B) store.Config) {
	for _, senders := range []int{1, 64, 256} {
		b.Run(fmt.Sprintf("senders=%d", senders), func(b *testing.B) { benchmarkSend(b, place(b), senders, 1) })
	}
	for _, groups := range []int{8, 64} {
		b.Run(fmt.Sprintf("senders=64/groups=%d", groups), func(b *testing.B) { benchmarkSend(b, place(b), 64, groups) })
	}
}

func benchmarkSend(b *testing.B, at store.Config, senders, groups int) {
	ctx := context.Background()
	s, err := store.Open(ctx, at)
	if err != nil {
		b.Fatal(err)
	}
	defer s.Close()
	service := chat.New(s, deaf{}, chat.Config{Limits: chat.Limits{MessageLength: 8000}})
	defer service.Close(ctx)
	guests, rooms := make([]*chat.User, senders), make([]chat.GroupID, senders)
	for i := range guests {
		if guests[i], err = service.NewGuest(ctx, "", false); err != nil {
			b.Fatal(err)
		}
		entered, err := service.Enter(ctx, guests[i], chat.Entry{Room: fmt.Sprint("room ", i%groups)})
		if err != nil {
			b.Fatal(err)
		}
		rooms[i] = entered.Group.ID
	}
	text := fmt.Sprintf("%064d", 0)
	var sent atomic.Int64
	done := make(chan error)
	b.ResetTimer()
	for i := range senders {
		go func() {
			for {
				n := sent.Add(1)
				if n > int64(b.N) {
					done <- nil
					return
				}
				in := chat.NewMessage{Group: rooms[i], Entered: true, Text: text, ClientID: fmt.Sprint(n)}
				if _, err := service.SendMessage(ctx, guests[i], in); err != nil {
					done <- err
					return
				}
			}
		}()
	}
	for range senders {
		if err := <-done; err != nil {
			b.Fatal(err)
		}
	}
	b.StopTimer()
	b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "msg/s")
}

// BenchmarkOverview opens the app of somebody in 200 groups of 50 messages.
func BenchmarkOverview(b *testing.B) {
	ctx := context.Background()
	s, err := store.Open(ctx, store.Config{Dir: b.TempDir()})
	if err != nil {
		b.Fatal(err)
	}
	defer s.Close()
	service := chat.New(s, deaf{}, chat.Config{Limits: chat.Limits{MessageLength: 8000}})
	defer service.Close(ctx)
	alice, err := service.CreateMember(ctx, chat.NewMember{Username: "alice"})
	if err != nil {
		b.Fatal(err)
	}
	for i := range 200 {
		entered, err := service.Enter(ctx, alice, chat.Entry{Room: fmt.Sprint("room ", i)})
		if err != nil {
			b.Fatal(err)
		}
		err = s.Change(ctx, entered.Group.ID, func(tx chat.GroupTx) error {
			for n := range 50 {
				m := &chat.Message{ID: chat.MessageID(fmt.Sprint(i, n)), Kind: chat.MessageText, Text: fmt.Sprintf("%064d", n)}
				if err := tx.AddMessage(m); err != nil {
					return err
				}
			}
			return nil
		})
		if err != nil {
			b.Fatal(err)
		}
	}
	for b.Loop() {
		all, err := service.Overview(ctx, alice)
		if err != nil || len(all.Groups) != 200 {
			b.Fatal(len(all.Groups), err)
		}
	}
}
