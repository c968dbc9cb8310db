package main

import (
	"context"
	"encoding/json"
	"log/slog"
	"net/http"
	"time"

	"qun/engineio"
	"qun/socketio"
)

// clientMode is what the tests of socket.io-client talk to.
func clientMode(logger *slog.Logger) mounts {
	server := socketio.New(socketio.Config{
		Engine: engineio.Config{
			PingInterval: 2 * time.Second,
			CheckOrigin:  func(*http.Request) bool { return true },
			CORS:         &engineio.CORS{Origin: "*"},
			KeepHeaders:  []string{"Origin", "User-Agent", "Cookie", "Host"},
			Admit:        admitSlowly,
		},
		Recovery: &socketio.Recovery{},
		Logger:   logger,
	})
	root := server.Of("/")
	root.Use(func(_ context.Context, s *socketio.Socket) error {
		if s.Handshake().Query()["fail"] != "" {
			return &socketio.Error{Message: "Auth failed (main namespace)"}
		}
		return nil
	})
	handleClients(root)
	handleBuffers(root)
	socketio.On(server.Of("/foo"), "getId", getID)
	for _, name := range []string{"/timeout_socket", "/valid", "/asd"} {
		server.Of(name)
	}
	server.Of("/abc").OnConnect(func(_ context.Context, s *socketio.Socket) { s.Emit("handshake", s.Describe().Handshake) })
	server.Of("/no").Use(func(context.Context, *socketio.Socket) error {
		return &socketio.Error{Message: "Auth failed (custom namespace)"}
	})
	return mounts{"/socket.io/": server}
}

// admitSlowly gives clients time to lose their patience.
func admitSlowly(r *http.Request) (func(), error) { return nil, wait(r.Context(), 10*time.Millisecond) }

func getID(_ context.Context, s *socketio.Socket, _ none) (socketio.SocketID, error) {
	return s.ID(), nil
}

// date is the present moment as JavaScript writes it in JSON.
func date() string { return time.Now().UTC().Format("2006-01-02T15:04:05.000Z") }

// emits registers the event to be answered with another, or with the same event if that is "".
func emits(n *socketio.Namespace, event, answer string, args ...any) {
	if answer == "" {
		answer = event
	}
	socketio.Handle(n, event, func(_ context.Context, s *socketio.Socket, _ *socketio.Event) { s.Emit(answer, args...) })
}

func handleClients(n *socketio.Namespace) {
	emits(n, "hi", "")
	emits(n, "false", "", false)
	emits(n, "doge", "", socketio.Binary("asdfasdf"))
	emits(n, "getbin", "takebin", socketio.Binary("asdfasdf"))
	emits(n, "getDate", "takeDate", date())
	emits(n, "getDateObj", "takeDateObj", map[string]string{"date": date()})
	socketio.On(n, "getId", getID)
	socketio.On(n, "getAckDate", func(context.Context, *socketio.Socket, none) (string, error) { return date(), nil })
	socketio.On(n, "getHandshake", getHandshake)
	socketio.Handle(n, "echo", func(_ context.Context, _ *socketio.Socket, e *socketio.Event) { e.Ack(e.Args) })
	socketio.Handle(n, "getUtf8", func(_ context.Context, s *socketio.Socket, _ *socketio.Event) {
		for _, text := range []string{"てすと", "Я Б Г Д Ж Й", "Ä ä Ü ü ß", "utf8 — string", "utf8 — string"} {
			s.Emit("takeUtf8", text)
		}
	})
	socketio.Handle(n, "ack", func(_ context.Context, s *socketio.Socket, _ *socketio.Event) { go expectAck(s) })
}

// expectAck asks the client, and tells it if the answer was right.
func expectAck(s *socketio.Socket) {
	answer, err := s.EmitWithAck(context.Background(), "ack")
	if err != nil {
		return // some tests do not answer
	}
	var number int
	var object struct{ Test bool }
	if answer.Scan(&number, &object) == nil && number == 5 && object.Test {
		s.Emit("got it")
	}
}

func handleBuffers(n *socketio.Namespace) {
	socketio.Handle(n, "buffa", func(_ context.Context, s *socketio.Socket, e *socketio.Event) {
		if _, binary := e.Args.Binary(0); binary {
			s.Emit("buffack")
		}
	})
	socketio.Handle(n, "jsonbuff", func(_ context.Context, s *socketio.Socket, e *socketio.Event) {
		if isLetter(e.Args) {
			s.Emit("jsonbuff-ack")
		}
	})
	socketio.Handle(n, "abuff1", func(_ context.Context, s *socketio.Socket, e *socketio.Event) {
		_, binary := e.Args.Binary(0)
		s.SetValue(binary)
	})
	socketio.Handle(n, "abuff2", func(_ context.Context, s *socketio.Socket, _ *socketio.Event) {
		if binary, _ := s.Value().(bool); binary {
			s.Emit("abuff2-ack")
		}
	})
}

// isLetter says whether the argument is the object that the tests send, with the message in the middle binary.
func isLetter(args socketio.Args) bool {
	var fields map[string]json.RawMessage
	var letter struct {
		Hello, Goodbye string
		Message        socketio.Binary
	}
	if args.Decode(0, &letter) != nil || json.Unmarshal(args.Raw(0), &fields) != nil {
		return false
	}
	return letter.Hello == "lol" && letter.Goodbye == "gotcha" && len(letter.Message) > 0 && len(args.Attachments()) == 1 && len(fields) == 3
}
