package gateway

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"encoding/json"
	"log/slog"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"qun/internal/chat"
	"qun/internal/gateway/codec"
	"qun/socketio"
)

// Bridge joins the chat to servers that are not Qun's: Node servers in one cluster by an adapter, and programs that emit
// through it. They hear what is said and changed in groups, in the rooms by which this server calls them, and give it to
// sockets of their own. What they emit is given to sockets here where that is opened to them, and nothing comes of it beside:
// the chat's own events are taken from nobody. It is a chat.Notifier of what this node caused (chat.Own), so that they hear all of
// it once.
type Bridge struct {
	// Set once.
	cfg       BridgeConfig
	namespace *socketio.Namespace
	self      socketio.ServerID
	ours      map[string]bool // the chat's own events
	stop      context.CancelFunc
	run       sync.WaitGroup

	refused atomic.Uint64
}

var _ chat.Notifier = (*Bridge)(nil)

// BridgeConfig says how far a Bridge is open.
type BridgeConfig struct {
	Adapter BridgeAdapter
	Publish bool            // others hear what is said and changed in groups
	Open    []socketio.Room // where others may emit to; "" is everybody
	Logger  *slog.Logger    // nil discards
}

// BridgeAdapter carries broadcasts. What else it carries is not listened to.
type BridgeAdapter interface {
	socketio.Adapter
	socketio.Interest
}

// ourServers is how the ids of Qun's servers begin. What one of them published, the others know already. It is no secret: who
// lies about it is not heard.
const ourServers = "qun-"

// NewBridge makes a bridge for the hub's sockets. It does nothing before Start.
func NewBridge(h *Hub, cfg BridgeConfig) *Bridge {
	if cfg.Logger == nil {
		cfg.Logger = slog.New(slog.DiscardHandler)
	}
	bits := make([]byte, 8)
	rand.Read(bits) // never fails, see crypto/rand
	b := &Bridge{cfg: cfg, namespace: h.namespace, self: socketio.ServerID(ourServers + hex.EncodeToString(bits)), ours: map[string]bool{}}
	for _, p := range pushes() {
		b.ours[p.Name] = true
	}
	return b
}

// bridgePause is how long a bridge waits before it tries again to reach the others.
const bridgePause = time.Second

// Start reaches the others as soon as it can, and stays in touch until Close.
func (b *Bridge) Start() {
	ctx, stop := context.WithCancel(context.Background())
	b.stop = stop
	b.run.Go(func() {
		for warned := false; ; warned = true {
			err := b.cfg.Adapter.Open(ctx, b.self, b.take)
			if err == nil {
				break
			}
			if !warned {
				b.cfg.Logger.Warn("Node servers cannot be reached yet", "error", err)
			}
			select {
			case <-time.After(bridgePause):
			case <-ctx.Done():
				return
			}
		}
		for _, room := range b.listens() {
			if err := b.cfg.Adapter.Watch(ctx, b.namespace.Name(), room); err != nil && ctx.Err() == nil {
				b.cfg.Logger.Warn("listen to Node servers", "error", err) // the adapter goes on trying
			}
		}
	})
}

// listens are the rooms to listen for. What is emitted to several at once comes as if it were for everybody.
func (b *Bridge) listens() (rooms []socketio.Room) {
	if len(b.cfg.Open) == 0 {
		return nil
	}
	return append([]socketio.Room{""}, slices.DeleteFunc(slices.Clone(b.cfg.Open), func(r socketio.Room) bool { return r == "" })...)
}

// Close sends what waits, and leaves.
func (b *Bridge) Close() error {
	if b.stop != nil {
		b.stop()
		b.run.Wait()
	}
	return b.cfg.Adapter.Close()
}

// Refused is how many events of others were not for here, or not theirs to tell.
func (b *Bridge) Refused() uint64 { return b.refused.Load() }

// Notify tells the others of a group's event. What is private to a user stays here.
func (b *Bridge) Notify(e chat.Event) {
	switch {
	case !b.cfg.Publish:
	case e.Message != nil:
		payload, err := (*codec.Message)(e.Message).AppendJSON(nil)
		b.publish(groupRoom(e.Group), "message", payload, err)
	case e.Change != nil:
		payload, err := json.Marshal(e.Change)
		b.publish(fullRoom(e.Group), "change", payload, err)
	}
}

// publish hands an event over. One that cannot be is lost to the others, which the adapter counts: who needs all of them reads
// the history.
func (b *Bridge) publish(room socketio.Room, event string, payload []byte, err error) {
	if err != nil {
		return // the chat's own types always marshal
	}
	args, err := socketio.ParseArgs(append(append([]byte{'['}, payload...), ']'), nil)
	if err != nil {
		return
	}
	err = b.cfg.Adapter.Publish(&socketio.Command{
		Kind: socketio.KindBroadcast, From: b.self, Namespace: b.namespace.Name(), Rooms: []socketio.Room{room}, Event: event, Args: args,
	})
	if err != nil {
		b.cfg.Logger.Debug("tell Node servers", "error", err)
	}
}

// take gives an event of others to the sockets that are meant here.
func (b *Bridge) take(c *socketio.Command) {
	switch {
	case strings.HasPrefix(string(c.From), ourServers):
	case c.Kind != socketio.KindBroadcast, c.ID != "", c.Namespace != b.namespace.Name(), b.ours[c.Event]:
		b.refused.Add(1)
		b.cfg.Logger.Debug("event of others not taken", "kind", c.Kind, "rooms", len(c.Rooms))
	default:
		to := b.namespace.To(c.Rooms...).Except(c.Except...).Compress(!c.Raw).Local()
		if c.Volatile {
			to = to.Volatile()
		}
		if err := to.Emit(c.Event, c.Args); err != nil {
			b.refused.Add(1)
			b.cfg.Logger.Debug("event of others not taken", "error", err)
		}
	}
}
