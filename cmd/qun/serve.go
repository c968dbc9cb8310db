package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"net/http"
	"net/netip"
	"os"
	"path/filepath"
	"syscall"
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
	doors, err := listen(ctx, m, p.addresses)
	if err != nil {
		return err
	}
	s, err := open(ctx, p, slog.New(slog.NewTextHandler(m.Stderr, nil)))
	if err != nil {
		closeAll(doors)
		return err
	}
	reach := reachOf(settings, doors, p.interfaces)
	announce(m.Stdout, settings, reach, p.exposure, p.data)
	failed := s.start(doors)
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
	exposure   config.Exposure
	access     *config.Access
	proxies    []netip.Prefix
	data       string // absolute
}

func newPlan(settings *config.Serve, m Machine) (*plan, error) {
	if err := settings.Check(); err != nil {
		return nil, err
	}
	interfaces, err := m.Interfaces()
	if err != nil {
		return nil, err
	}
	p := &plan{settings: settings, interfaces: interfaces}
	if p.addresses, err = settings.Addresses(interfaces, m.Resolve); err != nil {
		return nil, err
	}
	p.exposure = settings.Exposure(p.addresses, interfaces)
	p.access = config.NewAccess(settings, p.addresses, p.exposure)
	if p.proxies, err = settings.Proxies(); err != nil {
		return nil, err
	}
	p.data, err = dataFolder(settings.Data)
	return p, err
}

// dataFolder makes the folder, for this user alone, and sees to it that it can be written to.
func dataFolder(name string) (string, error) {
	folder, err := filepath.Abs(name)
	if err != nil {
		return "", fmt.Errorf("--data %s: %w", name, err)
	}
	if err := os.MkdirAll(folder, 0o700); err != nil {
		return "", explainData(folder, err)
	}
	probe, err := os.CreateTemp(folder, ".write-*")
	if err != nil {
		return "", explainData(folder, err)
	}
	probe.Close()
	if err := os.Remove(probe.Name()); err != nil {
		return "", explainData(folder, err)
	}
	return folder, nil
}

func explainData(folder string, err error) error {
	switch {
	case errors.Is(err, fs.ErrPermission), errors.Is(err, syscall.EROFS):
		return fmt.Errorf("the data folder %s cannot be written to: change its owner or rights, or choose another with --data", folder)
	case errors.Is(err, syscall.ENOTDIR), errors.Is(err, fs.ErrExist):
		return fmt.Errorf("the data folder %s is not a folder: choose another with --data", folder)
	case errors.Is(err, syscall.ENOSPC):
		return fmt.Errorf("the disk of the data folder %s is full: make room, or choose another with --data", folder)
	}
	return fmt.Errorf("make the data folder %s: %w; choose another with --data", folder, err)
}

// start answers at the doors. What is received from the channel is why that ended, unless it was drained.
func (s *server) start(doors []door) <-chan error {
	failed := make(chan error, len(doors))
	for _, d := range doors {
		s.serving.Go(func() {
			if err := s.http.Serve(d.listener); !errors.Is(err, http.ErrServerClosed) {
				failed <- fmt.Errorf("serve %s: %w", d.address, err)
			}
		})
	}
	return failed
}
