// Package socketio is a Socket.IO server (protocol version 5) for Go. Official clients of version 3 and 4 talk to it, over
// WebSocket and long polling; package engineio carries it.
//
//	server := socketio.New(socketio.Config{})
//	chat := server.Of("/")
//	socketio.On(chat, "say", func(ctx context.Context, s *socketio.Socket, in Line) (Receipt, error) {
//		…
//		return receipt, s.To("lobby").Emit("line", in)
//	})
//	http.Handle("/socket.io/", server)
//
// # The life of a socket
//
// A client opens a connection and asks to join a [Namespace], with credentials of its choice. The namespace's middlewares
// ([Namespace.Use]) look at them and let it in or refuse it. Who is let in is a [Socket] from then on: the client hears
// of it, then the handlers of [Namespace.OnConnect] run, then the events of the client are handled as they come, then,
// whoever ended it and why ever, those of [Namespace.OnDisconnect] run. A connection can join several namespaces.
//
// Handlers belong to a namespace and are shared by all of its sockets; a socket may have its own besides. [On] registers one
// with types: its argument is decoded once, its result or error is the ack. [Handle] registers one that sees the raw
// [Event] and acknowledges when it likes. [UseEvents] looks at events before they are handled, [OnAny] sees them all. The
// server asks back with [Socket.EmitWithAck] or, with a type, [Ask].
//
// Namespaces that are not known in advance form a [Family]: [Server.OfPattern] and [Server.OfFunc] make its namespaces as
// clients ask for them.
//
// Sockets join rooms, which need no more than a name. [Namespace.To] and [Socket.To] begin a [Broadcast] to rooms, to some
// minus others, or to everyone. A broadcast is encoded once, whatever its audience. It can emit, ask everybody at once
// ([Broadcast.EmitWithAck]), say who is meant ([Broadcast.FetchSockets]), or make them join, leave and go.
//
// JSON passes through: an event is validated (UTF-8, depth), split into its arguments, and kept as raw bytes. [Args]
// that are emitted again leave exactly as they came, attachments included. Binary values stand anywhere in what is emitted,
// as [Binary], and arrive as []byte.
//
// With [Recovery], a client whose connection broke takes up where it was: same id, same rooms, and the events that it missed.
//
// Several servers act as one through an [Adapter]; broadcasts, and acts like [Broadcast.Join], then reach the sockets of
// all. Rooms stay where their sockets are. [Namespace.ServerSideEmit] talks to the other servers themselves.
//
// # What a client can do
//
// Nothing that a client sends panics the server, waits for ever or makes it keep more than Config allows. A client that
// violates the protocol loses its connection, with all sockets on it; a client that does not take what is sent to it
// does as well. A panic in a handler costs the connection whose event it handled.
//
// # Concurrency
//
// All methods of all types may be called from any goroutine. The guarantees, in order:
//
//   - Handlers of one connection run one at a time: connect handlers, then one event after the other in the order in which
//     the client sent them, then disconnect handlers. Connect middlewares run beside them. Handlers of different
//     connections run in parallel.
//   - Emits, acks, broadcasts, joins, leaves and disconnects that one goroutine issues take effect for each socket in the
//     order in which they were issued. A broadcast that follows a Join reaches the socket, one that follows a Leave or a
//     Disconnect does not, and [Socket.Rooms] sees all of them.
//   - What is sent to a socket arrives in the order in which it took effect, or not at all: when the connection ends, what is
//     still queued is lost, unless the client comes back to it with Recovery: then it has every event that is kept once, in
//     order. Nothing comes before the answer that lets the client in, except what it missed, or after the one that sends it away.
//   - Emits and broadcasts never block. [Socket.Join] blocks only for an Adapter that has to be told; [Socket.Rooms],
//     [Socket.In], FetchSockets and whatever ends in WithAck wait for an answer.
//   - Functions of [OnAnyOutgoing] and [RoomHooks] run while something takes effect: they must not block.
//
// Less formally: write handlers as if there were one client, protect what handlers of several clients share, and start a
// goroutine for what takes long.
package socketio
