package socketio

import (
	"crypto/rand"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"qun/engineio"
)

// Recovery says how a client whose connection broke takes up again where it was: with the same id, in the same rooms, with the
// same Value, and with the events that it missed. It works on one server: who comes back to another is new there, as is
// who was away too long, missed too much, or left by a DISCONNECT packet of either side. A session is taken up once.
//
// Events that may be missed are kept in memory, once per namespace, each with an offset that the client gets as an additional last
// argument. Acks, and events that are volatile or ask for an ack, are not kept.
type Recovery struct {
	// MaxDisconnection is how long a client may be away. 0 means 2 minutes.
	MaxDisconnection time.Duration
	// RunMiddlewares asks the connect middlewares about clients that come back, too. Otherwise they are let in because of the
	// secret that they were given and of Identity.
	RunMiddlewares bool
	// Identity names who a socket belongs to. A client takes up only what belonged to the same one. It is asked before the
	// middlewares, so it goes by the Handshake and Auth alone. Nil means that Auth must be the same.
	Identity func(*Socket) string
	// MaxEvents and MaxBytes bound the events that are kept, for each namespace. 0 means 10,000 and 16 MiB. How much one client
	// may have missed is bounded by half of Engine.OutboxBytes besides.
	MaxEvents, MaxBytes int
	// MaxSessions bounds the sessions that wait for their clients, for each namespace; those that wait longest are given up
	// first. 0 means 10,000.
	MaxSessions int
}

func (r *Recovery) withDefaults() *Recovery {
	c := *r
	orDefault(&c.MaxDisconnection, 2*time.Minute)
	orDefault(&c.MaxEvents, 10_000)
	orDefault(&c.MaxBytes, 16<<20)
	orDefault(&c.MaxSessions, 10_000)
	return &c
}

// roomsPerSession is how many rooms the sessions that wait may be in, on average.
const roomsPerSession = 16

// Why a connection is closed when its client takes up on another what it had.
var (
	errSuperseded = fmt.Errorf("%w: the client came back on another connection", engineio.ErrForcedServerClose)
	errOutrun     = fmt.Errorf("%w: events were missed while the client came back", engineio.ErrForcedServerClose)
)

// resumable says whether the client may take up what ended for this reason: the connection broke, nobody wanted it.
func resumable(reason error) bool {
	return slices.ContainsFunc([]error{
		engineio.ErrTransportClose, engineio.ErrTransportError, engineio.ErrPingTimeout, engineio.ErrSlowConsumer,
		engineio.ErrForcedClose, engineio.ErrForcedServerClose, engineio.ErrServerShutdown,
	}, func(r error) bool { return errors.Is(reason, r) })
}

// A recovery is what a namespace keeps for clients that come back.
type recovery struct {
	namespace *Namespace
	cfg       *Recovery
	epoch     string // in every offset: those of other servers are not mistaken for ours
	closed    atomic.Bool
	last      atomic.Uint64 // number of the newest record; changed under order

	order   sync.Mutex // guards below; held while something is logged and posted: every shard has the order of the log
	records []record   // with consecutive numbers, the last of which is last
	bytes   int

	mu        sync.Mutex // guards below; may be taken under order, and on a shard's turn
	live      map[string]*Socket
	kept      map[string]*absence
	waiting   []*absence // those in kept and others, by the time at which they left
	keptRooms int
	timer     *time.Timer // while anything is there to expire
}

// A record is an event that was sent.
type record struct {
	at      time.Time
	target  target
	sender  SocketID
	packets []*engineio.Packet
	size    int
}

// A ticket is what a socket needs for its client to come back to it.
type ticket struct {
	// Set before the socket is let in.
	recovery *recovery
	pid      string // the client's secret
	identity [sha256.Size]byte
	shown    shownTicket
	back     *absence // what the client takes up; nil if it is new
	from     uint64   // the last record that it has
	began    uint64   // the last record before it came first

	superseded atomic.Bool

	since map[Room]uint64 // the last record before it joined each room; owned by the turn of the shard
}

// A shownTicket is what a client that comes back has in its credentials.
type shownTicket struct {
	pid, offset string
	hasOffset   bool
}

// An absence is what is kept of a socket whose client may come back.
type absence struct {
	id       SocketID
	pid      string
	identity [sha256.Size]byte
	value    any
	began    uint64
	since    map[Room]uint64
	at       time.Time
}

func newRecovery(n *Namespace) *recovery {
	return &recovery{
		namespace: n, cfg: n.server.cfg.Recovery, epoch: rand.Text()[:10],
		live: make(map[string]*Socket), kept: make(map[string]*absence),
	}
}

// issue makes the ticket of a socket that is about to be let in.
func (r *recovery) issue(s *Socket) *ticket {
	shown, rest := splitAuth([]byte(s.auth))
	t := &ticket{recovery: r, pid: string(newSocketID()), shown: shown, since: make(map[Room]uint64)}
	t.identity = r.identify(s, rest)
	return t
}

// identify returns a fingerprint of who the socket belongs to.
func (r *recovery) identify(s *Socket, auth []byte) (id [sha256.Size]byte) {
	if r.cfg.Identity == nil {
		return sha256.Sum256(auth)
	}
	defer s.conn.rescue("identity")
	rand.Read(id[:]) // nobody's, if Identity panics
	return sha256.Sum256([]byte(r.cfg.Identity(s)))
}

// splitAuth takes what clients add for recovery off their credentials.
func splitAuth(auth []byte) (shown shownTicket, rest []byte) {
	if len(auth) == 0 {
		return shown, nil
	}
	for key, value := range members(auth) {
		var text string
		isText := json.Unmarshal(value, &text) == nil && value[0] == '"'
		switch {
		case unquote(key) == "pid" && isText:
			shown.pid = text
		case unquote(key) == "offset" && isText:
			shown.offset, shown.hasOffset = text, true
		default:
			rest = append(append(append(rest, key...), ':'), value...)
			rest = append(rest, ',')
		}
	}
	return shown, rest
}

// wantsBack says whether the client asks to take up what it had.
func (s *Socket) wantsBack() bool { return s.ticket() != nil && s.ticket().shown.pid != "" }

// Recovered says whether the client has taken up what it had before its connection broke, see Recovery.
func (s *Socket) Recovered() bool { return s.ticket() != nil && s.ticket().back != nil }

// resume makes the socket what it was, if the client may have that back. A connection that it seems to be on still is closed.
func (s *Socket) resume() bool {
	if !s.wantsBack() {
		return false
	}
	t, r := s.ticket(), s.ticket().recovery
	k := r.take(t.shown.pid, t.identity)
	if k == nil {
		return false
	}
	from, known := r.number(t.shown, k)
	r.order.Lock()
	_, whole := r.missed(k, from)
	r.order.Unlock()
	if !known || !whole {
		return false
	}
	s.id, t.pid, t.began, t.since = k.id, k.pid, k.began, k.since
	t.from, t.back = from, k
	s.SetValue(k.value)
	return true
}

// giveBack keeps for another time what a client wanted back that has gone again meanwhile.
func (s *Socket) giveBack() {
	if s.Recovered() {
		s.ticket().recovery.keep(s.ticket().back)
	}
}

// take returns what is kept for the secret, to who is entitled to it, once.
func (r *recovery) take(pid string, identity [sha256.Size]byte) *absence {
	r.mu.Lock()
	old := r.live[pid]
	r.mu.Unlock()
	if old != nil && old.ticket().identity == identity {
		old.supersede()
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	k := r.kept[pid]
	if k == nil || k.identity != identity || time.Since(k.at) > r.cfg.MaxDisconnection {
		return nil
	}
	r.drop(k)
	return k
}

// supersede ends a socket whose client has come back on another connection, and waits until its handlers are done.
func (s *Socket) supersede() {
	s.ticket().superseded.Store(true)
	s.disconnect(nil, true)
	s.Close(errSuperseded)
	s.conn.leave(s, errSuperseded)
	s.read(func(*Socket) {})
}

// endedBy is why a socket was disconnected before its connection ended.
func (s *Socket) endedBy() error {
	if s.ticket() != nil && s.ticket().superseded.Load() {
		return errSuperseded
	}
	return ErrServerDisconnect
}

// drop forgets an absence. r.mu is held.
func (r *recovery) drop(k *absence) {
	if r.kept[k.pid] == k {
		delete(r.kept, k.pid)
		r.keptRooms -= len(k.since)
	}
}

// keep waits for the client of a socket.
func (r *recovery) keep(k *absence) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.closed.Load() {
		return
	}
	r.kept[k.pid] = k
	r.keptRooms += len(k.since)
	r.waiting = append(r.waiting, k)
	for len(r.kept) > r.cfg.MaxSessions || r.keptRooms > r.cfg.MaxSessions*roomsPerSession {
		r.drop(r.waiting[0])
		r.waiting = r.waiting[1:]
	}
	if len(r.waiting) > 2*len(r.kept)+16 {
		r.waiting = slices.DeleteFunc(slices.Clone(r.waiting), func(k *absence) bool { return r.kept[k.pid] != k })
	}
	r.arm()
}

// reserveRooms counts the socket in the rooms that it was in.
func (s *Socket) reserveRooms() (rooms []Room) {
	if !s.Recovered() {
		return nil
	}
	for name := range s.ticket().since {
		s.namespace.directory.add(name, s.shardIndex())
		rooms = append(rooms, name)
	}
	slices.Sort(rooms)
	s.roomCount.Store(int32(len(rooms)))
	return rooms
}

// begin notes that the socket is let in, and returns what it has missed. It is called in order.
func (s *Socket) begin() (missed [][]*engineio.Packet) {
	t := s.ticket()
	if t == nil {
		return nil
	}
	r := t.recovery
	if t.back == nil {
		t.began = r.position()
	} else {
		whole := false
		if missed, whole = r.missed(t.back, t.from); !whole {
			s.Close(errOutrun)
		}
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	r.live[t.pid] = s
	return missed
}

// retire is called when the socket is disconnected. The turn of the shard is held.
func (s *Socket) retire(resumable bool) {
	t := s.ticket()
	if t == nil {
		return
	}
	r := t.recovery
	r.mu.Lock()
	if r.live[t.pid] == s {
		delete(r.live, t.pid)
	}
	r.mu.Unlock()
	if resumable {
		r.keep(&absence{
			id: s.id, pid: t.pid, identity: t.identity, value: s.Value(), began: t.began, since: t.since, at: time.Now(),
		})
	}
}

// joined notes since when the socket is in a room. The turn of the shard is held. It may be called on nil.
func (t *ticket) joined(name Room, position uint64) {
	if t != nil {
		t.since[name] = position
	}
}

func (t *ticket) left(name Room) {
	if t != nil {
		delete(t.since, name)
	}
}

// inOrder runs what posts events and joins. With recovery, one at a time.
func (n *Namespace) inOrder(post func()) {
	if r := n.recovery; r != nil && !r.closed.Load() {
		r.order.Lock()
		defer r.order.Unlock()
	}
	post()
}

// position is the number of the newest record. It may be called on nil.
func (r *recovery) position() uint64 {
	if r == nil {
		return 0
	}
	return r.last.Load()
}

// log keeps an event for clients that may come back, and returns its packets, which have an offset. It returns nil if the event is
// not kept. It is called in order.
func (n *Namespace) log(p *payload, volatile bool, to func() target) []*engineio.Packet {
	r := n.recovery
	if r == nil || volatile || r.closed.Load() || !r.wanted() {
		return nil
	}
	number := r.last.Add(1)
	p = p.with(r.offset(number))
	entry := record{at: time.Now(), target: to(), packets: p.packets(nil, packetEvent, n, noAck)}
	if entry.target.sender != nil {
		entry.sender, entry.target.sender = entry.target.sender.id, nil
	}
	for _, packet := range entry.packets {
		entry.size += packet.Size()
	}
	r.records = append(r.records, entry)
	r.bytes += entry.size
	r.prune(entry.at)
	return entry.packets
}

// wanted says whether there is anybody who may miss an event.
func (r *recovery) wanted() bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	if len(r.live)+len(r.kept) == 0 {
		return false
	}
	r.arm()
	return true
}

// prune forgets records that are too old or too many. r.order is held.
func (r *recovery) prune(now time.Time) {
	drop := 0
	for drop < len(r.records) {
		oldest := &r.records[drop]
		if len(r.records)-drop <= r.cfg.MaxEvents && r.bytes <= r.cfg.MaxBytes && now.Sub(oldest.at) <= r.cfg.MaxDisconnection {
			break
		}
		r.bytes -= oldest.size
		*oldest = record{}
		drop++
	}
	if r.records = r.records[drop:]; len(r.records) == 0 {
		r.records = nil
	}
}

// arm sees to it that what is kept expires. r.mu is held.
func (r *recovery) arm() {
	if r.timer == nil {
		r.timer = time.AfterFunc(r.cfg.MaxDisconnection, r.expire)
	}
}

// expire forgets what is too old.
func (r *recovery) expire() {
	now := time.Now()
	r.order.Lock()
	r.prune(now)
	records := len(r.records)
	r.order.Unlock()

	r.mu.Lock()
	for len(r.waiting) > 0 && now.Sub(r.waiting[0].at) >= r.cfg.MaxDisconnection {
		r.drop(r.waiting[0])
		r.waiting[0] = nil
		r.waiting = r.waiting[1:]
	}
	if r.timer = nil; !r.closed.Load() && records+len(r.kept) > 0 {
		r.arm()
	}
	r.mu.Unlock()

	s := r.namespace.server
	s.mu.Lock()
	defer s.mu.Unlock()
	s.tidy(r.namespace)
}

// expects says whether a client may come back. It may be called on nil.
func (r *recovery) expects() bool {
	if r == nil {
		return false
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	return len(r.kept) > 0
}

// close forgets everything.
func (r *recovery) close() {
	r.closed.Store(true)
	r.order.Lock() // who had not seen that it is closed is done now
	r.records, r.bytes = nil, 0
	r.order.Unlock()
	r.mu.Lock()
	defer r.mu.Unlock()
	clear(r.kept)
	r.waiting, r.keptRooms = nil, 0
	if r.timer != nil {
		r.timer.Stop()
	}
}

func (s *Server) stopRecovery() {
	s.mu.RLock()
	defer s.mu.RUnlock()
	for _, n := range s.namespaces {
		if n.recovery != nil {
			n.recovery.close()
		}
	}
}

// offset is how a client knows a record.
func (r *recovery) offset(number uint64) string {
	return r.epoch + "." + strconv.FormatUint(number, 36)
}

// number returns the last record that a client says it has. One that never got an event has what was before it came.
func (r *recovery) number(shown shownTicket, k *absence) (number uint64, known bool) {
	if !shown.hasOffset {
		return k.began, true
	}
	digits, ours := strings.CutPrefix(shown.offset, r.epoch+".")
	if !ours {
		return 0, false
	}
	number, err := strconv.ParseUint(digits, 36, 64)
	return number, err == nil
}

// missed returns the packets of all events behind a record that were meant for the socket, and whether these are all.
// r.order is held.
func (r *recovery) missed(k *absence, from uint64) (packets [][]*engineio.Packet, whole bool) {
	last := r.position()
	if from > last || last-from > uint64(len(r.records)) {
		return nil, false
	}
	number, size := last-uint64(len(r.records)), 0
	for i := range r.records {
		number++
		if entry := &r.records[i]; number > from && k.heard(entry, number) {
			packets = append(packets, entry.packets)
			size += entry.size
		}
	}
	limit := r.namespace.server.cfg.Engine.OutboxBytes
	orDefault(&limit, 1<<20)
	return packets, size <= limit/2
}

// heard says whether an event was meant for the socket: for rooms that it was in then, and is in still.
func (k *absence) heard(entry *record, number uint64) bool {
	if entry.sender == k.id || number <= k.began {
		return false
	}
	excepted := func(name Room) bool {
		_, in := k.since[name]
		return in || name == Room(k.id)
	}
	if slices.ContainsFunc(entry.target.except, excepted) {
		return false
	}
	if !entry.target.named {
		return true
	}
	return slices.ContainsFunc(entry.target.rooms(), func(name Room) bool {
		since, in := k.since[name]
		return (in && number > since) || name == Room(k.id)
	})
}
