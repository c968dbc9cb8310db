package chat

import (
	"context"
	"crypto/subtle"
	"encoding/base64"
	"errors"
	"strings"
	"unicode/utf8"

	"qun/internal/names"
)

// HookMessage is what a program says by an incoming webhook.
type HookMessage struct {
	Text     string
	NickName string // "": the webhook's name
	Key      string // the same key is the same message, for ever; "": every one is another
}

// SendByWebhook says something in the group of an incoming webhook, as its bot: the rules and rates of any member hold.
// A wrong secret is answered as a webhook that is not there.
func (s *Service) SendByWebhook(ctx context.Context, id WebhookID, secret string, in HookMessage) (*Sent, error) {
	var bot *User
	var group GroupID
	err := s.store.View(ctx, func(r Reader) error {
		hook, err := r.Webhook(id)
		if errors.Is(err, ErrNotFound) || err == nil && !hook.opensWith(secret) {
			return refuseWebhook()
		} else if err != nil {
			return err
		}
		if bot, err = r.User(hook.UserID); err != nil {
			return err
		}
		group, bot.NickName = hook.GroupID, hook.Name
		return s.callBot(r, bot, in.NickName)
	})
	if err != nil {
		return nil, refusal(err, "look up a webhook")
	}
	return s.SendMessage(ctx, bot, NewMessage{Group: group, Entered: true, Text: in.Text, ClientID: clientIDOf(in.Key)})
}

// callBot gives a bot the name it wants to bear this once. A member's own, or one that imitates it, is refused.
func (s *Service) callBot(r UserReader, bot *User, nickName string) error {
	name := names.Guest(nickName, s.Limits().NickName)
	if name == "" {
		return nil
	}
	taken, err := nameTaken(r, name)
	if err == nil && taken {
		err = refuseNameTaken("")
	}
	bot.NickName = name
	return err
}

func (w *Webhook) opensWith(secret string) bool {
	return w.Kind == WebhookIncoming && subtle.ConstantTimeCompare(w.Secret, hashSecret(secret)) == 1
}

// clientIDOf is key where it may be a clientId, and else a hash of it.
func clientIDOf(key string) string {
	if len(key) <= maxClientID && utf8.ValidString(key) && !strings.ContainsRune(key, 0) {
		return key
	}
	return base64.RawURLEncoding.EncodeToString(hashSecret(key))
}
