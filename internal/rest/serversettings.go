package rest

import (
	"context"
	"net/http"

	"qun/internal/chat"
)

// Settings is what may be changed while the server runs.
type Settings interface {
	ServerName() string
	Registration() chat.Registration
	Guests() chat.GuestPolicy
	ServerSettings() *chat.SettingsInForce
	SetServerSettings(ctx context.Context, by *chat.User, in chat.SettingsUpdate) (*chat.SettingsInForce, error)
}

func (s *server) registerServerSettings() {
	const tag = "administration"
	answer(s, route{
		ID: "adminSettings", Method: http.MethodGet, Path: "/admin/settings", Tag: tag, Who: administrators,
		Summary: "The settings that hold, and which of them cannot be changed while the server runs",
	}, s.adminSettings)
	answer(s, route{
		ID: "adminSetSettings", Method: http.MethodPatch, Path: "/admin/settings", Tag: tag, Who: administrators,
		Summary: "Change settings, at once and for good; what the server was started with cannot be changed",
		Refuses: []chat.Code{chat.CodeConflict},
	}, s.adminSetSettings)
}

func (s *server) adminSettings(context.Context, *caller, *struct{}) (*chat.SettingsInForce, error) {
	return s.Chat.ServerSettings(), nil
}

type adminSetSettingsIn struct {
	Body chat.SettingsUpdate
}

// adminSetSettings changes settings. Guests who are not admitted any more hear nothing from then on.
func (s *server) adminSetSettings(ctx context.Context, c *caller, in *adminSetSettingsIn) (*chat.SettingsInForce, error) {
	before := s.Chat.Guests()
	out, err := s.Chat.SetServerSettings(ctx, c.User, in.Body)
	if s.GuestsOut != nil && before != chat.GuestsOff && s.Chat.Guests() == chat.GuestsOff {
		s.GuestsOut()
	}
	return out, err
}
