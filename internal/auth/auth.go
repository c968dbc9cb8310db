package auth

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"fmt"
	"net/netip"
	"strings"
	"time"

	"qun/internal/chat"
	"qun/internal/rates"
)

// ErrUnauthorized is what a token earns that is malformed, forged, revoked or expired. It does not say which.
var ErrUnauthorized = errors.New("this sign-in is not valid (any more); sign in again")

const (
	// SessionLife is how long a member stays signed in without using the session; every use starts it anew.
	SessionLife = 90 * 24 * time.Hour

	// extendAfter bounds how often using a session writes to the store.
	extendAfter = time.Hour

	// secretName is the setting under which the key of guests' tokens is kept.
	secretName = "guest-token-key"
	secretSize = 32

	// tokenSize is the number of random bytes in a member's token.
	tokenSize = 32
	// maxToken bounds what is looked at: longer than the longest token that was ever given out.
	maxToken = 1024
)

// A member's token is "s." and the random bytes, a bot's "b.", a guest's is "g." payload "." signature; all in base64url
// without padding.
const (
	memberPrefix = "s."
	guestPrefix  = "g."
)

var encoding = base64.RawURLEncoding.Strict()

// Config is what a Service may be told.
type Config struct {
	Now  func() time.Time // nil means time.Now
	Cost Cost             // of hashing a password; zero: what is recommended. Tests take less
}

// Service knows who a token speaks for, and makes tokens.
type Service struct {
	store     Store
	secret    []byte // signs guests' tokens
	now       func() time.Time
	passwords *passwords

	byAccount   *rates.Rates[string]     // passwords tried of a username
	byAddress   *rates.Rates[netip.Addr] // passwords tried from an address
	registering *rates.Rates[netip.Addr] // accounts made from an address
}

// New reads the secret that signs guests' tokens from the store, making it at the first start.
func New(ctx context.Context, store Store, cfg Config) (*Service, error) {
	fresh := make([]byte, secretSize)
	rand.Read(fresh) // never fails, see crypto/rand
	secret, err := store.Setting(ctx, secretName, fresh)
	if err != nil {
		return nil, fmt.Errorf("read the key of guests' tokens: %w", err)
	}
	if len(secret) < secretSize {
		return nil, fmt.Errorf("read the key of guests' tokens: %d bytes, at least %d are needed", len(secret), secretSize)
	}
	if cfg.Now == nil {
		cfg.Now = time.Now
	}
	return &Service{
		store: store, secret: secret, now: cfg.Now, passwords: newPasswords(cfg.Cost),
		byAccount:   rates.New[string](perSecond(accountEvery), accountBurst, cfg.Now),
		byAddress:   rates.New[netip.Addr](perSecond(addressEvery), addressBurst, cfg.Now),
		registering: rates.New[netip.Addr](perSecond(registerEvery), registerBurst, cfg.Now),
	}, nil
}

func perSecond(every time.Duration) float64 { return 1 / every.Seconds() }

// Authenticate returns who the token speaks for. A bad token is ErrUnauthorized; any other error means that the store
// could not answer.
func (s *Service) Authenticate(ctx context.Context, token string) (*Identity, error) {
	switch {
	case len(token) > maxToken:
		return nil, ErrUnauthorized
	case strings.HasPrefix(token, guestPrefix):
		return s.guest(ctx, token)
	case strings.HasPrefix(token, memberPrefix):
		return s.member(ctx, token)
	case strings.HasPrefix(token, botPrefix):
		return s.bot(ctx, token)
	}
	return nil, ErrUnauthorized
}

// Identity is who a token speaks for.
type Identity struct {
	User chat.User

	// Session is the hash that names the signed-in device, or a bot's token; nil for a guest.
	Session *TokenHash
	// Admin says that the user may administer this server.
	Admin bool

	version int     // of a guest's tokens
	scopes  []Scope // of a bot's token
}

// hashToken is what the store keeps of a member's token.
func hashToken(token string) TokenHash { return sha256.Sum256([]byte(token)) }
