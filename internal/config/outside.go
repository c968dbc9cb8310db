package config

import (
	"fmt"
	"net/netip"
	"net/url"
	"strings"
)

// Outside says how the server reaches others by itself: for webhooks and Web Push.
type Outside struct {
	WebhookNetwork []string `placeholder:"ADDRESS" help:"Address or network that webhooks may reach though it is not public, on any port, for example 10.0.0.0/8. Public addresses they always may, others never."`
	Contact        string   `placeholder:"ADDRESS" help:"Where the makers of browsers can reach you about Web Push: an e-mail address or an https address. Default: --public-url if it is https."`
}

// Networks are those that may be reached though they are not public.
func (o *Outside) Networks() ([]netip.Prefix, error) {
	var networks []netip.Prefix
	for _, text := range o.WebhookNetwork {
		network, err := parseNetwork(text)
		if err != nil {
			return nil, fmt.Errorf("--webhook-network %s: an address or a network such as 10.0.0.0/8 is needed", text)
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
