package socketio_test

import (
	"context"
	"errors"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"qun/socketio"
)

// poll asks a broadcast's sockets in a goroutine, and notes what came of it.
func poll(j *journal, b socketio.Broadcast, event string, args ...any) {
	go func() {
		answers, err := b.EmitWithAck(context.Background(), event, args...)
		texts := make([]string, len(answers))
		for i, a := range answers {
			texts[i] = string(a.JSON())
		}
		slices.Sort(texts)
		j.note("%s %v", strings.Join(texts, " "), err)
	}()
	synctest.Wait()
}

func TestBroadcastGetsAcks(t *testing.T) {
	within(t, socketio.Config{}, func(w *world) {
		var j journal
		n := w.server.Of("/")
		clients, s := w.crowd(4)
		for _, s := range s[:3] {
			_ = s.Join("r")
		}
		poll(&j, n.To("r").Except(socketio.Room(s[2].ID())), "ask", 1, socketio.Binary("b"))
		clients[0].gets(`51-0["ask",1,{"_placeholder":true,"num":0}]`, "binary b")
		clients[1].gets(`51-0["ask",1,{"_placeholder":true,"num":0}]`, "binary b") // one id for all
		clients[2].gets()
		clients[2].send(`30["not asked"]`)
		clients[0].send(`30["a"]`, `30["again"]`)
		synctest.Wait()
		j.says(t)
		clients[1].send(`30["b",{"x":1}]`)
		synctest.Wait()
		j.says(t, `["a"] ["b",{"x":1}] <nil>`)
		poll(&j, s[0].To("r"), "ask")
		clients[0].gets()
		clients[1].gets(`21["ask"]`)
		for _, c := range clients[1:3] {
			c.send(`31[]`)
		}
		synctest.Wait()
		j.says(t, `[] [] <nil>`)
	})
}

func TestBroadcastToNobodyIsAnsweredAtOnce(t *testing.T) {
	within(t, socketio.Config{}, func(w *world) {
		for name, b := range map[string]socketio.Broadcast{
			"an empty room":      w.server.Of("/").To("nobody"),
			"an empty namespace": w.server.Of("/").To(),
		} {
			start := time.Now()
			answers, err := b.Timeout(time.Minute).EmitWithAck(w.Context(), "ask")
			if err != nil || answers == nil || len(answers) != 0 || time.Since(start) != 0 {
				t.Errorf("%s: got %v, %v after %v; want an empty list at once", name, answers, err, time.Since(start))
			}
		}
	})
}

func TestBroadcastAnswersArePartialAtTheTimeout(t *testing.T) {
	within(t, socketio.Config{AckTimeout: time.Hour, MaxPendingAcks: 2}, func(w *world) {
		var j journal
		n := w.server.Of("/")
		clients, s := w.crowd(3)
		for range 5 { // more often than acks may be pending: none stays when the waiting is over
			poll(&j, n.To().Timeout(time.Second), "ask")
			id := strings.TrimSuffix(strings.TrimPrefix(clients[0].take()[0], "2"), `["ask"]`)
			clients[0].send("3" + id + `["in time"]`)
			time.Sleep(time.Second + 1)
			synctest.Wait()
			j.says(t, `["in time"] wait for acks of "ask": context deadline exceeded`)
			clients[1].send("3" + id + `["late"]`)
		}
		ctx, cancel := context.WithCancel(w.Context())
		go func() {
			_, err := n.To().EmitWithAck(ctx, "ask")
			j.note("%v", err)
		}()
		synctest.Wait()
		cancel()
		synctest.Wait()
		j.says(t, `wait for acks of "ask": context canceled`)

		poll(&j, n.To(), "ask")
		s[1].Disconnect()
		clients[2].close()
		j.says(t)
		got := clients[0].take()
		clients[0].send("3" + strings.TrimSuffix(strings.TrimPrefix(got[len(got)-1], "2"), `["ask"]`) + `[]`)
		synctest.Wait()
		j.says(t, `[] 2 of 3 sockets cannot answer: socket is disconnected`)
	})
}

func TestBroadcastAcksCountAsPending(t *testing.T) {
	within(t, socketio.Config{MaxPendingAcks: 3}, func(w *world) {
		var j journal
		n := w.server.Of("/")
		clients, _ := w.crowd(1)
		for range 3 {
			poll(&j, n.To(), "ask")
		}
		if got := clients[0].take(); len(got) != 3 {
			t.Errorf("got %q", got)
		}
		poll(&j, n.To(), "ask")
		j.says(t, ` 1 of 1 sockets cannot answer: too many acks are pending`)
		clients[0].gets()
	})
}

func TestHandlerDoesNotWaitForItsOwnConnection(t *testing.T) {
	within(t, socketio.Config{}, func(w *world) {
		var j journal
		n := w.server.Of("/")
		socketio.Handle(n, "ask all", func(ctx context.Context, _ *socketio.Socket, _ *socketio.Event) {
			answers, err := n.To().EmitWithAck(ctx, "ask")
			j.note("%d %v", len(answers), errors.Is(err, socketio.ErrWaitInHandler))
		})
		clients, _ := w.crowd(2)
		clients[0].send(`2["ask all"]`)
		clients[0].gets(`20["ask"]`)
		clients[1].gets(`20["ask"]`)
		clients[1].send(`30[]`)
		synctest.Wait()
		j.says(t, "1 true")
	})
}

func TestBroadcastThatCannotBeEncodedAsksNobody(t *testing.T) {
	within(t, socketio.Config{}, func(w *world) {
		clients, _ := w.crowd(1)
		if _, err := w.server.Of("/").To().EmitWithAck(w.Context(), "ask", make(chan int)); err == nil {
			t.Error("a channel was encoded")
		}
		if _, err := w.server.Of("/").To().EmitWithAck(w.Context(), "disconnect"); !errors.Is(err, socketio.ErrReservedEvent) {
			t.Errorf("got %v, want ErrReservedEvent", err)
		}
		clients[0].gets()
	})
}

func TestTypedQuestions(t *testing.T) {
	within(t, socketio.Config{}, func(w *world) {
		var j journal
		n := w.server.Of("/")
		clients, s := w.crowd(2)
		type answer struct{ N int }
		go func() {
			got, err := socketio.Ask[answer](w.Context(), s[0], "n?")
			j.note("%d %v", got.N, err)
		}()
		synctest.Wait()
		clients[0].send(`30[{"n":7}]`)
		synctest.Wait()
		j.says(t, "7 <nil>")
		go func() {
			got, err := socketio.AskAll[int](w.Context(), n.To(), "n?")
			slices.Sort(got)
			j.note("%v %v", got, err)
		}()
		synctest.Wait()
		clients[0].send(`31[1]`)
		clients[1].send(`31[2]`)
		synctest.Wait()
		j.says(t, "[1 2] <nil>")
		go func() {
			got, err := socketio.AskAll[int](w.Context(), n.To(), "n?")
			j.note("%v %v", got, err)
		}()
		synctest.Wait()
		clients[0].send(`32["one"]`)
		clients[1].send(`32[2]`)
		synctest.Wait()
		j.says(t, "[2] argument 0: json: cannot unmarshal string into Go value of type int")
	})
}
