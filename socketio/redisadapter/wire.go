package redisadapter

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"strconv"
	"time"

	"qun/socketio"
)

// A wire is a way to say commands with Redis. It knows nothing of connections.
type wire interface {
	// base is what a server that has the namespace subscribes to.
	base(namespace string) []subscription
	// room is what it subscribes to for a room with members; none if base covers it.
	room(namespace string, room socketio.Room) []subscription
	// census is the channel that all servers with the namespace subscribe to.
	census(namespace string) string
	// encode says where a command goes, and how it is written.
	encode(c *socketio.Command) (channel string, payload []byte, err error)
	// decode reads what came on a channel. It returns no command for what does not concern servers, and an error
	// for what nobody should have sent. The payload may be anything.
	decode(channel string, payload []byte) (*socketio.Command, error)
}

func newWire(cfg *Config, self socketio.ServerID) wire {
	if cfg.Mode == Classic {
		return &classic{cfg.Prefix, self, cfg.AnswerInPrivate, cfg.BroadcastsOnly, cfg.MaxAttachments}
	}
	return &shardedWire{cfg.Prefix, self, cfg.Mode == ShardedStatic, cfg.MaxAttachments}
}

// A subscription is to a channel, in one of Redis' three ways.
type subscription struct {
	way     way
	channel string
}

type way uint8

const (
	exact   way = iota // SUBSCRIBE
	pattern            // PSUBSCRIBE
	sharded            // SSUBSCRIBE
)

var (
	errChannel = errors.New("channel is of no known kind")
	errShape   = errors.New("message is not what its kind must be")
	errKind    = errors.New("kind of message is not known")
)

// packetEvent and packetBinaryEvent are Socket.IO's packet types that a broadcast may have.
const (
	packetEvent       = 2
	packetBinaryEvent = 5
)

// A packet is what a broadcast sends to sockets.
type packet struct {
	Type      int             `json:"type"`
	Data      json.RawMessage `json:"data,omitempty"`
	Namespace string          `json:"nsp,omitempty"`
}

// options are whom something is meant for, and how it is sent.
type options struct {
	Rooms  names  `json:"rooms"`
	Except names  `json:"except"`
	Flags  *flags `json:"flags,omitempty"`
}

type flags struct {
	Volatile *bool    `json:"volatile,omitempty"`
	Compress *bool    `json:"compress,omitempty"`
	Timeout  *float64 `json:"timeout,omitempty"` // milliseconds
}

// names are rooms. JavaScript applications may name rooms by numbers.
type names []socketio.Room

func (n *names) UnmarshalJSON(text []byte) error {
	var values []json.RawMessage
	if err := json.Unmarshal(text, &values); err != nil {
		return err
	}
	*n = make(names, len(values))
	for i, v := range values {
		if v[0] == '"' {
			if err := json.Unmarshal(v, &(*n)[i]); err != nil {
				return err
			}
			continue
		}
		if _, err := strconv.ParseFloat(string(v), 64); err != nil {
			return errShape
		}
		(*n)[i] = socketio.Room(v)
	}
	return nil
}

func (n names) MarshalJSON() ([]byte, error) {
	if len(n) == 0 {
		return []byte("[]"), nil
	}
	return marshal([]socketio.Room(n))
}

// optionsOf are the options of a command.
func optionsOf(c *socketio.Command) *options {
	o := &options{Rooms: c.Rooms, Except: c.Except, Flags: &flags{}}
	if c.Volatile {
		o.Flags.Volatile = new(true)
	}
	if c.Raw {
		o.Flags.Compress = new(false)
	}
	if c.ID != "" && c.Timeout > 0 {
		o.Flags.Timeout = new(float64(c.Timeout.Milliseconds()))
	}
	return o
}

// plain are the options without how it is sent.
func (o *options) plain() *options { return &options{Rooms: o.Rooms, Except: o.Except} }

// apply puts the options into a command.
func (o *options) apply(c *socketio.Command) error {
	if o == nil {
		return errShape
	}
	c.Rooms, c.Except = o.Rooms, o.Except
	if f := o.Flags; f != nil {
		c.Volatile = f.Volatile != nil && *f.Volatile
		c.Raw = f.Compress != nil && !*f.Compress
		if f.Timeout != nil && *f.Timeout > 0 {
			c.Timeout = time.Duration(min(*f.Timeout, math.MaxInt32)) * time.Millisecond
		}
	}
	return nil
}

// event is the array of a broadcast: its name and its arguments.
func event(c *socketio.Command) (json.RawMessage, error) {
	name, err := marshal(c.Event)
	if err != nil {
		return nil, err
	}
	array := append([]byte{'['}, name...)
	if rest := c.Args.JSON(); len(rest) > 2 {
		array = append(append(array, ','), rest[1:]...)
		return array, nil
	}
	return append(array, ']'), nil
}

// setEvent is the inverse of event.
func (p *packet) setEvent(c *socketio.Command, attachments [][]byte) error {
	if p == nil || p.Type != packetEvent && p.Type != packetBinaryEvent {
		return errShape
	}
	args, err := socketio.ParseArgs(p.Data, attachments)
	if err != nil {
		return err
	}
	if raw := args.Raw(0); len(raw) == 0 || raw[0] != '"' {
		return errShape
	}
	c.Args = args.From(1)
	return args.Decode(0, &c.Event)
}

// A document is one JSON value with attachments. It is written as JSON if it has none, and else as MessagePack.
type document struct {
	text        json.RawMessage
	attachments [][]byte
}

// json makes a document of a message and the attachments that placeholders in it name.
func newDocument(message any, attachments [][]byte) (document, error) {
	text, err := marshal(message)
	return document{text, attachments}, err
}

// msgpack is the document as MessagePack.
func (d document) msgpack() ([]byte, error) {
	args, err := socketio.ParseArgs(wrap(d.text), d.attachments)
	if err != nil {
		return nil, err
	}
	return args.Msgpack()[1:], nil // without the header of an array of one
}

// readDocument reads JSON, if there is an object of it, and else MessagePack.
func readDocument(payload []byte, maxAttachments int) (document, error) {
	if len(payload) > 0 && payload[0] == '{' {
		return document{text: payload}, nil
	}
	args, err := socketio.UnpackArgs(append([]byte{0x91}, payload...), maxAttachments)
	if err != nil {
		return document{}, err
	}
	return document{args.Raw(0), args.Attachments()}, nil
}

// value is a part of the document, with the attachments that are in it.
func (d document) value(part json.RawMessage) (socketio.Args, error) {
	if len(part) == 0 {
		return socketio.Args{}, nil
	}
	return socketio.ParseArgs(wrap(part), d.attachments)
}

func wrap(value json.RawMessage) []byte {
	return append(append([]byte{'['}, value...), ']')
}

// split gives the first of several values, for those who know of one only, and the others.
func split(args socketio.Args) (first json.RawMessage, more []json.RawMessage) {
	for i := 1; i < args.Len(); i++ {
		more = append(more, args.Raw(i))
	}
	return args.Raw(0), more
}

// join is the inverse of split.
func (d document) join(first json.RawMessage, more []json.RawMessage) (socketio.Args, error) {
	if len(more) == 0 {
		return d.value(first)
	}
	return socketio.ParseArgs(wrap(bytes.Join(append([][]byte{first}, rawBytes(more)...), []byte{','})), d.attachments)
}

func rawBytes(values []json.RawMessage) [][]byte {
	all := make([][]byte, len(values))
	for i, v := range values {
		all[i] = v
	}
	return all
}

// marshal is json.Marshal as JavaScript does it: <, > and & stand for themselves.
func marshal(v any) ([]byte, error) {
	var text bytes.Buffer
	encoder := json.NewEncoder(&text)
	encoder.SetEscapeHTML(false)
	if err := encoder.Encode(v); err != nil {
		return nil, fmt.Errorf("encode: %w", err)
	}
	return bytes.TrimSuffix(text.Bytes(), []byte{'\n'}), nil
}
