package redisadapter

import (
	"errors"
	"log/slog"
	"slices"
	"strings"
	"time"

	"github.com/redis/rueidis"

	"qun/socketio"
)

// A Mode is one of the ways in which Node servers use Redis. All servers of a cluster must use the same.
type Mode uint8

const (
	// Classic is what createAdapter of @socket.io/redis-adapter does, and the only one that @socket.io/redis-emitter
	// knows: plain Pub/Sub, of any Redis.
	Classic Mode = iota
	// Sharded is what createShardedAdapter does: sharded Pub/Sub, of Redis 7, with a channel for each room
	// (subscriptionMode "dynamic").
	Sharded
	// ShardedStatic is Sharded without channels for rooms (subscriptionMode "static"): every server hears every broadcast.
	ShardedStatic
)

// Config says how servers are joined. Only Redis has to be set.
type Config struct {
	// Redis is where the servers meet: what rueidis.ParseURL makes of an address, or more. Without a Dialer.Timeout or a
	// ConnWriteTimeout, 5 seconds hold.
	Redis rueidis.ClientOption
	// Mode must be that of the other servers.
	Mode Mode
	// Prefix begins the names of all channels: option "key" of createAdapter, and "channelPrefix" of
	// createShardedAdapter. "" means "socket.io".
	Prefix string
	// AnswerInPrivate sends answers to the server that asked alone: option "publishOnSpecificResponseChannel" of
	// createAdapter. All others hear answers in either way. It spares servers what is not for them, if all are of
	// version 8 or later.
	AnswerInPrivate bool
	// BroadcastsOnly takes broadcasts from others and nothing else: sockets are not moved, disconnected or listed, no
	// question is answered, and servers that count each other do not count this one. Of Classic alone.
	BroadcastsOnly bool

	// Allow says where others may act: whoever can publish in Redis can emit to sockets, move, disconnect and list them, and
	// talk to the servers. It is asked with the namespace and each room that a command is meant for, or that sockets shall
	// join or leave; room "" is the namespace as a whole. What is not allowed is left out, or dropped. Nil allows everything.
	// Rooms limits by a list. It must be quick, and is called by one goroutine at a time.
	Allow func(namespace string, room socketio.Room) bool
	// Secret is known to the servers of this program alone. With it they sign what they publish, and Allow is not asked about
	// what is signed so. Others see no difference.
	Secret []byte

	// MaxMessage is the size of the largest message that is taken from others, in bytes. 0 means 16 MiB.
	MaxMessage int
	// MaxRooms is how many rooms a command of others may name. 0 means 10,000.
	MaxRooms int
	// MaxAttachments is how many attachments a message of others may have. 0 means 1,024.
	MaxAttachments int
	// MaxQueued is how many messages may wait to be sent, and how many that came may wait to be handled. 0 means 16,384.
	MaxQueued int
	// MaxQueuedBytes is the same in bytes. 0 means 64 MiB.
	MaxQueuedBytes int

	// Logger gets what an operator should know: that Redis cannot be reached, and that it can again; at debug level the
	// messages that were refused. Nil discards it.
	Logger *slog.Logger
}

// Rooms is an Allow that opens the listed rooms of a namespace, and the namespace as a whole if "" is among them.
func Rooms(namespace string, rooms ...socketio.Room) func(string, socketio.Room) bool {
	return func(n string, r socketio.Room) bool { return n == namespace && slices.Contains(rooms, r) }
}

var (
	errNoRedis   = errors.New(`redisadapter: Config.Redis has no address: set it to what rueidis.ParseURL("redis://…") returns`)
	errNoMode    = errors.New("redisadapter: Config.Mode is none of Classic, Sharded and ShardedStatic")
	errNoSharing = errors.New("redisadapter: Config.BroadcastsOnly goes with Classic alone")
	errBadPrefix = errors.New(`redisadapter: Config.Prefix must not contain "#"`)
)

// withDefaults returns the configuration with every zero replaced by what it means.
func (c Config) withDefaults() (Config, error) {
	orDefault(&c.Prefix, "socket.io")
	orDefault(&c.MaxMessage, 16<<20)
	orDefault(&c.MaxRooms, 10_000)
	orDefault(&c.MaxAttachments, 1024)
	orDefault(&c.MaxQueued, 16_384)
	orDefault(&c.MaxQueuedBytes, 64<<20)
	orDefault(&c.Redis.Dialer.Timeout, 5*time.Second)
	orDefault(&c.Redis.ConnWriteTimeout, 5*time.Second)
	c.Redis.PipelineMultiplex = -1 // one connection for all that is sent: it stays in order
	c.Redis.DisableCache = true
	c.Redis.DisableRetry = true
	if c.Logger == nil {
		c.Logger = slog.New(slog.DiscardHandler)
	}
	switch {
	case len(c.Redis.InitAddress) == 0:
		return c, errNoRedis
	case c.Mode > ShardedStatic:
		return c, errNoMode
	case c.BroadcastsOnly && c.Mode != Classic:
		return c, errNoSharing
	case strings.Contains(c.Prefix, "#"):
		return c, errBadPrefix
	}
	return c, nil
}

func orDefault[T comparable](v *T, def T) {
	var zero T
	if *v == zero {
		*v = def
	}
}
