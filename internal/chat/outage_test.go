package chat_test

import (
	"context"
	"fmt"
	"sync/atomic"
	"testing"

	"qun/internal/chat"
)

// interrupted is a store that cannot be read while it is away, as a database is that is started again.
type interrupted struct {
	chat.Store
	away atomic.Bool
}

func (s *interrupted) View(ctx context.Context, do func(chat.Reader) error) error {
	if s.away.Load() {
		return fmt.Errorf("%w: connect", chat.ErrBusy)
	}
	return s.Store.View(ctx, do)
}

func (s *interrupted) GroupsOf(ctx context.Context, users []chat.UserID) (map[chat.UserID][]chat.MyGroup, error) {
	if s.away.Load() {
		return nil, fmt.Errorf("%w: connect", chat.ErrBusy)
	}
	return s.Store.GroupsOf(ctx, users)
}

// Whoever asks while nothing can be read is asked to come again: it is no accident. A message that a rule refuses is looked up
// among those that were sent.
func TestWhatCannotBeReadForNowIsNoAccident(t *testing.T) {
	h := newHouse(t, noLimits())
	alice := h.member("alice")
	g := h.enter(alice, "lobby")
	s := &interrupted{Store: h.store}
	service := chat.New(s, h, noLimits())
	defer service.Close(h.ctx)
	s.away.Store(true)
	for what, ask := range map[string]func() error{
		"a message that is refused": func() error {
			_, err := service.SendMessage(h.ctx, alice, chat.NewMessage{Group: g, Text: "hello", ReplyTo: -1, ClientID: "c"})
			return err
		},
		"a message before the list of words was read": func() error {
			_, err := service.SendMessage(h.ctx, alice, chat.NewMessage{Group: g, Text: "hello", ClientID: "d"})
			return err
		},
		"my settings": func() error { _, err := service.Me(h.ctx, alice); return err },
		"my groups":   func() error { _, err := service.MyGroups(h.ctx, alice); return err },
		"my greeting": func() error { _, _, err := service.Greet(h.ctx, alice, nil); return err },
		"my bots":     func() error { _, err := service.Bots(h.ctx, alice); return err },
	} {
		if err := ask(); code(err) != chat.CodeBusy {
			t.Errorf("%s: got %v, want %s", what, err, chat.CodeBusy)
		}
	}
}
