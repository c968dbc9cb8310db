package engineio_test

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"time"

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

// A load balancer that keeps a client with one server goes by a cookie.
func ExampleDefaultCookie() {
	cookie := engineio.DefaultCookie()
	cookie.Secure = true
	server := engineio.NewServer(echoer{}, engineio.Config{Cookie: cookie})

	answer := httptest.NewRecorder()
	server.ServeHTTP(answer, httptest.NewRequest(http.MethodGet, "/engine.io/?EIO=4&transport=polling", nil))
	_, attributes, _ := strings.Cut(answer.Header().Get("Set-Cookie"), "; ")
	fmt.Println(attributes)
	server.Shutdown(context.Background())
	// Output:
	// Path=/; HttpOnly; Secure; SameSite=Lax
	// closed: server shutting down
}

// Handshakes beyond a limit are refused, and told when to come again. What Admit lends comes back when the session is over.
func ExampleRefusal() {
	places := make(chan struct{}, 1)
	server := engineio.NewServer(echoer{}, engineio.Config{Admit: func(*http.Request) (release func(), err error) {
		select {
		case places <- struct{}{}:
			return func() { <-places }, nil
		default:
			return nil, &engineio.Refusal{Status: http.StatusServiceUnavailable, Message: "full house", RetryAfter: time.Minute}
		}
	}})
	for range 2 {
		answer := httptest.NewRecorder()
		server.ServeHTTP(answer, httptest.NewRequest(http.MethodGet, "/engine.io/?EIO=4&transport=polling", nil))
		if answer.Code != http.StatusOK {
			fmt.Println(answer.Code, answer.Body, answer.Header().Get("Retry-After"))
		}
	}
	server.Shutdown(context.Background())
	// Output:
	// 503 {"code":4,"message":"full house"} 60
	// closed: server shutting down
}

// Pages of two origins may connect and read. Both have to be said: who may connect, and who may read.
func ExampleCORS() {
	friends := []string{"https://app.example.com", "https://admin.example.com"}
	server := engineio.NewServer(echoer{}, engineio.Config{
		CheckOrigin: func(r *http.Request) bool { return slices.Contains(friends, r.Header.Get("Origin")) },
		CORS:        &engineio.CORS{Origins: friends, Credentials: true, MaxAge: time.Hour},
	})
	preflight := httptest.NewRequest(http.MethodOptions, "/engine.io/", nil)
	preflight.Header.Set("Origin", "https://app.example.com")
	answer := httptest.NewRecorder()
	server.ServeHTTP(answer, preflight)
	fmt.Println(answer.Code, answer.Header().Get("Access-Control-Allow-Origin"))
	server.Shutdown(context.Background())
	// Output: 204 https://app.example.com
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
