package auth_test

import (
	"context"
	"sync"
	"time"

	"qun/internal/auth"
	"qun/internal/chat"
)

// memory is a store with a memory and nothing else.
type memory struct {
	mu       sync.Mutex // guards below
	settings map[string][]byte
	accounts map[chat.UserID]*auth.Account
	sessions map[auth.TokenHash]auth.Session
	extended int
	broken   error // what every call answers, if not nil
}

var _ auth.Store = (*memory)(nil)

func newMemory() *memory {
	return &memory{settings: map[string][]byte{}, accounts: map[chat.UserID]*auth.Account{}, sessions: map[auth.TokenHash]auth.Session{}}
}

func (m *memory) Setting(_ context.Context, name string, initial []byte) ([]byte, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.settings[name] == nil {
		m.settings[name] = initial
	}
	return m.settings[name], m.broken
}

func (m *memory) Account(_ context.Context, id chat.UserID) (*auth.Account, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.broken != nil {
		return nil, m.broken
	}
	if m.accounts[id] == nil {
		return nil, auth.ErrNotFound
	}
	return m.accounts[id], nil
}

func (m *memory) CreateSession(_ context.Context, s auth.Session) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.sessions[s.Hash] = s
	return m.broken
}

func (m *memory) Session(_ context.Context, hash auth.TokenHash) (*auth.Session, *auth.Account, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.broken != nil {
		return nil, nil, m.broken
	}
	s, ok := m.sessions[hash]
	if !ok {
		return nil, nil, auth.ErrNotFound
	}
	return &s, m.accounts[s.UserID], nil
}

func (m *memory) ExtendSession(_ context.Context, hash auth.TokenHash, seenAt, expiresAt time.Time) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	if s, ok := m.sessions[hash]; ok {
		s.SeenAt, s.ExpiresAt = seenAt, expiresAt
		m.sessions[hash] = s
		m.extended++
	}
	return m.broken
}

func (m *memory) DeleteSession(_ context.Context, hash auth.TokenHash) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	delete(m.sessions, hash)
	return m.broken
}
