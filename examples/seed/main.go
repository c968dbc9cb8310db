// Seed is the smallest group chat: rooms, nicknames, messages. A page that was written for a Node server with these
// events works on it unchanged: io('http://localhost:3000').
package main

import (
	"context"
	"flag"
	"log"
	"net/http"

	"qun/engineio"
	"qun/socketio"
)

type joinRoom struct{ RoomName, NickName string }

type sendMessage struct{ Room, NickName, Message string }

type message struct {
	NickName string `json:"nickName"`
	Message  string `json:"message"`
}

type none = struct{}

func main() {
	listen := flag.String("listen", "localhost:3000", "address to listen on")
	flag.Parse()

	server := socketio.New(socketio.Config{Engine: engineio.Config{
		CheckOrigin: func(*http.Request) bool { return true }, // there are no cookies to be abused: any page may connect
		CORS:        &engineio.CORS{Origin: "*"},
	}})
	chat := server.Of("/")

	socketio.On(chat, "joinRoom", func(_ context.Context, s *socketio.Socket, in joinRoom) (none, error) {
		if len(in.RoomName) > 256 {
			return none{}, &socketio.Error{Message: "choose a shorter room name"}
		}
		room := socketio.Room(in.RoomName)
		if err := s.Join(room); err != nil {
			return none{}, err
		}
		hello := in.NickName + " 加入了 " + in.RoomName + " 房间"
		return none{}, chat.To(room).Emit("message", message{in.NickName, hello})
	})
	socketio.On(chat, "sendMessage", func(_ context.Context, s *socketio.Socket, in sendMessage) (none, error) {
		room := socketio.Room(in.Room)
		if !s.In(room) {
			return none{}, &socketio.Error{Message: "join the room first"}
		}
		return none{}, chat.To(room).Emit("message", message{in.NickName, in.Message})
	})

	http.Handle("/socket.io/", server)
	log.Printf("listening on http://%s", *listen)
	log.Fatal(http.ListenAndServe(*listen, nil))
}
