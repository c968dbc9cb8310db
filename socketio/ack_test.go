package socketio_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"qun/socketio"
)

// ask waits for an ack in a goroutine, and notes how it went.
func ask(j *journal, ctx context.Context, s *socketio.Socket, event string, args ...any) {
	go func() {
		answer, err := s.EmitWithAck(ctx, event, args...)
		j.note("%s %v", answer.JSON(), err)
	}()
	synctest.Wait()
}

func TestServerGetsAcks(t *testing.T) {
	within(t, socketio.Config{}, func(w *world) {
		var j journal
		n := w.server.Of("/")
		c := w.join("/")
		s := n.Sockets()[0]
		ask(&j, w.Context(), s, "sum", 1, 2)
		ask(&j, w.Context(), s, "more")
		c.gets(`20["sum",1,2]`, `21["more"]`)
		j.says(t)
		c.send(`31[{"b":1,"a":2},"x"]`, `3[]`, `399[]`, `30[3]`, `30[4]`)
		synctest.Wait()
		slices.Sort(j.lines) // who waits is woken in any order
		j.says(t, `[3] <nil>`, `[{"b":1,"a":2},"x"] <nil>`)
		if !c.isOpen() {
			t.Error("unknown acks closed the connection")
		}
	})
}

func TestAckIDsCountPerNamespace(t *testing.T) {
	within(t, socketio.Config{}, func(w *world) {
		w.server.Of("/a")
		c, d := w.join("/", "/a"), w.join("/")
		var j journal
		for _, name := range []string{"/", "/a"} {
			for _, s := range w.server.Of(name).Sockets() {
				ask(&j, w.Context(), s, "q")
			}
		}
		got := append(c.take(), d.take()...)
		seen := map[string]bool{}
		for _, text := range got {
			seen[text] = true
		}
		if len(got) != 3 || !seen[`20["q"]`] || !seen[`21["q"]`] || !seen[`2/a,0["q"]`] {
			t.Errorf("got %q, want ids 0 and 1 in / and 0 in /a", got)
		}
	})
}

func TestAckOfAnotherSocketDoesNotCount(t *testing.T) {
	within(t, socketio.Config{}, func(w *world) {
		var j journal
		asked := w.join("/")
		s := w.server.Of("/").Sockets()[0]
		other := w.join("/")
		ask(&j, w.Context(), s, "q")
		other.send(`30["forged"]`)
		synctest.Wait()
		j.says(t)
		asked.send(`30["mine"]`)
		synctest.Wait()
		j.says(t, `["mine"] <nil>`)
	})
}

func TestBinaryAcksArrive(t *testing.T) {
	within(t, socketio.Config{}, func(w *world) {
		var j journal
		c := w.join("/")
		ask(&j, w.Context(), w.server.Of("/").Sockets()[0], "q", socketio.Binary("?"))
		c.gets(`51-0["q",{"_placeholder":true,"num":0}]`, "binary ?")
		c.send(`61-0[{"_placeholder":true,"num":0}]`)
		c.sendBinary("!")
		synctest.Wait()
		j.says(t, `[{"_placeholder":true,"num":0}] <nil>`)
	})
}

func TestWaitingForAnAckEnds(t *testing.T) {
	within(t, socketio.Config{AckTimeout: 2 * time.Second}, func(w *world) {
		var j journal
		c := w.join("/")
		s := w.server.Of("/").Sockets()[0]

		ask(&j, context.Background(), s, "no deadline")
		time.Sleep(2*time.Second + 1)
		synctest.Wait()
		j.says(t, `[] wait for ack of "no deadline": context deadline exceeded`)

		ctx, cancel := context.WithCancel(w.Context())
		ask(&j, ctx, s, "canceled")
		cancel()
		synctest.Wait()
		j.says(t, `[] wait for ack of "canceled": context canceled`)
		c.take()
		c.send(`30["late"]`, `31["late"]`)
		if !c.isOpen() {
			t.Error("a late ack closed the connection")
		}

		ask(&j, w.Context(), s, "disconnected")
		s.Disconnect()
		synctest.Wait()
		j.says(t, `[] socket is disconnected`)
		if _, err := s.EmitWithAck(w.Context(), "x"); !errors.Is(err, socketio.ErrDisconnected) {
			t.Errorf("got %v, want ErrDisconnected", err)
		}
	})
}

func TestPendingAcksAreLimited(t *testing.T) {
	within(t, socketio.Config{MaxPendingAcks: 2}, func(w *world) {
		var j journal
		c := w.join("/")
		s := w.server.Of("/").Sockets()[0]
		for i := range 3 {
			ask(&j, w.Context(), s, fmt.Sprint(i))
		}
		j.says(t, `[] too many acks are pending`)
		c.send(`30[]`)
		synctest.Wait()
		j.says(t, `[] <nil>`)
		ask(&j, w.Context(), s, "again")
		j.says(t)
		if _, err := s.EmitWithAck(w.Context(), "bad", make(chan int)); err == nil {
			t.Error("a channel was encoded")
		}
	})
}

func TestWaitingForTheOwnConnectionInAHandlerFailsAtOnce(t *testing.T) {
	within(t, socketio.Config{}, func(w *world) {
		var j journal
		n := w.server.Of("/")
		w.server.Of("/a").OnConnect(func(ctx context.Context, s *socketio.Socket) {
			_, err := s.EmitWithAck(ctx, "q")
			j.note("%v", errors.Is(err, socketio.ErrWaitInHandler))
		})
		var other *socketio.Socket
		socketio.Handle(n, "e", func(ctx context.Context, s *socketio.Socket, _ *socketio.Event) {
			child, cancel := context.WithTimeout(ctx, time.Second)
			defer cancel()
			_, err := s.EmitWithAck(child, "q")
			j.note("%v", errors.Is(err, socketio.ErrWaitInHandler))
			answer, err := other.EmitWithAck(ctx, "q")
			j.note("%s %v", answer.JSON(), err)
		})
		b := w.join("/")
		other = n.Sockets()[0]
		a := w.join("/", "/a")
		j.says(t, "true")
		a.send(`2["e"]`)
		b.gets(`20["q"]`)
		j.says(t, "true")
		b.send(`30["from another"]`)
		synctest.Wait()
		j.says(t, `["from another"] <nil>`)
	})
}
