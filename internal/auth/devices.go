package auth

import (
	"context"
	"encoding/hex"
	"fmt"

	"qun/internal/chat"
)

// Device is a signed-in device as its user sees it.
type Device struct {
	ID        string    `json:"deviceId"`
	Name      string    `json:"name"` // the user agent
	Current   bool      `json:"current"`
	CreatedAt chat.Time `json:"createdAt"`
	SeenAt    chat.Time `json:"seenAt"`
	ExpiresAt chat.Time `json:"expiresAt"`
}

// deviceID names a session to its user: half of the hash of a secret says nothing of the secret.
func deviceID(h TokenHash) string { return hex.EncodeToString(h[:len(h)/2]) }

// Devices are who's signed-in devices, the one used last first.
func (s *Service) Devices(ctx context.Context, who *Identity) ([]Device, error) {
	sessions, err := s.sessions(ctx, who)
	if err != nil {
		return nil, err
	}
	list := make([]Device, len(sessions))
	for i, session := range sessions {
		list[i] = Device{
			ID: deviceID(session.Hash), Name: session.Device, Current: who.Session != nil && *who.Session == session.Hash,
			CreatedAt: chat.TimeOf(session.CreatedAt), SeenAt: chat.TimeOf(session.SeenAt), ExpiresAt: chat.TimeOf(session.ExpiresAt),
		}
	}
	return list, nil
}

func (s *Service) sessions(ctx context.Context, who *Identity) ([]Session, error) {
	if who.User.Guest || who.Bot() {
		return nil, nil
	}
	sessions, err := s.store.Sessions(ctx, who.User.ID, s.now())
	if err != nil {
		return nil, fmt.Errorf("list sessions: %w", err)
	}
	return sessions, nil
}

// Revoke ends the session of one of who's devices, and returns whose sockets have to end.
func (s *Service) Revoke(ctx context.Context, who *Identity, device string) (*Identity, error) {
	sessions, err := s.sessions(ctx, who)
	if err != nil {
		return nil, err
	}
	for _, session := range sessions {
		if deviceID(session.Hash) != device {
			continue
		}
		if err := s.store.DeleteSession(ctx, session.Hash); err != nil {
			return nil, fmt.Errorf("end a session: %w", err)
		}
		return &Identity{User: who.User, Session: &session.Hash}, nil
	}
	return nil, refuseDevice()
}

// RevokeOthers ends all sessions of who but the one that asks.
func (s *Service) RevokeOthers(ctx context.Context, who *Identity) error {
	if who.User.Guest || who.Bot() {
		return refuseAccount()
	}
	if err := s.store.DeleteSessions(ctx, who.User.ID, who.Session); err != nil {
		return fmt.Errorf("end sessions: %w", err)
	}
	return nil
}
