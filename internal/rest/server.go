package rest

import (
	"context"
	"io/fs"
	"log/slog"
	"math"
	"net/http"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"qun/internal/auth"
	"qun/internal/chat"
	"qun/internal/rates"
)

// Chat is what rest asks of the domain, a line for each file of operations.
type Chat interface {
	Guests
	Accounts
	Audits
	Bots
	Users
	Groups
	GroupActs
	Members
	Messages
	MessageActs
	Search
	Files
	Webhooks
	WebPush
	Moderation
	Settings
	Government
	Figures
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
	// RequestsPerSecond is how many requests a user may make, and five times as many in a burst; who is nobody shares that
	// with its address. 0 lifts the limit.
	RequestsPerSecond float64
	// SignedOut is told who signed out: the sockets that came in with that session have to end.
	SignedOut func(*auth.Identity)
	// SignedOutAll is told that all sessions of a user ended but keep's: so have the sockets. Nil: nobody is told.
	SignedOutAll func(id chat.UserID, keep *auth.TokenHash)
	// Link is the address at which others find this server, scheme and host. "": as the request says.
	Link string
	// Presence says whether a user is here. Nil: nobody is.
	Presence func(chat.UserID) chat.Presence
	// GuestsOut is told that guests are not admitted any more: their sockets have to end. Nil: nobody is told.
	GuestsOut func()
	// Load is what the server did lately. Nil: nobody measures.
	Load func() Load
	// StartedAt is when the server started.
	StartedAt time.Time
	// Healthy says why the server cannot do its work. Nil: it always can.
	Healthy func(context.Context) error

	// Found adds to a removal what sockets tell of who is removed; nil: there are none.
	Found func(chat.Removal) chat.Removal

	Version string // of the program, for the OpenAPI document
	// AsyncAPI describes what is said over sockets, Types are the same for TypeScript. Nil: they are not there.
	AsyncAPI, Types []byte

	App   fs.FS // the built web app; nil: an explanation is shown instead
	Plain fs.FS // the page of the smallest client, index.html at its root
	// Account is the page that takes codes where there is no app, index.html at its root.
	Account fs.FS

	Logger *slog.Logger // nil discards
}

// New returns the routes of everything but Socket.IO and metrics.
func New(cfg Config) http.Handler {
	if cfg.Logger == nil {
		cfg.Logger = slog.New(slog.DiscardHandler)
	}
	mux := http.NewServeMux()
	s := &server{
		Config: cfg, rates: newRates(cfg.RequestsPerSecond), fetches: newRates(fetchesPerRequest * cfg.RequestsPerSecond),
	}
	s.api = s.newAPI(mux)
	s.register(mux)
	s.completeDocument()
	s.serveDocument(mux)
	mux.HandleFunc("/api/", s.noSuchRoute)
	mux.HandleFunc("GET /healthz", s.health)
	s.servePlain(mux)
	s.serveAccount(mux)
	s.serveApp(mux)
	return pace(mux)
}

type server struct {
	Config
	api     huma.API
	counted counted
	rates   *rates.Rates[string] // of operations
	fetches *rates.Rates[string] // of files
}

// fetchesPerRequest is how many files may be asked for where one operation may be.
const fetchesPerRequest = 20

func newRates(perSecond float64) *rates.Rates[string] {
	return rates.New[string](perSecond, int(math.Ceil(5*perSecond)), nil)
}
