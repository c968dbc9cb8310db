package redisadapter

import (
	"bytes"
	"encoding/json"
	"fmt"
	"regexp"
	"strconv"
	"strings"

	"qun/socketio"
)

// classic is the wire of createAdapter of @socket.io/redis-adapter 8, and of @socket.io/redis-emitter 5:
//
//	<prefix>#<namespace>#                 broadcasts to all, or to several rooms: [uid, packet, options], in MessagePack
//	<prefix>#<namespace>#<room>#          broadcasts to one room
//	<prefix>-request#<namespace>#         what servers ask of one another: a request, in JSON or in MessagePack
//	<prefix>-response#<namespace>#        what they answer: a response, in JSON or in MessagePack
//	<prefix>-response#<namespace>#<uid>#  what they answer, if servers are set up so: for that server alone
//
// Node servers take all rooms by a pattern. This one subscribes to each room that has members, and takes by a pattern what
// may be for a socket: rooms whose names are as long as an id.
type classic struct {
	prefix         string
	self           socketio.ServerID
	privately      bool // answers go to the channel of who asked
	broadcastsOnly bool
	maxAttachments int
}

// socketIDSize is the length of a socket's id.
const socketIDSize = 20

func (w *classic) broadcasts(namespace string) string { return w.prefix + "#" + namespace + "#" }
func (w *classic) requests(namespace string) string   { return w.prefix + "-request#" + namespace + "#" }
func (w *classic) responses(namespace string) string {
	return w.prefix + "-response#" + namespace + "#"
}

func (w *classic) census(namespace string) string { return w.requests(namespace) }

func (w *classic) base(namespace string) []subscription {
	broadcasts := []subscription{
		{exact, w.broadcasts(namespace)},
		{pattern, escapeGlob(w.broadcasts(namespace)) + strings.Repeat("?", socketIDSize) + "#"},
	}
	if w.broadcastsOnly {
		return broadcasts
	}
	return append(broadcasts, []subscription{
		{exact, w.requests(namespace)},
		{exact, w.responses(namespace)},
		{exact, w.responses(namespace) + string(w.self) + "#"},
	}...)
}

func (w *classic) room(namespace string, room socketio.Room) []subscription {
	if len(room) == socketIDSize {
		return nil // the pattern has it, and would have it twice
	}
	return []subscription{{exact, w.broadcasts(namespace) + string(room) + "#"}}
}

var globSpecial = strings.NewReplacer(`\`, `\\`, `*`, `\*`, `?`, `\?`, `[`, `\[`, `]`, `\]`)

func escapeGlob(text string) string { return globSpecial.Replace(text) }

// Types of requests and responses.
const (
	classicIDs        = 0
	classicRooms      = 1
	classicJoin       = 2
	classicLeave      = 3
	classicDisconnect = 4
	classicSockets    = 5
	classicEvent      = 6
	classicBroadcast  = 7
	classicCount      = 8
	classicAck        = 9
)

// A classicRequest is what a server asks. Fields that others do not know are ours; they ignore them.
type classicRequest struct {
	UID     socketio.ServerID `json:"uid,omitempty"` // the emitter has none
	ID      string            `json:"requestId,omitempty"`
	Type    int               `json:"type"`
	Packet  *packet           `json:"packet,omitempty"`
	Options *options          `json:"opts,omitempty"`
	Rooms   names             `json:"rooms,omitempty"`
	Close   *bool             `json:"close,omitempty"`
	Abrupt  bool              `json:"abrupt,omitempty"` // ours: Command.Close
	Data    json.RawMessage   `json:"data,omitempty"`
}

// A classicResponse is what a server answers.
type classicResponse struct {
	Type    *int              `json:"type,omitempty"`
	ID      string            `json:"requestId"`
	Count   *int              `json:"clientCount,omitempty"`
	Packet  json.RawMessage   `json:"packet,omitempty"`
	Data    json.RawMessage   `json:"data,omitempty"`
	Sockets json.RawMessage   `json:"sockets,omitempty"`
	Rooms   json.RawMessage   `json:"rooms,omitempty"`
	More    []json.RawMessage `json:"more,omitempty"` // ours: what comes behind Packet or Data
	UID     socketio.ServerID `json:"uid,omitempty"`  // ours: who answers
}

func (w *classic) encode(c *socketio.Command) (channel string, payload []byte, err error) {
	switch {
	case c.Kind == socketio.KindBroadcast && c.ID == "":
		return w.encodeBroadcast(c)
	case c.Kind < socketio.KindResponse:
		payload, err = w.encodeRequest(c)
		return w.requests(c.Namespace), payload, err
	default:
		payload, err = w.encodeResponse(c)
		return w.answerTo(c), payload, err
	}
}

// answerTo is the channel of an answer. A handler of Node's that acknowledges an event always answers to all.
func (w *classic) answerTo(c *socketio.Command) string {
	channel := w.responses(c.Namespace)
	if w.privately && c.Event != socketio.RequestEvent {
		channel += string(c.To) + "#"
	}
	return channel
}

func (w *classic) encodeBroadcast(c *socketio.Command) (channel string, payload []byte, err error) {
	data, err := event(c)
	if err != nil {
		return "", nil, err
	}
	channel = w.broadcasts(c.Namespace)
	if len(c.Rooms) == 1 {
		channel += string(c.Rooms[0]) + "#"
	}
	d, err := newDocument([]any{c.From, packet{packetEvent, data, c.Namespace}, optionsOf(c)}, c.Args.Attachments())
	if err != nil {
		return "", nil, err
	}
	payload, err = d.msgpack()
	return channel, payload, err
}

func (w *classic) encodeRequest(c *socketio.Command) ([]byte, error) {
	r := classicRequest{UID: c.From, ID: c.ID, Options: optionsOf(c)}
	switch c.Kind {
	case socketio.KindBroadcast:
		data, err := event(c)
		if err != nil {
			return nil, err
		}
		r.Type, r.Packet = classicBroadcast, &packet{packetEvent, data, c.Namespace}
		d, err := newDocument(r, c.Args.Attachments())
		if err != nil {
			return nil, err
		}
		return d.msgpack()
	case socketio.KindJoin:
		r.Type, r.Rooms = classicJoin, c.Joins
	case socketio.KindLeave:
		r.Type, r.Rooms = classicLeave, c.Joins
	case socketio.KindDisconnect:
		r.Type, r.Close, r.Abrupt = classicDisconnect, new(c.All || c.Close), c.Close
	case socketio.KindRequest:
		switch c.Event {
		case socketio.RequestSockets:
			r.Type = classicSockets
		case socketio.RequestRooms:
			r.Type, r.Options = classicRooms, nil
		case socketio.RequestIDs:
			r.Type, r.Options, r.Rooms = classicIDs, nil, c.Rooms
		case socketio.RequestEvent:
			r.Type, r.Options, r.Data = classicEvent, nil, c.Args.JSONWith(appendBuffer)
		default:
			return nil, fmt.Errorf("request %q: %w", c.Event, errKind)
		}
	default:
		return nil, fmt.Errorf("%v: %w", c.Kind, errKind)
	}
	if r.Options != nil {
		r.Options = r.Options.plain()
	}
	return marshal(r)
}

func (w *classic) encodeResponse(c *socketio.Command) ([]byte, error) {
	r := classicResponse{ID: c.ID, UID: c.From}
	switch c.Kind {
	case socketio.KindCount:
		r.Type, r.Count = new(classicCount), &c.Count
	case socketio.KindAck:
		r.Type = new(classicAck)
		r.Packet, r.More = split(c.Args)
		d, err := newDocument(r, c.Args.Attachments())
		if err != nil {
			return nil, err
		}
		return d.msgpack()
	case socketio.KindResponse:
		switch c.Event {
		case socketio.RequestSockets, socketio.RequestIDs:
			r.Sockets = c.Args.Raw(0)
		case socketio.RequestRooms:
			r.Rooms = c.Args.Raw(0)
		case socketio.RequestEvent:
			return w.encodeEventAnswer(c)
		default:
			return nil, fmt.Errorf("answer to %q: %w", c.Event, errKind)
		}
	default:
		return nil, fmt.Errorf("%v: %w", c.Kind, errKind)
	}
	return marshal(r)
}

func (w *classic) encodeEventAnswer(c *socketio.Command) ([]byte, error) {
	var values []json.RawMessage
	if err := json.Unmarshal(c.Args.JSONWith(appendBuffer), &values); err != nil {
		return nil, err
	}
	r := classicResponse{Type: new(classicEvent), ID: c.ID, UID: c.From}
	if len(values) > 0 {
		r.Data, r.More = values[0], values[1:]
	}
	return marshal(r)
}

func (w *classic) decode(channel string, payload []byte) (*socketio.Command, error) {
	kind, place, _ := strings.Cut(channel, "#")
	switch place, inside := strings.CutSuffix(place, "#"); {
	case !inside:
		return nil, errChannel
	case kind == w.prefix:
		return w.decodeBroadcast(place, payload)
	case kind == w.prefix+"-request":
		return w.decodeRequest(place, payload)
	case kind == w.prefix+"-response":
		return w.decodeResponse(strings.TrimSuffix(place, "#"+string(w.self)), payload)
	default:
		return nil, errChannel
	}
}

// decodeBroadcast reads a broadcast. Place is the namespace, with a room behind it or not.
func (w *classic) decodeBroadcast(place string, payload []byte) (*socketio.Command, error) {
	if own := len(payload) > 22 && payload[1] == 0xb4 && string(payload[2:22]) == string(w.self); own {
		return nil, nil // it need not be read
	}
	d, err := readDocument(payload, w.maxAttachments)
	if err != nil {
		return nil, err
	}
	var message []json.RawMessage
	if err := json.Unmarshal(d.text, &message); err != nil {
		return nil, err
	}
	if len(message) < 3 {
		return nil, errShape
	}
	c := &socketio.Command{Kind: socketio.KindBroadcast}
	var p packet
	var o options
	for i, part := range []any{&c.From, &p, &o} {
		if err := json.Unmarshal(message[i], part); err != nil {
			return nil, err
		}
	}
	if c.Namespace = p.Namespace; c.Namespace == "" {
		c.Namespace = "/"
	}
	if place != c.Namespace && !strings.HasPrefix(place, c.Namespace+"#") {
		return nil, errShape
	}
	if err := o.apply(c); err != nil {
		return nil, err
	}
	return c, p.setEvent(c, d.attachments)
}

func (w *classic) decodeRequest(namespace string, payload []byte) (*socketio.Command, error) {
	d, err := readDocument(payload, w.maxAttachments)
	if err != nil {
		return nil, err
	}
	var r classicRequest
	if err := json.Unmarshal(d.text, &r); err != nil {
		return nil, err
	}
	c := &socketio.Command{From: r.UID, ID: r.ID, Namespace: namespace}
	switch r.Type {
	case classicBroadcast:
		c.Kind = socketio.KindBroadcast
		if err := r.Packet.setEvent(c, d.attachments); err != nil {
			return nil, err
		}
		return c, r.Options.apply(c)
	case classicJoin, classicLeave:
		c.Kind, c.Joins, c.ID = socketio.KindJoin, r.Rooms, ""
		if r.Type == classicLeave {
			c.Kind = socketio.KindLeave
		}
		return c, r.Options.apply(c)
	case classicDisconnect:
		c.Kind, c.ID = socketio.KindDisconnect, ""
		c.Close = r.Abrupt
		c.All = r.Close != nil && *r.Close && !c.Close
		return c, r.Options.apply(c)
	case classicSockets:
		c.Kind, c.Event = socketio.KindRequest, socketio.RequestSockets
		return c, r.Options.apply(c)
	case classicRooms:
		c.Kind, c.Event = socketio.KindRequest, socketio.RequestRooms
		return c, nil
	case classicIDs:
		c.Kind, c.Event, c.Rooms = socketio.KindRequest, socketio.RequestIDs, r.Rooms
		return c, nil
	case classicEvent:
		c.Kind, c.Event = socketio.KindRequest, socketio.RequestEvent
		c.Args, err = d.withBuffers(r.Data)
		return c, err
	default:
		return nil, errKind
	}
}

func (w *classic) decodeResponse(namespace string, payload []byte) (*socketio.Command, error) {
	d, err := readDocument(payload, w.maxAttachments)
	if err != nil {
		return nil, err
	}
	var r classicResponse
	if err := json.Unmarshal(d.text, &r); err != nil {
		return nil, err
	}
	c := &socketio.Command{Kind: socketio.KindResponse, From: r.UID, To: w.self, ID: r.ID, Namespace: namespace}
	switch {
	case r.ID == "":
		return nil, errShape
	case r.Type != nil && *r.Type == classicCount && r.Count != nil:
		c.Kind, c.Count = socketio.KindCount, *r.Count
	case r.Type != nil && *r.Type == classicAck:
		c.Kind = socketio.KindAck
		c.Args, err = d.join(r.Packet, r.More)
	case r.Type != nil && *r.Type == classicEvent:
		c.Event = socketio.RequestEvent
		c.Args, err = d.withBuffers(wrapAll(r.Data, r.More))
	case r.Sockets != nil:
		c.Event = socketio.RequestSockets
		c.Args, err = d.value(r.Sockets)
	case r.Rooms != nil:
		c.Event = socketio.RequestRooms
		c.Args, err = d.value(r.Rooms)
	default:
		return nil, errShape
	}
	return c, err
}

// wrapAll is the array of first, if there is one, and more.
func wrapAll(first json.RawMessage, more []json.RawMessage) []byte {
	if len(first) == 0 {
		return []byte("[]")
	}
	return wrap(bytes.Join(append([][]byte{first}, rawBytes(more)...), []byte{','}))
}

// appendBuffer writes an attachment as JSON.stringify does.
func appendBuffer(b, attachment []byte) []byte {
	b = append(b, `{"type":"Buffer","data":[`...)
	for i, octet := range attachment {
		if i > 0 {
			b = append(b, ',')
		}
		b = strconv.AppendUint(b, uint64(octet), 10)
	}
	return append(b, `]}`...)
}

// stringifiedBuffer is what appendBuffer writes. In a JSON string the quotes would have backslashes before them: in valid
// JSON what matches is an object.
var stringifiedBuffer = regexp.MustCompile(`\{"type":"Buffer","data":\[([0-9,]*)\]\}`)

// withBuffers makes Args of an array in which attachments may be written as JSON.stringify does.
func (d document) withBuffers(array json.RawMessage) (socketio.Args, error) {
	if len(array) == 0 {
		return socketio.Args{}, errShape
	}
	if !bytes.Contains(array, []byte(`"Buffer"`)) || len(d.attachments) > 0 {
		return socketio.ParseArgs(array, d.attachments)
	}
	var attachments [][]byte
	text := stringifiedBuffer.ReplaceAllFunc(array, func(found []byte) []byte {
		octets, ok := parseOctets(stringifiedBuffer.FindSubmatch(found)[1])
		if !ok {
			return found
		}
		attachments = append(attachments, octets)
		return fmt.Appendf(nil, `{"_placeholder":true,"num":%d}`, len(attachments)-1)
	})
	if args, err := socketio.ParseArgs(text, attachments); err == nil {
		return args, nil
	}
	return socketio.ParseArgs(array, nil)
}

func parseOctets(list []byte) ([]byte, bool) {
	octets := make([]byte, 0, len(list)/2)
	if len(list) == 0 {
		return octets, true
	}
	for field := range bytes.SplitSeq(list, []byte{','}) {
		n, err := strconv.ParseUint(string(field), 10, 8)
		if err != nil {
			return nil, false
		}
		octets = append(octets, byte(n))
	}
	return octets, true
}
