package load

import (
	"bytes"
	"fmt"
)

// A Dialect is how a kind of server is spoken to. All texts are payloads of WebSocket text frames.
type Dialect struct {
	// Path is what the WebSocket handshake asks for.
	Path string
	// First is said right after the WebSocket handshake; nil lets the server speak first.
	First []byte
	// Greet takes a text that arrived before the connection stood. It returns what is to be answered, and whether the
	// connection stands now.
	Greet func(text, credential []byte) (answer []byte, done bool, err error)
	// Kind tells what a text is that arrived afterwards.
	Kind func(text []byte) Kind
	// Pong answers a text of kind Ping.
	Pong []byte

	// Join, Send and Echo are the requests; id is unique on the connection. Send need not be answered.
	Join func(id int, room, nick string) []byte
	Send func(id int, room, nick, message string) []byte
	Echo func(id int) []byte
}

// Kind is what a text is.
type Kind byte

const (
	Other    Kind = iota
	Delivery      // may hold deliveries
	Answer        // to a request
	Refusal       // of a request, or of the connection
	Ping
)

// SocketIO is Socket.IO 5 over Engine.IO 4, with the events of a small group chat.
var SocketIO = &Dialect{
	Path:  "/socket.io/?EIO=4&transport=websocket",
	Greet: greetSocketIO,
	Kind:  kindSocketIO,
	Pong:  []byte("3"),
	Join: func(id int, room, nick string) []byte {
		return fmt.Appendf(nil, `42%d["joinRoom",{"roomName":%q,"nickName":%q}]`, id, room, nick)
	},
	Send: func(_ int, room, nick, message string) []byte {
		return fmt.Appendf(nil, `42["sendMessage",{"room":%q,"nickName":%q,"message":%q}]`, room, nick, message)
	},
	Echo: func(id int) []byte {
		return fmt.Appendf(nil, `42%d["echo",{"message":%q}]`, id, blankText()[1:])
	},
}

// Acknowledged is d with every send asking for an acknowledgement.
func (d *Dialect) Acknowledged() *Dialect {
	acked := *d
	acked.Send = func(id int, room, nick, message string) []byte {
		return fmt.Appendf(nil, `42%d["sendMessage",{"room":%q,"nickName":%q,"message":%q}]`, id, room, nick, message)
	}
	return &acked
}

func greetSocketIO(text, credential []byte) ([]byte, bool, error) {
	switch {
	case bytes.HasPrefix(text, []byte("0")):
		return append([]byte("40"), credential...), false, nil
	case bytes.HasPrefix(text, []byte("40")):
		return nil, true, nil
	case bytes.HasPrefix(text, []byte("2")):
		return []byte("3"), false, nil
	}
	return nil, false, fmt.Errorf("connection refused: %s", text)
}

func kindSocketIO(text []byte) Kind {
	switch {
	case len(text) == 1 && text[0] == '2':
		return Ping
	case len(text) < 2 || text[0] != '4':
		return Other
	}
	switch text[1] {
	case '2':
		return Delivery
	case '3':
		if bytes.Contains(text[:min(len(text), 64)], []byte(`"error"`)) {
			return Refusal
		}
		return Answer
	case '4':
		return Refusal
	}
	return Other
}

// Centrifuge is the JSON protocol of Centrifugo's library. Requests are always answered in it, so each message costs the
// sender an answer beside its own copy.
var Centrifuge = &Dialect{
	Path:  "/connection/websocket",
	First: []byte(`{"id":1,"connect":{}}`),
	Greet: func(text, _ []byte) ([]byte, bool, error) {
		if !bytes.Contains(text, []byte(`"connect":{`)) {
			return nil, false, fmt.Errorf("connection refused: %s", text)
		}
		return nil, true, nil
	},
	Kind: kindCentrifuge,
	Pong: []byte(`{}`),
	Join: func(id int, room, _ string) []byte {
		return fmt.Appendf(nil, `{"id":%d,"subscribe":{"channel":%q}}`, id+2, room)
	},
	Send: func(id int, room, nick, message string) []byte {
		return fmt.Appendf(nil, `{"id":%d,"publish":{"channel":%q,"data":{"nickName":%q,"message":%q}}}`, id+2, room, nick, message)
	},
	Echo: func(id int) []byte {
		return fmt.Appendf(nil, `{"id":%d,"rpc":{"method":"echo","data":{"message":%q}}}`, id+2, blankText()[1:])
	},
}

// kindCentrifuge looks at a whole frame, which may hold several lines: deliveries and answers together count as deliveries.
func kindCentrifuge(text []byte) Kind {
	switch {
	case len(text) == 2:
		return Ping
	case bytes.Contains(text, deliveryMark):
		return Delivery
	case bytes.Contains(text, []byte(`"error":{`)), bytes.Contains(text, []byte(`"disconnect":{`)):
		return Refusal
	case bytes.HasPrefix(text, []byte(`{"id":`)):
		return Answer
	}
	return Other
}
