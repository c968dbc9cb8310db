package socketio_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http/httptest"
	"strings"
	"time"

	"qun/socketio"
	"qun/socketio/adaptertest"
)

// A small group chat: sockets join rooms, and what they say goes to the room.
func Example() {
	type line struct{ Room, Text string }

	server := socketio.New(socketio.Config{}) // http.Handle("/socket.io/", server)
	defer shutdown(server)
	chat := server.Of("/")
	socketio.On(chat, "join", func(_ context.Context, s *socketio.Socket, room socketio.Room) (string, error) {
		return "welcome", s.Join(room)
	})
	socketio.On(chat, "say", func(_ context.Context, s *socketio.Socket, in line) (struct{}, error) {
		if !s.In(socketio.Room(in.Room)) {
			return struct{}{}, &socketio.Error{Message: "join the room first"}
		}
		return struct{}{}, chat.To(socketio.Room(in.Room)).Emit("line", in.Text)
	})

	alice, bob := visit(server, "/"), visit(server, "/")
	alice.emits(`20["join","tea"]`)
	alice.hears()
	bob.emits(`20["say",{"room":"tea","text":"hello"}]`)
	bob.hears()
	alice.emits(`2["say",{"room":"tea","text":"hello?"}]`)
	alice.hears()
	// Output:
	// 30["welcome"]
	// 30[{"error":{"message":"join the room first"}}]
	// 2["line","hello?"]
}

// The argument is decoded into a type, and the result is the ack.
func ExampleOn() {
	type in struct{ A, B int }
	type out struct {
		Sum int `json:"sum"`
	}
	server := socketio.New(socketio.Config{})
	defer shutdown(server)
	socketio.On(server.Of("/"), "add", func(_ context.Context, _ *socketio.Socket, in in) (out, error) {
		return out{Sum: in.A + in.B}, nil
	})

	client := visit(server, "/")
	client.emits(`20["add",{"a":1,"b":2}]`)
	client.hears()
	client.emits(`21["add","one and two"]`)
	client.hears()
	// Output:
	// 30[{"sum":3}]
	// 31[{"error":{"message":"invalid argument"}}]
}

// The raw form sees all arguments, and decides when to answer.
func ExampleHandle() {
	server := socketio.New(socketio.Config{})
	defer shutdown(server)
	socketio.Handle(server.Of("/"), "remind", func(_ context.Context, _ *socketio.Socket, e *socketio.Event) {
		var what string
		var milliseconds int
		if err := e.Args.Scan(&what, &milliseconds); err != nil {
			e.Ack("what?")
			return
		}
		time.AfterFunc(time.Duration(milliseconds)*time.Millisecond, func() { e.Ack("time for " + what) })
	})

	client := visit(server, "/")
	client.emits(`20["remind","tea",5]`)
	client.hears()
	// Output: 30["time for tea"]
}

// A middleware decides who may join the namespace.
func ExampleNamespace_Use() {
	server := socketio.New(socketio.Config{})
	defer shutdown(server)
	members := server.Of("/members")
	members.Use(func(_ context.Context, s *socketio.Socket) error {
		var auth struct{ Token string }
		if err := json.Unmarshal(s.Auth(), &auth); err != nil || auth.Token != "secret" {
			return &socketio.Error{Message: "not authorized", Data: map[string]string{"code": "UNAUTHORIZED"}}
		}
		s.SetValue("user 1")
		return nil
	})
	members.OnConnect(func(_ context.Context, s *socketio.Socket) {
		_ = s.Emit("hello", s.Value())
	})

	client := visit(server, `/members,{"token":"guess"}`)
	client.hears()
	client.emits(`0/members,{"token":"secret"}`)
	client.hears()
	// Output:
	// 4/members,{"message":"not authorized","data":{"code":"UNAUTHORIZED"}}
	// 2/members,["hello","user 1"]
}

// A broadcast goes to rooms, and is described step by step.
func ExampleNamespace_To() {
	server := socketio.New(socketio.Config{})
	defer shutdown(server)
	news := server.Of("/")
	news.OnConnect(func(_ context.Context, s *socketio.Socket) {
		_ = s.Join("everybody")
	})
	socketio.On(news, "mute", func(_ context.Context, s *socketio.Socket, _ struct{}) (struct{}, error) {
		return struct{}{}, s.Join("muted")
	})

	first, second := visit(server, "/"), visit(server, "/")
	second.emits(`2["mute"]`)
	_ = news.To("everybody").Except("muted").Emit("headline", "rain")
	_ = news.To("everybody").Emit("headline", "storm")
	first.hears()
	second.hears()
	// Output:
	// 2["headline","rain"]
	// 2["headline","storm"]
	// 2["headline","storm"]
}

// The server asks, the client answers.
func ExampleSocket_EmitWithAck() {
	server := socketio.New(socketio.Config{})
	defer shutdown(server)
	client := visit(server, "/")

	answered := make(chan string)
	go func() { // not in a handler: that would keep the client from being heard
		ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
		defer cancel()
		answer, err := server.Of("/").Sockets()[0].EmitWithAck(ctx, "how many?")
		if err != nil {
			answered <- err.Error()
			return
		}
		var n int
		_ = answer.Scan(&n)
		answered <- fmt.Sprint("answer: ", n)
	}()
	client.hears()
	client.emits(`30[7]`)
	fmt.Println(<-answered)
	// Output:
	// 20["how many?"]
	// answer: 7
}

// What was received can be sent on as it is, attachments included.
func ExampleArgs() {
	server := socketio.New(socketio.Config{})
	defer shutdown(server)
	socketio.Handle(server.Of("/"), "paint", func(_ context.Context, s *socketio.Socket, e *socketio.Event) {
		_ = s.Emit("painted", "by you", e.Args)
	})

	client := visit(server, "/")
	client.emits(`2["paint",{"x": 1, "big": 12345678901234567890}, true]`)
	client.hears()
	// Output: 2["painted","by you",{"x": 1, "big": 12345678901234567890},true]
}

// Binary travels beside the JSON, wherever it stands.
func ExampleBinary() {
	type picture struct {
		Name   string          `json:"name"`
		Pixels socketio.Binary `json:"pixels"`
	}
	server := socketio.New(socketio.Config{})
	defer shutdown(server)
	client := visit(server, "/")
	_ = server.Of("/").Emit("picture", picture{"dot", socketio.Binary{1, 2, 3}})
	client.hears() // over long polling attachments are base64
	// Output:
	// 51-["picture",{"name":"dot","pixels":{"_placeholder":true,"num":0}}]
	// bAQID
}

// With an adapter, broadcasts reach the sockets of all servers.
func ExampleServer_Open() {
	var bus adaptertest.Bus // within one process; elsewhere an adapter of your message broker
	one := socketio.New(socketio.Config{Adapter: bus.Adapter()})
	two := socketio.New(socketio.Config{Adapter: bus.Adapter()})
	defer shutdown(two)
	defer shutdown(one)
	if err := errors.Join(one.Open(context.Background()), two.Open(context.Background())); err != nil {
		fmt.Println(err)
	}

	client := visit(two, "/")
	_ = one.Of("/").Emit("news", "from the other server")
	client.hears()
	// Output: 2["news","from the other server"]
}

// shutdown ends the example: its visitors leave, and the server stops.
func shutdown(server *socketio.Server) {
	for _, v := range visitors {
		if v.server == server {
			v.leaves()
		}
	}
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	if err := server.Shutdown(ctx); err != nil {
		fmt.Println(err)
	}
}

const patience = 10 * time.Second

// A visitor is a client for the examples: it speaks in packets, over long polling, without a network.
type visitor struct {
	server *socketio.Server
	url    string
	heard  []string // what came and was not printed yet
}

// visitors are all of them, so that shutdown can let them go.
var visitors []*visitor

// visit opens a connection and joins a namespace.
func visit(server *socketio.Server, namespace string) *visitor {
	v := &visitor{server: server, url: "/socket.io/?EIO=4&transport=polling"}
	var open struct{ SID string }
	_ = json.Unmarshal([]byte(v.do("GET", "")[1:]), &open)
	v.url += "&sid=" + open.SID
	visitors = append(visitors, v)
	v.emits("0" + namespace)
	return v
}

// emits sends a packet, and returns when it has been handled: a CONNECT is answered, and what was sent after that is refused.
func (v *visitor) emits(packet string) {
	v.do("POST", "4"+packet)
	if strings.HasPrefix(packet, "0") {
		v.await(func(answer string) bool { return answer[0] == '0' || answer[0] == '4' })
	}
	v.do("POST", "40"+nowhere)
	v.await(func(answer string) bool { return strings.HasPrefix(answer, "4"+nowhere) })
}

// nowhere is a namespace that there is not.
const nowhere = "/nowhere"

// await takes packets until the answer has come. What is to be printed of them is kept.
func (v *visitor) await(isAnswer func(string) bool) {
	for answered := false; !answered; {
		for _, packet := range v.take() {
			answered = answered || isAnswer(packet)
			if !strings.Contains(packet, `"sid"`) && !strings.HasPrefix(packet, "4"+nowhere) {
				v.heard = append(v.heard, packet)
			}
		}
	}
}

// hears prints packets, and waits for some if there are none.
func (v *visitor) hears() {
	if len(v.heard) == 0 {
		v.heard = v.take()
	}
	for _, packet := range v.heard {
		fmt.Println(packet)
	}
	v.heard = nil
}

// take waits for packets.
func (v *visitor) take() (packets []string) {
	for packet := range strings.SplitSeq(v.do("GET", ""), "\x1e") {
		packets = append(packets, strings.TrimPrefix(packet, "4"))
	}
	return packets
}

// leaves closes the connection.
func (v *visitor) leaves() {
	v.do("POST", "1")
	v.do("GET", "") // the poll that the server waits for, to end the session
}

func (v *visitor) do(method, body string) string {
	answer := httptest.NewRecorder()
	v.server.ServeHTTP(answer, httptest.NewRequest(method, v.url, strings.NewReader(body)))
	return answer.Body.String()
}
