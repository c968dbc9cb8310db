package redisadapter_test

import (
	"context"
	"log"
	"net/http"

	"github.com/redis/rueidis"

	"qun/socketio"
	"qun/socketio/redisadapter"
)

// A server that shares its rooms with every other server that uses the same Redis, be it of Go or of Node.
func Example() {
	redis, err := rueidis.ParseURL("redis://localhost:6379")
	if err != nil {
		log.Fatal(err)
	}
	adapter, err := redisadapter.New(redisadapter.Config{Redis: redis})
	if err != nil {
		log.Fatal(err)
	}
	server := socketio.New(socketio.Config{Adapter: adapter})
	chat := server.Of("/")
	socketio.On(chat, "say", func(_ context.Context, _ *socketio.Socket, text string) (struct{}, error) {
		return struct{}{}, chat.To("lobby").Emit("line", text) // to the sockets of all servers
	})
	if err := server.Open(context.Background()); err != nil {
		log.Fatal(err)
	}
	http.Handle("/socket.io/", server)
	log.Fatal(http.ListenAndServe("localhost:3000", nil))
}

// Scripts that share Redis may emit to one room, and nothing else; the servers of this program trust one another.
func ExampleRooms() {
	_, _ = redisadapter.New(redisadapter.Config{
		Redis:  rueidis.ClientOption{InitAddress: []string{"localhost:6379"}},
		Allow:  redisadapter.Rooms("/", "announcements"),
		Secret: []byte("what only our servers know"),
	})
}
