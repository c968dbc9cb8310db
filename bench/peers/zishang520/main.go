// Zishang520 is the peers' job on github.com/zishang520/socket.io, as its documentation shows it: defaults everywhere.
package main

import (
	"log"
	"net/http"
	"os"

	"github.com/zishang520/socket.io/servers/socket/v3"
)

func main() {
	io := socket.NewServer(nil, nil)
	io.On("connection", func(clients ...any) { serve(io, clients[0].(*socket.Socket)) })
	http.Handle("/socket.io/", io.ServeHandler(nil))
	log.Fatal(http.ListenAndServe(os.Args[1], nil))
}

func serve(io *socket.Server, client *socket.Socket) {
	client.On("joinRoom", func(args ...any) {
		client.Join(socket.Room(field(args[0], "roomName")))
		args[1].(socket.Ack)(nil, nil)
	})
	client.On("sendMessage", func(args ...any) {
		in := args[0]
		io.To(socket.Room(field(in, "room"))).Emit("message", map[string]any{
			"nickName": field(in, "nickName"), "message": field(in, "message"),
		})
	})
	client.On("echo", func(args ...any) { args[1].(socket.Ack)(args[:1], nil) })
}

func field(in any, name string) string {
	value, _ := in.(map[string]any)[name].(string)
	return value
}
