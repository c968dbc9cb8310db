package main_test

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"log/slog"
	"math/big"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	qun "qun/cmd/qun"
)

// writePair makes a certificate for loopback that vouches for itself, and returns its two files.
func writePair(t *testing.T, folder string, serial int64) (cert, key string) {
	t.Helper()
	private, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(serial), Subject: pkix.Name{CommonName: "qun"}, NotAfter: time.Now().Add(time.Hour),
		IsCA: true, BasicConstraintsValid: true, DNSNames: []string{"localhost"}, IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)},
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, &private.PublicKey, private)
	if err != nil {
		t.Fatal(err)
	}
	secret, err := x509.MarshalPKCS8PrivateKey(private)
	if err != nil {
		t.Fatal(err)
	}
	return writePEM(t, folder, "cert.pem", "CERTIFICATE", der), writePEM(t, folder, "key.pem", "PRIVATE KEY", secret)
}

func writePEM(t *testing.T, folder, name, kind string, der []byte) string {
	t.Helper()
	path := filepath.Join(folder, name)
	if err := os.WriteFile(path, pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: der}), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

// trusting is a browser that trusts the certificate in a file.
func (p *program) trusting(t *testing.T, cert string) *browser {
	t.Helper()
	text, err := os.ReadFile(cert)
	if err != nil {
		t.Fatal(err)
	}
	roots := x509.NewCertPool()
	roots.AppendCertsFromPEM(text)
	b := p.browser(t)
	transport := &http.Transport{TLSClientConfig: &tls.Config{RootCAs: roots}, ForceAttemptHTTP2: true}
	t.Cleanup(transport.CloseIdleConnections)
	b.Transport = transport
	b.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	return b
}

func TestHTTPSIsSpokenWithACertificateOfOnesOwn(t *testing.T) {
	cert, key := writePair(t, t.TempDir(), 1)
	p := start(t, "--tls-cert", cert, "--tls-key", key)
	if !strings.HasPrefix(p.url, "https://127.0.0.1:") || !strings.Contains(p.out.String(), p.url) {
		t.Fatalf("got %v\n%s", p.urls, p.out)
	}
	b := p.trusting(t, cert)
	w, _ := b.do(t, "POST", "/api/v1/session", `{"nickName":"Anna"}`, p.url)
	if w.ProtoMajor != 2 || w.Header.Get("Strict-Transport-Security") == "" {
		t.Errorf("got %s, %v", w.Proto, w.Header)
	}
	if cookies := w.Cookies(); len(cookies) != 1 || cookies[0].Name != "__Host-qun" || !cookies[0].Secure {
		t.Errorf("got %v", cookies)
	}
	// The engine's polls over HTTP/2, too, which browsers use once they have it.
	if w, text := b.do(t, "GET", "/socket.io/?EIO=4&transport=polling", "", ""); w.ProtoMajor != 2 || !strings.HasPrefix(text, `0{"sid"`) {
		t.Errorf("got %s %d %s", w.Proto, w.StatusCode, text)
	}
	plain := p.browser(t)
	p.url = strings.Replace(p.url, "https://", "http://", 1)
	if w, _ := plain.do(t, "GET", "/", "", ""); w.StatusCode != http.StatusBadRequest {
		t.Errorf("plain http got %d", w.StatusCode)
	}
}

func TestPlainHTTPSendsPeopleToHTTPS(t *testing.T) {
	cert, key := writePair(t, t.TempDir(), 1)
	var opened []string
	p := startWith(t, func(m *qun.Machine) {
		listen := m.Listen
		m.Listen = func(ctx context.Context, network, address string) (net.Listener, error) {
			l, err := listen(ctx, network, address)
			if err == nil {
				opened = append(opened, l.Addr().String())
			}
			return l, err
		}
	}, "--tls-cert", cert, "--tls-key", key, "--redirect", "127.0.0.1:0", "--public-url", "https://chat.example.org")
	if len(opened) != 2 {
		t.Fatalf("opened %v", opened)
	}
	port := opened[0][strings.LastIndex(opened[0], ":"):]
	b := p.trusting(t, cert)
	p.url = "http://" + opened[1]
	for host, want := range map[string]string{
		"chat.example.org":    "https://chat.example.org/g/1?a=b",
		"chat.example.org:80": "https://chat.example.org/g/1?a=b",
		"127.0.0.1":           "https://127.0.0.1" + port + "/g/1?a=b",
		"evil.example":        "",
	} {
		w, _ := b.do(t, "GET", "/g/1?a=b", "", "", func(r *http.Request) { r.Host = host })
		if got := w.Header.Get("Location"); got != want || (want != "") != (w.StatusCode == http.StatusPermanentRedirect) {
			t.Errorf("%s: got %d to %q, want %q", host, w.StatusCode, got, want)
		}
	}
	if w, _ := b.do(t, "GET", "//evil.example/", "", "", func(r *http.Request) { r.Host = "chat.example.org" }); !strings.HasPrefix(w.Header.Get("Location"), "https://chat.example.org/") {
		t.Errorf("led to %q", w.Header.Get("Location"))
	}
}

// Whoever renews a certificate writes two files, one after the other.
func TestARenewedCertificateIsShown(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		folder := t.TempDir()
		cert, key := writePair(t, folder, 1)
		show, err := qun.KeyPair(cert, key, slog.New(slog.DiscardHandler))
		if err != nil {
			t.Fatal(err)
		}
		serial := func() int64 {
			t.Helper()
			shown, err := show(nil)
			if err != nil {
				t.Fatal(err)
			}
			return shown.Leaf.SerialNumber.Int64()
		}
		writePair(t, folder, 2)
		if got := serial(); got != 1 {
			t.Errorf("got %d: the files are looked at with every handshake", got)
		}
		time.Sleep(time.Minute)
		if got := serial(); got != 2 {
			t.Errorf("got %d, want the renewed one", got)
		}
		if err := os.WriteFile(cert, []byte("half of"), 0o600); err != nil {
			t.Fatal(err)
		}
		time.Sleep(time.Minute)
		if got := serial(); got != 2 {
			t.Errorf("got %d, want the one of before while the files are being written", got)
		}
		writePair(t, folder, 3)
		time.Sleep(time.Minute)
		if got := serial(); got != 3 {
			t.Errorf("got %d, want the renewed one", got)
		}
	})
}

func TestWrongSettingsOfHTTPSSaySo(t *testing.T) {
	folder := t.TempDir()
	cert, _ := writePair(t, folder, 1)
	_, other := writePair(t, t.TempDir(), 2)
	for name, c := range map[string]struct {
		args  []string
		words []string
	}{
		"one file":       {[]string{"--tls-cert", cert}, []string{"--tls-cert", "--tls-key"}},
		"no file":        {[]string{"--tls-cert", folder + "/none", "--tls-key", other}, []string{"--tls-cert", "none"}},
		"not a pair":     {[]string{"--tls-cert", cert, "--tls-key", other}, []string{"--tls-key", "belong together"}},
		"two ways":       {[]string{"--tls-cert", cert, "--tls-key", other, "--acme-domain", "chat.example.org"}, []string{"exclude each other"}},
		"an address":     {[]string{"--acme-domain", "203.0.113.5"}, []string{"--acme-domain 203.0.113.5", "chat.example.org"}},
		"no public name": {[]string{"--acme-domain", "intranet"}, []string{"--acme-domain intranet"}},
		"no domain":      {[]string{"--acme-email", "me@example.org"}, []string{"--acme-domain"}},
		"plain directory": {
			[]string{"--acme-domain", "chat.example.org", "--acme-directory", "http://ca.example.org"}, []string{"--acme-directory", "https"},
		},
		"no root":         {[]string{"--acme-domain", "chat.example.org", "--acme-root", cert + "x"}, []string{"--acme-root"}},
		"nowhere to send": {[]string{"--redirect", ":80"}, []string{"--redirect", "--tls-cert"}},
		"plain address":   {[]string{"--tls-cert", cert, "--tls-key", other, "--public-url", "http://chat.example.org"}, []string{"https://chat.example.org"}},
		"open to others":  {[]string{"--debug", ":6060"}, []string{"--debug :6060", "localhost:6060"}},
		"no level":        {[]string{"--log-level", "loud"}, []string{"--log-level", "info"}},
	} {
		t.Run(name, func(t *testing.T) {
			code, _, err := run(t, nil, append([]string{"serve", "--listen", "127.0.0.1:0", "--data", t.TempDir()}, c.args...)...)
			wantComplaint(t, code, err, c.words...)
		})
	}
}
