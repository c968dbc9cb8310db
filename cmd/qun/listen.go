package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"net"
	"net/netip"
	"syscall"
)

// portAttempts is how often a free port is looked for that all addresses have.
const portAttempts = 10

// door is an address and who listens there.
type door struct {
	address  netip.AddrPort // with the port that was found, if any would do
	listener net.Listener
}

// listen opens a listener on every address, which a flag chose. With port 0 all get the same free one. A loopback family that this machine
// lacks is left out if the other is there.
func listen(ctx context.Context, m Machine, flag string, addresses []netip.AddrPort) ([]door, error) {
	if len(addresses) == 0 {
		return nil, nil
	}
	for attempt := 1; ; attempt++ {
		doors, failed, err := listenOnce(ctx, m, addresses)
		switch {
		case err == nil:
			return doors, nil
		case addresses[0].Port() != 0, attempt == portAttempts, !errors.Is(err, syscall.EADDRINUSE):
			return nil, explainListen(flag, failed, err)
		}
	}
}

// listenOnce tries all addresses, and says which one failed.
func listenOnce(ctx context.Context, m Machine, addresses []netip.AddrPort) (doors []door, failed netip.AddrPort, err error) {
	for _, address := range addresses {
		if address.Port() == 0 && len(doors) > 0 {
			address = netip.AddrPortFrom(address.Addr(), doors[0].address.Port())
		}
		l, err := m.Listen(ctx, network(address), hostPort(address))
		switch {
		case err == nil:
			doors = append(doors, door{netip.AddrPortFrom(address.Addr(), portOf(l, address)), l})
		case len(doors) > 0 && address.Addr().IsLoopback() && isAbsent(err):
			continue
		default:
			closeAll(doors)
			return nil, address, err
		}
	}
	return doors, failed, nil
}

// network is both families for "every address", and the address's own family else.
func network(address netip.AddrPort) string {
	switch {
	case address.Addr().Is4():
		return "tcp4"
	case address.Addr().IsUnspecified():
		return "tcp"
	}
	return "tcp6"
}

func hostPort(address netip.AddrPort) string {
	if address.Addr() == netip.IPv6Unspecified() {
		return fmt.Sprintf(":%d", address.Port())
	}
	return address.String()
}

// portOf is the port asked for, or the one that was found.
func portOf(l net.Listener, asked netip.AddrPort) uint16 {
	if tcp, ok := l.Addr().(*net.TCPAddr); ok && asked.Port() == 0 {
		return tcp.AddrPort().Port()
	}
	return asked.Port()
}

// doors are all places where the server is listened to.
type doors struct {
	main     []door // the chat
	redirect []door // plain http, for who forgets the s
	debug    []door // for programs on this machine
}

// openDoors opens all, or none.
func openDoors(ctx context.Context, p *plan, m Machine) (*doors, error) {
	var d doors
	for _, these := range []struct {
		flag      string
		addresses []netip.AddrPort
		opened    *[]door
	}{
		{"--listen", p.addresses, &d.main}, {"--redirect", p.redirects, &d.redirect}, {"--debug", p.debug, &d.debug},
	} {
		opened, err := listen(ctx, m, these.flag, these.addresses)
		if err != nil {
			d.close()
			return nil, err
		}
		*these.opened = opened
	}
	return &d, nil
}

// port is the first that the chat is listened to at.
func (d *doors) port() uint16 { return d.main[0].address.Port() }

func (d *doors) close() {
	closeAll(d.main)
	closeAll(d.redirect)
	closeAll(d.debug)
}

func closeAll(doors []door) {
	for _, d := range doors {
		d.listener.Close()
	}
}

// isAbsent says that this machine has no such address, or not its family.
func isAbsent(err error) bool {
	return errors.Is(err, syscall.EADDRNOTAVAIL) || errors.Is(err, syscall.EAFNOSUPPORT) || errors.Is(err, syscall.EPROTONOSUPPORT)
}

// explainListen says what to do.
func explainListen(flag string, address netip.AddrPort, err error) error {
	switch {
	case errors.Is(err, syscall.EADDRINUSE):
		return fmt.Errorf("%s is taken: another program listens there, maybe another Qun; stop it, or choose another port with %s localhost:%d",
			address, flag, address.Port()+1)
	case errors.Is(err, fs.ErrPermission):
		return fmt.Errorf("may not listen on %s: ports below 1024 need special rights (setcap cap_net_bind_service=+ep on the program gives them); or choose another with %s, for example :3000", address, flag)
	case isAbsent(err):
		return fmt.Errorf("this machine does not have the address %s; choose another with %s, or :%d for all it has", address.Addr(), flag, address.Port())
	}
	return fmt.Errorf("listen on %s: %w", address, err)
}
