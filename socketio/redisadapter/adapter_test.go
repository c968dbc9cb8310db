package redisadapter_test

import (
	"testing"

	"github.com/redis/rueidis"

	"qun/internal/redistest"
	"qun/socketio"
	"qun/socketio/adaptertest"
	"qun/socketio/redisadapter"
)

// modes are the wires, by name.
var modes = map[string]redisadapter.Mode{
	"classic": redisadapter.Classic, "sharded": redisadapter.Sharded, "sharded, static": redisadapter.ShardedStatic,
}

// option is how a server is reached.
func option(t testing.TB, redis *redistest.Server) rueidis.ClientOption {
	t.Helper()
	o, err := rueidis.ParseURL(redis.URL())
	if err != nil {
		t.Fatal(err)
	}
	return o
}

// newAdapter makes an adapter of a cluster that is named by the prefix.
func newAdapter(t testing.TB, cfg redisadapter.Config) *redisadapter.Adapter {
	t.Helper()
	a, err := redisadapter.New(cfg)
	if err != nil {
		t.Fatal(err)
	}
	return a
}

// clusters returns a function for adaptertest, which makes each cluster with a prefix of its own.
func clusters(redis *redistest.Server, cfg redisadapter.Config) func(*testing.T, int) []socketio.Adapter {
	return func(t *testing.T, n int) []socketio.Adapter {
		cfg.Redis, cfg.Prefix = option(t, redis), t.Name()
		adapters := make([]socketio.Adapter, n)
		for i := range adapters {
			adapters[i] = newAdapter(t, cfg)
		}
		return adapters
	}
}

func TestAdapter(t *testing.T) {
	redis := redistest.For(t)
	for name, mode := range modes {
		t.Run(name, func(t *testing.T) {
			adaptertest.Run(t, clusters(redis, redisadapter.Config{Mode: mode}))
			t.Run("in bad weather", func(t *testing.T) {
				adaptertest.RunFaulty(t, clusters(redis, redisadapter.Config{Mode: mode}))
			})
		})
	}
	t.Run("answers in private", func(t *testing.T) {
		adaptertest.Run(t, clusters(redis, redisadapter.Config{AnswerInPrivate: true}))
	})
	t.Run("signed", func(t *testing.T) {
		nothing := func(string, socketio.Room) bool { return false }
		adaptertest.Run(t, clusters(redis, redisadapter.Config{Secret: []byte("secret"), Allow: nothing}))
	})
}
