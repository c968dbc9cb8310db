package gateway

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"reflect"
	"slices"
	"time"

	"qun/internal/chat"
	"qun/internal/describe"
	"qun/internal/gateway/codec"
	"qun/socketio"
)

// request is one event of a client on its way to its answer. It is answered once, by answer or by refuse.
type request struct {
	client *client
	name   string // as counted and logged
	event  *socketio.Event
	since  time.Time
	room   string // what the client called the group, for a notice
}

// handle registers a request whose handler decodes an In and answers with an Out by itself, or with one of others.
func handle[In, Out any](g *Gateway, name string, h func(context.Context, *client, *request), others ...reflect.Type) {
	g.requests = append(g.requests, describe.Request{
		Name: name, In: reflect.TypeFor[In](), Outs: append([]reflect.Type{reflect.TypeFor[Out]()}, others...),
	})
	socketio.Handle(g.namespace, name, func(ctx context.Context, s *socketio.Socket, e *socketio.Event) {
		c := clientOf(s)
		c.heard(g.cfg.Now())
		r := &request{client: c, name: name, event: e, since: time.Now()}
		if err := c.known().May(scopeOf(name)); err != nil {
			r.refuse(err)
			return
		}
		h(ctx, c, r)
	})
}

// refuseOthers answers requests that no version of the protocol knows: silence would let the client wait.
func (g *Gateway) refuseOthers() {
	socketio.HandleOther(g.namespace, func(_ context.Context, s *socketio.Socket, e *socketio.Event) {
		r := &request{client: clientOf(s), name: "other", event: e, since: time.Now()}
		r.refuseSilently(errUnknown)
	})
}

// answer registers a request whose result or error is its answer. Only who is somebody may ask.
func answer[In, Out any](g *Gateway, name string, h func(context.Context, *client, *chat.User, In) (Out, error)) {
	handle[In, Out](g, name, func(ctx context.Context, c *client, r *request) {
		who := c.who()
		if who == nil {
			r.refuse(errNobody)
			return
		}
		in, err := decode[In](r)
		if err != nil {
			r.refuse(err)
			return
		}
		out, err := h(ctx, c, who, in)
		if err != nil {
			r.refuse(err)
			return
		}
		r.answer(out)
	})
}

// decode reads the first argument. Of a wrong shape it says where, and nothing of what was sent.
func decode[In any](r *request) (in In, err error) {
	err = r.event.Args.Decode(0, &in)
	if err == nil {
		return in, nil
	}
	message, chinese := "an object is expected as first argument", "第一个参数必须是对象"
	if wrong, ok := errors.AsType[*json.UnmarshalTypeError](err); ok && wrong.Field != "" {
		message, chinese = wrong.Field+" must not be a "+wrong.Value, wrong.Field+" 的类型不对"
	}
	return in, chat.Refuse(chat.CodeInvalid, message, chinese)
}

// answer acknowledges with ok and the fields of out, which is a struct or nil.
func (r *request) answer(out any) {
	r.client.gateway.cfg.Observer.Requested(r.name, "ok", time.Since(r.since))
	if !r.event.WantsAck() {
		return
	}
	if sent, ok := out.(*chat.Sent); ok {
		r.event.Ack((*codec.Sent)(sent))
		return
	}
	body, err := json.Marshal(out)
	if err != nil {
		r.client.gateway.cfg.Logger.Error("encode answer", "request", r.name, "error", err)
		body = nil
	}
	r.event.Ack(okWith(body)) // who went away gets no answer
}

// okWith puts "ok": true in front of the fields of an encoded object.
func okWith(object []byte) json.RawMessage {
	fields, found := bytes.CutPrefix(object, []byte("{"))
	if !found || len(fields) < 2 {
		return json.RawMessage(`{"ok":true}`)
	}
	return slices.Concat(json.RawMessage(`{"ok":true,`), fields)
}

// refuse answers with an error: in the ack if there is one, else as a notice if the client is plain.
func (r *request) refuse(err error) {
	refused := r.client.gateway.refusalOf(r.name, err)
	r.client.gateway.cfg.Observer.Requested(r.name, string(refused.Code), time.Since(r.since))
	switch {
	case r.event.WantsAck():
		r.event.Ack(refusalAnswer{OK: false, Error: wireRefusal(refused, r.client.language())})
	case !r.client.isFull():
		r.client.notice(r.room, refused)
	}
}

// refuseSilently is refuse without a notice.
func (r *request) refuseSilently(err error) {
	if r.event.WantsAck() {
		r.refuse(err)
	}
}
