package rest

import (
	"context"
	"io/fs"
	"log/slog"
	"net/http"
	"time"

	"qun/internal/auth"
	"qun/internal/chat"
)

// Chat is what rest asks of the domain.
type Chat interface {
	NewGuest(ctx context.Context, nickName string, strict bool) (*chat.User, error)
}

// Config is what the routes stand on.
type Config struct {
	Chat Chat
	Auth *auth.Service

	// Own says whether a request comes from one of the server's own pages, or from none: only then the cookie counts and
	// anything may be changed.
	Own func(*http.Request) bool
	// Throttle says how long somebody must wait who asks for new sessions too often; 0 lets the request through.
	Throttle func(*http.Request) time.Duration
	// SignedOut is told who signed out: the sockets that came in with that session have to end.
	SignedOut func(*auth.Identity)
	// Healthy says why the server cannot do its work. Nil: it always can.
	Healthy func(context.Context) error

	App   fs.FS // the built web app; nil: an explanation is shown instead
	Plain fs.FS // the page of the smallest client, index.html at its root

	Logger *slog.Logger // nil discards
}

// New returns the routes of everything but Socket.IO and metrics.
func New(cfg Config) http.Handler {
	if cfg.Logger == nil {
		cfg.Logger = slog.New(slog.DiscardHandler)
	}
	s := &server{Config: cfg}
	mux := http.NewServeMux()
	mux.HandleFunc("POST /api/v1/session", s.createSession)
	mux.HandleFunc("GET /api/v1/session", s.readSession)
	mux.HandleFunc("DELETE /api/v1/session", s.deleteSession)
	mux.HandleFunc("/api/", s.noSuchRoute)
	mux.HandleFunc("GET /healthz", s.health)
	s.servePlain(mux)
	s.serveApp(mux)
	return mux
}

type server struct{ Config }
