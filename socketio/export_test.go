package socketio

import (
	"context"
	"encoding/json"
	"errors"
)

// A Packet is what the tests see of an incoming packet.
type Packet struct {
	Type      string
	Namespace string
	ID        *uint64
	Auth      json.RawMessage
	Event     string
	Args      Args
}

// Decode reads a packet and its attachments as a connection does.
func Decode(text string, attachments ...[]byte) (*Packet, error) {
	p := &packet{}
	if err := p.parse([]byte(text), 10); err != nil {
		return nil, err
	}
	if p.missing > 0 {
		if err := p.expect(); err != nil {
			return nil, err
		}
	}
	for _, data := range attachments {
		if p.missing == 0 {
			break
		}
		if err := p.attach(data, 1000); err != nil {
			return nil, err
		}
	}
	if p.missing > 0 {
		return nil, errors.New("attachments are missing")
	}
	d := &Packet{Type: string(p.kind), Namespace: string(p.namespace), Auth: p.auth, Event: string(p.event), Args: p.args}
	if n, ok := p.id.get(); ok {
		d.ID = &n
	}
	return d, nil
}

// Encode makes an event (Type "2") or an ack (Type "3") with its attachments.
func Encode(kind, namespace string, id *uint64, event string, args ...any) (text string, attachments [][]byte, err error) {
	ack := noAck
	if id != nil {
		ack = someAck(*id)
	}
	use := func(p *payload) {
		header := appendHeader(nil, packetType(kind[0]), len(p.data), namespacePrefix(namespace), ack)
		text, attachments = string(header)+string(p.array), p.data
	}
	if kind == "2" {
		err = encodeEvent(10, event, args, use)
	} else {
		err = encode(10, nil, args, use)
	}
	return text, attachments, err
}

// DecodeOnly reads the text of a packet and drops it.
func DecodeOnly(text []byte) error {
	return new(packet).parse(text, 10)
}

// EncodeOnly makes an event's packets and drops them.
func EncodeOnly(event string, args ...any) error {
	return encodeEvent(10, event, args, func(p *payload) { p.packets(nil, packetEvent, mainForTests, noAck) })
}

var mainForTests = &Namespace{name: "/"}

// RoomsForTest counts what is left of rooms, everywhere. It is for the time when nothing moves.
func (n *Namespace) RoomsForTest() (rooms int) {
	for i := range n.parts {
		rooms += len(n.parts[i].rooms)
	}
	for i := range n.directory.stripes {
		rooms += len(n.directory.stripes[i].rooms) + len(n.directory.stripes[i].sockets)
		if p := n.directory.stripes[i].rooms[everyone]; p != nil && p.watch != nil && len(p.shards) == 0 {
			rooms-- // the namespace itself is watched whoever is in it
		}
	}
	return rooms
}

// RecoveryForTest counts what is kept for clients that may come back.
func (n *Namespace) RecoveryForTest() (sessions, records, bytes int) {
	r := n.recovery
	r.order.Lock()
	defer r.order.Unlock()
	r.mu.Lock()
	defer r.mu.Unlock()
	return len(r.kept), len(r.records), r.bytes
}

// PendingForTest counts the acks that the client owes.
func (s *Socket) PendingForTest() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return len(s.acks)
}

// Unpack reads a MessagePack packet as a connection does.
func Unpack(message []byte) (*Packet, error) {
	p := &packet{}
	if err := p.unpack(message, 10); err != nil {
		return nil, err
	}
	d := &Packet{Type: string(p.kind), Namespace: string(p.namespace), Auth: p.auth, Event: string(p.event), Args: p.args}
	if n, ok := p.id.get(); ok {
		d.ID = &n
	}
	return d, nil
}

// Pack makes an event (Type "2") or an ack (Type "3") in MessagePack.
func Pack(kind, namespace string, id *uint64, event string, args ...any) (message []byte, err error) {
	ack := noAck
	if id != nil {
		ack = someAck(*id)
	}
	use := func(p *payload) { message = p.packMessage(packetType(kind[0]), namespace, ack) }
	if kind == "2" {
		err = encodeEvent(10, event, args, use)
	} else {
		err = encode(10, nil, args, use)
	}
	return message, err
}

// InterestsForTest are two directories that want the same room watched.
func InterestsForTest(adapter Interest) (watch func() error, unwatch func()) {
	i := &interests{adapter: adapter}
	of := roomOf{"/", "x"}
	return func() error { return i.watch(context.Background(), of, false) }, func() { i.unwatch(of) }
}
