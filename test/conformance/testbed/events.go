package main

import (
	"context"
	"encoding/json"
	"errors"
	"slices"
	"strings"
	"sync"
	"time"

	"qun/socketio"
)

type none = struct{}

// names are one name, or a list of them.
type names []socketio.Room

func (n *names) UnmarshalJSON(b []byte) error {
	var one socketio.Room
	if err := json.Unmarshal(b, &one); err == nil {
		*n = names{one}
		return nil
	}
	return json.Unmarshal(b, (*[]socketio.Room)(n))
}

type sending struct {
	Via           string
	Rooms, Except []socketio.Room
	Volatile      bool
	Text          string
}

// handle registers the handlers that most namespaces have.
func handle(n *socketio.Namespace) {
	handleMessages(n)
	handleRooms(n)
	handleQuestions(n)
	handleLeaving(n)
}

func handleMessages(n *socketio.Namespace) {
	socketio.Handle(n, "message", func(_ context.Context, s *socketio.Socket, e *socketio.Event) { s.Emit("message-back", e.Args) })
	socketio.Handle(n, "message-with-ack", func(_ context.Context, _ *socketio.Socket, e *socketio.Event) { e.Ack(e.Args) })
	socketio.Handle(n, "double-ack", func(_ context.Context, _ *socketio.Socket, e *socketio.Event) {
		e.Ack(1)
		e.Ack(2)
	})
	socketio.On(n, "bin", func(_ context.Context, s *socketio.Socket, _ none) (none, error) {
		return none{}, s.Emit("bin", struct {
			A socketio.Binary   `json:"a"`
			B []socketio.Binary `json:"b"`
		}{socketio.Binary{1, 2, 3}, []socketio.Binary{{4}}}, "x")
	})
	socketio.On(n, "big", func(_ context.Context, s *socketio.Socket, size int) (none, error) {
		return none{}, s.Emit("big", strings.Repeat("x", size))
	})
	socketio.On(n, "burst", func(_ context.Context, s *socketio.Socket, count int) (none, error) {
		for i := range count {
			s.Emit("seq", i)
		}
		return none{}, nil
	})
	socketio.Handle(n, "later", func(_ context.Context, s *socketio.Socket, e *socketio.Event) { later(e, s.Emit) })
	socketio.Handle(n, "later-volatile", func(_ context.Context, s *socketio.Socket, e *socketio.Event) { later(e, s.EmitVolatile) })
}

// later emits the second argument after as many milliseconds as the first says.
func later(e *socketio.Event, emit func(string, ...any) error) {
	var ms time.Duration
	var value json.RawMessage
	if e.Args.Scan(&ms, &value) == nil {
		time.AfterFunc(ms*time.Millisecond, func() { _ = emit("late", value) }) // the socket may have gone
	}
}

func handleRooms(n *socketio.Namespace) {
	socketio.On(n, "id", func(_ context.Context, s *socketio.Socket, _ none) (socketio.SocketID, error) { return s.ID(), nil })
	socketio.On(n, "join", func(_ context.Context, s *socketio.Socket, rooms names) ([]socketio.Room, error) {
		err := s.Join(rooms...)
		return rooms.of(s), err
	})
	socketio.On(n, "leave", func(_ context.Context, s *socketio.Socket, rooms names) ([]socketio.Room, error) {
		s.Leave(rooms...)
		return rooms.of(s), nil
	})
	socketio.On(n, "send", func(_ context.Context, s *socketio.Socket, in sending) (string, error) {
		b := n.To(in.Rooms...)
		if in.Via == "socket" {
			b = s.To(in.Rooms...)
		}
		if b = b.Except(in.Except...); in.Volatile {
			b = b.Volatile()
		}
		return "sent", b.Emit("room-msg", in.Text)
	})
	socketio.On(n, "members", func(ctx context.Context, _ *socketio.Socket, room socketio.Room) ([]socketio.SocketID, error) {
		sockets, err := n.To(room).FetchSockets(ctx)
		ids := make([]socketio.SocketID, 0, len(sockets))
		for _, s := range sockets {
			ids = append(ids, s.ID)
		}
		slices.Sort(ids)
		return ids, err
	})
	socketio.Handle(n, "all-join", func(_ context.Context, _ *socketio.Socket, e *socketio.Event) { move(e, n, socketio.Broadcast.Join) })
	socketio.Handle(n, "all-leave", func(_ context.Context, _ *socketio.Socket, e *socketio.Event) { move(e, n, socketio.Broadcast.Leave) })
	socketio.On(n, "all-disconnect", func(_ context.Context, _ *socketio.Socket, room socketio.Room) (none, error) {
		return none{}, n.To(room).Disconnect()
	})
}

// of are the rooms that the socket is in, sorted, without the one of its own id.
func (names) of(s *socketio.Socket) []socketio.Room {
	rooms := s.Rooms()[1:]
	slices.Sort(rooms)
	return rooms
}

// move does something to all sockets in the room of the first argument with that of the second.
func move(e *socketio.Event, n *socketio.Namespace, act func(socketio.Broadcast, ...socketio.Room) error) {
	var from, to socketio.Room
	if e.Args.Scan(&from, &to) == nil && act(n.To(from), to) == nil {
		e.Ack("ok")
	}
}

// handleQuestions registers what asks clients for acks. A handler must not wait for its own client, so each has a goroutine.
func handleQuestions(n *socketio.Namespace) {
	socketio.On(n, "ask", func(_ context.Context, s *socketio.Socket, _ none) (none, error) {
		go ask(context.Background(), s)
		return none{}, nil
	})
	socketio.On(n, "ask-timeout", func(_ context.Context, s *socketio.Socket, ms time.Duration) (none, error) {
		go func() {
			ctx, cancel := context.WithTimeout(context.Background(), ms*time.Millisecond)
			defer cancel()
			ask(ctx, s)
		}()
		return none{}, nil
	})
	socketio.Handle(n, "ask-room", func(_ context.Context, s *socketio.Socket, e *socketio.Event) {
		var room socketio.Room
		var ms time.Duration
		if e.Args.Scan(&room, &ms) == nil {
			go askRoom(n.To(room).Timeout(ms*time.Millisecond), s)
		}
	})
}

// askRoom asks many, and tells the socket what they answered.
func askRoom(room socketio.Broadcast, s *socketio.Socket) {
	answers, err := room.EmitWithAck(context.Background(), "need-ack", 1)
	values := make([]json.RawMessage, 0, len(answers))
	for _, a := range answers {
		values = append(values, a.Raw(0)) // all that a broadcast keeps of an answer, as in Node
	}
	if err != nil {
		s.Emit("room-acks-timeout", values)
		return
	}
	s.Emit("room-acks", values)
}

func ask(ctx context.Context, s *socketio.Socket) {
	switch answer, err := s.EmitWithAck(ctx, "need-ack", 1); {
	case err == nil:
		s.Emit("got-ack", answer)
	case errors.Is(err, context.DeadlineExceeded):
		s.Emit("got-ack", "timeout")
	}
}

// handleLeaving registers what ends sockets, and tells how sockets ended.
func handleLeaving(n *socketio.Namespace) {
	var reasons sync.Map // socketio.SocketID → string
	n.OnDisconnect(func(s *socketio.Socket, reason error) { reasons.Store(s.ID(), socketio.Reason(reason)) })
	socketio.On(n, "reason", func(_ context.Context, _ *socketio.Socket, id socketio.SocketID) (any, error) {
		reason, _ := reasons.Load(id)
		return reason, nil
	})
	socketio.Handle(n, "kick", func(_ context.Context, s *socketio.Socket, _ *socketio.Event) { s.Disconnect() })
	socketio.Handle(n, "kick-close", func(_ context.Context, s *socketio.Socket, _ *socketio.Event) { s.DisconnectAll() })
	socketio.On(n, "handshake", getHandshake)
}

func getHandshake(_ context.Context, s *socketio.Socket, _ none) (socketio.RemoteHandshake, error) {
	return s.Describe().Handshake, nil
}

// auth are the socket's credentials, which may be none.
func auth(s *socketio.Socket) json.RawMessage {
	if a := s.Auth(); a != nil {
		return a
	}
	return json.RawMessage("{}")
}

// credential is one of the credentials, or "".
func credential(s *socketio.Socket, name string) string {
	var credentials map[string]any
	_ = json.Unmarshal(auth(s), &credentials) // it is an object
	value, _ := credentials[name].(string)
	return value
}
