package redisadapter_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/redis/rueidis"

	"qun/internal/redistest"
	"qun/socketio"
	"qun/socketio/redisadapter"
)

// A server is an open adapter, and what it has heard.
type server struct {
	*redisadapter.Adapter
	id socketio.ServerID

	mu    sync.Mutex
	heard []string
}

func open(t testing.TB, id socketio.ServerID, cfg redisadapter.Config) *server {
	t.Helper()
	s := &server{Adapter: newAdapter(t, cfg), id: id}
	if err := s.Open(t.Context(), id, s.hear); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Close() })
	return s
}

func (s *server) hear(c *socketio.Command) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.heard = append(s.heard, c.Event)
}

func (s *server) events() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.heard)
}

func (s *server) has(event string) func() bool {
	return func() bool { return slices.Contains(s.events(), event) }
}

func (s *server) emit(event string, rooms ...socketio.Room) error {
	return s.Publish(&socketio.Command{Kind: socketio.KindBroadcast, From: s.id, Namespace: "/", Rooms: rooms, Event: event})
}

func (s *server) watch(t testing.TB, rooms ...socketio.Room) {
	t.Helper()
	for _, room := range rooms {
		if err := s.Watch(t.Context(), "/", room); err != nil {
			t.Fatalf("watch %q: %v", room, err)
		}
	}
}

func waitFor(t testing.TB, what string, ok func() bool) {
	t.Helper()
	for deadline := time.Now().Add(20 * time.Second); !ok(); time.Sleep(5 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("waited in vain for %s", what)
		}
	}
}

func TestServerHearsOnlyWhatItWatches(t *testing.T) {
	redis := redistest.For(t)
	for name, mode := range modes {
		if mode == redisadapter.ShardedStatic {
			continue
		}
		t.Run(name, func(t *testing.T) {
			cfg := redisadapter.Config{Redis: option(t, redis), Mode: mode, Prefix: name}
			a, b := open(t, "aaaaaaaaaaaaaaaaaaaa", cfg), open(t, "bbbbbbbbbbbbbbbbbbbb", cfg)
			a.watch(t, "")
			b.watch(t, "", "here", "left")
			b.Unwatch("/", "left")
			waitFor(t, "the room to be left", func() bool { return a.emit("left", "left") == nil && settled(t, a, b) })
			for range 100 {
				_ = a.emit("elsewhere", "there")
			}
			_ = a.emit("here", "here")
			_ = a.emit("end")
			waitFor(t, "the end", b.has("end"))
			if got := b.Stats().Received; b.has("elsewhere")() || got > 12 {
				t.Errorf("heard %q of %d messages, want none of those to another room", b.events(), got)
			}
		})
	}
}

// settled says whether the last thing said to a room that b has left did not come to it.
func settled(t *testing.T, a, b *server) bool {
	before := len(b.events())
	mark := fmt.Sprint("mark ", before)
	_ = a.emit(mark)
	waitFor(t, "the mark", b.has(mark))
	return !slices.Contains(b.events()[before:], "left")
}

func TestEverythingIsHeardAgainWhenRedisComesBackEmpty(t *testing.T) {
	redis := redistest.For(t)
	for name, mode := range modes {
		t.Run(name, func(t *testing.T) {
			cfg := redisadapter.Config{Redis: option(t, redis), Mode: mode, Prefix: name}
			a, b := open(t, "aaaaaaaaaaaaaaaaaaaa", cfg), open(t, "bbbbbbbbbbbbbbbbbbbb", cfg)
			a.watch(t, "")
			b.watch(t, "")
			for i := range 1000 {
				b.watch(t, socketio.Room(fmt.Sprint("room ", i)))
			}
			if err := redis.Kill(); err != nil {
				t.Fatal(err)
			}
			waitFor(t, "the loss to be noticed", func() bool { return !b.Stats().Connected })
			ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
			defer cancel()
			if err := b.Watch(ctx, "/", "meanwhile"); !errors.Is(err, context.DeadlineExceeded) && mode != redisadapter.ShardedStatic {
				t.Errorf("got %v without Redis, want deadline exceeded", err)
			}
			b.Unwatch("/", "room 500")
			_ = a.emit("nobody hears this", "room 1")
			if err := redis.Run(); err != nil {
				t.Fatal(err)
			}
			start := time.Now()
			waitFor(t, "both to listen again", func() bool { return a.Stats().Connected && b.Stats().Connected })
			if took := time.Since(start); took > 5*time.Second {
				t.Errorf("listening again took %v", took)
			}
			waitFor(t, "a message", func() bool { return a.emit("back", "room 999") == nil && b.has("back")() })
			for _, room := range []socketio.Room{"room 0", "room 500", "room 700", "meanwhile"} {
				_ = a.emit("to "+string(room), room)
			}
			_ = a.emit("end")
			waitFor(t, "the end", b.has("end"))
			got := slices.DeleteFunc(b.events(), func(e string) bool { return !strings.HasPrefix(e, "to ") })
			want := []string{"to room 0", "to room 700", "to meanwhile"}
			if mode == redisadapter.ShardedStatic {
				want = []string{"to room 0", "to room 500", "to room 700", "to meanwhile"}
			}
			if !slices.Equal(got, want) {
				t.Errorf("got %q, want %q", got, want)
			}
			if n, err := a.Servers(t.Context(), "/"); n != 2 || err != nil {
				t.Errorf("got %d servers, %v", n, err)
			}
		})
	}
}

func TestPublishDoesNotBlockWithoutRedis(t *testing.T) {
	redis := redistest.For(t)
	cfg := redisadapter.Config{Redis: option(t, redis), MaxQueued: 1000}
	cfg.Redis.ConnWriteTimeout = time.Second
	a, b := open(t, "aaaaaaaaaaaaaaaaaaaa", cfg), open(t, "bbbbbbbbbbbbbbbbbbbb", cfg)
	a.watch(t, "")
	b.watch(t, "")
	if err := redis.Pause(); err != nil {
		t.Fatal(err)
	}
	start, full := time.Now(), 0
	for range 20_000 {
		if errors.Is(a.emit("flood"), redisadapter.ErrFull) {
			full++
		}
	}
	if took := time.Since(start); took > 15*time.Second { // and 20,000 times a second if it waited
		t.Errorf("publishing took %v while Redis did not answer", took)
	}
	if s := a.Stats(); full < 10_000 || s.Dropped != uint64(full) || s.Waiting > 1000 {
		t.Errorf("got %d errors and %+v; want most dropped, and that counted", full, s)
	}
	waitFor(t, "the silence to be noticed", func() bool { return !a.Stats().Connected && !b.Stats().Connected })
	if err := redis.Resume(); err != nil {
		t.Fatal(err)
	}
	waitFor(t, "a message", func() bool { _ = a.emit("back"); return b.has("back")() })
}

func TestCloseEndsWhateverRedisDoes(t *testing.T) {
	redis := redistest.For(t)
	cfg := redisadapter.Config{Redis: option(t, redis)}
	cfg.Redis.ConnWriteTimeout = time.Second
	a := open(t, "aaaaaaaaaaaaaaaaaaaa", cfg)
	a.watch(t, "")
	if err := redis.Pause(); err != nil {
		t.Fatal(err)
	}
	defer redis.Resume()
	_ = a.emit("last words")
	start := time.Now()
	if err := a.Close(); err != nil {
		t.Error(err)
	}
	if took := time.Since(start); took > 4*time.Second {
		t.Errorf("closing took %v", took)
	}
	if err := a.emit("from the dead"); !errors.Is(err, redisadapter.ErrClosed) {
		t.Errorf("got %v, want ErrClosed", err)
	}
}

func TestWhatWaitsIsSentBeforeClosing(t *testing.T) {
	redis := redistest.For(t)
	cfg := redisadapter.Config{Redis: option(t, redis)}
	a, b := open(t, "aaaaaaaaaaaaaaaaaaaa", cfg), open(t, "bbbbbbbbbbbbbbbbbbbb", cfg)
	b.watch(t, "")
	for i := range 2000 {
		_ = a.emit(fmt.Sprint(i))
	}
	_ = a.Close()
	waitFor(t, "the last", b.has("1999"))
}

func TestConfigurationIsChecked(t *testing.T) {
	redis := redistest.For(t)
	for name, cfg := range map[string]redisadapter.Config{
		"no address": {},
		"no mode":    {Redis: option(t, redis), Mode: 9},
		"prefix":     {Redis: option(t, redis), Prefix: "a#b"},
		"half of it": {Redis: option(t, redis), BroadcastsOnly: true, Mode: redisadapter.Sharded},
	} {
		if _, err := redisadapter.New(cfg); err == nil {
			t.Errorf("%s: got no error", name)
		}
	}
	if err := redis.Kill(); err != nil {
		t.Fatal(err)
	}
	a := newAdapter(t, redisadapter.Config{Redis: option(t, redis)})
	if err := a.Open(t.Context(), "aaaaaaaaaaaaaaaaaaaa", func(*socketio.Command) {}); err == nil {
		t.Error("opened without Redis")
	}
	if err := a.Close(); err != nil {
		t.Error(err)
	}
}

func TestWhatWaitsIsBoundedInBytes(t *testing.T) {
	redis := redistest.For(t)
	cfg := redisadapter.Config{Redis: option(t, redis), MaxQueuedBytes: 1 << 20}
	cfg.Redis.ConnWriteTimeout = time.Second
	a := open(t, "aaaaaaaaaaaaaaaaaaaa", cfg)
	if err := redis.Pause(); err != nil {
		t.Fatal(err)
	}
	defer redis.Resume()
	large, full := strings.Repeat("x", 100_000), 0
	for range 1000 {
		if errors.Is(a.emit(large), redisadapter.ErrFull) {
			full++
		}
	}
	if full < 500 {
		t.Errorf("%d of 1,000 messages of 100 kB were dropped, want most: 1 MiB may wait", full)
	}
}

// A room that is watched again while Redis is still told that it is not.
func TestRoomThatIsJoinedWhileItIsLeftIsHeard(t *testing.T) {
	redis := redistest.For(t)
	for name, mode := range modes {
		t.Run(name, func(t *testing.T) {
			cfg := redisadapter.Config{Redis: option(t, redis), Mode: mode, Prefix: name}
			a, b := open(t, "aaaaaaaaaaaaaaaaaaaa", cfg), open(t, "bbbbbbbbbbbbbbbbbbbb", cfg)
			b.watch(t, "")
			for i := range 100 {
				b.watch(t, "r")
				event := fmt.Sprint(i)
				_ = a.emit(event, "r")
				waitFor(t, "an event to a room that was left and joined", b.has(event))
				b.Unwatch("/", "r")
				time.Sleep(time.Duration(i) * time.Microsecond)
			}
		})
	}
}

func TestRedisClusterIsRefused(t *testing.T) {
	redis := redistest.For(t, "--cluster-enabled", "yes")
	o := option(t, redis)
	o.ForceSingleClient = true
	client, err := rueidis.NewClient(o)
	if err != nil {
		t.Fatal(err)
	}
	defer client.Close()
	if err := client.Do(t.Context(), client.B().ClusterAddslotsrange().StartSlotEndSlot().StartSlotEndSlot(0, 16383).Build()).Error(); err != nil {
		t.Fatal(err)
	}
	a := newAdapter(t, redisadapter.Config{Redis: option(t, redis)})
	waitFor(t, "the reason to be said", func() bool { // the cluster settles a moment later
		err := a.Open(t.Context(), "aaaaaaaaaaaaaaaaaaaa", func(*socketio.Command) {})
		return err != nil && strings.Contains(err.Error(), "Redis Cluster")
	})
}
