package config_test

import (
	"fmt"
	"strings"
	"testing"

	"qun/internal/config"
)

func TestNetworksOfWebhooksAreRead(t *testing.T) {
	s := config.Serve{Storage: config.Storage{Data: "x"}}
	s.WebhookNetwork = []string{"10.1.2.3/8", "192.168.1.5", "fd00::/8"}
	networks, err := s.Networks()
	if fmt.Sprint(networks) != "[10.0.0.0/8 192.168.1.5/32 fd00::/8]" || err != nil || s.Check() != nil {
		t.Errorf("got %v, %v, %v", networks, err, s.Check())
	}
	s.WebhookNetwork = []string{"intern.example.org"}
	if err := s.Check(); err == nil || !strings.Contains(err.Error(), "--webhook-network intern.example.org") {
		t.Errorf("got %v", err)
	}
}

func TestNetworksOfPreviewsAreReadApart(t *testing.T) {
	s := config.Serve{Storage: config.Storage{Data: "x"}}
	s.PreviewNetwork = []string{"10.1.2.3/8"}
	webhooks, _ := s.Networks()
	networks, err := s.PreviewNetworks()
	if fmt.Sprint(networks) != "[10.0.0.0/8]" || err != nil || s.Check() != nil || len(webhooks) != 0 {
		t.Errorf("got %v, %v, %v; for webhooks %v", networks, err, s.Check(), webhooks)
	}
	s.PreviewNetwork = []string{"intern.example.org"}
	if err := s.Check(); err == nil || !strings.Contains(err.Error(), "--preview-network intern.example.org") {
		t.Errorf("got %v", err)
	}
}

func TestContactIsWhatPushServicesTake(t *testing.T) {
	for _, c := range []struct{ contact, public, want string }{
		{"", "", ""}, {"", "http://chat.example.org", ""}, {"", "https://chat.example.org", "https://chat.example.org"},
		{"me@example.org", "https://chat.example.org", "mailto:me@example.org"}, {"mailto:me@example.org", "", "mailto:me@example.org"},
		{"https://example.org/me", "", "https://example.org/me"},
	} {
		s := config.Serve{Storage: config.Storage{Data: "x"}, PublicURL: c.public, Outside: config.Outside{Contact: c.contact}}
		if got := s.PushContact(); got != c.want || s.Check() != nil {
			t.Errorf("%+v: got %q, %v", c, got, s.Check())
		}
	}
	for _, bad := range []string{"me", "http://example.org", "https://"} {
		s := config.Serve{Storage: config.Storage{Data: "x"}, Outside: config.Outside{Contact: bad}}
		if err := s.Check(); err == nil || !strings.Contains(err.Error(), "--contact "+bad) {
			t.Errorf("%q: got %v", bad, err)
		}
	}
}
