package socketio_test

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"qun/socketio"
)

// Deadlines are watched for all handlers together, in whatever order they come to wait.
func TestEveryHandlerThatWaitsEndsAtItsOwnDeadline(t *testing.T) {
	const limit = 10 * time.Second
	within(t, socketio.Config{HandlerTimeout: limit}, func(w *world) {
		n, start := w.server.Of("/"), time.Now()
		type end struct{ begun, ended time.Duration }
		ends := make(chan end, 10)
		socketio.On(n, "wait", func(ctx context.Context, _ *socketio.Socket, late int) (struct{}, error) {
			begun := time.Since(start)
			time.Sleep(time.Duration(late) * time.Second)
			<-ctx.Done()
			if !errors.Is(ctx.Err(), context.DeadlineExceeded) {
				t.Errorf("got %v", ctx.Err())
			}
			ends <- end{begun, time.Since(start)}
			return struct{}{}, nil
		})
		for _, event := range []string{`2["wait",3]`, `2["wait",0]`, `2["wait",5]`, `2["wait",0]`, `2["wait",15]`} {
			w.join("/").send(event)
			time.Sleep(time.Second)
		}
		time.Sleep(2 * limit)
		for range 5 {
			if e := <-ends; e.ended != e.begun+limit && e.ended != e.begun+15*time.Second {
				t.Errorf("begun after %v, ended after %v", e.begun, e.ended)
			}
		}
	})
}

func TestAContextEndsWithItsHandlerAndSoDoWhatWasDerivedFromIt(t *testing.T) {
	within(t, socketio.Config{}, func(w *world) {
		n, contexts := w.server.Of("/"), make(chan context.Context, 3)
		socketio.Handle(n, "e", func(ctx context.Context, _ *socketio.Socket, _ *socketio.Event) {
			derived, cancel := context.WithCancel(ctx)
			context.AfterFunc(derived, cancel)
			stopped, stop := context.WithCancel(ctx)
			stop()
			if ctx.Err() != nil || derived.Err() != nil || stopped.Err() == nil {
				t.Errorf("during the handler: %v, %v, %v", ctx.Err(), derived.Err(), stopped.Err())
			}
			contexts <- ctx
			contexts <- derived
			contexts <- stopped
		})
		w.join("/").send(`2["e"]`)
		synctest.Wait()
		for range 3 {
			ctx := <-contexts
			select {
			case <-ctx.Done():
			default:
				t.Error("is not done")
			}
			if !errors.Is(ctx.Err(), context.Canceled) || !errors.Is(context.Cause(ctx), context.Canceled) {
				t.Errorf("got %v because of %v", ctx.Err(), context.Cause(ctx))
			}
		}
	})
}

func TestContextsEndWithTheServer(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, socketio.Config{HandlerTimeout: time.Hour})
		n, begun, done := w.server.Of("/"), make(chan struct{}), make(chan error)
		socketio.Handle(n, "e", func(ctx context.Context, _ *socketio.Socket, _ *socketio.Event) {
			derived, cancel := context.WithCancel(ctx)
			defer cancel()
			begun <- struct{}{}
			<-derived.Done()
			<-begun
			<-ctx.Done() // is asked for when the server is gone
			done <- ctx.Err()
		})
		w.join("/").send(`2["e"]`)
		<-begun
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		if err := w.server.Shutdown(ctx); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("got %v", err)
		}
		begun <- struct{}{}
		if err := <-done; !errors.Is(err, context.Canceled) {
			t.Errorf("got %v", err)
		}
		w.close()
	})
}
