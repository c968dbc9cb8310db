package push

import (
	"context"
	"fmt"
	"net"
	"net/netip"
	"strconv"
	"syscall"
	"time"
)

// ErrNotPublic says that a target has no address that may be reached. It does not say whether it has others: who keeps a
// webhook must not learn from us what our own network is like.
var ErrNotPublic error = &failure{"it has no public address, or a port that may not be reached", "不是公网地址，或端口不许访问"}

const dialTime = 5 * time.Second

// Dialer reaches public addresses, and no others.
type Dialer struct {
	// Allow are networks that may be reached though they are not public, on any port.
	Allow []netip.Prefix
	// Web leaves of public addresses only the web's own ports, 80 and 443: for addresses that anybody may name.
	Web bool
	// Resolve finds the addresses of a name. Nil: the system's resolver.
	Resolve func(ctx context.Context, network, host string) ([]netip.Addr, error)
	// Connect reaches an address that was found to be good. Nil: a TCP connection, whose address is looked at once more
	// when it is made.
	Connect func(ctx context.Context, network, address string) (net.Conn, error)
}

// DialContext connects to the first good address of a host. It is what http.Transport wants.
func (d *Dialer) DialContext(ctx context.Context, network, address string) (net.Conn, error) {
	ctx, cancel := context.WithTimeout(ctx, dialTime)
	defer cancel()
	host, port, err := split(address)
	if err != nil {
		return nil, err
	}
	addresses, err := d.resolve(ctx, host)
	if err != nil {
		return nil, ErrNotPublic
	}
	err = ErrNotPublic
	for _, ip := range addresses {
		target := netip.AddrPortFrom(ip.Unmap(), port)
		if !d.mayReach(target) {
			continue
		}
		var conn net.Conn
		if conn, err = d.connect(ctx, network, target.String()); err == nil {
			return conn, nil
		}
	}
	return nil, err
}

func split(address string) (host string, port uint16, err error) {
	host, text, err := net.SplitHostPort(address)
	if err != nil {
		return "", 0, fmt.Errorf("read an address: %w", err)
	}
	number, err := strconv.ParseUint(text, 10, 16)
	if err != nil {
		return "", 0, fmt.Errorf("read a port: %w", err)
	}
	return host, uint16(number), nil
}

func (d *Dialer) resolve(ctx context.Context, host string) ([]netip.Addr, error) {
	if ip, err := netip.ParseAddr(host); err == nil {
		return []netip.Addr{ip}, nil
	}
	if d.Resolve != nil {
		return d.Resolve(ctx, "ip", host)
	}
	return net.DefaultResolver.LookupNetIP(ctx, "ip", host)
}

func (d *Dialer) connect(ctx context.Context, network, address string) (net.Conn, error) {
	if d.Connect != nil {
		return d.Connect(ctx, network, address)
	}
	dialer := net.Dialer{Control: d.control}
	return dialer.DialContext(ctx, network, address)
}

// control is asked by the system's dialler before it connects a socket.
func (d *Dialer) control(_, address string, _ syscall.RawConn) error {
	target, err := netip.ParseAddrPort(address)
	if err != nil || !d.mayReach(target) {
		return ErrNotPublic
	}
	return nil
}

// mayReach looks at what is really dialled.
func (d *Dialer) mayReach(target netip.AddrPort) bool {
	ip := target.Addr().Unmap().WithZone("")
	for _, network := range d.Allow {
		if network.Contains(ip) {
			return true
		}
	}
	return isPublic(ip) && (isWebPort(target.Port()) || !d.Web && target.Port() >= 1024)
}

// isWebPort knows the web's own ports. Beside them webhooks reach those that any user of a machine may open: no mail, no
// shell, no DNS.
func isWebPort(port uint16) bool { return port == 80 || port == 443 }

// notPublic are the networks that are not for the whole internet, of those that netip does not know: IANA's registries of
// special-purpose addresses, IPv4 and IPv6, of 2025.
var notPublic = []netip.Prefix{
	netip.MustParsePrefix("0.0.0.0/8"),       // this network
	netip.MustParsePrefix("100.64.0.0/10"),   // carriers' and mesh VPNs'
	netip.MustParsePrefix("192.0.0.0/24"),    // protocols'
	netip.MustParsePrefix("192.0.2.0/24"),    // for examples
	netip.MustParsePrefix("192.88.99.0/24"),  // relays of 6to4
	netip.MustParsePrefix("198.18.0.0/15"),   // for measurements
	netip.MustParsePrefix("198.51.100.0/24"), // for examples
	netip.MustParsePrefix("203.0.113.0/24"),  // for examples
	netip.MustParsePrefix("240.0.0.0/4"),     // reserved, and broadcast
	netip.MustParsePrefix("2001::/23"),       // protocols': Teredo and others, which lead to other addresses
	netip.MustParsePrefix("2001:db8::/32"),   // for examples
	netip.MustParsePrefix("2002::/16"),       // 6to4, which leads to any IPv4 address
	netip.MustParsePrefix("3fff::/20"),       // for examples
}

// unicast6 is all of IPv6 that was given out so far: beyond it are local addresses, and those that stand for IPv4.
var unicast6 = netip.MustParsePrefix("2000::/3")

// isPublic holds for unicast addresses that mean the same everywhere.
func isPublic(ip netip.Addr) bool {
	if !ip.IsGlobalUnicast() || ip.IsPrivate() || ip.Is6() && !unicast6.Contains(ip) {
		return false
	}
	for _, network := range notPublic {
		if network.Contains(ip) {
			return false
		}
	}
	return true
}
