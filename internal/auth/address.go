package auth

import "net/netip"

// Household is what counts as one address where addresses are counted: an IPv6 address stands for its /64, which is what
// one household or machine gets. remote is an address with a port; what is none counts as one, too.
func Household(remote string) netip.Addr {
	parsed, err := netip.ParseAddrPort(remote)
	if err != nil {
		return netip.Addr{}
	}
	ip := parsed.Addr().Unmap().WithZone("")
	if ip.Is6() {
		prefix, _ := ip.Prefix(64) // 64 bits fit
		return prefix.Addr()
	}
	return ip
}
