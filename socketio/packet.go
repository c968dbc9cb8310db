package socketio

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"time"
)

// packetType is the digit that begins a Socket.IO packet.
type packetType byte

const (
	packetConnect      packetType = '0'
	packetDisconnect   packetType = '1'
	packetEvent        packetType = '2'
	packetAck          packetType = '3'
	packetConnectError packetType = '4'
	packetBinaryEvent  packetType = '5'
	packetBinaryAck    packetType = '6'
)

// binary is the type that an event or an ack has when it comes with attachments.
func (t packetType) binary() packetType {
	if t == packetAck {
		return packetBinaryAck
	}
	return packetBinaryEvent
}

// An ackID is the id in a packet, if there is one: the id plus one, or 0.
type ackID uint64

const noAck ackID = 0

func someAck(n uint64) ackID { return ackID(n + 1) }

func (a ackID) get() (n uint64, ok bool) { return uint64(a) - 1, a != noAck }

// A packet is an incoming Socket.IO packet (protocol version 5):
//
//	<type>[<attachments>-][/<namespace>,][<ack id>][<JSON>]
//
// Its parts are parts of the message that it was made of.
type packet struct {
	kind      packetType // never one of the binary types: missing and args say it all
	namespace []byte
	id        ackID
	auth      json.RawMessage // CONNECT
	event     []byte          // EVENT
	args      Args            // EVENT, ACK

	few [3]json.RawMessage // what args are in, as long as they are few

	missing int // attachments that have not come yet
	size    int // bytes of those that have
	timer   *time.Timer
}

// What a client must not send. Each costs it the whole connection.
var (
	errEmptyPacket     = errors.New("packet is empty")
	errPacketType      = errors.New("packet type is unknown, or for servers only")
	errAttachments     = errors.New("number of attachments is missing or out of range")
	errAttachmentBytes = errors.New("attachments are too large")
	errNamespaceName   = errors.New("namespace name is too long")
	errAckID           = errors.New("ack id is too large")
	errPayload         = errors.New("packet has a payload that does not belong there")
	errEventName       = errors.New("event has no name")
	errReservedName    = errors.New("event name is reserved")
)

const (
	maxNamespaceName = 512
	maxAckDigits     = 18
)

var mainNamespace = []byte("/")

// parse reads the text of a packet. Attachments that it announces are missing yet.
func (p *packet) parse(text []byte, maxAttachments int) error {
	if len(text) == 0 {
		return errEmptyPacket
	}
	p.kind = packetType(text[0])
	rest, err := p.parseHeader(text[1:], maxAttachments)
	if err != nil {
		return err
	}
	return p.parsePayload(rest)
}

// parseHeader reads what stands before the payload, and returns the payload.
func (p *packet) parseHeader(rest []byte, maxAttachments int) (payload []byte, err error) {
	if p.kind == packetBinaryEvent || p.kind == packetBinaryAck {
		p.kind -= packetBinaryEvent - packetEvent
		if p.missing, rest, err = parseAttachments(rest, maxAttachments); err != nil {
			return nil, err
		}
	}
	p.namespace = mainNamespace
	if len(rest) > 0 && rest[0] == '/' {
		p.namespace, rest, _ = bytes.Cut(rest, []byte{','})
		if len(p.namespace) > maxNamespaceName {
			return nil, errNamespaceName
		}
	}
	p.id, rest, err = parseAckID(rest)
	return rest, err
}

// parseAttachments reads "<n>-".
func parseAttachments(rest []byte, limit int) (n int, _ []byte, err error) {
	digits, rest, found := bytes.Cut(rest, []byte{'-'})
	if !found || len(digits) == 0 || len(digits) > 4 {
		return 0, nil, errAttachments
	}
	for _, d := range digits {
		if d < '0' || d > '9' {
			return 0, nil, errAttachments
		}
		n = n*10 + int(d-'0')
	}
	if n < 1 || n > limit {
		return 0, nil, errAttachments
	}
	return n, rest, nil
}

func parseAckID(rest []byte) (id ackID, _ []byte, err error) {
	var n uint64
	digits := 0
	for digits < len(rest) && rest[digits] >= '0' && rest[digits] <= '9' {
		n = n*10 + uint64(rest[digits]-'0')
		if digits++; digits > maxAckDigits {
			return noAck, nil, errAckID
		}
	}
	if digits == 0 {
		return noAck, rest, nil
	}
	return someAck(n), rest[digits:], nil
}

func (p *packet) parsePayload(payload []byte) error {
	switch p.kind {
	case packetConnect:
		return p.parseAuth(payload)
	case packetDisconnect:
		if len(payload) > 0 {
			return errPayload
		}
		return nil
	case packetEvent:
		return p.parseEvent(payload)
	case packetAck:
		return p.parseArgs(payload)
	default:
		return errPacketType
	}
}

func (p *packet) parseAuth(payload []byte) error {
	if len(payload) == 0 {
		return nil
	}
	p.auth = payload
	return checkObject(payload)
}

func (p *packet) parseArgs(payload []byte) error {
	values, err := parseArray(p.few[:0], payload)
	if err != nil {
		return err
	}
	p.args.values = values
	return nil
}

func (p *packet) parseEvent(payload []byte) error {
	if err := p.parseArgs(payload); err != nil {
		return err
	}
	return p.takeName()
}

// takeName takes the event's name off its arguments.
func (p *packet) takeName() error {
	values := p.args.values
	if len(values) == 0 {
		return errEventName
	}
	p.args = p.args.From(1)
	switch name := values[0]; {
	case name[0] == '"':
		p.event = unquoted(name)
	case name[0] == '-' || (name[0] >= '0' && name[0] <= '9'):
		p.event = name // clients may use numbers
	default:
		return errEventName
	}
	if reserved(string(p.event)) {
		return errReservedName
	}
	return nil
}

// expect prepares the packet for its attachments: all placeholders must name one of them.
func (p *packet) expect() error {
	binary, err := findHoles(p.args.values, p.missing)
	if err != nil {
		return err
	}
	p.args.binary = binary
	return nil
}

// attach adds the next attachment. The packet is complete when none is missing.
func (p *packet) attach(data []byte, maxBytes int) error {
	if p.size += len(data); p.size > maxBytes {
		return fmt.Errorf("%w: more than %d bytes", errAttachmentBytes, maxBytes)
	}
	p.args.binary.data = append(p.args.binary.data, data)
	p.missing--
	return nil
}
