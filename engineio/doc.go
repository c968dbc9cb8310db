// Package engineio serves version 4 of the Engine.IO protocol: sessions with peers that exchange messages, text or
// binary, over HTTP polling, over a WebSocket, or over the one first and then the other.
//
// # The life of a session
//
// A session begins with a handshake, on either transport: the Server asks Config.CheckOrigin and Config.Admit, makes
// the Session, and calls Handler.OnOpen. Messages of the peer arrive in Handler.OnMessage; what the server has to say
// goes through Session.Send, or, to many at once, through an Entry on each Shard.
//
// A session that began with polling may move to a WebSocket: the new connection probes, is answered, and takes over
// with everything that is still queued. Nothing is lost or doubled, and the order holds.
//
// Every PingInterval the server pings. A peer that does not answer within PingTimeout is closed with ErrPingTimeout;
// one that at least said something else meanwhile is given that time once more.
//
// What a peer does not take waits in its outbox, which is bounded in bytes and in age. A peer that lets it run over is
// closed with ErrSlowConsumer; nobody else waits for it. Volatile packets are not queued for a peer that is behind.
// What the Handler does not take waits too, up to Config.InputMessages; then reading from that peer stops.
//
// A session ends once, with a reason: the peer left, the transport broke, a limit was crossed, or somebody called
// Session.Close or Server.Shutdown. A peer that may still listen is told, after what was sent to it before, and is given
// a few seconds to hear it. Handler.OnClose is the last call, and Admit's release follows when the connection is gone too.
//
// # Concurrency
//
// Every method may be called from any goroutine, except Shard.Send, which belongs to Entries.
//
//   - For one session, the Handler is called one call at a time: OnOpen first, OnMessage in the order in which the peer
//     sent, across a change of transport too, OnClose last and once. Calls for different sessions run at the same time.
//   - A call may block. Then its own session waits, and nothing else: pings are answered, other sessions go on.
//   - Send, SendVolatile, Close and Post never block. What one goroutine issues to a session, or to the Entries of its
//     shard, takes effect in that order. Packets of one Send stay together.
//   - An Entry runs on the turn of its shard: alone among all Entries of that shard, and so it must not block. What it sends
//     is written when the entries that wait have all been run, so packets for the same session share a write.
//   - A panic in a Handler call ends that session with ErrForcedClose. A panic in an Entry or an Observer is logged; one in a
//     hook of Config refuses the request for which it was asked. Nothing that Admit lent is lost by it.
//   - After Shutdown has returned nil, no goroutine of the server runs. Entries that are posted still run, on the
//     goroutine of who posts.
//
// Less formally: each shard is a queue, and everything that happens to its sessions happens in that queue's order.
//
// # Compression
//
// Polls are compressed for clients that accept it, and messages on WebSockets, if Config.PerMessageDeflate says so, for
// clients that offer it. A Packet is compressed once, when the first session needs it, for all; no context is kept
// from one message to the next, so compression costs an idle session nothing. What a peer sends compressed may not
// become larger than Config.MaxPayload, and is not decompressed any further.
//
// # Connections
//
// A socket of the operating system is read when it has something, without a buffer or a timer while it is idle, and is
// written without waiting. On Linux no goroutine waits for it either. Any other net.Conn, TLS and net.Pipe included, costs a
// buffer, and a goroutine while something is being written. When many sessions have come or gone, the process gives back to
// the system what that left.
//
// A peer has 30 seconds to send a body, and as many to take an answer, whatever the http.Server in front allows. What comes
// before, it alone can see: give it a ReadHeaderTimeout and an IdleTimeout. Its ReadTimeout and WriteTimeout do no harm.
package engineio
