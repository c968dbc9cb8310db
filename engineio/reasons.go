package engineio

import "errors"

// Why a session ended, as Handler.OnClose is told. The text of each is the reason that Socket.IO applications
// know from other servers, so that it can be shown, logged and counted. An error that wraps it may say more: that a message
// was too large, for example.
var (
	// ErrTransportClose: the peer closed the connection, or said goodbye with a close packet.
	ErrTransportClose = errors.New("transport close")
	// ErrTransportError: the transport broke or was misused: a cut connection, overlapping polls, an oversize message.
	ErrTransportError = errors.New("transport error")
	// ErrPingTimeout: the peer did not answer a ping in time.
	ErrPingTimeout = errors.New("ping timeout")
	// ErrParse: the peer sent something that is no Engine.IO packet.
	ErrParse = errors.New("parse error")
	// ErrForcedClose: the layer above found the peer's messages broken.
	ErrForcedClose = errors.New("forced close")
	// ErrForcedServerClose: the layer above gave the session up, for example because the peer never joined a namespace.
	ErrForcedServerClose = errors.New("forced server close")
	// ErrServerShutdown: the server is going away.
	ErrServerShutdown = errors.New("server shutting down")
	// ErrSlowConsumer: the peer did not take what was sent to it, until its outbox was full or too old.
	ErrSlowConsumer = errors.New("slow consumer")
)

// ErrClosed is what sending to a session that has ended returns.
var ErrClosed = errors.New("session closed")
