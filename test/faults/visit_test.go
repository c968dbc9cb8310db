package faults_test

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"net"
	"time"

	"qun/test/sioclient"
)

// person is a guest who may come back: its token says who it is.
type person struct {
	server *server
	name   string
	token  string
	group  string // the group of the last room it entered
	epoch  string
	narrow bool // what is sent to it and not read is soon too much
}

// visit is one connection of a person, as a full client.
type visit struct {
	*person
	client *sioclient.Client
}

// push is what a full client hears under a number.
type push struct {
	GroupID  string `json:"groupId"`
	Seq      int64  `json:"seq"`  // of a message
	Head     int64  `json:"head"` // of a change
	ClientID string `json:"clientId"`
}

// refusal is an answer with ok false.
type refusal struct {
	Code    string `json:"code"`
	Message string `json:"message"`
}

func (r *refusal) Error() string { return r.Code + ": " + r.Message }

// retry says whether the same request may succeed later.
func (r *refusal) retry() bool {
	switch r.Code {
	case "BUSY", "RATE_LIMITED", "SLOW_MODE", "INTERNAL":
		return true
	}
	return false
}

// greeting is what is looked at of hello's answer.
type greeting struct {
	Token, Epoch string
	Sync         struct{ Groups map[string]groupSync }
}

// arrive connects and says hello. hear gets every message and change in order, on the reading goroutine; nil ignores them. hello's
// answer goes into told, if not nil.
func (p *person) arrive(ctx context.Context, hello map[string]any, hear func(push), told *greeting) (*visit, error) {
	var auth any
	if p.token != "" {
		auth = map[string]string{"token": p.token}
	}
	client, err := sioclient.Dial(ctx, sioclient.Config{URL: p.server.url, Auth: auth, OnEvent: listen(hear), Dial: p.dial()})
	if err != nil {
		return nil, err
	}
	v := &visit{person: p, client: client}
	if told == nil {
		told = new(greeting)
	}
	if err := v.ask(ctx, "hello", withProtocol(hello), told); err != nil {
		client.Close()
		return nil, err
	}
	p.remember(told.Token, told.Epoch)
	return v, nil
}

// dial makes connections that take little that is not read, if they are to.
func (p *person) dial() func(ctx context.Context, network, address string) (net.Conn, error) {
	if !p.narrow {
		return nil
	}
	return func(ctx context.Context, network, address string) (net.Conn, error) {
		conn, err := new(net.Dialer).DialContext(ctx, network, address)
		if err != nil {
			return nil, err
		}
		return conn, conn.(*net.TCPConn).SetReadBuffer(32 << 10)
	}
}

func withProtocol(hello map[string]any) map[string]any {
	out := map[string]any{"protocol": 1}
	for k, v := range hello {
		out[k] = v
	}
	return out
}

// listen turns events into pushes. Join lines and notices have no number and are not heard.
func listen(hear func(push)) func(string, []json.RawMessage) {
	return func(name string, args []json.RawMessage) {
		if hear == nil || len(args) == 0 || (name != "message" && name != "change") {
			return
		}
		var p push
		if err := json.Unmarshal(args[0], &p); err != nil {
			panic(fmt.Sprintf("the server sent %s %s: %v", name, args[0], err))
		}
		if p.Seq != 0 || p.Head != 0 {
			hear(p)
		}
	}
}

func (p *person) remember(token, epoch string) {
	if token != "" {
		p.token = token
	}
	if epoch != "" {
		p.epoch = epoch
	}
}

// enter joins a room by name and gives the group's head at that moment.
func (v *visit) enter(ctx context.Context, room string) (head int64, err error) {
	var answer struct {
		Token, Epoch string
		Head         int64
		Group        struct{ GroupID string }
	}
	if err := v.ask(ctx, "joinRoom", map[string]any{"roomName": room, "nickName": v.name}, &answer); err != nil {
		return 0, err
	}
	v.remember(answer.Token, answer.Epoch)
	v.group = answer.Group.GroupID
	return answer.Head, nil
}

// sent is the answer to sendMessage.
type sent struct {
	Message   json.RawMessage `json:"message"`
	Duplicate bool            `json:"duplicate"`
}

func (s sent) row() (r row) {
	if err := json.Unmarshal(s.Message, &r); err != nil {
		panic(fmt.Sprintf("the server acknowledged with %s: %v", s.Message, err))
	}
	return r
}

// say sends one message into the last room entered and waits for its ack.
func (v *visit) say(ctx context.Context, clientID, text string) (s sent, err error) {
	err = v.ask(ctx, "sendMessage", map[string]any{"groupId": v.group, "message": text, "clientId": clientID}, &s)
	return s, err
}

// history reads all messages after a seq, oldest first.
func (v *visit) history(ctx context.Context, after int64) (all []row, err error) {
	for more := true; more; {
		var page struct {
			Messages []row
			After    bool
		}
		err := v.ask(ctx, "history", map[string]any{"groupId": v.group, "after": after, "limit": 100}, &page)
		if err != nil {
			return nil, err
		}
		all = append(all, page.Messages...)
		if more = page.After && len(page.Messages) > 0; more {
			after = page.Messages[len(page.Messages)-1].Seq
		}
	}
	return all, nil
}

// ask sends a request, waits at most 10 s as every client does, and decodes the answer into each of answers. There are thousands
// of these clients beside what is tested: what begins with ok is not read for a refusal.
func (v *visit) ask(ctx context.Context, event string, request any, answers ...any) error {
	ctx, cancel := context.WithTimeout(ctx, 10*time.Second)
	defer cancel()
	args, err := v.client.Call(ctx, event, request)
	if err != nil {
		return err
	}
	if len(args) != 1 {
		return fmt.Errorf("%s was answered with %d arguments, want 1", event, len(args))
	}
	if !bytes.HasPrefix(args[0], []byte(`{"ok":true`)) {
		var outcome struct{ Error *refusal }
		if err := json.Unmarshal(args[0], &outcome); err != nil || outcome.Error == nil {
			return fmt.Errorf("%s was answered with %s, neither ok nor refused", event, args[0])
		}
		return outcome.Error
	}
	for _, answer := range answers {
		if err := json.Unmarshal(args[0], answer); err != nil {
			return fmt.Errorf("decode the answer to %s: %w", event, err)
		}
	}
	return nil
}

func (v *visit) leave() { v.client.Close() }
