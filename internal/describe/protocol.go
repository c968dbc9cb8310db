package describe

import (
	"cmp"
	"reflect"
	"slices"
)

// Protocol is what clients and a server say to each other on a namespace of Socket.IO.
type Protocol struct {
	Title, Version, Description string

	Requests []Request
	Pushes   []Push
	Refusal  reflect.Type // what the ack of a refused request has as its error

	// Times are the types that are RFC 3339 text on the wire.
	Times []reflect.Type
	// Enums are the values of the types that have few.
	Enums map[reflect.Type][]string
}

// Request is an event of a client, acknowledged with "ok": true and the fields of one of Outs. A type without fields, or
// an interface, stands for none.
type Request struct {
	Name string
	In   reflect.Type
	Outs []reflect.Type
}

// Push is an event of the server, with one of Payloads.
type Push struct {
	Name     string
	Payloads []reflect.Type
}

// Enum makes an entry of Protocol.Enums.
func Enum[T ~string](values ...T) (reflect.Type, []string) {
	texts := make([]string, len(values))
	for i, v := range values {
		texts[i] = string(v)
	}
	return reflect.TypeFor[T](), texts
}

// shapes are those of all types that the protocol names, requests and pushes by their names.
func (p *Protocol) shapes() (*catalogue, []exchange, []push) {
	c := &catalogue{shapes: map[reflect.Type]*shape{}, owners: map[string]reflect.Type{}, times: p.Times, enums: p.Enums}
	var exchanges []exchange
	for _, r := range p.Requests {
		exchanges = append(exchanges, exchange{r.Name, c.of(r.In), c.all(r.Outs)})
	}
	var pushes []push
	for _, e := range p.Pushes {
		pushes = append(pushes, push{e.Name, c.all(e.Payloads)})
	}
	slices.SortFunc(exchanges, func(a, b exchange) int { return cmp.Compare(a.name, b.name) })
	slices.SortFunc(pushes, func(a, b push) int { return cmp.Compare(a.name, b.name) })
	return c, exchanges, pushes
}

type exchange struct {
	name string
	in   *shape
	outs []*shape
}

type push struct {
	name     string
	payloads []*shape
}
