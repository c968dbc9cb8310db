package gateway

import (
	"context"
	"log/slog"
	"reflect"
	"sync"
	"time"

	"qun/internal/auth"
	"qun/internal/chat"
	"qun/internal/describe"
	"qun/socketio"
)

// Config is how a Gateway behaves.
type Config struct {
	// Build is the server's version, as hello tells it.
	Build string
	// Own says whether the page that opened a socket is the server's own, so that the cookie speaks for it.
	Own func(Page) bool
	// SocketsPerUser is how many sockets a user may have; the next one closes the longest unheard. 0 lifts the limit.
	SocketsPerUser int
	// Admission counts connections by address; members' sockets are given back to it. Nil: nobody counts.
	Admission *Admission
	// DigestEvery is how often changed groups tell their number again. 0 means 20 s.
	DigestEvery time.Duration
	// OfflineAfter is how long who lost its last socket is taken for online. 0 means 5 s.
	OfflineAfter time.Duration
	// AwayAfter is how long who has the chat out of sight everywhere is taken for looking. 0 means a minute.
	AwayAfter time.Duration
	// ReadsEvery is how long read cursors are gathered before a small group is told of them. 0 means 1 s.
	ReadsEvery time.Duration
	// Observer hears of requests and pushes. Nil: nobody does.
	Observer Observer
	// Bus tells the gateways of other nodes, and Node is how they call this one. Nil: there are none.
	Bus  chat.Bus
	Node string
	// Now is the clock. Nil means time.Now.
	Now func() time.Time
	// Logger gets accidents: no texts, no names. Nil discards.
	Logger *slog.Logger
}

// Observer counts. Its methods are called concurrently and must not block.
type Observer interface {
	// Requested is told of every request with its outcome: "ok" or the code of the refusal. The name is one the server knows,
	// or "other".
	Requested(name, outcome string, took time.Duration)
	// Pushed is told of every event handed to a room.
	Pushed(event string)
}

// Gateway serves the chat on a namespace.
type Gateway struct {
	namespace  *socketio.Namespace
	chat       *chat.Service
	auth       *auth.Service
	hub        *Hub
	cfg        Config
	turnstiles turnstiles
	lobby      lobby
	reads      reads
	requests   []describe.Request // those that are answered

	life     context.Context // ends with Close
	stop     chan struct{}   // closed by Close
	end      context.CancelFunc
	partings sync.WaitGroup // all that runs by itself
	closing  sync.Mutex     // held while life ends, and while something begins to run
}

// Serve answers the requests of a namespace's sockets from the chat. The hub is the one that the chat notifies.
// Close ends it.
func Serve(namespace *socketio.Namespace, hub *Hub, service *chat.Service, who *auth.Service, cfg Config) *Gateway {
	g := &Gateway{
		namespace: namespace, chat: service, auth: who, hub: hub, cfg: cfg.withDefaults(),
		lobby: newLobby(), stop: make(chan struct{}),
	}
	g.life, g.end = context.WithCancel(context.Background())
	hub.observe(g.cfg.Observer)
	hub.presences.offlineAfter, hub.presences.awayAfter, hub.presences.now = g.cfg.OfflineAfter, g.cfg.AwayAfter, g.cfg.Now
	g.reads = reads{every: g.cfg.ReadsEvery, tell: g.tellReads}
	namespace.Use(g.connect)
	namespace.OnConnect(g.connected)
	namespace.OnDisconnect(g.disconnected)
	g.register()
	if g.cfg.Bus != nil {
		g.joinNodes(g.cfg.Bus)
		g.partings.Go(g.attend)
	}
	g.partings.Go(g.digest)
	return g
}

// Close stops what runs by itself. Sockets are the server's to close.
func (g *Gateway) Close() {
	close(g.stop)
	g.closing.Lock()
	g.end()
	g.closing.Unlock()
	g.partings.Wait()
	g.reads.close()
	g.hub.presences.close()
}

func (c Config) withDefaults() Config {
	if c.Own == nil {
		c.Own = func(Page) bool { return false }
	}
	if c.DigestEvery == 0 {
		c.DigestEvery = 20 * time.Second
	}
	if c.OfflineAfter == 0 {
		c.OfflineAfter = offlineAfter
	}
	if c.AwayAfter == 0 {
		c.AwayAfter = awayAfter
	}
	if c.ReadsEvery == 0 {
		c.ReadsEvery = readsEvery
	}
	if c.Observer == nil {
		c.Observer = nobody{}
	}
	if c.Now == nil {
		c.Now = time.Now
	}
	if c.Logger == nil {
		c.Logger = slog.New(slog.DiscardHandler)
	}
	return c
}

type nobody struct{}

func (nobody) Requested(string, string, time.Duration) {}
func (nobody) Pushed(string)                           {}

// register is the list of what clients may ask.
func (g *Gateway) register() {
	handle[helloIn, helloOut](g, "hello", g.hello)
	handle[joinRoomIn, joinRoomOut](g, "joinRoom", g.joinRoom, reflect.TypeFor[pendingOut]())
	answer(g, "history", g.history)
	answer(g, "sync", g.sync)
	answer(g, "readUpTo", g.readUpTo)
	answer(g, "readBy", g.readBy)
	answer(g, "reads", g.readsOf)
	answer(g, "updateMembership", g.updateMembership)
	answer(g, "presence", g.presence)
	answer(g, "search", g.search)
	answer(g, "groupFiles", g.groupFiles)
	handle[groupIn, any](g, "typing", g.typing)

	handle[sendMessageIn, chat.Sent](g, "sendMessage", g.sendMessage)
	answer(g, "editMessage", g.editMessage)
	answer(g, "recallMessage", g.recallMessage)
	answer(g, "react", g.react)
	answer(g, "pin", g.pin)
	answer(g, "pins", g.pins)
	answer(g, "removePreview", g.removePreview)
	answer(g, "forward", g.forward)

	answer(g, "getUser", g.getUser)
	answer(g, "getGroup", g.getGroup)
	answer(g, "groups", g.groups)
	answer(g, "createGroup", g.createGroup)
	answer(g, "updateGroup", g.updateGroup)
	answer(g, "leaveGroup", g.leaveGroup)
	answer(g, "dissolveGroup", g.dissolveGroup)
	answer(g, "members", g.members)
	answer(g, "addMembers", g.addMembers)
	answer(g, "setRole", g.setRole)
	answer(g, "mute", g.mute)
	answer(g, "kick", g.kick)
	answer(g, "ban", g.ban)
	answer(g, "unban", g.unban)
	answer(g, "bans", g.bans)
	answer(g, "invite", g.invite)
	answer(g, "invites", g.invites)
	answer(g, "revokeInvite", g.revokeInvite)
	handle[tokenIn, chat.Invitation](g, "inviteInfo", g.inviteInfo)
	handle[joinByInviteIn, joinRoomOut](g, "joinByInvite", g.joinByInvite, reflect.TypeFor[pendingOut]())
	answer(g, "joinRequests", g.joinRequests)
	answer(g, "approve", g.approve)
	answer(g, "announcement", g.announcement)
	answer(g, "readAnnouncement", g.readAnnouncement)
	answer(g, "audit", g.audit)
	answer(g, "openDirect", g.openDirect)
	answer(g, "block", g.block)
	answer(g, "updateMe", g.updateMe)
	answer(g, "visible", g.visible)

	answer(g, "webhooks", g.webhooks)
	answer(g, "createWebhook", g.createWebhook)
	answer(g, "updateWebhook", g.updateWebhook)
	answer(g, "rotateWebhook", g.rotateWebhook)
	answer(g, "deleteWebhook", g.deleteWebhook)
	answer(g, "testWebhook", g.testWebhook)
	answer(g, "report", g.report)
	answer(g, "reports", g.reports)
	answer(g, "resolveReports", g.resolveReports)
	answer(g, "pushKey", g.pushKey)
	answer(g, "subscribePush", g.subscribePush)
	answer(g, "unsubscribePush", g.unsubscribePush)

	g.refuseOthers()
}
