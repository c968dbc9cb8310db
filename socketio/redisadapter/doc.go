// Package redisadapter joins Socket.IO servers through Redis Pub/Sub: those of package socketio with one another, and with Node
// servers that use @socket.io/redis-adapter 8, and @socket.io/redis-emitter 5. Whatever one of them emits reaches the sockets of
// all.
//
//	redis, err := rueidis.ParseURL("redis://localhost:6379")
//	…
//	adapter, err := redisadapter.New(redisadapter.Config{Redis: redis})
//	…
//	server := socketio.New(socketio.Config{Adapter: adapter})
//	err = server.Open(ctx)
//
// Nothing changes for Node: createAdapter(pubClient, subClient) there is the mode [Classic] here, createShardedAdapter is
// [Sharded], or [ShardedStatic] with subscriptionMode "static". Its option "key" is Config.Prefix, and
// "publishOnSpecificResponseChannel" is Config.AnswerInPrivate. The mode "dynamic-private" and other parsers than MessagePack
// are not there.
//
// # What travels
//
// Broadcasts to rooms, to some minus others, or to all, with attachments, volatile, uncompressed, local to nobody; those that
// ask for acks; joins, leaves and disconnects of many sockets; the lists of sockets and of rooms; events for the servers
// themselves, with and without answers. A server subscribes to the rooms that have members on it, and to nothing else: what it
// need not hear does not reach it.
//
// The two sides differ in this:
//
//   - A room is a string here. Node applications may name one by a number: it is the room of that number's digits here, and
//     cannot be named from here.
//   - An ack, and the answer to an event for servers, is one value to Node. Of several, it hears the first.
//   - A Date becomes a string, as in JSON. In [Classic], a Buffer in an event for servers is what JSON.stringify
//     makes of it to Node, and bytes here.
//   - Handshakes tell other servers nothing of headers, cookies and credentials.
//   - In the sharded modes Node knows no question for the rooms of all servers: [socketio.Namespace.AllRooms] waits for it in vain.
//   - Arguments may nest 32 deep here, and one event has at most 1,024 of them.
//
// # What may be lost
//
// Redis Pub/Sub keeps nothing: what is published while a server is away from Redis does not reach it. The adapter connects
// again by itself, in pauses of up to three seconds, and subscribes to everything anew. Publish never waits: what there is no
// room for while Redis is away, or slow, is dropped, and counted in [Stats]. Sockets of the same server hear everything
// all the same. A question that others do not answer ends with its timeout.
//
// # Whom to trust
//
// Whoever can publish in Redis acts on the sockets of all servers. Give Redis a password, and let nobody near it. Where other
// programs share it, Config.Allow opens rooms to them, one by one, and Config.Secret spares servers that know it that question.
// Nothing that comes can panic a server, nest too deep or be kept without bound: what is malformed or too large is
// dropped and counted.
//
// # Concurrency
//
// All methods may be called from any goroutine. Commands of one server are delivered in the order in which it published
// them. That is why Redis Cluster is refused, whose nodes keep no order among one another: a single Redis is wanted, in all modes.
package redisadapter
