package main

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/netip"
	"time"

	"qun/internal/config"
)

// drainTime is how long the server takes to end in order before it ends anyhow.
const drainTime = 10 * time.Second

// serve runs the server until ctx ends: listen, open the data, answer, drain.
func serve(ctx context.Context, settings *config.Serve, m Machine) error {
	p, err := newPlan(settings, m)
	if err != nil {
		return err
	}
	d, err := openDoors(ctx, p, m)
	if err != nil {
		return err
	}
	reach := reachOf(p.settings, d.main, p.interfaces)
	s, err := open(ctx, p, d, reach.link(), newLog(m.Stderr, p.settings))
	if err != nil {
		d.close()
		return unlessEnded(ctx, err)
	}
	announce(m.Stdout, p.settings, reach, p.exposure, p.whereabouts())
	if err := s.announceSetup(ctx, m.Stdout, reach); err != nil {
		d.close()
		return errors.Join(unlessEnded(ctx, err), drain(s))
	}
	failed := s.start(d)
	if m.Started != nil {
		m.Started(reach.all())
	}
	select {
	case <-ctx.Done():
		fmt.Fprintln(m.Stdout, "Stopping …")
		err = nil
	case err = <-failed:
	}
	return errors.Join(err, drain(s))
}

// unlessEnded is err, unless somebody ended the program while it was starting: then nothing went wrong.
func unlessEnded(ctx context.Context, err error) error {
	if ctx.Err() != nil {
		return nil
	}
	return err
}

// drain ends the server in order, whatever ended ctx.
func drain(s *server) error {
	ctx, cancel := context.WithTimeout(context.Background(), drainTime)
	defer cancel()
	return s.drain(ctx)
}

// plan is what follows from the settings on this machine.
type plan struct {
	settings   *config.Serve
	interfaces []config.Interface
	addresses  []netip.AddrPort
	redirects  []netip.AddrPort // where plain http sends people to https
	debug      []netip.AddrPort // where the server may be looked into
	exposure   config.Exposure
	access     *config.Access
	proxies    []netip.Prefix
	data       string // absolute
}

func newPlan(settings *config.Serve, m Machine) (*plan, error) {
	if err := settings.Check(); err != nil {
		return nil, err
	}
	settings = settings.Settled()
	interfaces, err := m.Interfaces()
	if err != nil {
		return nil, err
	}
	p := &plan{settings: settings, interfaces: interfaces}
	if p.addresses, err = settings.Addresses(interfaces, m.Resolve); err != nil {
		return nil, err
	}
	if p.redirects, err = settings.Redirects(m.Resolve); err != nil {
		return nil, err
	}
	p.debug = settings.DebugAddresses()
	p.exposure = settings.Exposure(p.addresses, interfaces)
	p.access = config.NewAccess(settings, p.addresses, p.exposure)
	if p.proxies, err = settings.Proxies(); err != nil {
		return nil, err
	}
	p.data, err = dataFolder(settings.Data)
	return p, err
}

// whereabouts is what people are told of where the data is; an address may hold a password.
func (p *plan) whereabouts() string {
	if p.settings.Database != "" {
		return p.data + " (files), and a PostgreSQL database"
	}
	return p.data
}

// start answers at the doors. What is received from the channel is why that ended, unless it was drained.
func (s *server) start(d *doors) <-chan error {
	failed := make(chan error, len(d.main)+len(d.redirect)+len(d.debug))
	answer := func(by *http.Server, at door, l net.Listener) {
		s.serving.Go(func() {
			if err := by.Serve(l); !errors.Is(err, http.ErrServerClosed) {
				failed <- fmt.Errorf("serve %s: %w", at.address, err)
			}
		})
	}
	for _, at := range d.main {
		l := at.listener
		if s.certificates != nil {
			l = tls.NewListener(l, s.certificates.tls)
		}
		answer(s.http, at, l)
	}
	for _, at := range d.redirect {
		answer(s.redirector, at, at.listener)
	}
	for _, at := range d.debug {
		answer(s.debugging, at, at.listener)
	}
	return failed
}
