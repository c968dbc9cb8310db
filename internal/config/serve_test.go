package config_test

import (
	"errors"
	"net/netip"
	"slices"
	"strings"
	"testing"
	"time"

	"qun/internal/config"
)

func addresses(texts ...string) (all []netip.Addr) {
	for _, text := range texts {
		all = append(all, netip.MustParseAddr(text))
	}
	return all
}

func resolveNothing(string) ([]netip.Addr, error) { return nil, errors.New("no such host") }

func listenOn(t *testing.T, s *config.Serve, interfaces ...config.Interface) []netip.AddrPort {
	t.Helper()
	got, err := s.Addresses(interfaces, resolveNothing)
	if err != nil {
		t.Fatal(err)
	}
	return got
}

func texts(all []netip.AddrPort) (texts []string) {
	for _, a := range all {
		texts = append(texts, a.String())
	}
	return texts
}

func TestItListensOnBothLoopbackFamiliesUnlessTold(t *testing.T) {
	got := texts(listenOn(t, &config.Serve{}))
	if want := []string{"127.0.0.1:3000", "[::1]:3000"}; !slices.Equal(got, want) {
		t.Errorf("got %v, want %v", got, want)
	}
}

func TestListenTakesAddressesAndEverything(t *testing.T) {
	s := &config.Serve{Listen: []string{"localhost:4000", ":5000", "192.168.1.9:80", "[fd00::9]:0"}}
	got := texts(listenOn(t, s))
	want := []string{"127.0.0.1:4000", "[::1]:4000", "[::]:5000", "192.168.1.9:80", "[fd00::9]:0"}
	if !slices.Equal(got, want) {
		t.Errorf("got %v, want %v", got, want)
	}
}

func TestListenLooksNamesUp(t *testing.T) {
	s := &config.Serve{Listen: []string{"box.example:3000"}}
	got, err := s.Addresses(nil, func(host string) ([]netip.Addr, error) { return addresses("192.168.1.7"), nil })
	if err != nil || !slices.Equal(texts(got), []string{"192.168.1.7:3000"}) {
		t.Errorf("got %v, %v", got, err)
	}
	if _, err := s.Addresses(nil, resolveNothing); err == nil || !strings.Contains(err.Error(), "box.example") {
		t.Errorf("got %v, want an error that names the host", err)
	}
}

func TestLANListensOnPrivateAddressesLikeliestFirst(t *testing.T) {
	got := texts(listenOn(t, &config.Serve{LAN: true},
		config.Interface{Name: "docker0", Addresses: addresses("172.17.0.1")},
		config.Interface{Name: "lo", Addresses: addresses("127.0.0.1", "::1")},
		config.Interface{Name: "eth0", Addresses: addresses("203.0.113.5", "fd12::5", "10.1.2.3", "fe80::1")},
		config.Interface{Name: "tailscale0", Addresses: addresses("100.101.1.2")},
	))
	want := []string{"10.1.2.3:3000", "100.101.1.2:3000", "172.17.0.1:3000", "[fd12::5]:3000", "127.0.0.1:3000", "[::1]:3000"}
	if !slices.Equal(got, want) {
		t.Errorf("got %v, want %v", got, want)
	}
}

func TestLANWithoutANetworkSaysWhatToDo(t *testing.T) {
	_, err := (&config.Serve{LAN: true}).Addresses([]config.Interface{{Name: "eth0", Addresses: addresses("203.0.113.5")}}, resolveNothing)
	if err == nil || !strings.Contains(err.Error(), "--listen") {
		t.Errorf("got %v, want an error that names --listen", err)
	}
}

func TestGuestsMayOpenRoomsUntilAPublicAddressListens(t *testing.T) {
	home := config.Interface{Name: "eth0", Addresses: addresses("192.168.1.5")}
	rented := config.Interface{Name: "eth0", Addresses: addresses("203.0.113.5")}
	for name, c := range map[string]struct {
		settings config.Serve
		machine  config.Interface
		want     string
	}{
		"by default":                     {config.Serve{}, rented, "open"},
		"in the local network":           {config.Serve{LAN: true}, home, "open"},
		"everywhere at home":             {config.Serve{Listen: []string{":3000"}}, home, "open"},
		"everywhere on a public machine": {config.Serve{Listen: []string{":3000"}}, rented, "join"},
		"on a public address":            {config.Serve{Listen: []string{"203.0.113.5:80"}}, rented, "join"},
		"behind a public name":           {config.Serve{PublicURL: "https://chat.example.org"}, home, "join"},
		"behind a local name":            {config.Serve{PublicURL: "http://box.local:3000"}, home, "open"},
		"as told":                        {config.Serve{Listen: []string{":3000"}, Guests: "off"}, rented, "off"},
		"as told against the default":    {config.Serve{Listen: []string{":3000"}, Guests: "open"}, rented, "open"},
	} {
		t.Run(name, func(t *testing.T) {
			machine := []config.Interface{c.machine}
			e := c.settings.Exposure(listenOn(t, &c.settings, machine...), machine)
			if got := c.settings.GuestsMay(e); got != c.want {
				t.Errorf("got %s, want %s (exposure %v)", got, c.want, e)
			}
			register := map[config.Exposure]string{config.Public: "invite"}[e]
			if register == "" {
				register = "open"
			}
			if got := c.settings.MayRegister(e); got != register {
				t.Errorf("registration is %s, want %s (exposure %v)", got, register, e)
			}
			c.settings.Registration = "off"
			if got := c.settings.MayRegister(e); got != "off" {
				t.Errorf("registration that is off is %s", got)
			}
		})
	}
}

func TestWrongSettingsAreNamed(t *testing.T) {
	for name, c := range map[string]struct {
		change func(*config.Serve)
		want   string
	}{
		"no port":              {func(s *config.Serve) { s.Listen = []string{"localhost"} }, "--listen localhost"},
		"port as word":         {func(s *config.Serve) { s.Listen = []string{"localhost:http"} }, "--listen localhost:http"},
		"port too high":        {func(s *config.Serve) { s.Listen = []string{":70000"} }, "65535"},
		"odd zero port":        {func(s *config.Serve) { s.Listen = []string{":00"} }, "--listen :00"},
		"lan and listen":       {func(s *config.Serve) { s.LAN, s.Listen = true, []string{":1"} }, "--lan"},
		"no scheme":            {func(s *config.Serve) { s.PublicURL = "chat.example.org" }, "--public-url"},
		"path in public url":   {func(s *config.Serve) { s.PublicURL = "https://x.org/chat" }, "--public-url"},
		"password in url":      {func(s *config.Serve) { s.PublicURL = "https://a:b@x.org" }, "--public-url"},
		"origin without http":  {func(s *config.Serve) { s.Origin = []string{"x.org"} }, "--origin x.org"},
		"origin with path":     {func(s *config.Serve) { s.Origin = []string{"https://x.org/"} }, "--origin https://x.org/"},
		"proxy by name":        {func(s *config.Serve) { s.TrustedProxy = []string{"nginx"} }, "--trusted-proxy nginx"},
		"no data":              {func(s *config.Serve) { s.Data = "" }, "--data"},
		"another database":     {func(s *config.Serve) { s.Database = "mysql://u:secret@h/d" }, "--database"},
		"another bus":          {func(s *config.Serve) { s.Database, s.Redis = "postgres://h/d", "amqp://u:secret@h" }, "--redis"},
		"Node servers nowhere": {func(s *config.Serve) { s.RedisNode = true }, "--redis"},
		"a room for nobody":    {func(s *config.Serve) { s.Redis, s.RedisOpen = "redis://u:secret@h", []string{"g/1", ""} }, "--redis-open"},
		"bus of one alone":     {func(s *config.Serve) { s.Redis = "redis://u:secret@h" }, "--database"},
		"negative retention":   {func(s *config.Serve) { s.Retention = -1 }, "--retention"},
		"negative limit":       {func(s *config.Serve) { s.LimitSockets = -1 }, "--limit-sockets"},
		"negative time":        {func(s *config.Serve) { s.RecallWithin = -time.Second }, "--recall-within"},
		"negative rate":        {func(s *config.Serve) { s.LimitMessages = -0.5 }, "--limit-messages"},
	} {
		t.Run(name, func(t *testing.T) {
			s := config.Serve{Storage: config.Storage{Data: "x"}}
			if err := s.Check(); err != nil {
				t.Fatalf("the good settings are refused: %v", err)
			}
			c.change(&s)
			if err := s.Check(); err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("got %v, want an error with %q", err, c.want)
			}
		})
	}
}
