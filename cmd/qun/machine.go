package main

import (
	"context"
	"fmt"
	"io"
	"net"
	"net/netip"
	"os"

	"golang.org/x/term"

	"qun/internal/config"
)

// Machine is what the program touches outside itself, so that tests can stand in for it.
type Machine struct {
	Stdin          io.Reader
	Stdout, Stderr io.Writer
	// AskPassword shows a prompt and reads a line without showing it. Nil: there is nobody to ask, Stdin is read.
	AskPassword func(prompt string) (string, error)

	// LookupEnv reads an environment variable.
	LookupEnv func(name string) (string, bool)
	// Interfaces lists the network interfaces that are up.
	Interfaces func() ([]config.Interface, error)
	// Resolve looks up a host name.
	Resolve func(host string) ([]netip.Addr, error)
	// Listen opens a TCP listener.
	Listen func(ctx context.Context, network, address string) (net.Listener, error)
	// Started, if not nil, is called once with the URLs when the server answers.
	Started func(urls []string)
}

// ThisMachine is the real one.
func ThisMachine() Machine {
	m := Machine{
		Stdin:      os.Stdin,
		Stdout:     os.Stdout,
		Stderr:     os.Stderr,
		LookupEnv:  os.LookupEnv,
		Interfaces: interfaces,
		Resolve:    resolve,
		Listen:     new(net.ListenConfig).Listen,
	}
	if terminal := int(os.Stdin.Fd()); term.IsTerminal(terminal) {
		m.AskPassword = func(prompt string) (string, error) {
			fmt.Fprint(os.Stderr, prompt)
			line, err := term.ReadPassword(terminal)
			fmt.Fprintln(os.Stderr)
			return string(line), err
		}
	}
	return m
}

func resolve(host string) ([]netip.Addr, error) {
	return net.DefaultResolver.LookupNetIP(context.Background(), "ip", host)
}

func interfaces() ([]config.Interface, error) {
	all, err := net.Interfaces()
	if err != nil {
		return nil, fmt.Errorf("list network interfaces: %w", err)
	}
	var up []config.Interface
	for _, i := range all {
		if i.Flags&net.FlagUp == 0 {
			continue
		}
		addresses, err := i.Addrs()
		if err != nil {
			continue // it went away meanwhile
		}
		up = append(up, config.Interface{Name: i.Name, Addresses: addressesOf(addresses)})
	}
	return up, nil
}

func addressesOf(addresses []net.Addr) []netip.Addr {
	var ips []netip.Addr
	for _, a := range addresses {
		if prefix, err := netip.ParsePrefix(a.String()); err == nil {
			ips = append(ips, prefix.Addr())
		}
	}
	return ips
}
