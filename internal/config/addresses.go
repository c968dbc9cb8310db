package config

import (
	"cmp"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"net/url"
	"slices"
	"strings"
)

// Interface is a network interface of this machine.
type Interface struct {
	Name      string
	Addresses []netip.Addr
}

// Exposure says from how far away the server can be reached.
type Exposure int

const (
	Loopback Exposure = iota // this machine only
	Private                  // the local network
	Public                   // anybody
)

func (e Exposure) String() string {
	return [...]string{"this machine only", "the local network", "anybody"}[e]
}

// Addresses are the addresses to listen on, as host:port with an IP address as host, or none for all of them. Names are
// looked up by resolve. A localhost stands for both loopback families.
func (s *Serve) Addresses(interfaces []Interface, resolve func(host string) ([]netip.Addr, error)) ([]netip.AddrPort, error) {
	if s.LAN {
		return lanAddresses(interfaces)
	}
	listen := s.Listen
	if len(listen) == 0 {
		listen = []string{"localhost:" + Port}
	}
	return resolveAll("--listen", listen, resolve)
}

// Redirects are the addresses where plain http sends people to https, as Addresses.
func (s *Serve) Redirects(resolve func(host string) ([]netip.Addr, error)) ([]netip.AddrPort, error) {
	return resolveAll("--redirect", s.Redirect, resolve)
}

// DebugAddresses are where the server may be looked into, none if nowhere. The settings must have passed Check.
func (s *Serve) DebugAddresses() []netip.AddrPort {
	if s.Debug == "" {
		return nil
	}
	found, err := resolveAddress("--debug", s.Debug, nil) // a loopback address or localhost: nothing has to be looked up
	if err != nil {
		return nil
	}
	return found
}

func resolveAll(flag string, addresses []string, resolve func(host string) ([]netip.Addr, error)) ([]netip.AddrPort, error) {
	var all []netip.AddrPort
	for _, address := range addresses {
		found, err := resolveAddress(flag, address, resolve)
		if err != nil {
			return nil, err
		}
		all = append(all, found...)
	}
	return all, nil
}

func resolveAddress(flag, address string, resolve func(string) ([]netip.Addr, error)) ([]netip.AddrPort, error) {
	host, portText, err := net.SplitHostPort(address)
	if err != nil {
		return nil, checkAddress(flag, address)
	}
	port := netip.MustParseAddrPort("0.0.0.0:" + portText).Port() // checkAddress has seen it
	switch ip, err := netip.ParseAddr(host); {
	case err == nil:
		return []netip.AddrPort{netip.AddrPortFrom(ip, port)}, nil
	case host == "" || host == "*":
		return []netip.AddrPort{netip.AddrPortFrom(netip.IPv6Unspecified(), port)}, nil
	case isLocalhost(host):
		return loopbacks(port), nil
	}
	ips, err := resolve(host)
	if err != nil || len(ips) == 0 {
		return nil, fmt.Errorf("%s %s: no address is known for %q; use an IP address or localhost", flag, address, host)
	}
	return []netip.AddrPort{netip.AddrPortFrom(ips[0].Unmap(), port)}, nil
}

// loopbacks starts with IPv4: it is the one that every machine has.
func loopbacks(port uint16) []netip.AddrPort {
	return []netip.AddrPort{
		netip.AddrPortFrom(netip.AddrFrom4([4]byte{127, 0, 0, 1}), port),
		netip.AddrPortFrom(netip.IPv6Loopback(), port),
	}
}

// lanAddresses are this machine's private addresses, the likeliest first, and loopback.
func lanAddresses(interfaces []Interface) ([]netip.AddrPort, error) {
	port := netip.MustParseAddrPort("0.0.0.0:" + Port).Port()
	sorted := slices.Clone(interfaces)
	slices.SortStableFunc(sorted, func(a, b Interface) int { return cmp.Compare(remoteness(a.Name), remoteness(b.Name)) })
	var v4, v6 []netip.AddrPort
	for _, i := range sorted {
		for _, ip := range i.Addresses {
			switch ip = ip.Unmap(); {
			case !IsPrivate(ip):
			case ip.Is4():
				v4 = append(v4, netip.AddrPortFrom(ip, port))
			default:
				v6 = append(v6, netip.AddrPortFrom(ip, port))
			}
		}
	}
	if len(v4)+len(v6) == 0 {
		return nil, errors.New("--lan: this machine has no private address; connect it to a network first, or choose an address with --listen")
	}
	return slices.Concat(v4, v6, loopbacks(port)), nil
}

// remoteness puts the bridges of virtual machines and containers behind what a phone may be on.
func remoteness(name string) int {
	for _, virtual := range []string{"docker", "br-", "veth", "virbr", "vmnet", "vboxnet", "lxc", "lxd", "cni", "podman"} {
		if strings.HasPrefix(name, virtual) {
			return 1
		}
	}
	return 0
}

// sharedSpace is what carriers and mesh VPNs hand out (RFC 6598): not to be reached from the internet.
var sharedSpace = netip.MustParsePrefix("100.64.0.0/10")

// IsPrivate says whether an address can be reached from its own network only.
func IsPrivate(ip netip.Addr) bool {
	ip = ip.Unmap()
	return ip.IsPrivate() || sharedSpace.Contains(ip)
}

// Exposure says who can reach a server that listens on addresses of a machine with these interfaces.
func (s *Serve) Exposure(addresses []netip.AddrPort, interfaces []Interface) Exposure {
	reach := Loopback
	for _, address := range addresses {
		if !address.Addr().IsUnspecified() {
			reach = max(reach, exposureOf(address.Addr()))
			continue
		}
		reach = max(reach, Private) // even a machine without a network will join one
		for _, i := range interfaces {
			for _, ip := range i.Addresses {
				reach = max(reach, exposureOf(ip))
			}
		}
	}
	if u, err := url.Parse(s.PublicURL); s.PublicURL != "" && err == nil {
		reach = max(reach, exposureOfHost(u.Hostname()))
	}
	return reach
}

func exposureOf(ip netip.Addr) Exposure {
	switch ip = ip.Unmap(); {
	case ip.IsLoopback():
		return Loopback
	case IsPrivate(ip), ip.IsLinkLocalUnicast():
		return Private
	}
	return Public
}

func exposureOfHost(host string) Exposure {
	if ip, err := netip.ParseAddr(host); err == nil {
		return exposureOf(ip)
	}
	switch {
	case isLocalhost(host):
		return Loopback
	case strings.HasSuffix(strings.ToLower(host), ".local"):
		return Private
	}
	return Public
}

func isLocalhost(host string) bool {
	host = strings.TrimSuffix(strings.ToLower(host), ".")
	return host == "localhost" || strings.HasSuffix(host, ".localhost")
}

// GuestsMay resolves Guests: what people without an account may do on a server of that exposure.
func (s *Serve) GuestsMay(e Exposure) string {
	switch {
	case s.Guests != "auto" && s.Guests != "":
		return s.Guests
	case e == Public:
		return "join"
	}
	return "open"
}

// MayRegister resolves Registration: who may make an account on a server of that exposure.
func (s *Serve) MayRegister(e Exposure) string {
	switch {
	case s.Registration != "auto" && s.Registration != "":
		return s.Registration
	case e == Public:
		return "invite"
	}
	return "open"
}
