// Testbed serves the suites that test the protocols from outside: the project's own, and the official ones of Engine.IO,
// Socket.IO and their JavaScript clients. It is made of the public packages alone.
//
//	testbed -listen 127.0.0.1:PORT   many servers on one port, each on a path of its own; with -tls over https
//	testbed -mode client             what the tests of socket.io-client expect at port 3210
//	testbed -mode engine-client      what the tests of engine.io-client expect at port 3000
//	testbed -mode cluster            one server of a cluster, at the Redis of -redis, that does what it is ordered to
package main

import (
	"context"
	"crypto/tls"
	"errors"
	"flag"
	"fmt"
	"io/fs"
	"log/slog"
	"net"
	"net/http"
	"os"
	"os/signal"
	"strings"
	"syscall"
	"time"
)

func main() {
	mode := flag.String("mode", "server", "server, client, engine-client or cluster")
	listen := flag.String("listen", "", "address to listen on; each mode has its default")
	bundle := flag.String("bundle", "web/dist/socket.io", "folder of the official browser client, served at /socket.io/")
	secure := flag.Bool("tls", false, "serve over TLS, with a certificate that nobody knows")
	redis := flag.String("redis", "", "address of Redis, for the mode cluster")
	wire := flag.String("wire", "classic", "classic, private, sharded or static, for the mode cluster")
	name := flag.String("name", "", "what the server calls itself, in the mode cluster")
	verbose := flag.Bool("v", false, "log what the servers do")
	flag.Parse()
	logger := slog.New(slog.DiscardHandler)
	if *verbose {
		logger = slog.New(slog.NewTextHandler(os.Stderr, &slog.HandlerOptions{Level: slog.LevelDebug}))
	}
	joined := func() (mounts, error) { return clusterMode(*redis, *wire, *name, logger) }
	if err := run(*mode, *listen, *secure, os.DirFS(*bundle), joined, logger); err != nil {
		fmt.Fprintln(os.Stderr, "testbed:", err)
		os.Exit(1)
	}
}

func run(mode, listen string, secure bool, bundle fs.FS, joined func() (mounts, error), logger *slog.Logger) (err error) {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	var servers mounts
	var addresses []string
	switch mode {
	case "server":
		servers, addresses = serverMode(bundle, logger), []string{"127.0.0.1:3000"}
	case "client": // some of the tests say localhost, which may be either
		servers, addresses = clientMode(logger), []string{"127.0.0.1:3210", "[::1]:3210"}
	case "engine-client":
		servers, addresses = engineClientMode(logger), []string{"127.0.0.1:3000", "[::1]:3000"}
	case "cluster":
		if servers, err = joined(); err != nil {
			return err
		}
		addresses = []string{"127.0.0.1:3000"}
	default:
		return fmt.Errorf("no mode %q: use server, client, engine-client or cluster", mode)
	}
	if listen != "" {
		addresses = []string{listen}
	}
	var certificate *tls.Config
	if secure {
		if certificate, err = selfSigned(); err != nil {
			return err
		}
	}
	return serve(ctx, addresses, certificate, servers)
}

// serve serves at the first address, and at the others where they exist, until ctx ends; over TLS if there is a certificate.
func serve(ctx context.Context, addresses []string, certificate *tls.Config, servers mounts) error {
	web := &http.Server{Handler: servers, ReadHeaderTimeout: 10 * time.Second}
	failed := make(chan error, len(addresses))
	for i, address := range addresses {
		l, err := (&net.ListenConfig{}).Listen(ctx, "tcp", address)
		switch {
		case err == nil:
			scheme := "http"
			if certificate != nil {
				scheme, l = "https", tls.NewListener(l, certificate)
			}
			fmt.Printf("listening on %s://%s\n", scheme, l.Addr())
			go func() { failed <- web.Serve(l) }()
		case i == 0:
			return err
		}
	}
	select {
	case err := <-failed:
		return err
	case <-ctx.Done():
	}
	patience, cancel := context.WithTimeout(context.Background(), 5*time.Second)
	defer cancel()
	return errors.Join(servers.Shutdown(patience), web.Shutdown(patience))
}

// mounts are servers, each on a path that ends with a slash and with all that lies below it. Unlike http.ServeMux they
// neither redirect nor clean paths, as clients expect of such a server.
type mounts map[string]mounted

type mounted interface {
	http.Handler
	Shutdown(context.Context) error
}

func (m mounts) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	for path, server := range m {
		if strings.HasPrefix(r.URL.Path, path) {
			server.ServeHTTP(w, r)
			return
		}
	}
	http.NotFound(w, r)
}

// Shutdown ends all servers, one after the other.
func (m mounts) Shutdown(ctx context.Context) error {
	var errs []error
	for _, server := range m {
		errs = append(errs, server.Shutdown(ctx))
	}
	return errors.Join(errs...)
}
