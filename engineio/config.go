package engineio

import (
	"log/slog"
	"net/http"
	"slices"
	"time"
)

// The names of the transports, as they stand in the query of a request.
const (
	Polling   = "polling"
	WebSocket = "websocket"
)

// Config holds the settings of a Server. The zero value is a good server: every field says what its zero means.
type Config struct {
	// PingInterval is the time from a pong (or the handshake) to the next ping. 0 means 25 s.
	PingInterval time.Duration
	// PingTimeout is how long a peer may take to answer a ping. 0 means 20 s.
	PingTimeout time.Duration
	// UpgradeTimeout is how long a probing WebSocket may take to become the session's transport. 0 means 10 s.
	UpgradeTimeout time.Duration

	// MaxPayload is the largest message, and the largest polling body, that a peer may send, in bytes. 0 means 1,000,000.
	MaxPayload int
	// MaxFragments is the largest number of WebSocket frames that may make one message. 0 means 1,024.
	MaxFragments int

	// Transports lists the transports that are offered. Empty means polling and WebSocket.
	Transports []string
	// DisableUpgrades keeps a session on the transport on which it was opened.
	DisableUpgrades bool

	// CheckOrigin decides whether a page may open a session, on either transport. Nil means: a request without an Origin
	// header (no browser), or from a page of the same host. Allowing any origin lets every web page that a user of
	// yours visits connect with that user's cookies; answer true for all only if cookies mean nothing to you.
	CheckOrigin func(*http.Request) bool
	// CORS lets pages of other origins read the answers of the polling transport. Nil means no such headers.
	CORS *CORS
	// Cookie is set by the answer to each handshake, with the session's id as its value and the other fields as they
	// are. The server does not read it: it is for load balancers that keep a client with one server. Nil sets none.
	Cookie *http.Cookie

	// Admit is asked about every handshake, after CheckOrigin. An error refuses it; a *Refusal says how. Release, if not
	// nil, is called once, when the session has ended or did not come to be. Admit may be called concurrently, and may
	// take its time. A panic in it, in CheckOrigin or in SetHeaders refuses that one request.
	Admit func(*http.Request) (release func(), err error)

	// KeepHeaders names the request headers that a Handshake keeps. Each costs memory for as long as the session lives.
	KeepHeaders []string
	// MaxHandshake is how much a session may keep of its handshake, URL and kept headers together, in bytes. A larger one is
	// refused with status 431. 0 means 16 KiB.
	MaxHandshake int
	// SetHeaders may add response headers to the answer of every request of a session, the 101 of a WebSocket included;
	// initial says that it is the handshake. It may be called concurrently.
	SetHeaders func(header http.Header, r *http.Request, initial bool)

	// DisableCompression keeps the bodies of polls uncompressed. Otherwise they are compressed for clients that accept gzip
	// or deflate. Over TLS, do not put a secret and what a stranger chose into messages that leave together: the
	// compressed size tells something of the secret.
	DisableCompression bool
	// PerMessageDeflate compresses messages on WebSockets (RFC 7692) for clients that offer it. No context is kept between
	// messages, so a broadcast is compressed once for everybody, and an idle connection costs no more.
	PerMessageDeflate bool
	// CompressionThreshold is the size, in bytes, from which on a poll or a message is compressed. 0 means 1,024.
	CompressionThreshold int

	// VolatileBytes and VolatilePackets are the fill of an outbox from which on volatile packets are dropped.
	// 0 means 256 KiB and 1,024.
	VolatileBytes, VolatilePackets int
	// OutboxBytes is the fill at which a session is closed as a slow consumer. 0 means 1 MiB. An empty outbox takes any one packet.
	OutboxBytes int
	// OutboxAge is how long a peer has for all that waits for it at one moment, before it is closed as a slow consumer; looked
	// at in steps of OutboxAge, so a packet may get twice as old. 0 means 30 s.
	OutboxAge time.Duration
	// MemoryBytes bounds what all outboxes together keep for slow peers, each shared packet counted once; beyond it the
	// slowest sessions are closed. 0 means 256 MiB.
	MemoryBytes int64

	// InputMessages and InputBytes bound what a session has received but not handled; when either is reached, reading from
	// that peer stops. 0 means 64 and the value of MaxPayload.
	InputMessages, InputBytes int

	// Observer hears what happens to sessions. If it is a RefusalObserver too, it hears more about refusals. Nil means
	// nobody does.
	Observer Observer
	// Logger gets what an operator should know. Nil discards it.
	Logger *slog.Logger

	parked bool // goroutines wait for sockets, as where there is no poller
}

// An Observer hears what happens to the sessions of a Server. It is called concurrently and must not block; a panic in it
// is logged. Counts that change with every packet are in Stats instead.
type Observer interface {
	// SessionOpened is called with the transport of the handshake.
	SessionOpened(transport string)
	// SessionClosed is called once for every opened session, with its last transport and the reason.
	SessionClosed(transport string, reason error)
	// Refused is called for every request that was refused, with one of the Refused codes.
	Refused(code RefusalCode)
}

// A RefusalObserver is an Observer that wants to know whose requests are refused, and why, in words, which are those for the
// peer if it is told any. Its method is called after Refused, while the request is being answered; the request must not be kept.
type RefusalObserver interface {
	RefusedRequest(r *http.Request, code RefusalCode, message string)
}

// withDefaults returns the configuration with every zero replaced by what it means.
func (c Config) withDefaults() Config {
	orDefault(&c.PingInterval, 25*time.Second)
	orDefault(&c.PingTimeout, 20*time.Second)
	orDefault(&c.UpgradeTimeout, 10*time.Second)
	orDefault(&c.MaxPayload, 1_000_000)
	orDefault(&c.MaxFragments, 1024)
	orDefault(&c.MaxHandshake, 16<<10)
	orDefault(&c.CompressionThreshold, 1024)
	orDefault(&c.VolatileBytes, 256<<10)
	orDefault(&c.VolatilePackets, 1024)
	orDefault(&c.OutboxBytes, 1<<20)
	orDefault(&c.OutboxAge, 30*time.Second)
	orDefault(&c.MemoryBytes, 256<<20)
	orDefault(&c.InputMessages, 64)
	orDefault(&c.InputBytes, c.MaxPayload)
	if len(c.Transports) == 0 {
		c.Transports = []string{Polling, WebSocket}
	}
	if c.CheckOrigin == nil {
		c.CheckOrigin = sameOrigin
	}
	if c.Observer == nil {
		c.Observer = nobody{}
	}
	if c.Logger == nil {
		c.Logger = slog.New(slog.DiscardHandler)
	}
	return c
}

func orDefault[T int | int64 | time.Duration](v *T, def T) {
	if *v == 0 {
		*v = def
	}
}

func (c *Config) offers(transport string) bool { return slices.Contains(c.Transports, transport) }

// sameOrigin admits requests that no page made, and those of pages of the same host.
func sameOrigin(r *http.Request) bool {
	origin := r.Header.Get("Origin")
	return origin == "" || sameHost(origin, r.Host)
}

type nobody struct{}

func (nobody) SessionOpened(string)        {}
func (nobody) SessionClosed(string, error) {}
func (nobody) Refused(RefusalCode)         {}
