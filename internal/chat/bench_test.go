package chat_test

import (
	"fmt"
	"sync/atomic"
	"testing"

	"qun/internal/chat"
	"qun/internal/store"
)

// silent is a Notifier that has nobody to tell.
type silent struct{}

func (silent) Notify(chat.Event) {}

// BenchmarkSend is the way of a message through the rules, the store and the announcer, of many senders in several groups.
func BenchmarkSend(b *testing.B) {
	s, err := store.Open(b.Context(), store.Config{Dir: b.TempDir()})
	if err != nil {
		b.Fatal(err)
	}
	service := chat.New(s, silent{}, noLimits())
	defer s.Close()
	defer service.Close(b.Context())
	who, err := service.CreateMember(b.Context(), chat.NewMember{Username: "sender"})
	if err != nil {
		b.Fatal(err)
	}
	groups := make([]chat.GroupID, 16)
	for i := range groups {
		entered, err := service.Enter(b.Context(), who, chat.Entry{Room: fmt.Sprint("room ", i)})
		if err != nil {
			b.Fatal(err)
		}
		groups[i] = entered.Group.ID
	}
	var n atomic.Int64
	b.SetParallelism(64)
	b.ResetTimer()
	b.RunParallel(func(pb *testing.PB) {
		for pb.Next() {
			i := n.Add(1)
			in := chat.NewMessage{Group: groups[i%16], Entered: true, Text: "a line of some words", ClientID: fmt.Sprint(i)}
			if _, err := service.SendMessage(b.Context(), who, in); err != nil {
				b.Error(err)
				return
			}
		}
	})
}
