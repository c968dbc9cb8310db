package socketio

import (
	"errors"
	"fmt"

	"qun/engineio"
)

// Why a socket was disconnected, beside the reasons of package engineio (ErrTransportClose, ErrPingTimeout,
// ErrForcedClose …). OnDisconnect handlers test for them with errors.Is; Reason gives the text that Socket.IO
// applications know.
var (
	// ErrServerDisconnect: Socket.Disconnect or DisconnectAll was called, or a Broadcast did so.
	ErrServerDisconnect = errors.New("server namespace disconnect")
	// ErrClientDisconnect: the client left the namespace.
	ErrClientDisconnect = errors.New("client namespace disconnect")
)

// What calls of this package return besides errors about the values handed to them.
var (
	// ErrDisconnected: the socket is not, or no longer, connected to its namespace.
	ErrDisconnected = errors.New("socket is disconnected")
	// ErrReservedEvent: events named connect, connect_error, disconnect, disconnecting, newListener and removeListener
	// belong to the protocol.
	ErrReservedEvent = errors.New("event name is reserved")
	// ErrTooManyAttachments: the values hold more Binary than Config.MaxAttachments; a client would drop the connection.
	ErrTooManyAttachments = errors.New("too many binary attachments")
	// ErrTooManyAcks: the socket has Config.MaxPendingAcks events without an answer.
	ErrTooManyAcks = errors.New("too many acks are pending")
	// ErrTooManyRooms: the socket would be in more than Config.MaxRooms rooms.
	ErrTooManyRooms = errors.New("too many rooms")
	// ErrRoomName: the room's name is empty, or longer than 1,024 bytes.
	ErrRoomName = errors.New("room name is empty or too long")
	// ErrAckSent: the event was acknowledged before.
	ErrAckSent = errors.New("ack was already sent")
	// ErrWaitInHandler: a handler waits for its own connection, whose next packet is read only when the handler has
	// returned. Wait in a goroutine of your own.
	ErrWaitInHandler = errors.New("a handler cannot wait for an ack of its own connection")
)

// An Error is a refusal that the client may see. Returned by a connect middleware it becomes the CONNECT_ERROR packet
// {"message": …, "data": …}; returned by a typed handler (see On) it becomes the ack {"error": {"message": …, "data": …}}.
// Any other error is logged, and the client reads "internal error".
type Error struct {
	Message string `json:"message"`
	Data    any    `json:"data,omitempty"` // left out if nil
}

func (e *Error) Error() string { return e.Message }

// errInternal is what a client sees of an error that is not an *Error.
var errInternal = &Error{Message: "internal error"}

// errArgument is what a client sees when a typed handler cannot decode its argument.
var errArgument = &Error{Message: "invalid argument"}

// visible returns what the client may see of err, and whether that is all of it.
func visible(err error) (shown *Error, all bool) {
	if errors.As(err, &shown) {
		return shown, true
	}
	return errInternal, false
}

// reasons are the texts by which applications, logs and metrics know why a socket was disconnected.
var reasons = []error{
	ErrServerDisconnect, ErrClientDisconnect,
	engineio.ErrTransportClose, engineio.ErrTransportError, engineio.ErrPingTimeout, engineio.ErrParse,
	engineio.ErrForcedClose, engineio.ErrForcedServerClose, engineio.ErrServerShutdown, engineio.ErrSlowConsumer,
}

// Reason returns the text for why a socket was disconnected, without details: "transport close", "ping timeout" …
// There are few of them, so they can be counted. It returns err.Error() for a reason that the application made up.
func Reason(err error) string {
	for _, reason := range reasons {
		if errors.Is(err, reason) {
			return reason.Error()
		}
	}
	return err.Error()
}

// broken is the close reason for a peer that violates the protocol: always the whole connection.
func broken(what string) error { return fmt.Errorf("%w: %s", engineio.ErrForcedClose, what) }
