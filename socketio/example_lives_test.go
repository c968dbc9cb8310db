package socketio_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"

	"qun/engineio"
	"qun/socketio"
)

// Who is there, and why somebody went.
func ExampleNamespace_OnDisconnect() {
	server := socketio.New(socketio.Config{})
	chat := server.Of("/")
	chat.OnConnect(func(_ context.Context, s *socketio.Socket) {
		_ = s.Join("lobby")
	})
	chat.OnDisconnect(func(s *socketio.Socket, reason error) {
		fmt.Println(socketio.Reason(reason), s.Rooms()[1:], errors.Is(reason, engineio.ErrTransportClose))
	})

	client := visit(server, "/")
	client.emits("1") // leaves the namespace
	visit(server, "/")
	shutdown(server) // in which the other closes its connection
	// Output:
	// client namespace disconnect [lobby] false
	// transport close [lobby] true
}

// The others in a room hear of it, the one who says it does not.
func ExampleSocket_To() {
	server := socketio.New(socketio.Config{})
	defer shutdown(server)
	chat := server.Of("/")
	chat.OnConnect(func(_ context.Context, s *socketio.Socket) { _ = s.Join("tea") })
	socketio.On(chat, "typing", func(_ context.Context, s *socketio.Socket, _ struct{}) (struct{}, error) {
		return struct{}{}, s.To("tea").Volatile().Emit("typing", s.Auth())
	})

	visit(server, `/,{"name":"alice"}`)
	bob := visit(server, `/,{"name":"bob"}`)
	bob.emits(`20["typing"]`)
	bob.hears()
	// Output: 30[]
}

// A client that has no business here any more is sent away, and stays away.
func ExampleSocket_Disconnect() {
	server := socketio.New(socketio.Config{})
	defer shutdown(server)
	client := visit(server, "/")
	s := server.Of("/").Sockets()[0]
	s.Disconnect()
	client.hears()
	fmt.Println(s.Emit("news", "rain"))
	// Output:
	// 1
	// socket is disconnected
}

// The server asks one client, and gets a typed answer.
func ExampleAsk() {
	type choice struct{ Drink string }
	server := socketio.New(socketio.Config{})
	defer shutdown(server)
	client := visit(server, "/")

	chosen := make(chan string)
	go func() {
		c, err := socketio.Ask[choice](context.Background(), server.Of("/").Sockets()[0], "choose", []string{"tea", "coffee"})
		chosen <- fmt.Sprint(c.Drink, " ", err)
	}()
	client.hears()
	client.emits(`30[{"drink":"tea"}]`)
	fmt.Println(<-chosen)
	// Output:
	// 20["choose",["tea","coffee"]]
	// tea <nil>
}

// What a client may know of an error is an Error. Any other is logged, and kept from it.
func ExampleError() {
	server := socketio.New(socketio.Config{})
	defer shutdown(server)
	socketio.On(server.Of("/"), "pay", func(_ context.Context, _ *socketio.Socket, amount int) (struct{}, error) {
		if amount > 10 {
			return struct{}{}, &socketio.Error{Message: "too much", Data: map[string]int{"most": 10}}
		}
		return struct{}{}, errors.New("dial tcp 192.0.2.7:5432: connection refused")
	})

	client := visit(server, "/")
	client.emits(`20["pay",11]`)
	client.hears()
	client.emits(`21["pay",1]`)
	client.hears()
	// Output:
	// 30[{"error":{"message":"too much","data":{"most":10}}}]
	// 31[{"error":{"message":"internal error"}}]
}

// A function decides which namespaces there are, and for whom.
func ExampleServer_OfFunc() {
	server := socketio.New(socketio.Config{})
	defer shutdown(server)
	rooms := server.OfFunc(func(name string, auth json.RawMessage) bool {
		return strings.HasPrefix(name, "/room/") && len(auth) > 0
	})
	rooms.OnConnect(func(_ context.Context, s *socketio.Socket) {
		_ = s.Emit("welcome", s.Namespace().Name())
	})

	client := visit(server, "/room/1,")
	client.hears()
	client.emits(`0/room/1,{"name":"alice"}`)
	client.hears()
	// Output:
	// 4/room/1,{"message":"Invalid namespace"}
	// 2/room/1,["welcome","/room/1"]
}

// What leaves is seen too, broadcasts included.
func ExampleOnAnyOutgoing() {
	server := socketio.New(socketio.Config{})
	defer shutdown(server)
	socketio.OnAnyOutgoing(server.Of("/"), func(_ *socketio.Socket, event string, args socketio.Args) {
		fmt.Println("sent", event, string(args.JSON()))
	})
	client := visit(server, "/")
	_ = server.Of("/").Emit("news", "rain")
	client.hears()
	// Output:
	// sent news ["rain"]
	// 2["news","rain"]
}

// Events that nobody has a handler for.
func ExampleHandleOther() {
	server := socketio.New(socketio.Config{})
	defer shutdown(server)
	socketio.HandleOther(server.Of("/"), func(_ context.Context, _ *socketio.Socket, e *socketio.Event) {
		_ = e.Ack("unknown event " + e.Name)
	})
	client := visit(server, "/")
	client.emits(`20["helo"]`)
	client.hears()
	// Output: 30["unknown event helo"]
}

// Handlers end before the server does.
func ExampleServer_Shutdown() {
	server := socketio.New(socketio.Config{})
	server.Of("/").OnDisconnect(func(_ *socketio.Socket, reason error) { fmt.Println(reason) })
	visit(server, "/").leaves()
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	fmt.Println(server.Shutdown(ctx))
	// Output:
	// transport close
	// <nil>
}
