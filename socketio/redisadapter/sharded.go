package redisadapter

import (
	"encoding/json"
	"fmt"
	"strings"
	"unicode/utf16"

	"qun/socketio"
)

// shardedWire is the wire of createShardedAdapter of @socket.io/redis-adapter 8. All messages are of one form, in JSON, or in
// MessagePack if there is an attachment in one:
//
//	<prefix>#<namespace>#         everything that is for all servers
//	<prefix>#<namespace>#<room>#  broadcasts to one room, unless it is a socket's id, or rooms have no channels ("static")
//	<prefix>#<namespace>#<uid>#   what is for one server
type shardedWire struct {
	prefix         string
	self           socketio.ServerID
	static         bool
	maxAttachments int
}

func (w *shardedWire) census(namespace string) string { return w.prefix + "#" + namespace + "#" }

func (w *shardedWire) base(namespace string) []subscription {
	return []subscription{{sharded, w.census(namespace)}, {sharded, w.census(namespace) + string(w.self) + "#"}}
}

func (w *shardedWire) room(namespace string, room socketio.Room) []subscription {
	if w.static {
		return nil
	}
	return []subscription{{sharded, w.census(namespace) + string(room) + "#"}}
}

// hasChannel says whether a broadcast to the room goes to a channel of its own. The length is what JavaScript counts.
func (w *shardedWire) hasChannel(room socketio.Room) bool {
	return !w.static && len(utf16.Encode([]rune(string(room)))) != socketIDSize
}

// Types of messages.
const (
	shardedBroadcast      = 3
	shardedJoin           = 4
	shardedLeave          = 5
	shardedDisconnect     = 6
	shardedSockets        = 7
	shardedSocketsAnswer  = 8
	shardedEvent          = 9
	shardedEventAnswer    = 10
	shardedCount          = 11
	shardedAck            = 12
	shardedRooms          = 1001 // ours: others have no such question, and do not answer it
	shardedRoomsAnswer    = 1002
	shardedHeartbeatFirst = 1 // said by other adapters of this family; none of ours
	shardedHeartbeat      = 2
	shardedClosed         = 13
)

// A shardedMessage is any message. Fields that others do not know are ours; they ignore them.
type shardedMessage struct {
	Type      int               `json:"type"`
	Data      *shardedData      `json:"data,omitempty"`
	UID       socketio.ServerID `json:"uid"`
	Namespace string            `json:"nsp"`
}

type shardedData struct {
	Packet  json.RawMessage   `json:"packet,omitempty"` // of a broadcast a packet, of an event an array, of an answer a value
	Options *options          `json:"opts,omitempty"`
	ID      string            `json:"requestId,omitempty"`
	Count   *int              `json:"clientCount,omitempty"`
	Sockets json.RawMessage   `json:"sockets,omitempty"`
	Rooms   json.RawMessage   `json:"rooms,omitempty"`
	Close   *bool             `json:"close,omitempty"`
	Abrupt  bool              `json:"abrupt,omitempty"` // ours: Command.Close
	More    []json.RawMessage `json:"more,omitempty"`   // ours: what comes behind Packet in an answer
}

// MarshalJSON writes the fields in the order of others, whose request's id comes first, or behind the packet, or behind the options.
func (d *shardedData) MarshalJSON() ([]byte, error) {
	type ordered shardedData
	switch {
	case d.ID != "" && d.Options != nil && d.Packet != nil:
		return marshal(struct {
			Packet  json.RawMessage `json:"packet"`
			ID      string          `json:"requestId"`
			Options *options        `json:"opts"`
		}{d.Packet, d.ID, d.Options})
	case d.ID != "" && d.Options == nil:
		return marshal(struct {
			ID       string `json:"requestId"`
			*ordered        // whose own id is hidden
		}{d.ID, (*ordered)(d)})
	default:
		return marshal((*ordered)(d))
	}
}

func (w *shardedWire) encode(c *socketio.Command) (channel string, payload []byte, err error) {
	m := shardedMessage{Data: &shardedData{}, UID: c.From, Namespace: c.Namespace}
	if err := w.fill(&m, c); err != nil {
		return "", nil, err
	}
	d, err := newDocument(m, c.Args.Attachments())
	if err != nil {
		return "", nil, err
	}
	payload = d.text
	if len(d.attachments) > 0 {
		payload, err = d.msgpack()
	}
	return w.channelOf(c), payload, err
}

func (w *shardedWire) channelOf(c *socketio.Command) string {
	channel := w.census(c.Namespace)
	switch {
	case c.Kind >= socketio.KindResponse:
		return channel + string(c.To) + "#"
	case c.Kind == socketio.KindBroadcast && c.ID == "" && len(c.Rooms) == 1 && w.hasChannel(c.Rooms[0]):
		return channel + string(c.Rooms[0]) + "#"
	default:
		return channel
	}
}

// fill puts a command into a message.
func (w *shardedWire) fill(m *shardedMessage, c *socketio.Command) (err error) {
	d := m.Data
	d.ID = c.ID
	switch c.Kind {
	case socketio.KindBroadcast:
		var data json.RawMessage
		if data, err = event(c); err == nil {
			m.Type, d.Options = shardedBroadcast, optionsOf(c)
			d.Packet, err = marshal(packet{Type: packetEvent, Data: data})
		}
	case socketio.KindJoin, socketio.KindLeave:
		m.Type, d.Options = shardedJoin, optionsOf(c)
		if c.Kind == socketio.KindLeave {
			m.Type = shardedLeave
		}
		d.Rooms, err = marshal(names(c.Joins))
	case socketio.KindDisconnect:
		m.Type, d.Options = shardedDisconnect, optionsOf(c)
		d.Close, d.Abrupt = new(c.All || c.Close), c.Close
	case socketio.KindRequest:
		err = w.fillRequest(m, c)
	case socketio.KindResponse:
		err = w.fillResponse(m, c)
	case socketio.KindCount:
		m.Type, d.Count = shardedCount, &c.Count
	case socketio.KindAck:
		m.Type = shardedAck
		d.Packet, d.More = split(c.Args)
	default:
		err = fmt.Errorf("%v: %w", c.Kind, errKind)
	}
	return err
}

func (w *shardedWire) fillRequest(m *shardedMessage, c *socketio.Command) error {
	switch c.Event {
	case socketio.RequestSockets:
		m.Type, m.Data.Options = shardedSockets, &options{Rooms: c.Rooms, Except: c.Except, Flags: &flags{}}
	case socketio.RequestRooms:
		m.Type = shardedRooms
	case socketio.RequestEvent:
		m.Type, m.Data.Packet = shardedEvent, c.Args.JSON()
	default:
		return fmt.Errorf("request %q: %w", c.Event, errKind)
	}
	return nil
}

func (w *shardedWire) fillResponse(m *shardedMessage, c *socketio.Command) error {
	switch c.Event {
	case socketio.RequestSockets:
		m.Type, m.Data.Sockets = shardedSocketsAnswer, c.Args.Raw(0)
	case socketio.RequestRooms:
		m.Type, m.Data.Rooms = shardedRoomsAnswer, c.Args.Raw(0)
	case socketio.RequestEvent:
		m.Type = shardedEventAnswer
		m.Data.Packet, m.Data.More = split(c.Args)
	default:
		return fmt.Errorf("answer to %q: %w", c.Event, errKind)
	}
	return nil
}

func (w *shardedWire) decode(channel string, payload []byte) (*socketio.Command, error) {
	d, err := readDocument(payload, w.maxAttachments)
	if err != nil {
		return nil, err
	}
	var m shardedMessage
	if err := json.Unmarshal(d.text, &m); err != nil {
		return nil, err
	}
	switch {
	case m.Type == shardedHeartbeatFirst || m.Type == shardedHeartbeat || m.Type == shardedClosed:
		return nil, nil
	case !strings.HasPrefix(channel, w.census(m.Namespace)):
		return nil, errChannel
	case m.Data == nil:
		return nil, errShape
	}
	c := &socketio.Command{From: m.UID, Namespace: m.Namespace, ID: m.Data.ID}
	return c, w.take(c, &m, d)
}

// take puts a message into a command.
func (w *shardedWire) take(c *socketio.Command, m *shardedMessage, d document) (err error) {
	in := m.Data
	switch m.Type {
	case shardedBroadcast:
		var p packet
		c.Kind = socketio.KindBroadcast
		if err := json.Unmarshal(in.Packet, &p); err != nil {
			return err
		}
		if err := p.setEvent(c, d.attachments); err != nil {
			return err
		}
		return in.Options.apply(c)
	case shardedJoin, shardedLeave:
		c.Kind, c.ID = socketio.KindJoin, ""
		if m.Type == shardedLeave {
			c.Kind = socketio.KindLeave
		}
		if err := json.Unmarshal(in.Rooms, (*names)(&c.Joins)); err != nil {
			return err
		}
		return in.Options.apply(c)
	case shardedDisconnect:
		c.Kind, c.ID, c.Close = socketio.KindDisconnect, "", in.Abrupt
		c.All = in.Close != nil && *in.Close && !c.Close
		return in.Options.apply(c)
	case shardedSockets:
		c.Kind, c.Event = socketio.KindRequest, socketio.RequestSockets
		return in.Options.apply(c)
	case shardedRooms:
		c.Kind, c.Event = socketio.KindRequest, socketio.RequestRooms
		return nil
	case shardedEvent:
		c.Kind, c.Event = socketio.KindRequest, socketio.RequestEvent
		c.Args, err = socketio.ParseArgs(in.Packet, d.attachments)
		return err
	default:
		c.To = w.self
		return w.takeAnswer(c, m, d)
	}
}

func (w *shardedWire) takeAnswer(c *socketio.Command, m *shardedMessage, d document) (err error) {
	in := m.Data
	c.Kind = socketio.KindResponse
	switch m.Type {
	case shardedSocketsAnswer:
		c.Event = socketio.RequestSockets
		c.Args, err = d.value(in.Sockets)
	case shardedRoomsAnswer:
		c.Event = socketio.RequestRooms
		c.Args, err = d.value(in.Rooms)
	case shardedEventAnswer:
		c.Event = socketio.RequestEvent
		c.Args, err = d.join(in.Packet, in.More)
	case shardedAck:
		c.Kind = socketio.KindAck
		c.Args, err = d.join(in.Packet, in.More)
	case shardedCount:
		c.Kind = socketio.KindCount
		if in.Count == nil {
			return errShape
		}
		c.Count = *in.Count
	default:
		return errKind
	}
	return err
}
