package engineio_test

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"

	"qun/engineio"
)

// An echoer sends every message back.
type echoer struct{}

func (echoer) OnOpen(*engineio.Session) {}

func (echoer) OnMessage(s *engineio.Session, m engineio.Message) {
	if m.Binary {
		s.Send(engineio.NewBinary(m.Data))
		return
	}
	s.Send(engineio.NewText(m.Data))
}

func (echoer) OnClose(_ *engineio.Session, reason error) { fmt.Println("closed:", reason) }

// A server is an http.Handler. Here a client of a few lines opens a session on polling, says something, and fetches
// the answer.
func Example() {
	server := engineio.NewServer(echoer{}, engineio.Config{})
	mux := http.NewServeMux()
	mux.Handle("/engine.io/", server)
	web := httptest.NewServer(mux)

	url := web.URL + "/engine.io/?EIO=4&transport=polling"
	opening := fetch(http.Get(url))
	_, sid, _ := strings.Cut(opening, `"sid":"`)
	url += "&sid=" + sid[:20]
	fmt.Println("post:", fetch(http.Post(url, "text/plain", strings.NewReader("4hello"))))
	fmt.Println("poll:", fetch(http.Get(url)))
	fetch(http.Post(url, "text/plain", strings.NewReader("1")))

	server.Shutdown(context.Background())
	web.Close()
	http.DefaultClient.CloseIdleConnections()
	// Output:
	// post: ok
	// poll: 4hello
	// closed: transport close
}

func fetch(r *http.Response, err error) string {
	if err != nil {
		return err.Error()
	}
	defer r.Body.Close()
	body, _ := io.ReadAll(r.Body)
	return string(body)
}

// A packet for many sessions is made once. An Entry on each shard sends it to that shard's share of them.
func ExampleShard_Post() {
	members := make(map[*engineio.Shard][]*engineio.Session) // a room, kept by shard
	greet := func(greeting string) {
		packet := engineio.NewText([]byte(greeting))
		for shard, sessions := range members {
			shard.Post(greetingEntry{packet, sessions})
		}
	}
	greet("hello, everybody")
}

type greetingEntry struct {
	packet   *engineio.Packet
	sessions []*engineio.Session
}

func (g greetingEntry) Run(shard *engineio.Shard) {
	for _, session := range g.sessions {
		shard.Send(session, false, g.packet)
	}
}
