package push_test

import (
	"context"
	"errors"
	"net"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"strings"
	"testing"
	"time"

	"qun/internal/push"
)

// fixed resolves every name to these addresses.
func fixed(addresses ...string) func(context.Context, string, string) ([]netip.Addr, error) {
	return func(context.Context, string, string) ([]netip.Addr, error) {
		var list []netip.Addr
		for _, a := range addresses {
			list = append(list, netip.MustParseAddr(a))
		}
		return list, nil
	}
}

// noting notes what is dialled, and connects to nobody.
func noting(dialled *[]string) func(context.Context, string, string) (net.Conn, error) {
	return func(_ context.Context, _, address string) (net.Conn, error) {
		*dialled = append(*dialled, address)
		return nil, errors.New("nobody is there")
	}
}

func TestOnlyPublicAddressesAreDialled(t *testing.T) {
	for _, c := range []struct {
		address string
		public  bool
	}{
		{"93.184.216.34", true}, {"8.8.8.8", true}, {"2606:2800:220:1::1", true}, {"2a00:1450::1", true},
		{"127.0.0.1", false}, {"127.8.8.8", false}, {"::1", false}, {"0.0.0.0", false}, {"0.1.2.3", false}, {"::", false},
		{"10.1.2.3", false}, {"172.16.0.1", false}, {"172.31.255.255", false}, {"192.168.1.1", false}, {"100.64.0.1", false},
		{"169.254.169.254", false}, {"fe80::1", false}, {"fd00::1", false}, {"fec0::1", false},
		{"192.0.2.1", false}, {"198.51.100.1", false}, {"203.0.113.1", false}, {"198.18.0.1", false}, {"192.0.0.8", false},
		{"192.88.99.1", false}, {"224.0.0.1", false}, {"240.0.0.1", false}, {"255.255.255.255", false}, {"ff02::1", false},
		{"::ffff:127.0.0.1", false}, {"::ffff:10.0.0.1", false}, {"::ffff:8.8.8.8", true}, {"::7f00:1", false},
		{"64:ff9b::7f00:1", false}, {"64:ff9b::808:808", false}, {"64:ff9b:1::1", false}, {"2002:7f00:1::", false},
		{"2001::1", false}, {"2001:db8::1", false}, {"3fff::1", false}, {"100::1", false}, {"5f00::1", false},
	} {
		for _, how := range []string{"as a name", "as an address"} {
			var dialled []string
			d := push.Dialer{Resolve: fixed(c.address), Connect: noting(&dialled)}
			host := "example.org"
			if how == "as an address" {
				host = c.address
			}
			_, err := d.DialContext(t.Context(), "tcp", net.JoinHostPort(host, "443"))
			if (len(dialled) == 1) != c.public || errors.Is(err, push.ErrNotPublic) == c.public {
				t.Errorf("%s %s: dialled %v, %v", c.address, how, dialled, err)
			}
		}
	}
}

func TestPortsOfOtherServicesAreNotDialled(t *testing.T) {
	for port, reached := range map[string]bool{"80": true, "443": true, "8080": true, "22": false, "25": false, "53": false, "0": false} {
		var dialled []string
		d := push.Dialer{Resolve: fixed("93.184.216.34"), Connect: noting(&dialled)}
		_, _ = d.DialContext(t.Context(), "tcp", "example.org:"+port)
		if (len(dialled) == 1) != reached {
			t.Errorf("port %s: dialled %v", port, dialled)
		}
	}
}

func TestNameWithGoodAndBadAddressesLeadsToTheGoodOnes(t *testing.T) {
	var dialled []string
	d := push.Dialer{Resolve: fixed("127.0.0.1", "93.184.216.34", "::1", "93.184.216.35"), Connect: noting(&dialled)}
	_, err := d.DialContext(t.Context(), "tcp", "example.org:443")
	if strings.Join(dialled, " ") != "93.184.216.34:443 93.184.216.35:443" || err == nil {
		t.Errorf("dialled %v, %v", dialled, err)
	}
}

func TestAbsentAndPrivateNamesLookAlike(t *testing.T) {
	private := push.Dialer{Resolve: fixed("10.0.0.1")}
	absent := push.Dialer{Resolve: func(context.Context, string, string) ([]netip.Addr, error) {
		return nil, &net.DNSError{Err: "no such host", IsNotFound: true}
	}}
	_, one := private.DialContext(t.Context(), "tcp", "intern.example.org:443")
	_, two := absent.DialContext(t.Context(), "tcp", "intern.example.org:443")
	if one.Error() != two.Error() {
		t.Errorf("got %v and %v", one, two)
	}
}

// local is a server of this machine that counts its connections, and an address that leads there.
func local(t *testing.T, handler http.Handler) (server *httptest.Server, connections chan struct{}) {
	t.Helper()
	connections = make(chan struct{}, 100)
	server = httptest.NewUnstartedServer(handler)
	server.Config.ConnState = func(_ net.Conn, state http.ConnState) {
		if state == http.StateNew {
			connections <- struct{}{}
		}
	}
	server.Start()
	t.Cleanup(server.Close)
	return server, connections
}

// The system's dialler looks at the address once more: a name that means something else by now leads nowhere.
func TestAddressIsCheckedWhenItIsDialled(t *testing.T) {
	server, connections := local(t, http.NotFoundHandler())
	here := server.Listener.Addr().String()
	for _, address := range []string{here, strings.Replace(here, "127.0.0.1", "[::ffff:127.0.0.1]", 1), strings.Replace(here, "127.0.0.1", "localhost", 1)} {
		if _, err := push.ConnectTo(t.Context(), &push.Dialer{}, address); !errors.Is(err, push.ErrNotPublic) {
			t.Errorf("%s: got %v", address, err)
		}
	}
	if len(connections) != 0 {
		t.Error("it was connected to")
	}
}

func TestOperatorMayAllowANetwork(t *testing.T) {
	server, _ := local(t, http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusNoContent) }))
	client := push.NewClient(&push.Dialer{Allow: []netip.Prefix{netip.MustParsePrefix("127.0.0.0/8")}})
	defer client.CloseIdleConnections()
	if err := push.Post(t.Context(), client, server.URL, http.Header{}, nil); err != nil {
		t.Errorf("allowed: %v", err)
	}
	other := push.NewClient(&push.Dialer{Allow: []netip.Prefix{netip.MustParsePrefix("10.0.0.0/8")}})
	if err := push.Post(t.Context(), other, server.URL, http.Header{}, nil); !errors.Is(err, push.ErrNotPublic) {
		t.Errorf("another network is allowed: %v", err)
	}
}

// door is a client for which every name leads to a server of this machine.
func door(server *httptest.Server) *http.Client {
	return push.NewClient(&push.Dialer{
		Resolve: fixed("93.184.216.34"),
		Connect: func(ctx context.Context, network, _ string) (net.Conn, error) {
			return new(net.Dialer).DialContext(ctx, network, server.Listener.Addr().String())
		},
	})
}

func TestRedirectsAreNotFollowed(t *testing.T) {
	asked := 0
	server, _ := local(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		asked++
		http.Redirect(w, r, "http://169.254.169.254/latest", http.StatusTemporaryRedirect)
	}))
	client := door(server)
	defer client.CloseIdleConnections()
	err := push.Post(t.Context(), client, "http://example.org/in", http.Header{}, nil)
	if err == nil || !strings.Contains(err.Error(), "307") || asked != 1 {
		t.Errorf("asked %d times: %v", asked, err)
	}
}

func TestNoProxyOfTheEnvironmentIsUsed(t *testing.T) {
	proxy, connections := local(t, http.NotFoundHandler())
	for _, name := range []string{"HTTP_PROXY", "http_proxy", "HTTPS_PROXY", "ALL_PROXY"} {
		t.Setenv(name, proxy.URL)
	}
	var dialled []string
	client := push.NewClient(&push.Dialer{Resolve: fixed("93.184.216.34"), Connect: noting(&dialled)})
	if err := push.Post(t.Context(), client, "http://example.org/in", http.Header{}, nil); err == nil || len(connections) != 0 || len(dialled) != 1 {
		t.Errorf("dialled %v, the proxy got %d connections: %v", dialled, len(connections), err)
	}
	if transport := client.Transport.(*http.Transport); transport.Proxy != nil {
		t.Error("the client has a proxy")
	}
}

func TestAnswersAreBounded(t *testing.T) {
	var sent int64
	done := make(chan struct{})
	server, _ := local(t, http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		defer close(done)
		piece := make([]byte, 64<<10)
		for range 10_000 { // 640 MB, if anybody took it
			n, err := w.Write(piece)
			sent += int64(n)
			if err != nil {
				return
			}
		}
	}))
	client := door(server)
	defer client.CloseIdleConnections()
	if err := push.Post(t.Context(), client, "http://example.org/in", http.Header{}, nil); err != nil {
		t.Errorf("got %v", err)
	}
	<-done
	if sent > 64<<20 {
		t.Errorf("%d bytes were taken", sent)
	}
	if client.Timeout == 0 || client.Timeout > 10*time.Second {
		t.Errorf("a delivery may take %v", client.Timeout)
	}
}

// What admins read says nothing of addresses and names.
func TestFailuresHoldNoAddress(t *testing.T) {
	server, _ := local(t, http.NotFoundHandler())
	server.Close()
	for _, client := range []*http.Client{door(server), push.NewClient(&push.Dialer{Resolve: fixed("10.9.8.7")})} {
		err := push.Post(t.Context(), client, "https://intern.example.org/in?key=canary", http.Header{}, nil)
		for _, secret := range []string{"canary", "intern", "10.9.8.7", "127.0.0.1", "93.184"} {
			if err == nil || strings.Contains(err.Error(), secret) {
				t.Errorf("got %v, which must not hold %q", err, secret)
			}
		}
	}
}
