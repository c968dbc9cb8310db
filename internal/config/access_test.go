package config_test

import (
	"testing"

	"qun/internal/config"
)

// access is what the settings mean on a machine with one private address.
func access(t *testing.T, s config.Serve) *config.Access {
	t.Helper()
	machine := []config.Interface{{Name: "eth0", Addresses: addresses("192.168.1.5", "fd00::5")}}
	listening := listenOn(t, &s, machine...)
	return config.NewAccess(&s, listening, s.Exposure(listening, machine))
}

func TestHostNamesAreOursOrRefused(t *testing.T) {
	loopback, lan := config.Serve{}, config.Serve{LAN: true}
	everywhere := config.Serve{Listen: []string{":3000"}}
	public := config.Serve{PublicURL: "https://Chat.Example.org"}
	for _, c := range []struct {
		name     string
		settings config.Serve
		host     string
		want     bool
	}{
		{"loopback", loopback, "localhost:3000", true},
		{"loopback", loopback, "LOCALHOST", true},
		{"loopback", loopback, "127.0.0.1:3000", true},
		{"loopback", loopback, "[::1]:3000", true},
		{"loopback", loopback, "qun.localhost:3000", true},
		{"loopback, rebound", loopback, "evil.example:3000", false},
		{"loopback, rebound", loopback, "localhost.evil.example:3000", false},
		{"loopback", loopback, "192.168.1.5:3000", false},
		{"loopback", loopback, "", false},
		{"lan", lan, "192.168.1.5:3000", true},
		{"lan", lan, "[fd00::5]:3000", true},
		{"lan", lan, "localhost:3000", true},
		{"lan, another address", lan, "192.168.1.6:3000", false},
		{"lan, rebound", lan, "evil.example:3000", false},
		{"everywhere, any address", everywhere, "203.0.113.7:3000", true},
		{"everywhere, rebound", everywhere, "evil.example:3000", false},
		{"public", public, "chat.example.org", true},
		{"public, absolute", public, "chat.example.org.:443", true},
		{"public", public, "other.example.org", false},
		{"listening name", config.Serve{Listen: []string{"localhost:80"}}, "localhost", true},
	} {
		if got := access(t, c.settings).Host(c.host); got != c.want {
			t.Errorf("%s: Host %q: got %v, want %v", c.name, c.host, got, c.want)
		}
	}
}

func TestOnlyOurOwnPagesMayUseTheCookie(t *testing.T) {
	loopback := config.Serve{}
	public := config.Serve{PublicURL: "https://chat.example.org"}
	friend := config.Serve{Origin: []string{"https://friend.example"}}
	for _, c := range []struct {
		name     string
		settings config.Serve
		page     config.Page
		own      bool
		welcome  bool
	}{
		{"our page", loopback, config.Page{Origin: "http://localhost:3000", Host: "localhost:3000"}, true, true},
		{"no browser", loopback, config.Page{Host: "localhost:3000"}, true, true},
		{"our page's GET", loopback, config.Page{Site: "same-origin", Host: "localhost:3000"}, true, true},
		{"typed address", loopback, config.Page{Site: "none", Host: "localhost:3000"}, true, true},
		{"another port's blind GET", loopback, config.Page{Site: "same-site", Host: "localhost:3000"}, false, true},
		{"another port", loopback, config.Page{Origin: "http://localhost:5173", Host: "localhost:3000"}, false, true},
		{"another loopback name", loopback, config.Page{Origin: "http://127.0.0.1:3000", Host: "localhost:3000"}, false, true},
		{"a file", loopback, config.Page{Origin: "null", Host: "localhost:3000"}, false, true},
		{"the web", loopback, config.Page{Origin: "https://evil.example", Host: "localhost:3000"}, false, false},
		{"a name like ours", loopback, config.Page{Origin: "http://localhost.evil.example:3000", Host: "localhost:3000"}, false, false},
		{"no origin at all", loopback, config.Page{Origin: "what", Host: "localhost:3000"}, false, false},
		{"an extension", loopback, config.Page{Origin: "chrome-extension://abc", Host: "localhost:3000"}, false, false},

		{"lan: our page", config.Serve{LAN: true}, config.Page{Origin: "http://192.168.1.5:3000", Host: "192.168.1.5:3000"}, true, true},
		{"lan: another port", config.Serve{LAN: true}, config.Page{Origin: "http://localhost:5173", Host: "localhost:3000"}, false, false},
		{"lan: a file", config.Serve{LAN: true}, config.Page{Origin: "null", Host: "localhost:3000"}, false, false},

		{"public: our page", public, config.Page{Origin: "https://chat.example.org", Host: "127.0.0.1:3000"}, true, true},
		{"public: usual port", public, config.Page{Origin: "https://chat.example.org:443", Host: "chat.example.org", Secure: true}, true, true},
		{"public: downgraded", public, config.Page{Origin: "http://chat.example.org", Host: "chat.example.org", Secure: true}, false, false},
		{"public: a file", public, config.Page{Origin: "null", Host: "chat.example.org"}, false, false},

		{"a friend", friend, config.Page{Origin: "https://friend.example", Host: "localhost:3000"}, false, true},
		{"a friend's neighbour", friend, config.Page{Origin: "https://friend.example:444", Host: "localhost:3000"}, false, false},
		{"anybody", config.Serve{Origin: []string{"*"}}, config.Page{Origin: "https://evil.example", Host: "localhost:3000"}, false, true},
	} {
		a := access(t, c.settings)
		if got := a.Own(c.page); got != c.own {
			t.Errorf("%s: own: got %v, want %v", c.name, got, c.own)
		}
		if got := a.Welcome(c.page); got != c.welcome {
			t.Errorf("%s: welcome: got %v, want %v", c.name, got, c.welcome)
		}
	}
}
