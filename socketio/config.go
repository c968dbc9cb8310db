package socketio

import (
	"io/fs"
	"log/slog"
	"time"

	"qun/engineio"
)

// Config holds the settings of a Server. The zero value is a good server: every field says what its zero means.
type Config struct {
	// Engine is the configuration of the engine below: heartbeats, transports, origins, CORS, sizes.
	// Its Logger is taken from Logger below if it is nil.
	Engine engineio.Config

	// Client holds the official browser client: socket.io.js, socket.io.min.js, socket.io.msgpack.min.js,
	// socket.io.esm.min.js and a .map of each, as far as they are there. They are served beside the engine, the first at
	// /socket.io/socket.io.js. Nil serves none.
	Client fs.FS

	// Adapter joins this server to others, see Server.Open. Nil is a server of its own.
	Adapter Adapter

	// Parser is how packets are encoded. Clients must be made with the same.
	Parser Parser

	// Recovery lets clients whose connection broke take up again where they were. Nil does not: then a client that comes back
	// is a new one.
	Recovery *Recovery

	// ConnectTimeout is how long a client may stay without having joined a namespace. 0 means 45 s.
	ConnectTimeout time.Duration
	// HandlerTimeout is the deadline in the context of every handler and of each connect middleware chain. A client whose
	// middlewares are not done by then is refused; a handler is expected to heed its context. 0 means 30 s.
	HandlerTimeout time.Duration
	// AckTimeout is how long EmitWithAck, of a Socket or a Broadcast, waits if its context has no deadline. 0 means 30 s.
	AckTimeout time.Duration
	// ClusterTimeout is how long other servers may take to answer FetchSockets and ServerSideEmitWithAck, if the context
	// has no deadline. 0 means 5 s.
	ClusterTimeout time.Duration
	// AttachmentTimeout is how long a client may take to send all binary attachments of a packet. 0 means 30 s.
	AttachmentTimeout time.Duration

	// MaxAttachments is the largest number of binary attachments of a packet, in either direction. 0 means 10, which is
	// what official clients accept.
	MaxAttachments int
	// MaxAttachmentBytes is the largest size of all attachments of a packet from a client. 0 means four times
	// Engine.MaxPayload.
	MaxAttachmentBytes int
	// MaxAuthBytes is the largest size of the credentials of a client, which are kept with its socket. 0 means 16 KiB.
	MaxAuthBytes int
	// MaxNamespaces is how many namespaces one connection may join. 0 means 32.
	MaxNamespaces int
	// MaxDynamicNamespaces is how many namespaces of families there may be at a time. 0 means 10,000.
	MaxDynamicNamespaces int
	// KeepEmptyNamespaces keeps the namespaces of families when their last socket has gone. Then clients can fill
	// MaxDynamicNamespaces for good, if the families let them.
	KeepEmptyNamespaces bool
	// MaxRooms is how many rooms one socket may be in, its own id not counted. 0 means 10,000.
	MaxRooms int
	// MaxPendingAcks is how many unanswered EmitWithAck, broadcast ones included, one socket may have. 0 means 1,024.
	MaxPendingAcks int
	// MaxConnecting is how many connect middleware chains run at the same time; further clients wait for their turn,
	// no longer than HandlerTimeout. 0 means 1,024.
	MaxConnecting int

	// Logger gets what an operator should know: panics, internal errors, at debug level the packets that were refused.
	// Nil discards it.
	Logger *slog.Logger
}

// withDefaults returns the configuration with every zero replaced by what it means.
func (c Config) withDefaults() Config {
	orDefault(&c.ConnectTimeout, 45*time.Second)
	orDefault(&c.HandlerTimeout, 30*time.Second)
	orDefault(&c.AckTimeout, 30*time.Second)
	orDefault(&c.AttachmentTimeout, 30*time.Second)
	orDefault(&c.MaxAttachments, 10)
	orDefault(&c.MaxAttachmentBytes, 4*max(c.Engine.MaxPayload, 1_000_000))
	orDefault(&c.MaxAuthBytes, 16<<10)
	orDefault(&c.MaxNamespaces, 32)
	orDefault(&c.MaxDynamicNamespaces, 10_000)
	orDefault(&c.ClusterTimeout, 5*time.Second)
	if c.Recovery != nil {
		c.Recovery = c.Recovery.withDefaults()
	}
	orDefault(&c.MaxRooms, 10_000)
	orDefault(&c.MaxPendingAcks, 1024)
	orDefault(&c.MaxConnecting, 1024)
	if c.Logger == nil {
		c.Logger = slog.New(slog.DiscardHandler)
	}
	if c.Engine.Logger == nil {
		c.Engine.Logger = c.Logger
	}
	return c
}

func orDefault[T int | time.Duration](v *T, def T) {
	if *v == 0 {
		*v = def
	}
}
