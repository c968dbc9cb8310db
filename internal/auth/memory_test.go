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
	tickets  map[auth.TokenHash]auth.Ticket
	bots     map[chat.UserID]auth.BotToken
	extended int
	broken   error // what every call answers, if not nil
}

var _ auth.Store = (*memory)(nil)

func newMemory() *memory {
	return &memory{
		settings: map[string][]byte{}, accounts: map[chat.UserID]*auth.Account{}, sessions: map[auth.TokenHash]auth.Session{},
		tickets: map[auth.TokenHash]auth.Ticket{}, bots: map[chat.UserID]auth.BotToken{},
	}
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

func (m *memory) AccountNamed(_ context.Context, username string) (*auth.Account, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	for _, a := range m.accounts {
		if a.User.Username == username && username != "" {
			return a, m.broken
		}
	}
	return nil, auth.ErrNotFound
}

func (m *memory) Accounts(context.Context, auth.AccountQuery) ([]*auth.Account, error) {
	return nil, m.broken
}

func (m *memory) SetPassword(_ context.Context, id chat.UserID, hash string, keep *auth.TokenHash) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.accounts[id].Password = hash
	m.endSessions(id, keep)
	return m.broken
}

func (m *memory) endSessions(id chat.UserID, keep *auth.TokenHash) {
	for hash, s := range m.sessions {
		if s.UserID == id && (keep == nil || hash != *keep) {
			delete(m.sessions, hash)
		}
	}
}

func (m *memory) EndSessions(_ context.Context, id chat.UserID, _ auth.By) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.endSessions(id, nil)
	return m.broken
}

func (m *memory) SetAdmin(_ context.Context, id chat.UserID, admin bool, _ auth.By) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.accounts[id].Admin = admin
	return m.broken
}

func (m *memory) SetDisabled(_ context.Context, id chat.UserID, disabled bool, _ auth.By) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.accounts[id] == nil {
		return auth.ErrNotFound
	}
	if m.accounts[id].Admin {
		return auth.ErrLastAdmin
	}
	m.accounts[id].Disabled = disabled
	return m.broken
}

func (m *memory) HasAdmin(context.Context) (bool, error) { return false, m.broken }

func (m *memory) Sessions(_ context.Context, id chat.UserID, at time.Time) (list []auth.Session, err error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	for _, s := range m.sessions {
		if s.UserID == id && s.ExpiresAt.After(at) {
			list = append(list, s)
		}
	}
	return list, m.broken
}

func (m *memory) DeleteSessions(_ context.Context, id chat.UserID, keep *auth.TokenHash) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.endSessions(id, keep)
	return m.broken
}

func (m *memory) CreateTicket(_ context.Context, t auth.Ticket) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.tickets[t.Hash] = t
	return m.broken
}

func (m *memory) ReturnTicket(_ context.Context, t auth.Ticket) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	t.Uses = m.tickets[t.Hash].Uses + 1
	m.tickets[t.Hash] = t
	return m.broken
}

func (m *memory) TakeTicket(_ context.Context, kind auth.TicketKind, hash auth.TokenHash, at time.Time) (*auth.Ticket, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	t, ok := m.tickets[hash]
	if !ok || t.Kind != kind || t.Uses == 0 || !t.ExpiresAt.After(at) {
		return nil, auth.ErrNotFound
	}
	t.Uses--
	m.tickets[hash] = t
	return &t, m.broken
}

func (m *memory) DeleteTickets(_ context.Context, kind auth.TicketKind, id chat.UserID) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	for hash, t := range m.tickets {
		if t.Kind == kind && t.UserID == id {
			delete(m.tickets, hash)
		}
	}
	return m.broken
}

func (m *memory) SetBotToken(_ context.Context, t auth.BotToken) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.bots[t.UserID] = t
	return m.broken
}

func (m *memory) BotToken(_ context.Context, hash auth.TokenHash) (*auth.BotToken, *auth.Account, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	for id, t := range m.bots {
		if t.Hash == hash {
			return &t, m.accounts[id], m.broken
		}
	}
	return nil, nil, auth.ErrNotFound
}

func (m *memory) BotTokenOf(_ context.Context, bot chat.UserID) (*auth.BotToken, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if t, ok := m.bots[bot]; ok {
		return &t, m.broken
	}
	return nil, auth.ErrNotFound
}

func (m *memory) TouchBotToken(_ context.Context, hash auth.TokenHash, seenAt time.Time) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	for id, t := range m.bots {
		if t.Hash == hash {
			t.SeenAt = seenAt
			m.bots[id] = t
			m.extended++
		}
	}
	return m.broken
}

func (m *memory) LiveSessions(_ context.Context, hashes []auth.TokenHash) (live []auth.TokenHash, err error) {
	for _, hash := range hashes {
		if _, there := m.sessions[hash]; there {
			live = append(live, hash)
		}
	}
	return live, nil
}
