package main

import (
	"context"
	"io/fs"
	"log/slog"
	"net/http"
	"regexp"
	"time"

	"qun/engineio"
	"qun/socketio"
)

// serverMode makes independent servers, each with another option.
func serverMode(bundle fs.FS, logger *slog.Logger) mounts {
	base := func() socketio.Config {
		return socketio.Config{
			Engine: engineio.Config{
				PingInterval:   300 * time.Millisecond,
				PingTimeout:    200 * time.Millisecond,
				UpgradeTimeout: 800 * time.Millisecond,
				CheckOrigin:    func(*http.Request) bool { return true },
				KeepHeaders:    []string{"Origin", "User-Agent"},
			},
			ConnectTimeout: time.Second,
			Logger:         logger,
		}
	}
	servers := mounts{"/engine.io/": engineEcho(logger), "/socket.io/": mainServer(base(), bundle)}
	for path, set := range map[string]func(*socketio.Config){
		"/csr/":       func(c *socketio.Config) { c.Recovery = &socketio.Recovery{MaxDisconnection: 2 * time.Second} },
		"/cookie/":    func(c *socketio.Config) { c.Engine.Cookie = engineio.DefaultCookie() },
		"/noupgrade/": func(c *socketio.Config) { c.Engine.DisableUpgrades = true },
		"/wsonly/":    func(c *socketio.Config) { c.Engine.Transports = []string{engineio.WebSocket} },
		"/deny/":      func(c *socketio.Config) { c.Engine.Admit = deny },
		"/cred/":      func(c *socketio.Config) { c.Engine.CORS = &engineio.CORS{Origin: "http://a.test", Credentials: true} },
		"/nocors/":    func(*socketio.Config) {},
		"/deflate/":   func(c *socketio.Config) { c.Engine.PerMessageDeflate = true },
		"/small/":     func(c *socketio.Config) { c.Engine.MaxPayload = 1000 },
		"/msgpack/":   func(c *socketio.Config) { c.Parser = socketio.ParserMsgpack },
	} {
		cfg := base()
		set(&cfg)
		server := socketio.New(cfg)
		greet(server.Of("/"))
		if cfg.Recovery != nil {
			server.Of("/").OnConnect(func(_ context.Context, s *socketio.Socket) { s.Emit("hello", s.Recovered()) })
		}
		servers[path] = server
	}
	return servers
}

func deny(*http.Request) (func(), error) { return nil, &engineio.Refusal{Message: "nope"} }

// mainServer has a namespace for everything that namespaces can do.
func mainServer(cfg socketio.Config, bundle fs.FS) *socketio.Server {
	cfg.Client = bundle
	cfg.Engine.CORS = &engineio.CORS{Origin: "*"}
	server := socketio.New(cfg)
	greet(server.Of("/"))
	greet(server.Of("/custom"))

	restricted := server.Of("/auth")
	restricted.Use(func(_ context.Context, s *socketio.Socket) error {
		if credential(s, "token") != "ok" {
			return &socketio.Error{Message: "not authorized", Data: map[string]string{"code": "E_AUTH"}}
		}
		return nil
	})
	handle(restricted)

	server.Of("/nodata").Use(func(context.Context, *socketio.Socket) error { return &socketio.Error{Message: "refused"} })

	slow := server.Of("/slow")
	slow.Use(func(ctx context.Context, _ *socketio.Socket) error { return wait(ctx, 300*time.Millisecond) })
	handle(slow)

	dynamic := server.OfPattern(regexp.MustCompile(`/dyn-\d+`))
	dynamic.OnConnect(func(_ context.Context, s *socketio.Socket) { s.Emit("nsp", s.Namespace().Name()) })

	picky := server.Of("/mw")
	socketio.UseEvents(picky, func(_ context.Context, _ *socketio.Socket, e *socketio.Event) error {
		if e.Name == "bad" {
			return &socketio.Error{Message: "blocked"}
		}
		return nil
	})
	socketio.OnError(picky, func(s *socketio.Socket, _ *socketio.Event, err error) { s.Emit("blocked", err.Error()) })
	handle(picky)
	return server
}

// greet tells every socket of the namespace with which credentials it came, and registers the common handlers.
func greet(n *socketio.Namespace) {
	n.OnConnect(func(_ context.Context, s *socketio.Socket) { s.Emit("auth", auth(s)) })
	handle(n)
}

// wait waits, or returns the context's error when it ends.
func wait(ctx context.Context, d time.Duration) error {
	select {
	case <-time.After(d):
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}
