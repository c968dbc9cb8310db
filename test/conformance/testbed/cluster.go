package main

import (
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"sync"
	"time"

	"github.com/redis/rueidis"

	"qun/socketio"
	"qun/socketio/redisadapter"
)

// An order is what the test wants a server of a cluster to do. cluster.mjs takes the same orders.
type order struct {
	Do            string
	Namespace     string
	Rooms, Except []socketio.Room
	Joins         []socketio.Room
	Event         string
	Args          []json.RawMessage
	Binary        bool // two attachments more
	Volatile, Raw bool
	Close         bool
}

// A clusterNode is a server that takes orders in the namespace /orders.
type clusterNode struct {
	name   string
	server *socketio.Server

	mu    sync.Mutex // guards below
	heard []json.RawMessage
}

// clusterMode makes one server of a cluster.
func clusterMode(address, wire, name string, logger *slog.Logger) (mounts, error) {
	redis, err := rueidis.ParseURL(address)
	if err != nil {
		return nil, err
	}
	cfg := redisadapter.Config{Redis: redis, AnswerInPrivate: wire == "private", Logger: logger}
	switch wire {
	case "sharded":
		cfg.Mode = redisadapter.Sharded
	case "static":
		cfg.Mode = redisadapter.ShardedStatic
	}
	adapter, err := redisadapter.New(cfg)
	if err != nil {
		return nil, err
	}
	node := &clusterNode{name: name, server: socketio.New(socketio.Config{Adapter: adapter, Logger: logger})}
	for _, namespace := range []string{"/", "/chat"} {
		node.serve(node.server.Of(namespace))
	}
	orders := node.server.Of("/orders " + name)
	socketio.On(orders, "order", func(ctx context.Context, _ *socketio.Socket, o order) (any, error) { return node.carryOut(ctx, o) })
	return mounts{"/socket.io/": node.server}, node.server.Open(context.Background())
}

func (c *clusterNode) serve(n *socketio.Namespace) {
	n.OnConnect(func(_ context.Context, s *socketio.Socket) { s.SetValue(map[string]string{"user": c.name}) })
	socketio.On(n, "join", func(_ context.Context, s *socketio.Socket, rooms []socketio.Room) (none, error) {
		return none{}, s.Join(rooms...)
	})
	socketio.On(n, "say", func(_ context.Context, s *socketio.Socket, room socketio.Room) (none, error) {
		return none{}, s.To(room).Emit("said", string(room))
	})
	n.OnServerEvent("hello", func(_ context.Context, e *socketio.ServerEvent) {
		c.mu.Lock()
		defer c.mu.Unlock()
		c.heard = append(c.heard, expand(e.Args))
	})
	n.OnServerEvent("ping-all", func(_ context.Context, e *socketio.ServerEvent) {
		_ = e.Ack(map[string]any{"pong": c.name, "args": expand(e.Args)})
	})
}

// expand writes bytes as base64.
func expand(args socketio.Args) json.RawMessage {
	values := make([]json.RawMessage, args.Len())
	for i := range values {
		_ = args.Decode(i, &values[i])
	}
	text, _ := json.Marshal(values)
	return text
}

func (o *order) values() []any {
	values := make([]any, 0, len(o.Args)+2)
	for _, v := range o.Args {
		values = append(values, v)
	}
	if o.Binary {
		values = append(values, socketio.Binary{0, 1, 2, 255}, map[string]socketio.Binary{"nested": socketio.Binary("hi")})
	}
	return values
}

func (c *clusterNode) carryOut(ctx context.Context, o order) (any, error) {
	n := c.server.Of(o.Namespace)
	to := n.To(o.Rooms...).Except(o.Except...).Compress(!o.Raw).Timeout(3 * time.Second)
	if o.Volatile {
		to = to.Volatile()
	}
	switch o.Do {
	case "emit":
		return nil, to.Emit(o.Event, o.values()...)
	case "ask":
		answers, err := to.EmitWithAck(ctx, o.Event, o.values()...)
		return firsts(answers), err
	case "join":
		return nil, to.Join(o.Joins...)
	case "leave":
		return nil, to.Leave(o.Joins...)
	case "disconnect":
		if o.Close {
			return nil, to.DisconnectAll()
		}
		return nil, to.Disconnect()
	case "sockets":
		return to.FetchSockets(ctx)
	case "rooms":
		return n.AllRooms(ctx)
	case "servers":
		return c.server.Servers(ctx)
	case "server event":
		return nil, n.ServerSideEmit(o.Event, o.values()...)
	case "server question":
		answers, err := n.ServerSideEmitWithAck(ctx, o.Event, o.values()...)
		return firsts(answers), err
	case "heard":
		c.mu.Lock()
		defer c.mu.Unlock()
		heard := c.heard
		c.heard = nil
		return append([]json.RawMessage{}, heard...), nil
	default:
		return nil, fmt.Errorf("no order %q", o.Do)
	}
}

// firsts are the first values of the answers.
func firsts(answers []socketio.Args) []json.RawMessage {
	all := make([]json.RawMessage, len(answers))
	for i, a := range answers {
		_ = a.Decode(0, &all[i])
	}
	return all
}
