package socketio

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"

	"qun/engineio"
)

// A RemoteSocket is a socket of any server of the cluster, as it was when it was asked about. What is done to it is done
// by its server; if it has disconnected meanwhile, nothing happens.
type RemoteSocket struct {
	ID        SocketID        `json:"id"`
	Handshake RemoteHandshake `json:"handshake"`
	Rooms     []Room          `json:"rooms"` // its own id first
	// Data is what json.Marshal made of Socket.Value, or null. If others change the value meanwhile, give it a MarshalJSON that locks.
	Data json.RawMessage `json:"data"`

	namespace *Namespace
}

// A RemoteHandshake is what a client connected with. As JSON it is what JavaScript applications know as socket.handshake.
// Credentials stay with the server that was shown them: of a socket of another server, there are no headers and no auth.
type RemoteHandshake struct {
	Headers map[string]string `json:"headers"` // those of engineio.Config.KeepHeaders, in lower case
	Time    string            `json:"time"`
	Address string            `json:"address"`
	XDomain bool              `json:"xdomain"`
	Secure  bool              `json:"secure"`
	Issued  int64             `json:"issued"` // milliseconds since 1970
	URL     string            `json:"url"`
	Query   map[string]string `json:"query"`
	Auth    json.RawMessage   `json:"auth"`
}

// FetchSockets returns the sockets of the namespace on all servers, see Broadcast.FetchSockets.
func (n *Namespace) FetchSockets(ctx context.Context) ([]RemoteSocket, error) {
	return n.To().FetchSockets(ctx)
}

// FetchSockets returns the sockets of the target, on all servers unless the broadcast is Local: those of this server as they are after everything that
// the calling goroutine has issued. Other servers are waited for as long as the context or Timeout says, or else
// Config.ClusterTimeout; with an error, which is ErrNoAnswer if some did not answer, come the sockets of the others.
func (b Broadcast) FetchSockets(ctx context.Context) ([]RemoteSocket, error) {
	sockets := b.describe()
	if !b.remote() {
		return sockets, nil
	}
	ctx, cancel := b.limit(ctx, b.namespace.server.cfg.ClusterTimeout)
	defer cancel()
	answers, err := b.namespace.inquire(ctx, func(id string) error {
		return b.publish(&Command{Kind: KindRequest, Event: RequestSockets, ID: id})
	})
	for _, a := range answers {
		var theirs []RemoteSocket
		if decodeErr := a.Decode(0, &theirs); decodeErr != nil {
			err = fmt.Errorf("sockets of another server: %w", decodeErr)
			continue
		}
		for i := range theirs {
			theirs[i].namespace = b.namespace
		}
		sockets = append(sockets, theirs...)
	}
	return sockets, err
}

// AllRooms returns the names of the rooms that have members, on all servers; the id of every socket is one. It waits as
// FetchSockets does.
func (n *Namespace) AllRooms(ctx context.Context) ([]Room, error) {
	rooms := n.directory.roomNames()
	if n.To().remote() {
		ctx, cancel := n.To().limit(ctx, n.server.cfg.ClusterTimeout)
		defer cancel()
		answers, err := n.inquire(ctx, func(id string) error {
			return n.To().publish(&Command{Kind: KindRequest, Event: RequestRooms, ID: id})
		})
		for _, a := range answers {
			var theirs []Room
			if decodeErr := a.Decode(0, &theirs); decodeErr != nil {
				err = fmt.Errorf("rooms of another server: %w", decodeErr)
				continue
			}
			rooms = append(rooms, theirs...)
		}
		slices.Sort(rooms)
		return slices.Compact(rooms), err
	}
	return rooms, nil
}

// describe returns the sockets of the target on this server.
func (b Broadcast) describe() []RemoteSocket {
	found := b.find()
	sockets := make([]RemoteSocket, len(found))
	for i, f := range found {
		sockets[i] = f.socket.describe(f.rooms)
	}
	slices.SortFunc(sockets, func(a, b RemoteSocket) int { return cmp.Compare(a.ID, b.ID) })
	return sockets
}

// find returns the sockets of the target on this server, and the rooms that they are in.
func (b Broadcast) find() []found {
	n := b.namespace
	e := &describeEntry{broadcast: b}
	set := n.directory.where(&b.target)
	for i := range n.parts {
		if set.has(i) {
			e.shards.Add(1)
		}
	}
	n.post(set, e)
	e.shards.Wait()
	return e.found
}

// describeToOthers is describe without what only this server may know.
func (b Broadcast) describeToOthers() []RemoteSocket {
	sockets := b.describe()
	for i := range sockets {
		sockets[i].Handshake.Headers, sockets[i].Handshake.Auth = map[string]string{}, []byte("{}")
	}
	return sockets
}

func (b Broadcast) socketIDs() []SocketID {
	found := b.find()
	ids := make([]SocketID, len(found))
	for i, f := range found {
		ids[i] = f.socket.id
	}
	return ids
}

// A describeEntry finds the sockets of a target, and the rooms that they are in.
type describeEntry struct {
	broadcast Broadcast
	shards    sync.WaitGroup // those that have not looked yet

	mu    sync.Mutex // guards below
	found []found
}

type found struct {
	socket *Socket
	rooms  []Room
}

func (e *describeEntry) Run(sh *engineio.Shard) {
	defer e.shards.Done()
	n := e.broadcast.namespace
	e.mu.Lock()
	defer e.mu.Unlock()
	n.parts[sh.Index()].each(n, sh.Index(), &e.broadcast.target, func(s *Socket) {
		e.found = append(e.found, found{s, s.roomsNow()})
	})
}

// Describe returns the socket as other servers see it.
func (s *Socket) Describe() RemoteSocket { return s.describe(s.Rooms()) }

func (s *Socket) describe(rooms []Room) RemoteSocket {
	data, err := json.Marshal(s.Value())
	if err != nil {
		s.log().Warn("socket's value cannot be shown to others", "error", err)
		data = []byte("null")
	}
	return RemoteSocket{ID: s.id, Handshake: s.remoteHandshake(), Rooms: rooms, Data: data, namespace: s.namespace}
}

func (s *Socket) remoteHandshake() RemoteHandshake {
	h := s.Handshake()
	headers := make(map[string]string)
	for name, value := range maps.Collect(h.Headers) {
		headers[strings.ToLower(name)] = value
	}
	auth := s.Auth()
	if auth == nil {
		auth = []byte("{}")
	}
	return RemoteHandshake{
		Headers: headers,
		Time:    h.Time.Format("Mon Jan 02 2006 15:04:05 GMT-0700 (MST)"),
		Address: h.RemoteAddr,
		XDomain: h.CrossDomain(),
		Secure:  h.Secure,
		Issued:  h.Time.UnixMilli(),
		URL:     h.URL,
		Query:   h.Query(),
		Auth:    auth,
	}
}

// room is the broadcast to the socket alone.
func (s RemoteSocket) room() Broadcast { return s.namespace.To(Room(s.ID)) }

// Emit sends an event to the socket.
func (s RemoteSocket) Emit(event string, args ...any) error { return s.room().Emit(event, args...) }

// EmitWithAck sends an event to the socket and waits for the answer, see Broadcast.EmitWithAck. If it is gone, the error is
// ErrDisconnected.
func (s RemoteSocket) EmitWithAck(ctx context.Context, event string, args ...any) (Args, error) {
	answers, err := s.room().EmitWithAck(ctx, event, args...)
	if len(answers) == 0 {
		if err == nil {
			err = ErrDisconnected
		}
		return Args{}, err
	}
	return answers[0], nil
}

// Join makes the socket join rooms.
func (s RemoteSocket) Join(rooms ...Room) error { return s.room().Join(rooms...) }

// Leave makes the socket leave rooms.
func (s RemoteSocket) Leave(rooms ...Room) error { return s.room().Leave(rooms...) }

// Disconnect takes the socket out of its namespace, as Socket.Disconnect does.
func (s RemoteSocket) Disconnect() error { return s.room().Disconnect() }

// DisconnectAll takes the client out of all its namespaces, as Socket.DisconnectAll does.
func (s RemoteSocket) DisconnectAll() error { return s.room().DisconnectAll() }

// Close closes the connection of the socket, as Socket.Close does.
func (s RemoteSocket) Close() error { return s.room().Close() }
