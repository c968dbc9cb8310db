package socketio_test

import (
	"context"
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"time"

	"qun/socketio"
	"qun/socketio/adaptertest"
)

// One namespace for each document, made when its first reader comes.
func ExampleServer_OfPattern() {
	server := socketio.New(socketio.Config{})
	defer shutdown(server)
	documents := server.OfPattern(regexp.MustCompile(`/doc/\d+`))
	documents.OnConnect(func(_ context.Context, s *socketio.Socket) {
		_ = s.Emit("opened", s.Namespace().Name())
	})

	reader := visit(server, "/doc/7,")
	reader.hears()
	reader.emits(`0/doc/seven,`)
	reader.hears()
	// Output:
	// 2/doc/7,["opened","/doc/7"]
	// 4/doc/seven,{"message":"Invalid namespace"}
}

// What a client may do is checked in one place.
func ExampleUseEvents() {
	server := socketio.New(socketio.Config{})
	defer shutdown(server)
	chat := server.Of("/")
	socketio.UseEvents(chat, func(_ context.Context, s *socketio.Socket, e *socketio.Event) error {
		if strings.HasPrefix(e.Name, "admin:") && s.Value() != "admin" {
			return errors.New("not allowed")
		}
		return nil
	})
	socketio.OnError(chat, func(s *socketio.Socket, e *socketio.Event, err error) {
		_ = s.Emit("refused", e.Name, err.Error())
	})

	client := visit(server, "/")
	client.emits(`2["admin:close"]`)
	client.hears()
	// Output: 2["refused","admin:close","not allowed"]
}

// A catch-all handler sees every event.
func ExampleOnAny() {
	server := socketio.New(socketio.Config{})
	defer shutdown(server)
	socketio.OnAny(server.Of("/"), func(_ context.Context, _ *socketio.Socket, e *socketio.Event) {
		fmt.Println(e.Name, string(e.Args.JSON()))
	})

	client := visit(server, "/")
	client.emits(`2["hello","world"]`)
	// Output: hello ["world"]
}

// All sockets of a room are asked, and those who answer in time count.
func ExampleBroadcast_EmitWithAck() {
	server := socketio.New(socketio.Config{})
	defer shutdown(server)
	first, second := visit(server, "/"), visit(server, "/")

	voted := make(chan string)
	go func() {
		votes, err := socketio.AskAll[string](context.Background(), server.Of("/").To().Timeout(2*time.Second), "tea or coffee?")
		voted <- fmt.Sprint(votes, " ", errors.Is(err, context.DeadlineExceeded))
	}()
	first.hears()
	second.hears()
	first.emits(`30["tea"]`)
	fmt.Println(<-voted) // the second client does not answer
	// Output:
	// 20["tea or coffee?"]
	// 20["tea or coffee?"]
	// [tea] true
}

// Who is in a room, on all servers?
func ExampleBroadcast_FetchSockets() {
	var bus adaptertest.Bus
	one := socketio.New(socketio.Config{Adapter: bus.Adapter()})
	two := socketio.New(socketio.Config{Adapter: bus.Adapter()})
	defer shutdown(two)
	defer shutdown(one)
	_ = errors.Join(one.Open(context.Background()), two.Open(context.Background()))
	for name, server := range map[string]*socketio.Server{"alice": one, "bob": two} {
		visit(server, "/")
		s := server.Of("/").Sockets()[0]
		s.SetValue(name)
		_ = s.Join("lobby")
	}

	sockets, err := one.Of("/").To("lobby").FetchSockets(context.Background())
	var names []string
	for _, s := range sockets {
		names = append(names, string(s.Data))
	}
	slices.Sort(names)
	fmt.Println(names, err)
	// Output: ["alice" "bob"] <nil>
}

// Servers talk to each other.
func ExampleNamespace_ServerSideEmitWithAck() {
	var bus adaptertest.Bus
	one := socketio.New(socketio.Config{Adapter: bus.Adapter()})
	two := socketio.New(socketio.Config{Adapter: bus.Adapter()})
	defer shutdown(two)
	defer shutdown(one)
	_ = errors.Join(one.Open(context.Background()), two.Open(context.Background()))
	two.Of("/").OnServerEvent("sockets?", func(_ context.Context, e *socketio.ServerEvent) {
		_ = e.Ack(two.Of("/").Len())
	})

	answers, err := one.Of("/").ServerSideEmitWithAck(context.Background(), "sockets?")
	fmt.Println(string(answers[0].JSON()), err)
	// Output: [0] <nil>
}

// A client whose connection broke takes up where it was. The user is known by a token that may change.
func ExampleRecovery() {
	server := socketio.New(socketio.Config{Recovery: &socketio.Recovery{
		MaxDisconnection: time.Minute,
		Identity: func(s *socketio.Socket) string {
			return userOf(s.Auth()) // "" is nobody: everybody without a token
		},
	}})
	defer shutdown(server)
	server.Of("/").OnConnect(func(_ context.Context, s *socketio.Socket) {
		if !s.Recovered() {
			_ = s.Join("news")
		}
	})
}

func userOf(_ []byte) string { return "" }

// Presence: who is in which room, told as it changes.
func ExampleRoomHooks() {
	server := socketio.New(socketio.Config{})
	defer shutdown(server)
	chat := server.Of("/")
	chat.OnRooms(socketio.RoomHooks{
		Joined: func(room socketio.Room, id socketio.SocketID) {
			if room != socketio.Room(id) {
				_ = chat.To(room).Emit("joined", room)
			}
		},
	})
	socketio.On(chat, "join", func(_ context.Context, s *socketio.Socket, room socketio.Room) (struct{}, error) {
		return struct{}{}, s.Join(room)
	})

	client := visit(server, "/")
	client.emits(`2["join","tea"]`)
	client.hears()
	// Output: 2["joined","tea"]
}

// MessagePack instead of text: clients are made with socket.io-msgpack-parser, handlers are the same.
func ExampleParser() {
	server := socketio.New(socketio.Config{Parser: socketio.ParserMsgpack})
	defer shutdown(server)
	socketio.On(server.Of("/"), "add", func(_ context.Context, _ *socketio.Socket, numbers []float64) (float64, error) {
		sum := 0.0
		for _, n := range numbers {
			sum += n
		}
		return sum, nil
	})
}
