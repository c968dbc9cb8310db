package socketio

// A Parser is a way to encode packets. Client and server must use the same.
type Parser uint8

const (
	// ParserDefault is text, with binary attachments beside it: what clients speak unless they are told otherwise.
	ParserDefault Parser = iota
	// ParserMsgpack is one binary message in MessagePack for each packet, as of socket.io-msgpack-parser. It is smaller where many numbers
	// or attachments are sent. Handlers see no difference: values are converted to JSON, binary values are attachments, and a
	// timestamp is a string.
	ParserMsgpack
)

// parse reads a message of a client into an empty packet, of which attachments may be missing yet.
func (p Parser) parse(into *packet, message []byte, maxAttachments int) error {
	if p == ParserMsgpack {
		return into.unpack(message, maxAttachments)
	}
	return into.parse(message, maxAttachments)
}
