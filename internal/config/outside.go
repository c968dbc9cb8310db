package config

import (
	"fmt"
	"net/netip"
	"net/url"
	"strings"
)

// Outside says how the server reaches others by itself: for webhooks, Web Push and previews of links.
type Outside struct {
	WebhookNetwork []string `placeholder:"ADDRESS" help:"Address or network that webhooks may reach though it is not public, on any port, for example 10.0.0.0/8. Public addresses they always may, others never."`
	Previews       string   `enum:"on,off" default:"on" help:"Whether a message shows what its first link leads to (title, description, a small picture). on: this server asks for the pages that people link to, at public addresses, ports 80 and 443. off: it asks for none."`
	PreviewNetwork []string `placeholder:"ADDRESS" help:"Address or network whose pages are shown though it is not public, on any port, for example 10.0.0.0/8. Whoever can send a message can then see what is there."`
	Contact        string   `placeholder:"ADDRESS" help:"Where the makers of browsers can reach you about Web Push: an e-mail address or an https address. Default: --public-url if it is https."`
}

// Networks are those that webhooks may reach though they are not public.
func (o *Outside) Networks() ([]netip.Prefix, error) {
	return networksOf("--webhook-network", o.WebhookNetwork)
}

// PreviewNetworks are those whose pages are shown though they are not public.
func (o *Outside) PreviewNetworks() ([]netip.Prefix, error) {
	return networksOf("--preview-network", o.PreviewNetwork)
}

func networksOf(name string, texts []string) ([]netip.Prefix, error) {
	var networks []netip.Prefix
	for _, text := range texts {
		network, err := parseNetwork(text)
		if err != nil {
			return nil, fmt.Errorf("%s %s: an address or a network such as 10.0.0.0/8 is needed", name, text)
		}
		networks = append(networks, network.Masked())
	}
	return networks, nil
}

// PushContact is the contact as Web Push wants it, "" if there is none.
func (s *Serve) PushContact() string {
	switch {
	case strings.Contains(s.Contact, "@"):
		return "mailto:" + strings.TrimPrefix(s.Contact, "mailto:")
	case s.Contact != "":
		return s.Contact
	case strings.HasPrefix(s.PublicURL, "https://"):
		return s.PublicURL
	}
	return ""
}

func (o *Outside) checkContact() error {
	if o.Contact == "" || strings.Contains(o.Contact, "@") {
		return nil
	}
	if u, err := url.Parse(o.Contact); err != nil || u.Scheme != "https" || u.Host == "" {
		return fmt.Errorf("--contact %s: an e-mail address or an https address is needed, for example admin@example.org", o.Contact)
	}
	return nil
}
