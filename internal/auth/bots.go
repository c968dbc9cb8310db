package auth

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"qun/internal/chat"
)

// Scope is what a bot's token allows.
type Scope string

const (
	ScopeRead   Scope = "read"   // hear, look up, read
	ScopeSend   Scope = "send"   // speak, and change what it said
	ScopeManage Scope = "manage" // what its role in a group allows beyond that
)

// Scopes are all there are.
func Scopes() []Scope { return []Scope{ScopeRead, ScopeSend, ScopeManage} }

const botPrefix = "b."

// BotToken is what the store keeps of a bot's token.
type BotToken struct {
	Hash      TokenHash
	UserID    chat.UserID
	Scopes    []Scope
	CreatedAt time.Time
	SeenAt    time.Time
}

// Bot reports whether it is a bot that asks.
func (i *Identity) Bot() bool { return i.User.Bot }

// May refuses what the token does not allow. Of people's tokens all allow everything.
func (i *Identity) May(scope Scope) error {
	if i == nil || !i.Bot() || slices.Contains(i.scopes, scope) {
		return nil
	}
	return refuseScope(scope)
}

// IssueBotToken makes a bot's token, which is shown once. One of before is good no more.
func (s *Service) IssueBotToken(ctx context.Context, bot chat.UserID, scopes []Scope) (token string, err error) {
	if err := CheckScopes(scopes); err != nil {
		return "", err
	}
	secret := make([]byte, tokenSize)
	rand.Read(secret)
	token = botPrefix + encoding.EncodeToString(secret)
	now := s.now()
	err = s.store.SetBotToken(ctx, BotToken{Hash: hashToken(token), UserID: bot, Scopes: scopes, CreatedAt: now, SeenAt: now})
	if err != nil {
		return "", fmt.Errorf("give a bot its token: %w", err)
	}
	return token, nil
}

// BotTokens are what is kept of the tokens of these bots.
func (s *Service) BotTokens(ctx context.Context, bots []chat.UserID) (map[chat.UserID]BotToken, error) {
	tokens := make(map[chat.UserID]BotToken, len(bots))
	for _, id := range bots {
		t, err := s.store.BotTokenOf(ctx, id)
		if errors.Is(err, ErrNotFound) {
			continue
		}
		if err != nil {
			return nil, fmt.Errorf("look up the token of a bot: %w", err)
		}
		tokens[id] = *t
	}
	return tokens, nil
}

// CheckScopes refuses scopes there are not, and a token that allows nothing.
func CheckScopes(scopes []Scope) error {
	for _, scope := range scopes {
		if !slices.Contains(Scopes(), scope) {
			return refuseScopes()
		}
	}
	if len(scopes) == 0 {
		return refuseScopes()
	}
	return nil
}

// bot looks a bot up by the hash of its token. Who made it must not be disabled either.
func (s *Service) bot(ctx context.Context, token string) (*Identity, error) {
	t, account, err := s.store.BotToken(ctx, hashToken(token))
	switch {
	case errors.Is(err, ErrNotFound):
		return nil, ErrUnauthorized
	case err != nil:
		return nil, fmt.Errorf("look up a bot's token: %w", err)
	case account.Disabled:
		return nil, ErrUnauthorized
	}
	if now := s.now(); now.Sub(t.SeenAt) >= extendAfter {
		if err := s.store.TouchBotToken(ctx, t.Hash, now); err != nil {
			return nil, fmt.Errorf("note that a bot was here: %w", err)
		}
	}
	return &Identity{User: account.User, Session: &t.Hash, scopes: t.Scopes}, nil
}

// JoinScopes writes scopes with blanks between them.
func JoinScopes(scopes []Scope) string {
	words := make([]string, len(scopes))
	for i, scope := range scopes {
		words[i] = string(scope)
	}
	return strings.Join(words, " ")
}

// SplitScopes reads what JoinScopes wrote.
func SplitScopes(text string) []Scope {
	var scopes []Scope
	for _, word := range strings.Fields(text) {
		scopes = append(scopes, Scope(word))
	}
	return scopes
}
