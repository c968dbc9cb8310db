package operate_test

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"io"
	"log"
	"net"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/letsencrypt/pebble/v2/ca"
	"github.com/letsencrypt/pebble/v2/db"
	"github.com/letsencrypt/pebble/v2/va"
	"github.com/letsencrypt/pebble/v2/wfe"
	"github.com/miekg/dns"
)

// authority is one that gives certificates by ACME, as Let's Encrypt does, to who answers at a port of this machine.
type authority struct {
	directory string
	root      string         // a file: by which its own address is known
	issues    *x509.CertPool // by which its certificates are known
	close     func()         // it answers no more
}

func startAuthority(t *testing.T, port uint16) *authority {
	t.Helper()
	t.Setenv("PEBBLE_VA_NOSLEEP", "1")
	silent := log.New(io.Discard, "", 0)
	kept := db.NewMemoryStore()
	issuer := ca.New(silent, kept, "", "ecdsa", 0, 1, map[string]ca.Profile{"default": {ValidityPeriod: 0}})
	checker := va.New(silent, 0, int(port), false, startNames(t), kept)
	front := wfe.New(silent, kept, checker, issuer, []string{"pebble.letsencrypt.org"}, false, false, 0, 0)
	server := httptest.NewTLSServer(front.Handler())
	t.Cleanup(server.Close)
	root := filepath.Join(t.TempDir(), "root.pem")
	text := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: server.Certificate().Raw})
	if err := os.WriteFile(root, text, 0o600); err != nil {
		t.Fatal(err)
	}
	issues := x509.NewCertPool()
	issues.AppendCertsFromPEM(issuer.GetRootCert(0).PEM())
	return &authority{directory: server.URL + wfe.DirectoryPath, root: root, issues: issues, close: server.Close}
}

// startNames is a name server to which every name is this machine.
func startNames(t *testing.T) (address string) {
	t.Helper()
	l, err := new(net.ListenConfig).Listen(t.Context(), "tcp4", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	server := &dns.Server{Listener: l, Handler: dns.HandlerFunc(func(w dns.ResponseWriter, q *dns.Msg) {
		answer := new(dns.Msg)
		answer.SetReply(q)
		for _, asked := range q.Question {
			if asked.Qtype == dns.TypeA {
				answer.Answer = append(answer.Answer, &dns.A{
					Hdr: dns.RR_Header{Name: asked.Name, Rrtype: dns.TypeA, Class: dns.ClassINET, Ttl: 1}, A: net.IPv4(127, 0, 0, 1),
				})
			}
		}
		_ = w.WriteMsg(answer)
	})}
	done := make(chan struct{})
	go func() {
		defer close(done)
		_ = server.ActivateAndServe()
	}()
	t.Cleanup(func() {
		_ = server.Shutdown()
		<-done
	})
	return l.Addr().String()
}

// at is a client that finds every name at an address and trusts an authority.
func at(t *testing.T, address string, roots *x509.CertPool) *http.Client {
	t.Helper()
	transport := &http.Transport{
		TLSClientConfig: &tls.Config{RootCAs: roots},
		DialContext: func(ctx context.Context, network, _ string) (net.Conn, error) {
			return new(net.Dialer).DialContext(ctx, network, address)
		},
	}
	t.Cleanup(transport.CloseIdleConnections)
	return &http.Client{Transport: transport, Timeout: patience}
}

// The program fetches a certificate, shows it, keeps it, and needs no authority at its next start.
func TestACertificateIsFetchedAndKept(t *testing.T) {
	address := freeAddress(t)
	who := startAuthority(t, netip.MustParseAddrPort(address).Port())
	data := t.TempDir()
	args := []string{
		"--listen", address, "--data", data, "--acme-domain", "chat.example.org", "--acme-email", "me@example.org",
		"--public-url", "https://chat.example.org", "--acme-root", who.root, "--acme-directory", who.directory,
	}
	client := at(t, address, who.issues)
	t.Run("fetched", func(t *testing.T) {
		p := startQun(t, args...)
		p.answers(t, client, "https://chat.example.org/healthz")
		if !strings.Contains(p.said.String(), "https://chat.example.org") {
			t.Errorf("it said:\n%s", p.said)
		}
	})
	client.CloseIdleConnections()
	who.close()
	t.Run("kept", func(t *testing.T) {
		p := startQun(t, args...)
		p.answers(t, client, "https://chat.example.org/healthz")
	})
}

// An authority that cannot be reached is no reason to end, and every reason to say so.
func TestAnAuthorityThatDoesNotAnswerIsReported(t *testing.T) {
	address := freeAddress(t)
	p := startQun(t, "--listen", address, "--acme-domain", "chat.example.org", "--acme-directory", "https://"+freeAddress(t)+"/dir")
	p.says(t, "fetch a certificate")
	if !strings.Contains(p.said.String(), "name=chat.example.org") {
		t.Errorf("it said:\n%s", p.said)
	}
}
