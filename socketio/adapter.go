package socketio

import (
	"context"
	"time"
)

// An Adapter carries commands between the servers of a cluster. Rooms stay in the memory of each server: an adapter
// knows nothing of sockets.
//
// What an adapter owes: a command of one server reaches every other server that has the namespace at most once, and commands
// of one server arrive in the order in which it published them. An answer reaches the server in To alone. A
// server never hears its own commands. Delivery is as good as the network is: a command may be lost.
type Adapter interface {
	// Open joins the cluster as self and calls deliver for every command of another server: from one goroutine at a time,
	// in order. Deliver does not block, and a command must not be changed after it was handed over. Open is called once,
	// before any other method; ctx ends the attempt to join, not the membership.
	Open(ctx context.Context, self ServerID, deliver func(*Command)) error
	// Publish sends a command to the other servers. It never blocks: behind it is a bounded queue, and an error says that
	// the command was dropped, which the adapter counts. The command, and all it points to, must not be changed.
	Publish(*Command) error
	// Servers returns how many servers have the namespace at the moment, this one included: those that answer questions
	// about it.
	Servers(ctx context.Context, namespace string) (int, error)
	// Close leaves the cluster. When it has returned, deliver is not called any more. Closing again does nothing.
	Close() error
}

// Interest is an Adapter that wants to know which namespaces this server has, and which rooms have members on it, so that other
// commands need not travel to it. A socket's own id is a room without being watched: a command for it must reach
// every server that watches the namespace, as must one that joins, leaves, disconnects or asks. A namespace is watched from
// when it is made, or the server opened, until it is gone.
//
// For one namespace and room calls come one at a time, and every Watch has its Unwatch, unless the adapter is closed before;
// for different ones they may come concurrently.
type Interest interface {
	// Watch begins to take commands for the room, or for the namespace itself if the room is "". When it returns nil,
	// commands that other servers publish from then on arrive. Socket.Join waits for it, at most one second; ctx ends then.
	// An error says that this is not sure yet: the adapter goes on trying until Unwatch, and Watch may be called again to
	// wait once more.
	Watch(ctx context.Context, namespace string, room Room) error
	// Unwatch takes them no more. It is not waited for: it must not block for long.
	Unwatch(namespace string, room Room)
}

// ServerID names a server of a cluster: 20 random characters, made anew at each start.
type ServerID string

// Kind says what a Command asks for.
type Kind uint8

const (
	// KindBroadcast sends the event to the sockets of the target. With an ID it is a broadcast whose receivers answer, for
	// as long as Timeout: each server says with a KindCount how many they are, and passes on each answer as a KindAck.
	KindBroadcast Kind = iota + 1
	// KindJoin makes the sockets of the target join Joins.
	KindJoin
	// KindLeave makes the sockets of the target leave Joins.
	KindLeave
	// KindDisconnect disconnects the sockets of the target from the namespace, or, if All is set, their clients from all
	// namespaces, or closes their connections without a word if Close is.
	KindDisconnect
	// KindRequest asks every server the question named by Event: RequestSockets, or another of those below. Each answers with a
	// KindResponse, unless ID is empty.
	KindRequest
	// KindResponse answers a request: To is the server that asked, ID and Event are the request's, Args is the answer.
	KindResponse
	// KindAck is part of the answer to a broadcast with an ID: To is the server that published it, Args what one of the
	// sockets answered.
	KindAck
	// KindCount is the other part: Count is to how many sockets the server has sent the event.
	KindCount
)

// What a KindRequest may ask.
const (
	// RequestSockets asks for the sockets of the target. The answer is one argument, an array of RemoteSocket.
	RequestSockets = "sockets"
	// RequestIDs asks for the ids of the sockets of the target. The answer is one argument, an array of strings.
	RequestIDs = "ids"
	// RequestRooms asks for the rooms that have members. The answer is one argument, an array of strings.
	RequestRooms = "rooms"
	// RequestEvent is an event for the servers themselves, see Namespace.ServerSideEmit. Its arguments are the event's name,
	// then the event's arguments. The answer is what the handler acknowledges with.
	RequestEvent = "event"
)

func (k Kind) String() string {
	names := [...]string{"none", "broadcast", "join", "leave", "disconnect", "request", "response", "ack", "count"}
	if int(k) < len(names) {
		return names[k]
	}
	return "unknown"
}

// A Command is what servers of a cluster say to each other. It is plain data that an adapter encodes as it likes, and
// immutable once published.
type Command struct {
	Kind      Kind
	From      ServerID // the server that published it
	To        ServerID // KindResponse, KindAck, KindCount: the only server that shall have it
	Namespace string   // with its leading slash

	// The target: sockets in any of Rooms (all of the namespace if there are none), but not those in any of Except. A
	// socket's id is a room.
	Rooms, Except []Room

	Event    string // KindBroadcast: the event's name; KindRequest, KindResponse: what is asked
	Args     Args   // KindBroadcast, RequestEvent: the arguments; KindResponse, KindAck: the answer
	Volatile bool   // KindBroadcast: receivers that cannot take it at once miss it
	Raw      bool   // KindBroadcast: not to be compressed on its way to sockets
	Joins    []Room // KindJoin, KindLeave: the rooms to join or leave
	All      bool   // KindDisconnect: leave all namespaces, then close the connections
	Close    bool   // KindDisconnect: close the connections instead of leaving the namespace

	// ID ties responses and acks to what they answer. Those that a Server makes begin with its ServerID and a point: no two
	// servers make the same.
	ID      string
	Count   int           // KindCount: see there
	Timeout time.Duration // KindBroadcast with an ID: how long answers are waited for
}
