package config

import (
	"errors"
	"fmt"
	"net"
	"net/netip"
	"net/url"
	"strings"
)

// Secure says how the server speaks https itself, with nobody in front of it.
type Secure struct {
	TLSCert string `name:"tls-cert" placeholder:"FILE" help:"Speak https with the certificate in this file (PEM, followed by those between it and the root). Needs --tls-key; both files are read again when they change."`
	TLSKey  string `name:"tls-key" placeholder:"FILE" help:"The private key of --tls-cert."`

	ACMEDomain    []string `name:"acme-domain" placeholder:"NAME" help:"Speak https under this name, with a certificate that is fetched from Let's Encrypt and renewed in time; more than once if you like. Whoever uses it agrees to the terms of Let's Encrypt. Listens on :443 then, unless --listen says otherwise."`
	ACMEEmail     string   `name:"acme-email" placeholder:"ADDRESS" help:"Where the authority can reach you about the certificate."`
	ACMEDirectory string   `name:"acme-directory" placeholder:"URL" help:"Another authority than Let's Encrypt: the address of its ACME directory."`
	ACMERoot      string   `name:"acme-root" placeholder:"FILE" help:"The root certificate (PEM) by which the authority itself is known, where the system does not know it."`

	Redirect []string `placeholder:"HOST:PORT" help:"Answer here too, in plain http, and send everybody to https. Default with --acme-domain: :80."`
}

// TLS says whether the server speaks https itself.
func (s *Secure) TLS() bool { return s.TLSCert != "" || len(s.ACMEDomain) > 0 }

// checkSecure says what is wrong with the settings of https. Files are not looked into.
func (s *Serve) checkSecure() error {
	switch {
	case (s.TLSCert == "") != (s.TLSKey == ""):
		return errors.New("--tls-cert and --tls-key belong together: name both files")
	case s.TLSCert != "" && len(s.ACMEDomain) > 0:
		return errors.New("--tls-cert and --acme-domain exclude each other: a certificate of your own, or one that is fetched")
	case s.LAN && len(s.ACMEDomain) > 0:
		return errors.New("--lan and --acme-domain exclude each other: the authority must reach the server from outside")
	case len(s.Redirect) > 0 && !s.TLS():
		return errors.New("--redirect: there is no https to send people to; add --acme-domain, or --tls-cert and --tls-key")
	case len(s.ACMEDomain) == 0 && (s.ACMEEmail != "" || s.ACMEDirectory != "" || s.ACMERoot != ""):
		return errors.New("--acme-email, --acme-directory and --acme-root say how a certificate is fetched: add --acme-domain with the name it is for")
	}
	for _, name := range s.ACMEDomain {
		if err := checkDomain(name); err != nil {
			return err
		}
	}
	if u, err := url.Parse(s.ACMEDirectory); s.ACMEDirectory != "" && (err != nil || u.Scheme != "https" || u.Host == "") {
		return fmt.Errorf("--acme-directory %s: an https address is needed, for example https://ca.example.org/acme/directory", s.ACMEDirectory)
	}
	for _, address := range s.Redirect {
		if err := checkAddress("--redirect", address); err != nil {
			return err
		}
	}
	if u, err := parsePublicURL(s.PublicURL); s.TLS() && s.PublicURL != "" && err == nil && u.Scheme != "https" {
		return fmt.Errorf("--public-url %s: the server speaks https; write https://%s", s.PublicURL, u.Host)
	}
	return nil
}

// checkDomain wants a name that an authority can give a certificate for.
func checkDomain(name string) error {
	_, err := netip.ParseAddr(name)
	odd := strings.ContainsAny(name, "/:*@ ") || strings.HasPrefix(name, ".") || strings.HasSuffix(name, ".") || !strings.Contains(name, ".")
	if err == nil || odd || len(name) > 253 {
		return fmt.Errorf("--acme-domain %s: a public name alone is needed, for example chat.example.org", name)
	}
	return nil
}

// Settled is a copy of the settings with what goes without saying where a certificate is fetched: the ports, and the address.
func (s *Serve) Settled() *Serve {
	settled := *s
	if len(s.ACMEDomain) == 0 {
		return &settled
	}
	if len(s.Listen) == 0 {
		settled.Listen = []string{":443"}
		if len(s.Redirect) == 0 {
			settled.Redirect = []string{":80"}
		}
	}
	if s.PublicURL == "" {
		settled.PublicURL = "https://" + strings.ToLower(s.ACMEDomain[0])
		if _, port, err := net.SplitHostPort(settled.Listen[0]); err == nil && port != "443" && port != "0" {
			settled.PublicURL += ":" + port
		}
	}
	return &settled
}
