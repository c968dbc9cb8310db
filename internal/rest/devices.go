package rest

import (
	"context"
	"net/http"

	"qun/internal/auth"
	"qun/internal/chat"
)

func (s *server) registerDevices() {
	const tag = "devices"
	answer(s, route{
		ID: "devices", Method: http.MethodGet, Path: "/me/devices", Tag: tag, Who: persons,
		Summary: "Where I am signed in, the latest first",
	}, s.devices)
	act(s, route{
		ID: "revokeDevice", Method: http.MethodDelete, Path: "/me/devices/{deviceId}", Tag: tag, Who: persons,
		Summary: "Sign one of my devices out",
		Refuses: []chat.Code{chat.CodeNotFound},
	}, s.revokeDevice)
	act(s, route{
		ID: "revokeOtherDevices", Method: http.MethodDelete, Path: "/me/devices", Tag: tag, Who: persons,
		Summary: "Sign all my other devices out",
	}, s.revokeOthers)
}

type devicesOut struct {
	Devices []auth.Device `json:"devices"`
}

func (s *server) devices(ctx context.Context, c *caller, _ *struct{}) (*devicesOut, error) {
	list, err := s.Auth.Devices(ctx, c.Identity)
	return &devicesOut{list}, err
}

type deviceIn struct {
	DeviceID string `path:"deviceId"`
}

func (s *server) revokeDevice(ctx context.Context, c *caller, in *deviceIn) error {
	ended, err := s.Auth.Revoke(ctx, c.Identity, in.DeviceID)
	if err == nil {
		s.signedOut(ended)
	}
	return err
}

func (s *server) revokeOthers(ctx context.Context, c *caller, _ *struct{}) error {
	err := s.Auth.RevokeOthers(ctx, c.Identity)
	if err == nil {
		s.signedOutAll(c.User.ID, c.Identity.Session)
	}
	return err
}
