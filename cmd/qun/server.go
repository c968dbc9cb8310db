package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"math"
	"net/http"
	"net/url"
	"path/filepath"
	"sync"
	"time"

	"qun/engineio"
	"qun/internal/auth"
	"qun/internal/chat"
	"qun/internal/cluster"
	"qun/internal/config"
	"qun/internal/files"
	"qun/internal/gateway"
	"qun/internal/metrics"
	"qun/internal/push"
	"qun/internal/rest"
	"qun/internal/store"
	"qun/socketio"
	"qun/web"
)

// server is the running whole, in the order in which it is drained.
type server struct {
	http         *http.Server
	redirector   *http.Server
	debugging    *http.Server
	certificates *certificates // nil: plain http

	sockets *socketio.Server
	gateway *gateway.Gateway
	chat    *chat.Service
	courier *push.Courier
	preview *push.Previewer
	auth    *auth.Service
	store   *store.Store
	node    *cluster.Node // nil: nobody shares the data
	bridge  bridge
	files   *files.Store

	serving  sync.WaitGroup // the goroutines of start
	control  *control       // nil: there is none
	sweeping sweeper
	sampling sampler
}

// open puts the rooms together: store, hub, chat, gateway, HTTP. Addresses given to others begin with link.
func open(ctx context.Context, p *plan, d *doors, link string, log *slog.Logger) (_ *server, err error) {
	shown, err := openCertificates(p.settings, p.data, d.port(), log)
	if err != nil {
		return nil, err
	}
	defer func() {
		if err != nil {
			shown.close()
		}
	}()
	data, err := openData(ctx, store.Config{Dir: p.data, URL: p.settings.Database, Logger: log})
	if err != nil {
		return nil, err
	}
	who, err := auth.New(ctx, data, auth.Config{})
	if err != nil {
		return nil, errors.Join(err, data.Close())
	}
	kept, err := files.Open(files.Config{Dir: filepath.Join(p.data, filesFolder), Pixels: int(p.settings.LimitPixels * 1e6)})
	if err != nil {
		return nil, errors.Join(explainData(p.data, err), data.Close())
	}
	counts := metrics.New(version)
	admission := gateway.NewAdmission(p.settings.LimitHandshakes, p.settings.LimitSockets, isMember(p, who), time.Now)
	sockets := socketio.New(socketio.Config{Engine: engineConfig(p, admission, counts), Client: web.Client(), Logger: log})
	counts.Watch(func() engineio.Stats { return sockets.Stats().Stats })
	hub := gateway.NewHub(sockets.Of("/"))
	courier, err := newCourier(ctx, p, data, hub, counts, log)
	if err != nil {
		return nil, errors.Join(err, data.Close())
	}
	previewer, err := newPreviewer(p, log)
	if err != nil {
		return nil, errors.Join(err, data.Close())
	}
	node, err := newNode(ctx, p, data, log)
	if err != nil {
		return nil, errors.Join(err, data.Close())
	}
	others, err := newBridge(p, hub, log)
	if err != nil {
		return nil, errors.Join(err, data.Close())
	}
	rules := chatConfig(p, kept, courier, link, log)
	var among chat.Bus
	var name string
	if node != nil {
		rules.Cluster = &chat.Cluster{Bus: node.Topic("chat"), Here: hub}
		among, name = node.Topic("gateway"), node.ID()
	}
	service := chat.New(data, append(chat.Notifiers{hub, chat.Own(courier), chat.Own(previewer)}, others.notifiers()...), rules)
	if err := service.ReadSettings(ctx); err != nil {
		return nil, errors.Join(err, service.Close(ctx), data.Close())
	}
	watchNodes(counts, node, service, others)
	doors := gateway.Serve(sockets.Of("/"), hub, service, who, gateway.Config{
		Build: version, Own: func(page gateway.Page) bool { return p.access.Own(config.Page(page)) },
		SocketsPerUser: socketsPerUser(p.settings), Admission: admission, Bus: among, Node: name, Observer: counts, Logger: log,
	})
	if startNode(ctx, node) {
		if err := service.Tidy(ctx); err != nil {
			log.Warn("drop silent rooms", "error", err)
		}
	}
	routes := rest.New(rest.Config{
		Chat: service, Auth: who, Own: ownRequest(p), Throttle: admission.Throttle, RequestsPerSecond: p.settings.LimitRequests,
		SignedOut: doors.SignedOut, SignedOutAll: doors.SignedOutAll, GuestsOut: doors.CloseGuests,
		Load: load(counts), StartedAt: time.Now(),
		Link: link, Account: web.Account(), Presence: doors.Presence, Found: doors.Found, Healthy: canRead(data), Version: version,
		App: web.App(), Plain: web.Plain(), AsyncAPI: doors.AsyncAPI(), Types: doors.TypeScript(), Logger: log,
	})
	courier.Start()
	previewer.Start(service)
	others.start()
	orders := &operator{
		chat: service, auth: who, base: link, healthy: canRead(data),
		signedOut: func(u chat.UserID) { doors.SignedOutAll(u, nil) },
	}
	return &server{
		http:       httpServer(p, mount(sockets, metricsRoute(p, counts), routes), log),
		redirector: redirector(p.access, p.settings.PublicURL, d.port(), log),
		debugging:  debugging(counts.Handler(), log), certificates: shown, sockets: sockets, gateway: doors, chat: service,
		courier: courier, preview: previewer, auth: who, store: data, files: kept, node: node, bridge: others, sweeping: startSweeper(sweep(service, data), log),
		sampling: startSampler(counts),
		control:  startControl(p.data, orders.do, log),
	}, nil
}

// mount lays the doors side by side. Both forms of the Socket.IO path are named: a redirect would break POST.
func mount(sockets, metrics, routes http.Handler) http.Handler {
	mux := http.NewServeMux()
	mux.Handle("/socket.io/", lean(sockets))
	mux.Handle("/socket.io", lean(sockets))
	mux.Handle("/metrics", metrics)
	mux.Handle("/", routes)
	return mux
}

// lean leaves of a request's cookies our own: a session keeps what is in these headers for as long as it lives.
func lean(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		auth.TrimCookies(r)
		next.ServeHTTP(w, r)
	})
}

func httpServer(p *plan, handler http.Handler, log *slog.Logger) *http.Server {
	guard := &rest.Guard{Host: p.access.Host, Proxies: p.proxies, SecureHost: secureHost(p.settings), Logger: log}
	return patient(guard.Wrap(handler), log)
}

// patient is an HTTP server that waits for peers no longer than is reasonable. What comes behind the head of a request is
// the business of who handles it.
func patient(handler http.Handler, log *slog.Logger) *http.Server {
	return &http.Server{
		Handler:           handler,
		ReadHeaderTimeout: 10 * time.Second,
		IdleTimeout:       2 * time.Minute,
		MaxHeaderBytes:    32 << 10,
		ErrorLog:          slog.NewLogLogger(log.Handler(), slog.LevelDebug), // what peers do wrong is not news
	}
}

// secureHost is the host of an https --public-url: whoever asks for it came over TLS, which somebody in front ended.
func secureHost(s *config.Serve) string {
	if u, err := url.Parse(s.PublicURL); err == nil && u.Scheme == "https" {
		return u.Host
	}
	return ""
}

func engineConfig(p *plan, admission *gateway.Admission, counts *metrics.Metrics) engineio.Config {
	return engineio.Config{
		CheckOrigin: func(r *http.Request) bool { return p.access.Welcome(config.PageOf(r)) },
		CORS:        &engineio.CORS{Allow: p.access.Foreign},
		KeepHeaders: gateway.HeaderNames(),
		Admit:       admit(admission),
		Observer:    counts,
	}
}

// admit answers who comes too fast with 429, and whose address has too many sockets with 503.
func admit(admission *gateway.Admission) func(*http.Request) (func(), error) {
	return func(r *http.Request) (func(), error) {
		release, why, retry := admission.Admit(r)
		switch why {
		case gateway.TooFast:
			return nil, &engineio.Refusal{Status: http.StatusTooManyRequests, Message: "too many connections at once from this address", RetryAfter: retry}
		case gateway.TooCrowded:
			return nil, &engineio.Refusal{Status: http.StatusServiceUnavailable, Message: "too many open connections from this address", RetryAfter: retry}
		}
		return release, nil
	}
}

// isMember says whether a request carries a member's credential: address limits are for guests.
func isMember(p *plan, who *auth.Service) func(*http.Request) bool {
	own := ownRequest(p)
	return func(r *http.Request) bool {
		given := auth.ReadCredentials(r.Header.Get, own(r), r.TLS != nil)
		for _, token := range []string{given.Bearer, given.Cookie} {
			if token == "" {
				continue
			}
			identity, err := who.Authenticate(r.Context(), token)
			return err == nil && !identity.User.Guest
		}
		return false
	}
}

func ownRequest(p *plan) func(*http.Request) bool {
	return func(r *http.Request) bool { return p.access.Own(config.PageOf(r)) }
}

func chatConfig(p *plan, kept chat.Files, courier chat.Courier, link string, log *slog.Logger) chat.Config {
	limits := chat.DefaultLimits()
	limits.MessagesPerSecond = p.settings.LimitMessages
	limits.EditWithin, limits.RecallWithin = p.settings.EditWithin, p.settings.RecallWithin
	limits.MessageBurst = int(math.Ceil(5 * p.settings.LimitMessages))
	limits.UploadBytes = megabytes(p.settings.LimitUpload)
	limits.UserBytes = megabytes(p.settings.LimitUserFiles)
	limits.AllBytes = megabytes(p.settings.LimitFiles)
	return chat.Config{
		Name: p.settings.Name, Guests: chat.GuestPolicy(p.settings.GuestsMay(p.exposure)), Registration: chat.Registration(p.settings.MayRegister(p.exposure)),
		Limits: limits, Retention: p.settings.Retention, Fixed: fixed(p.settings), Files: kept, Courier: courier, URL: link, Logger: log,
		Previews: p.settings.Previews != "off",
	}
}

// fixed are the settings that an administrator cannot change while the server runs, since it was started with them.
func fixed(s *config.Serve) map[string]string {
	flags := map[string]string{
		chat.SettingName: "name", chat.SettingGuests: "guests", chat.SettingRegistration: "registration", chat.SettingRetention: "retention",
		chat.SettingMessages: "limit-messages", chat.SettingUpload: "limit-upload", chat.SettingEdit: "edit-within", chat.SettingRecall: "recall-within",
	}
	all := map[string]string{}
	for setting, flag := range flags {
		if where, given := s.Given[flag]; given {
			all[setting] = where
		}
	}
	return all
}

func megabytes(n float64) int64 { return int64(math.Ceil(n * 1e6)) }

func socketsPerUser(s *config.Serve) int {
	return min(s.LimitSockets, config.SocketsPerUser) // 0 lifts both
}

// metricsRoute shows the counts to whom the settings say.
func metricsRoute(p *plan, counts *metrics.Metrics) http.Handler {
	switch {
	case p.settings.Metrics == "all":
		return counts.Handler()
	case p.settings.Metrics == "local" && p.settings.PublicURL == "":
		return metrics.LocalOnly(counts.Handler(), config.IsLoopbackHost)
	}
	return http.NotFoundHandler()
}

// canRead says whether the database still answers.
func canRead(data chat.Store) func(context.Context) error {
	return func(ctx context.Context) error {
		return data.View(ctx, func(r chat.Reader) error {
			_, err := r.Heads(nil)
			return err
		})
	}
}

// drain ends everything, first what brings work and last what keeps it: no new connections, transports closed without a
// word (clients look for a server again), what was accepted is written and told, the database closed.
func (s *server) drain(ctx context.Context) error {
	var httpErr, sidesErr error
	var stopped sync.WaitGroup
	stopped.Go(func() { httpErr = s.http.Shutdown(ctx) })
	stopped.Go(func() { sidesErr = errors.Join(s.redirector.Shutdown(ctx), s.debugging.Close()) })
	socketsErr := s.sockets.Shutdown(ctx)
	stopped.Wait()
	s.serving.Wait()
	s.certificates.close()
	controlErr := s.control.close(ctx)
	s.gateway.Close()
	s.sweeping.stop()
	s.sampling.stop()
	s.preview.Close()
	chatErr := s.chat.Close(ctx)
	s.courier.Close()
	var nodeErr error
	if s.node != nil {
		nodeErr = s.node.Close()
	}
	err := errors.Join(httpErr, sidesErr, socketsErr, controlErr, chatErr, s.bridge.close(), nodeErr, s.store.Close(), s.files.Close())
	if err != nil {
		return fmt.Errorf("stop the server: %w", err)
	}
	return nil
}
