package redisadapter

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/redis/rueidis"

	"qun/socketio"
)

// Errors that Publish returns.
var (
	ErrClosed = errors.New("redisadapter: adapter is not open")
	ErrFull   = errors.New("redisadapter: too much waits to be sent; Redis does not keep up, or is away")
)

var errCluster = errors.New("redisadapter: this is a Redis Cluster, in which messages would lose their order: use a single Redis")

// An Adapter joins a server to the others that use the same Redis. Give it to one socketio.Server, as Config.Adapter.
type Adapter struct {
	cfg Config

	// Set by Open.
	self     socketio.ServerID
	deliver  func(*socketio.Command)
	wire     wire
	client   rueidis.Client
	listener *listener
	out, in  *queue

	ctx        context.Context // ends with Close
	cancel     context.CancelFunc
	goroutines sync.WaitGroup
	open       atomic.Bool
	strangers  uint64 // servers that gave an answer without a name; see accept

	published, lost, received, malformed, refused atomic.Uint64
}

var (
	_ socketio.Adapter  = (*Adapter)(nil)
	_ socketio.Interest = (*Adapter)(nil)
)

// New makes an adapter. The error says what is wrong with the configuration. Nothing is connected before Open, which
// socketio.Server.Open calls.
func New(cfg Config) (*Adapter, error) {
	cfg, err := cfg.withDefaults()
	if err != nil {
		return nil, err
	}
	return &Adapter{cfg: cfg, out: newQueue(&cfg), in: newQueue(&cfg)}, nil
}

// Open connects to Redis, and fails if it cannot. From then on the adapter connects again by itself, as often as it must.
func (a *Adapter) Open(ctx context.Context, self socketio.ServerID, deliver func(*socketio.Command)) error {
	a.self, a.deliver, a.wire = self, deliver, newWire(&a.cfg, self)
	var err error
	if a.client, err = rueidis.NewClient(a.cfg.Redis); err != nil {
		return fmt.Errorf("connect to Redis: %w", err)
	}
	if err := a.check(ctx); err != nil {
		a.client.Close()
		return err
	}
	a.ctx, a.cancel = context.WithCancel(context.Background())
	a.listener = newListener(a.client, a.cfg.Logger, func(m message) { a.in.put(m) })
	a.goroutines.Go(a.send)
	a.goroutines.Go(a.receive)
	a.goroutines.Go(func() { a.listener.run(a.ctx) })
	a.open.Store(true)
	return nil
}

// check says whether this Redis can do what is wanted of it.
func (a *Adapter) check(ctx context.Context) error {
	if a.client.Mode() == rueidis.ClientModeCluster {
		return errCluster
	}
	_, err := a.Servers(ctx, "/")
	return err
}

// Publish queues the command. It is encoded at once, and the error may say that it cannot be.
func (a *Adapter) Publish(c *socketio.Command) error {
	if !a.open.Load() {
		return ErrClosed
	}
	m, err := a.encode(c)
	if err != nil {
		return fmt.Errorf("redisadapter: %w", err)
	}
	if !a.out.put(m) {
		return ErrFull
	}
	return nil
}

func (a *Adapter) encode(c *socketio.Command) (message, error) {
	channel, payload, err := a.wire.encode(c)
	if err == nil && len(a.cfg.Secret) > 0 {
		payload = sign(a.cfg.Secret, channel, payload)
	}
	return message{channel, payload}, err
}

// Servers counts who has subscribed to the channel that servers with the namespace share.
func (a *Adapter) Servers(ctx context.Context, namespace string) (int, error) {
	channel := a.wire.census(namespace)
	servers := int64(0)
	for _, node := range a.client.Nodes() {
		query := node.B().PubsubNumsub().Channel(channel).Build()
		if a.cfg.Mode != Classic {
			query = node.B().PubsubShardnumsub().Channel(channel).Build()
		}
		answer, err := node.Do(ctx, query).ToArray()
		if err != nil {
			return 0, fmt.Errorf("count servers: %w", explained(err))
		}
		if len(answer) == 2 {
			n, err := answer[1].AsInt64()
			if err != nil {
				return 0, fmt.Errorf("count servers: %w", err)
			}
			servers += n
		}
	}
	return int(max(servers, 1)), nil
}

// explained says what an operator can do about an error of Redis'.
func explained(err error) error {
	if redis, ok := rueidis.IsRedisErr(err); ok && strings.Contains(strings.ToLower(redis.Error()), "unknown") {
		return fmt.Errorf("sharded Pub/Sub needs Redis 7 or later; use Classic, here and in the other servers: %w", err)
	}
	return err
}

// Watch subscribes to what comes for the room.
func (a *Adapter) Watch(ctx context.Context, namespace string, room socketio.Room) error {
	return a.listener.want(ctx, a.subscriptions(namespace, room))
}

// Unwatch ends the subscription. It does not wait for Redis.
func (a *Adapter) Unwatch(namespace string, room socketio.Room) {
	a.listener.unwant(a.subscriptions(namespace, room))
}

func (a *Adapter) subscriptions(namespace string, room socketio.Room) []subscription {
	if room == "" {
		return a.wire.base(namespace)
	}
	return a.wire.room(namespace, room)
}

// farewell is how long Close may take to send what still waits.
const farewell = time.Second

// Close sends what still waits, if Redis takes it at once, and disconnects.
func (a *Adapter) Close() error {
	if !a.open.Swap(false) {
		return nil
	}
	a.cancel()
	a.goroutines.Wait()
	a.client.Close()
	return nil
}

// batch is how many messages are sent, or handled, at a time.
const batch = 256

// send sends what is queued. Its goroutine is the only one that publishes.
func (a *Adapter) send() {
	for {
		select {
		case <-a.out.bell:
			a.sendAll(a.ctx)
		case <-a.ctx.Done():
			ctx, cancel := context.WithTimeout(context.Background(), farewell)
			defer cancel()
			a.sendAll(ctx)
			return
		}
	}
}

func (a *Adapter) sendAll(ctx context.Context) {
	for ctx.Err() == nil {
		messages := a.out.take(batch)
		if len(messages) == 0 {
			return
		}
		a.publish(ctx, messages)
	}
}

// publish sends messages. One that Redis does not take is lost: who sent it has gone on.
func (a *Adapter) publish(ctx context.Context, messages []message) {
	commands := make(rueidis.Commands, len(messages))
	for i, m := range messages {
		if a.cfg.Mode == Classic {
			commands[i] = a.client.B().Publish().Channel(m.channel).Message(rueidis.BinaryString(m.payload)).Build()
		} else {
			commands[i] = a.client.B().Spublish().Channel(m.channel).Message(rueidis.BinaryString(m.payload)).Build()
		}
	}
	for _, result := range a.client.DoMulti(ctx, commands...) {
		if err := result.Error(); err != nil {
			a.lost.Add(1)
			a.cfg.Logger.Debug("publish", "error", err)
			continue
		}
		a.published.Add(1)
	}
}

// receive handles what has come. Its goroutine is the only one that calls deliver.
func (a *Adapter) receive() {
	for {
		select {
		case <-a.in.bell:
		case <-a.ctx.Done():
			return
		}
		for _, m := range a.in.take(batch) {
			if a.ctx.Err() != nil {
				return
			}
			a.hear(m)
		}
	}
}

// hear handles one message.
func (a *Adapter) hear(m message) {
	a.received.Add(1)
	c, trusted, err := a.read(m)
	switch {
	case err != nil:
		a.malformed.Add(1)
		a.cfg.Logger.Debug("message refused", "channel", clip(m.channel), "bytes", len(m.payload), "error", err)
	case c == nil || c.From == a.self:
	case a.cfg.BroadcastsOnly && (c.Kind != socketio.KindBroadcast || c.ID != ""):
		a.refused.Add(1)
	case c.Kind >= socketio.KindResponse:
		a.hearAnswer(c)
	case trusted || a.allow(c):
		a.deliver(c)
	default:
		a.refused.Add(1)
		a.cfg.Logger.Debug("command not allowed", "kind", c.Kind, "from", clip(string(c.From)), "namespace", clip(c.Namespace))
	}
}

// hearAnswer passes answers on to questions of this server. Others may hear them too. A Node server does not say that
// it is the one who answers: each such answer counts as that of another.
func (a *Adapter) hearAnswer(c *socketio.Command) {
	if !strings.HasPrefix(c.ID, string(a.self)+".") {
		return
	}
	if c.From == "" {
		a.strangers++
		c.From = socketio.ServerID(fmt.Sprintf("stranger %d", a.strangers))
	}
	a.deliver(c)
}

var (
	errTooLarge = errors.New("message is larger than Config.MaxMessage")
	errTooMany  = errors.New("message names more rooms than Config.MaxRooms")
)

// read makes a command of a message. Trusted says that it is signed.
func (a *Adapter) read(m message) (c *socketio.Command, trusted bool, err error) {
	if len(m.payload) > a.cfg.MaxMessage {
		return nil, false, errTooLarge
	}
	if len(a.cfg.Secret) > 0 {
		m.payload, trusted = verify(a.cfg.Secret, m.channel, m.payload)
	}
	c, err = a.wire.decode(m.channel, m.payload)
	if err != nil || c == nil {
		return nil, false, err
	}
	if len(c.Rooms)+len(c.Except)+len(c.Joins) > a.cfg.MaxRooms {
		return nil, false, errTooMany
	}
	return c, trusted, nil
}

// nobody is a room that has no members.
const nobody socketio.Room = ""

// allow leaves out of a command of others what Config.Allow does not open. It reports whether anything is left; who asked
// about what is not open is answered that there is nobody.
func (a *Adapter) allow(c *socketio.Command) bool {
	if a.cfg.Allow == nil {
		return true
	}
	only := func(rooms []socketio.Room) (open []socketio.Room) {
		for _, r := range rooms {
			if r != nobody && a.cfg.Allow(c.Namespace, r) {
				open = append(open, r)
			}
		}
		return open
	}
	allowed := len(c.Rooms) == 0 && a.cfg.Allow(c.Namespace, "")
	if len(c.Rooms) > 0 {
		c.Rooms = only(c.Rooms)
		allowed = len(c.Rooms) > 0
	}
	if c.Kind == socketio.KindJoin || c.Kind == socketio.KindLeave {
		c.Joins = only(c.Joins)
		return allowed && len(c.Joins) > 0
	}
	if !allowed && c.ID != "" && c.Event != socketio.RequestEvent && c.Event != socketio.RequestRooms {
		c.Rooms = []socketio.Room{nobody}
		return true
	}
	return allowed
}

// Stats are counts since the adapter was made.
type Stats struct {
	Connected bool   // messages of others are heard
	Watched   int    // subscriptions
	Waiting   int    // messages that are queued to be sent
	Published uint64 // messages that Redis has taken
	Lost      uint64 // messages that it has not
	Dropped   uint64 // messages for which there was no room, going out
	Received  uint64
	Missed    uint64 // messages for which there was no room, coming in
	Malformed uint64 // messages that were not understood, or too large
	Refused   uint64 // commands that Config.Allow does not open
	Breaks    uint64 // connections to Redis that were lost
}

// Stats returns the counts.
func (a *Adapter) Stats() Stats {
	s := Stats{
		Published: a.published.Load(), Lost: a.lost.Load(), Received: a.received.Load(),
		Malformed: a.malformed.Load(), Refused: a.refused.Load(),
	}
	s.Waiting, s.Dropped = a.out.state()
	_, s.Missed = a.in.state()
	if a.open.Load() {
		s.Connected, s.Watched, s.Breaks = a.listener.state()
	}
	return s
}

// clip shortens what others chose, for a log.
func clip(text string) string { return text[:min(len(text), 100)] }
