package main

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"sync"
	"time"

	"github.com/caddyserver/certmagic"
	"go.uber.org/zap"

	"qun/internal/config"
)

// certificatesFolder is where fetched certificates are kept, in the data folder.
const certificatesFolder = "certificates"

// certificates are those that the server shows at its doors.
type certificates struct {
	tls  *tls.Config
	stop func() // nil: nothing to stop
}

// close ends fetching. It may be called of none.
func (c *certificates) close() {
	if c != nil && c.stop != nil {
		c.stop()
	}
}

// openCertificates opens what the settings name; nil if the server speaks plain http. Port is where it is listened.
func openCertificates(s *config.Serve, data string, port uint16, log *slog.Logger) (*certificates, error) {
	switch {
	case s.TLSCert != "":
		pair := &keyPair{cert: s.TLSCert, key: s.TLSKey, log: log}
		if err := pair.load(); err != nil {
			return nil, fmt.Errorf("--tls-cert, --tls-key: %w", err)
		}
		return &certificates{tls: secured(&tls.Config{GetCertificate: pair.certificate})}, nil
	case len(s.ACMEDomain) > 0:
		return fetchCertificates(s, data, port, log)
	}
	return nil, nil
}

func secured(c *tls.Config) *tls.Config {
	c.MinVersion = tls.VersionTLS12
	c.NextProtos = append([]string{"h2", "http/1.1"}, c.NextProtos...)
	return c
}

// rereadAfter bounds how often the files of a certificate are looked at.
const rereadAfter = 10 * time.Second

// keyPair is a certificate and its key in two files, which whoever renews them writes anew. It may be used concurrently.
type keyPair struct {
	cert, key string
	log       *slog.Logger

	mu      sync.Mutex // guards below
	current *tls.Certificate
	looked  time.Time    // at the files
	written [2]time.Time // the files that current is of
}

// certificate is what the files hold. A pair that cannot be read leaves the one of before in use: the second of two files
// may not be written yet.
func (p *keyPair) certificate(*tls.ClientHelloInfo) (*tls.Certificate, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if time.Since(p.looked) < rereadAfter || p.times() == p.written {
		return p.current, nil
	}
	if err := p.read(); err != nil {
		p.log.Error("read a renewed certificate; the one of before stays in use", "file", p.cert, "error", err)
	} else {
		p.log.Info("read a renewed certificate", "file", p.cert)
	}
	return p.current, nil
}

func (p *keyPair) load() error {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.read()
}

func (p *keyPair) read() error {
	p.looked = time.Now()
	written := p.times()
	pair, err := tls.LoadX509KeyPair(p.cert, p.key)
	if err != nil {
		return fmt.Errorf("%w; both must be PEM files that this user may read, and belong together", err)
	}
	p.current, p.written = &pair, written
	return nil
}

func (p *keyPair) times() (written [2]time.Time) {
	p.looked = time.Now()
	for i, name := range []string{p.cert, p.key} {
		if info, err := os.Stat(name); err == nil {
			written[i] = info.ModTime()
		}
	}
	return written
}

// fetchCertificates has certificates fetched and renewed in the background; until the first is there, handshakes fail.
// The authority asks at the very door (TLS-ALPN), so no other port is needed.
func fetchCertificates(s *config.Serve, data string, port uint16, log *slog.Logger) (*certificates, error) {
	roots, err := rootsOf(s.ACMERoot)
	if err != nil {
		return nil, err
	}
	silent := zap.NewNop() // what matters comes as an event
	var magic *certmagic.Config
	cache := certmagic.NewCache(certmagic.CacheOptions{
		GetConfigForCert: func(certmagic.Certificate) (*certmagic.Config, error) { return magic, nil },
		Logger:           silent,
	})
	magic = certmagic.New(cache, certmagic.Config{
		Storage: &certmagic.FileStorage{Path: filepath.Join(data, certificatesFolder)},
		OnEvent: certificateEvents(log), Logger: silent,
	})
	authority := certmagic.ACMEIssuer{
		CA: s.ACMEDirectory, Email: s.ACMEEmail, Agreed: true, TrustedRoots: roots,
		DisableHTTPChallenge: true, AltTLSALPNPort: int(port), Logger: silent,
	}
	if authority.CA == "" {
		authority.CA = certmagic.LetsEncryptProductionCA
	}
	magic.Issuers = []certmagic.Issuer{certmagic.NewACMEIssuer(magic, authority)}
	ctx, cancel := context.WithCancel(context.Background())
	stop := func() {
		cancel()
		cache.Stop()
	}
	if err := magic.ManageAsync(ctx, s.ACMEDomain); err != nil {
		stop()
		return nil, fmt.Errorf("--acme-domain: %w", err)
	}
	return &certificates{tls: secured(magic.TLSConfig()), stop: stop}, nil
}

// certificateEvents logs what an operator wants to know.
func certificateEvents(log *slog.Logger) func(context.Context, string, map[string]any) error {
	return func(_ context.Context, event string, data map[string]any) error {
		switch event {
		case "cert_obtained":
			log.Info("a certificate is there", "name", data["identifier"], "renewal", data["renewal"])
		case "cert_failed":
			log.Error("fetch a certificate: the authority must reach this server under that name; it is tried again",
				"name", data["identifier"], "error", data["error"])
		}
		return nil
	}
}

// rootsOf reads who is trusted to vouch for an authority; nil: whom the system trusts.
func rootsOf(file string) (*x509.CertPool, error) {
	if file == "" {
		return nil, nil
	}
	text, err := os.ReadFile(file)
	if err != nil {
		return nil, fmt.Errorf("--acme-root: %w", err)
	}
	roots := x509.NewCertPool()
	if !roots.AppendCertsFromPEM(text) {
		return nil, errors.New("--acme-root " + file + ": a certificate in a PEM file is needed")
	}
	return roots, nil
}
