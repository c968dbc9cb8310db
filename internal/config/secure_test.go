package config_test

import (
	"reflect"
	"testing"

	"qun/internal/config"
)

func TestFetchedCertificatesSettleWhereToListen(t *testing.T) {
	domain := config.Secure{ACMEDomain: []string{"Chat.Example.org", "talk.example.org"}}
	elsewhere := domain
	elsewhere.Redirect = []string{":8080"}
	for name, c := range map[string]struct {
		settings         config.Serve
		listen, redirect []string
		url              string
	}{
		"a name alone":   {config.Serve{Secure: domain}, []string{":443"}, []string{":80"}, "https://chat.example.org"},
		"another port":   {config.Serve{Secure: domain, Listen: []string{":8443"}}, []string{":8443"}, nil, "https://chat.example.org:8443"},
		"both elsewhere": {config.Serve{Secure: elsewhere, Listen: []string{":8443"}, PublicURL: "https://chat.example.org"}, []string{":8443"}, []string{":8080"}, "https://chat.example.org"},
		"plain http":     {config.Serve{}, nil, nil, ""},
	} {
		got := c.settings.Settled()
		if !reflect.DeepEqual(got.Listen, c.listen) || !reflect.DeepEqual(got.Redirect, c.redirect) || got.PublicURL != c.url {
			t.Errorf("%s: got %v, %v, %q", name, got.Listen, got.Redirect, got.PublicURL)
		}
	}
}

func TestAServerWithAFetchedCertificateIsPublic(t *testing.T) {
	s := (&config.Serve{Secure: config.Secure{ACMEDomain: []string{"chat.example.org", "talk.example.org"}}}).Settled()
	listening := listenOn(t, s)
	exposure := s.Exposure(listening, nil)
	a := config.NewAccess(s, listening, exposure)
	if exposure != config.Public || !a.Host("talk.example.org") || !a.Host("chat.example.org:443") || a.Host("evil.example") {
		t.Errorf("got %v", exposure)
	}
}
