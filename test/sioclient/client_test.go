package sioclient_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http/httptest"
	"slices"
	"testing"
	"time"

	"qun/socketio"
	"qun/test/sioclient"
)

func TestClientSpeaksWithAServer(t *testing.T) {
	for _, namespace := range []string{"/", "/custom"} {
		t.Run(namespace, func(t *testing.T) {
			url := serve(t, namespace)
			heard := make(chan string, 100)
			client := dial(t, sioclient.Config{
				URL: url, Namespace: namespace, Auth: map[string]string{"token": "t"},
				OnEvent: func(name string, args []json.RawMessage) { heard <- fmt.Sprintf("%s %s", name, args) },
			})
			if client.ID() == "" {
				t.Error("the socket has no id")
			}
			answer, err := client.Call(t.Context(), "echo", "你好")
			if err != nil || len(answer) != 1 || string(answer[0]) != `"你好"` {
				t.Errorf("got %s, %v, want the echo", answer, err)
			}
			if err := client.Emit("count", 3); err != nil {
				t.Fatal(err)
			}
			var got []string
			for range 3 {
				got = append(got, <-heard)
			}
			if want := []string{"n [0]", "n [1]", "n [2]"}; !slices.Equal(got, want) {
				t.Errorf("got %q, want %q", got, want)
			}
		})
	}
}

func TestCallEndsWithTheConnection(t *testing.T) {
	client := dial(t, sioclient.Config{URL: serve(t, "/")})
	go client.Close()
	if _, err := client.Call(t.Context(), "silence"); !errors.Is(err, sioclient.ErrClosed) {
		t.Errorf("got %v, want %v", err, sioclient.ErrClosed)
	}
	if _, err := client.Call(t.Context(), "echo"); !errors.Is(err, sioclient.ErrClosed) {
		t.Errorf("got %v after Close, want %v", err, sioclient.ErrClosed)
	}
}

func TestCallEndsWithItsContext(t *testing.T) {
	client := dial(t, sioclient.Config{URL: serve(t, "/")})
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Millisecond)
	defer cancel()
	if _, err := client.Call(ctx, "silence"); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("got %v, want %v", err, context.DeadlineExceeded)
	}
	if _, err := client.Call(t.Context(), "echo", 1); err != nil {
		t.Errorf("got %v, want the next call to work", err)
	}
}

func TestDialTellsOfARefusal(t *testing.T) {
	client, err := sioclient.Dial(t.Context(), sioclient.Config{URL: serve(t, "/"), Namespace: "/unknown"})
	if err == nil {
		client.Close()
		t.Fatal("connected to a namespace that is not there")
	}
}

func TestServerEndsTheConnection(t *testing.T) {
	client := dial(t, sioclient.Config{URL: serve(t, "/")})
	if err := client.Emit("go away"); err != nil {
		t.Fatal(err)
	}
	<-client.Done()
	if client.Err() == nil {
		t.Error("the connection ended without a reason")
	}
}

// serve starts a server with what the tests talk to.
func serve(t *testing.T, namespace string) string {
	t.Helper()
	server := socketio.New(socketio.Config{})
	n := server.Of(namespace)
	socketio.On(n, "echo", func(_ context.Context, _ *socketio.Socket, v any) (any, error) { return v, nil })
	socketio.On(n, "count", func(_ context.Context, s *socketio.Socket, upTo int) (any, error) {
		for i := range upTo {
			if err := s.Emit("n", i); err != nil {
				return nil, err
			}
		}
		return nil, nil
	})
	socketio.Handle(n, "silence", func(context.Context, *socketio.Socket, *socketio.Event) {})
	socketio.Handle(n, "go away", func(_ context.Context, s *socketio.Socket, _ *socketio.Event) { s.Disconnect() })
	web := httptest.NewServer(server)
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
		defer cancel()
		if err := server.Shutdown(ctx); err != nil {
			t.Error(err)
		}
		web.Close()
	})
	return web.URL
}

func dial(t *testing.T, cfg sioclient.Config) *sioclient.Client {
	t.Helper()
	client, err := sioclient.Dial(t.Context(), cfg)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(client.Close)
	return client
}
