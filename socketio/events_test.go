package socketio_test

import (
	"context"
	"encoding/json"
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"qun/socketio"
)

// echo sends every event back.
func echo(n *socketio.Namespace) {
	socketio.HandleOther(n, func(_ context.Context, s *socketio.Socket, e *socketio.Event) {
		s.Emit(e.Name, e.Args)
		if e.WantsAck() {
			e.Ack(e.Args)
		}
	})
}

func TestBinaryEventsPassThrough(t *testing.T) {
	within(t, socketio.Config{}, func(w *world) {
		echo(w.server.Of("/"))
		c := w.join("/")
		c.send(`52-7["bin",{"b":{"_placeholder":true,"num":1}},{"_placeholder":true,"num":0}]`)
		c.sendBinary("zero")
		c.gets()
		c.sendBinary("one")
		c.gets(
			`52-["bin",{"b":{"_placeholder":true,"num":1}},{"_placeholder":true,"num":0}]`, "binary zero", "binary one",
			`62-7[{"b":{"_placeholder":true,"num":1}},{"_placeholder":true,"num":0}]`, "binary zero", "binary one")
	})
}

func TestHandlersAnswerWithTypes(t *testing.T) {
	type in struct {
		Name string `json:"name"`
		Age  int    `json:"age"`
	}
	type out struct {
		Hello string `json:"hello"`
	}
	within(t, socketio.Config{}, func(w *world) {
		n := w.server.Of("/")
		socketio.On(n, "greet", func(_ context.Context, _ *socketio.Socket, in in) (out, error) {
			switch in.Name {
			case "":
				return out{}, &socketio.Error{Message: "who?", Data: 7}
			case "bug":
				return out{}, errors.New("table users has no column nmae")
			}
			return out{"<" + in.Name + ">"}, nil
		})
		socketio.On(n, "all", func(_ context.Context, _ *socketio.Socket, in socketio.Args) (socketio.Args, error) { return in, nil })
		socketio.On(n, "raw", func(_ context.Context, _ *socketio.Socket, in json.RawMessage) (json.RawMessage, error) {
			return in, nil
		})
		socketio.On(n, "nothing", func(_ context.Context, _ *socketio.Socket, _ struct{}) (struct{}, error) { return struct{}{}, nil })
		socketio.On(n, "bytes", func(_ context.Context, _ *socketio.Socket, in []byte) (int, error) { return len(in), nil })
		c := w.join("/")
		for _, step := range []struct{ send, want string }{
			{`20["greet",{"name":"甲"}]`, `30[{"hello":"<甲>"}]`},
			{`2["greet",{"name":"no ack"}]`, ``},
			{`21["greet"]`, `31[{"error":{"message":"who?","data":7}}]`},
			{`22["greet",{"name":"bug"}]`, `32[{"error":{"message":"internal error"}}]`},
			{`23["greet",{"age":"old"}]`, `33[{"error":{"message":"invalid argument"}}]`},
			{`24["all",1,[2],"x"]`, `34[1,[2],"x"]`},
			{`24["all"]`, `34[]`},
			{`25["raw",{"b":1,"a":1e2}]`, `35[{"b":1,"a":1e2}]`},
			{`25["raw"]`, `35[null]`},
			{`26["nothing","ignored"]`, `36[]`},
			{`27["bytes","AAEC"]`, `37[3]`},
			{`28["unknown"]`, ``},
		} {
			c.send(step.send)
			if step.want == "" {
				c.gets()
			} else {
				c.gets(step.want)
			}
		}
		c.send(`51-9["bytes",{"_placeholder":true,"num":0}]`)
		c.sendBinary("four")
		c.gets(`39[4]`)
	})
}

func TestSocketsHandlerTakesPrecedence(t *testing.T) {
	within(t, socketio.Config{}, func(w *world) {
		n := w.server.Of("/")
		answer := func(text string) socketio.Handler {
			return func(_ context.Context, _ *socketio.Socket, e *socketio.Event) { e.Ack(text) }
		}
		socketio.Handle(n, "a", answer("namespace"))
		socketio.HandleOther(n, answer("other"))
		n.OnConnect(func(_ context.Context, s *socketio.Socket) {
			socketio.Handle(s, "a", answer("socket"))
			socketio.Handle(s, "b", answer("socket"))
		})
		c := w.join("/")
		c.send(`20["a"]`, `21["b"]`, `22["c"]`)
		c.gets(`30["socket"]`, `31["socket"]`, `32["other"]`)
		socketio.Handle(n.Sockets()[0], "a", nil)
		c.send(`20["a"]`)
		c.gets(`30["namespace"]`)
	})
}

func TestEventsAreHandledOneAtATimeAndInOrder(t *testing.T) {
	within(t, socketio.Config{}, func(w *world) {
		var j journal
		socketio.Handle(w.server.Of("/"), "e", func(_ context.Context, _ *socketio.Socket, e *socketio.Event) {
			j.note("begin %s", e.Args.Raw(0))
			time.Sleep(time.Second)
			j.note("end %s", e.Args.Raw(0))
		})
		c := w.join("/")
		c.send(`2["e",1]`, `2["e",2]`)
		time.Sleep(3 * time.Second)
		j.says(t, "begin 1", "end 1", "begin 2", "end 2")
	})
}

func TestEventIsAcknowledgedOnce(t *testing.T) {
	within(t, socketio.Config{}, func(w *world) {
		var second error
		var kept *socketio.Event
		socketio.Handle(w.server.Of("/"), "twice", func(_ context.Context, _ *socketio.Socket, e *socketio.Event) {
			e.Ack(1)
			second = e.Ack(2)
		})
		socketio.Handle(w.server.Of("/"), "later", func(_ context.Context, _ *socketio.Socket, e *socketio.Event) { kept = e })
		c := w.join("/")
		c.send(`20["twice"]`)
		c.gets(`30[1]`)
		if !errors.Is(second, socketio.ErrAckSent) {
			t.Errorf("got %v, want ErrAckSent", second)
		}
		c.send(`2777["later"]`)
		c.gets()
		if err := kept.Ack("late"); err != nil {
			t.Error(err)
		}
		c.gets(`3777["late"]`)
	})
}

func TestHandlerHasADeadline(t *testing.T) {
	within(t, socketio.Config{HandlerTimeout: 3 * time.Second}, func(w *world) {
		var j journal
		n := w.server.Of("/")
		var after context.Context
		socketio.Handle(n, "wait", func(ctx context.Context, _ *socketio.Socket, _ *socketio.Event) {
			start := time.Now()
			deadline, _ := ctx.Deadline()
			child, cancel := context.WithTimeout(ctx, time.Hour)
			defer cancel()
			<-child.Done()
			j.note("%v %v %v", deadline.Sub(start), time.Since(start), ctx.Err())
		})
		socketio.Handle(n, "return", func(ctx context.Context, _ *socketio.Socket, _ *socketio.Event) {
			after = ctx
			j.note("%v", ctx.Err())
		})
		c := w.join("/")
		c.send(`2["wait"]`, `2["return"]`)
		time.Sleep(4 * time.Second)
		synctest.Wait()
		j.says(t, "3s 3s context deadline exceeded", "<nil>")
		if after.Err() != context.Canceled {
			t.Errorf("after the handler: got %v, want context.Canceled", after.Err())
		}
	})
}
