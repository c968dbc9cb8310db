package engineio_test

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
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

	answer := ask(server, http.MethodGet, "/engine.io/?EIO=4&transport=polling", "")
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
		answer := ask(server, http.MethodGet, "/engine.io/?EIO=4&transport=polling", "")
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
	room := &room{members: make(map[*engineio.Shard][]*engineio.Session)}
	server := engineio.NewServer(room, engineio.Config{})
	room.missing.Add(3)
	urls := []string{visit(server), visit(server), visit(server)}
	room.missing.Wait()
	room.say("hello, everybody")
	for _, url := range urls {
		fmt.Println(ask(server, http.MethodGet, url, "").Body)
		ask(server, http.MethodPost, url, "1")
	}
	server.Shutdown(context.Background())
	// Output:
	// 4hello, everybody
	// 4hello, everybody
	// 4hello, everybody
}

// A room keeps its members by shard.
type room struct {
	missing sync.WaitGroup // those who are expected

	mu      sync.Mutex // guards members
	members map[*engineio.Shard][]*engineio.Session
}

func (r *room) OnOpen(s *engineio.Session) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.members[s.Shard()] = append(r.members[s.Shard()], s)
	r.missing.Done()
}

func (r *room) OnMessage(*engineio.Session, engineio.Message) {}
func (r *room) OnClose(*engineio.Session, error)              {} // who leaves is sent nothing, and would be taken out here

func (r *room) say(text string) {
	packet := engineio.NewText([]byte(text))
	r.mu.Lock()
	defer r.mu.Unlock()
	for shard, sessions := range r.members {
		shard.Post(saying{packet, slices.Clone(sessions)})
	}
}

type saying struct {
	packet   *engineio.Packet
	sessions []*engineio.Session
}

func (s saying) Run(shard *engineio.Shard) {
	for _, session := range s.sessions {
		shard.Send(session, false, s.packet)
	}
}

// Sessions and refusals can be counted as they come and go.
func ExampleObserver() {
	server := engineio.NewServer(echoer{}, engineio.Config{Observer: counter{}})
	ask(server, http.MethodGet, "/engine.io/?EIO=3&transport=polling", "")
	ask(server, http.MethodPost, visit(server), "1")
	server.Shutdown(context.Background())
	// Output:
	// refused: 5
	// opened on polling
	// closed: transport close
	// counted: transport close
}

type counter struct{}

func (counter) SessionOpened(transport string)       { fmt.Println("opened on", transport) }
func (counter) SessionClosed(_ string, reason error) { fmt.Println("counted:", reason) }
func (counter) Refused(code engineio.RefusalCode)    { fmt.Println("refused:", int(code)) }

// Of the request that opened a session stays what was asked for, and each answer may have headers of one's own.
func ExampleHandshake() {
	server := engineio.NewServer(greeter{}, engineio.Config{
		KeepHeaders: []string{"User-Agent"},
		SetHeaders: func(h http.Header, _ *http.Request, initial bool) {
			if initial {
				h.Set("X-Served-By", "one")
			}
		},
	})
	r := httptest.NewRequest(http.MethodGet, "/engine.io/?EIO=4&transport=polling&name=alice", nil)
	r.Header.Set("User-Agent", "example")
	answer := httptest.NewRecorder()
	server.ServeHTTP(answer, r)
	server.Shutdown(context.Background())
	fmt.Println(answer.Header().Get("X-Served-By"))
	// Output:
	// alice with example over polling
	// one
}

type greeter struct{ echoer }

func (greeter) OnOpen(s *engineio.Session) {
	fmt.Println(s.Handshake().Query()["name"], "with", s.Handshake().Header("User-Agent"), "over", s.Transport())
}

func (greeter) OnClose(*engineio.Session, error) {}

// visit opens a session on polling, and returns where it is.
func visit(server *engineio.Server) (url string) {
	url = "/engine.io/?EIO=4&transport=polling"
	_, sid, _ := strings.Cut(ask(server, http.MethodGet, url, "").Body.String(), `"sid":"`)
	return url + "&sid=" + sid[:20]
}

func ask(server *engineio.Server, method, url, body string) *httptest.ResponseRecorder {
	answer := httptest.NewRecorder()
	server.ServeHTTP(answer, httptest.NewRequest(method, url, strings.NewReader(body)))
	return answer
}
