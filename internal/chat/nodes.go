package chat

import (
	"context"
	"encoding/json"
	"log/slog"
	"sync"
	"time"
)

// Cluster makes a Service one of several on one store. What is true stands in the store; the nodes tell each other of
// their commits, so that nobody has to wait for the next look at it.
type Cluster struct {
	Bus  Bus
	Here Here
}

// Bus carries notes to the other nodes: it may lose, double, delay and reorder them.
type Bus interface {
	// Publish tells the others, if it can. It never blocks; the body, at most Limit bytes of JSON, is the bus's from now on.
	Publish(body []byte)
	Limit() int
	// Alone reports whether there is nobody to be told.
	Alone() bool
	// Hear names who is told what others publish, that something of it may have been missed, and which node is gone: once.
	// They are called from other goroutines and must not block for long.
	Hear(note func(node string, body []byte), missed func(), gone func(node string))
}

// Here says who listens on this node. Its methods are called from any goroutine and do not block.
type Here interface {
	HasGroup(GroupID) bool
	HasUser(UserID) bool
	Groups() []GroupID
	Users() []UserID
}

// NodeStore is what nodes that share a store ask of it beside.
type NodeStore interface {
	// Elsewhere is a mark that is another one whenever somebody else has written since it was asked for last. A store that
	// nobody shares has always the same.
	Elsewhere(ctx context.Context) (mark string, err error)
}

// HeadReader says how far counters are.
type HeadReader interface {
	// UserHeads are the own counters of those users that have a row.
	UserHeads([]UserID) (map[UserID]Seq, error)
}

const (
	// lookEvery is how often a node asks how far the counters are that somebody here listens to: so late may come at most
	// what the bus lost.
	lookEvery = time.Second
	// lookSoon is after which time it asks when it knows that it missed something.
	lookSoon = 100 * time.Millisecond
	// headsAtOnce is how many counters it asks for at a time.
	headsAtOnce = 2000
	// maxUnsaid bounds the events that wait to be told to others; what finds no place they find by themselves.
	maxUnsaid = 8192
)

// relay tells the other nodes what became durable here, and the announcer what became durable there.
type relay struct {
	// Set once.
	bus       Bus
	here      Here
	store     Store
	announcer *announcer
	courier   Courier                     // of this node
	reread    func(context.Context) error // reads what an administrator set elsewhere
	log       *slog.Logger
	settings  chan struct{} // capacity 1: some are others now
	bell      chan struct{} // capacity 1: something is to be said
	astray    chan struct{} // capacity 1: something may have been missed
	stop      context.CancelFunc
	run       sync.WaitGroup

	// Owned by the goroutine that looks.
	mark string // of the store, when it was looked at last
	last error

	mu     sync.Mutex // guards below
	unsaid []Event
}

// startRelay lets a service's announcer, courier and settings hear of others.
func startRelay(s *Service) *relay {
	ctx, stop := context.WithCancel(context.Background())
	r := &relay{
		bus: s.cfg.Cluster.Bus, here: s.cfg.Cluster.Here, store: s.store, announcer: s.announcer, courier: s.cfg.Courier,
		reread: s.words.again, log: s.cfg.Logger, stop: stop,
		settings: make(chan struct{}, 1), bell: make(chan struct{}, 1), astray: make(chan struct{}, 1),
	}
	r.bus.Hear(r.note, r.missed, nil)
	r.run.Go(func() { r.say(ctx) })
	r.run.Go(func() { r.look(ctx) })
	return r
}

// close says no more and looks no more.
func (r *relay) close() {
	r.stop()
	r.run.Wait()
}

// present says whether somebody here listens to a counter.
func (h *Cluster) present(c counter) bool {
	if c.user != "" {
		return h.Here.HasUser(c.user)
	}
	return h.Here.HasGroup(c.group)
}

// tell takes what became durable here. It never blocks.
func (r *relay) tell(events []Event) {
	if len(events) == 0 || r.bus.Alone() {
		return
	}
	r.mu.Lock()
	r.unsaid = append(r.unsaid, events[:min(len(events), maxUnsaid-len(r.unsaid))]...)
	r.mu.Unlock()
	ring(r.bell)
}

func ring(bell chan struct{}) {
	select {
	case bell <- struct{}{}:
	default:
	}
}

// say publishes what waits, each event in a note of its own: the bus puts them together.
func (r *relay) say(ctx context.Context) {
	for {
		select {
		case <-r.bell:
		case <-ctx.Done():
			return
		}
		r.mu.Lock()
		events := r.unsaid
		r.unsaid = nil
		r.mu.Unlock()
		for i := range events {
			body, err := noteOf(&events[i], r.bus.Limit())
			if err != nil {
				r.log.Error("write an event for other nodes", "error", err) // they find it by themselves
				continue
			}
			r.bus.Publish(body)
		}
	}
}

// note hears of an event on another node, and reads it only if somebody here wants it.
func (r *relay) note(_ string, body []byte) {
	var said saidOf
	if json.Unmarshal(body, &said) == nil && said.Changed != "" {
		r.heed(said.Changed, said.Group)
		return
	}
	if said.Number <= 0 || (said.Group == "") == (said.User == "") {
		return // of a version that says more than this one understands
	}
	e := Event{Group: said.Group, User: said.User, Number: said.Number}
	if c := e.counter(); c.user != "" && !r.here.HasUser(c.user) || c.group != "" && !r.here.HasGroup(c.group) {
		return
	}
	if said.Row != nil && said.read(&e) != nil {
		e = Event{Group: said.Group, User: said.User, Number: said.Number} // it is read from the store
	}
	e.Elsewhere = true
	r.announcer.overhear(tiding{e, happened})
}

// What is no row of a group or a user, and kept in memory all the same. What the bus loses of it is found within half a minute.
const (
	changedSettings = "settings"
	changedWebhooks = "webhooks"
	changedDevices  = "devices"
)

// change tells the others that something kept in memory is to be read again.
func (r *relay) change(what string, g GroupID) {
	if r == nil || r.bus.Alone() {
		return
	}
	if body, err := json.Marshal(saidOf{Changed: what, Group: g}); err == nil { // our own types always marshal
		r.bus.Publish(body)
	}
}

func (r *relay) heed(what string, g GroupID) {
	switch what {
	case changedSettings:
		ring(r.settings)
	case changedWebhooks:
		r.courier.WebhooksChanged(g)
	case changedDevices:
		r.courier.SubscriptionsChanged()
	}
}

// sharedCourier asks the couriers of all nodes to look again.
type sharedCourier struct {
	Courier
	relay *relay
}

func (c sharedCourier) WebhooksChanged(g GroupID) {
	c.Courier.WebhooksChanged(g)
	c.relay.change(changedWebhooks, g)
}

func (c sharedCourier) SubscriptionsChanged() {
	c.Courier.SubscriptionsChanged()
	c.relay.change(changedDevices, "")
}

func (r *relay) missed() { ring(r.astray) }

// look asks the store once a second whether somebody else wrote, and then how far the counters are that matter here. What
// the bus lost is found so.
func (r *relay) look(ctx context.Context) {
	tick := time.NewTicker(lookEvery)
	defer tick.Stop()
	for {
		select {
		case <-tick.C:
		case <-r.astray:
			pause(ctx, lookSoon) // what else is missed meanwhile is found, too
			select {
			case <-r.astray:
			default:
			}
		case <-r.settings:
			if err := r.reread(ctx); err != nil && ctx.Err() == nil {
				r.log.Warn("read what another node set", "error", err) // it is read again before long
			}
		case <-ctx.Done():
			return
		}
		err := r.compare(ctx)
		if err != nil && r.last == nil && ctx.Err() == nil {
			r.log.Warn("look for what other nodes wrote", "error", err)
		}
		r.last = err
	}
}

// compare tells the announcer how far the store is, if it is further than at the last time.
func (r *relay) compare(ctx context.Context) error {
	mark, err := r.store.Elsewhere(ctx)
	if err != nil || mark == r.mark {
		return err
	}
	if err := compareWith(ctx, r, r.here.Groups(), Reader.Heads, func(g GroupID) counter { return counter{group: g} }); err != nil {
		return err
	}
	if err := compareWith(ctx, r, r.here.Users(), Reader.UserHeads, func(u UserID) counter { return counter{user: u} }); err != nil {
		return err
	}
	r.announcer.forget()
	r.mark = mark
	return nil
}

func compareWith[ID comparable](
	ctx context.Context, r *relay, ids []ID, read func(Reader, []ID) (map[ID]Seq, error), of func(ID) counter,
) error {
	for len(ids) > 0 {
		some := ids[:min(len(ids), headsAtOnce)]
		ids = ids[len(some):]
		var heads map[ID]Seq
		err := r.store.View(ctx, func(v Reader) (err error) {
			heads, err = read(v, some)
			return err
		})
		if err != nil {
			return err
		}
		for id, head := range heads {
			c := of(id)
			r.announcer.overhear(tiding{Event{Group: c.group, User: c.user, Number: head}, reached})
		}
	}
	return nil
}

// NodeStats is what one of several nodes did to make good what the bus did not bring.
type NodeStats struct {
	Gaps    uint64 // times that numbers before an event that came were read from the store
	Repairs uint64 // times that nothing came, and a look at the store found it
}

// NodeStats says what was done so far.
func (s *Service) NodeStats() NodeStats {
	r := &s.announcer.reads
	return NodeStats{Gaps: r.gaps.Load(), Repairs: r.repairs.Load()}
}

// follow says that somebody here begins to listen to a counter who has everything up to head.
func (s *Service) follow(c counter, head Seq) {
	if s.relay != nil {
		s.announcer.overhear(tiding{Event{Group: c.group, User: c.user, Number: head}, began})
	}
}

// saidOf is an event as a note: whose number it is stands before the row, which is read only where it matters.
type saidOf struct {
	Group  GroupID         `json:"g,omitempty"`
	User   UserID          `json:"u,omitempty"`
	Number Seq             `json:"n,omitempty"`
	Row    json.RawMessage `json:"e,omitempty"` // a carried; absent if it is too large

	Changed string `json:"k,omitempty"` // or what is to be read again, and there is nothing else but perhaps Group
}

// carried is an event's row, and what pushes leave out of it.
type carried struct {
	Message *Message  `json:"message,omitempty"`
	Change  *Change   `json:"change,omitempty"`
	Me      *MeChange `json:"me,omitempty"`

	Counted     int64 `json:"counted,omitempty"`     // of a group
	DissolvedAt Time  `json:"dissolvedAt,omitempty"` // of a group
	Announced   Seq   `json:"announced,omitempty"`   // of a group
	Requests    int   `json:"requests,omitempty"`    // of a group
	Rev         Seq   `json:"rev,omitempty"`         // of Me
	MemberCount int   `json:"memberCount,omitempty"` // of Me.Group
}

// noteOf writes an event as a note of at most limit bytes.
func noteOf(e *Event, limit int) ([]byte, error) {
	c := carried{Message: e.Message, Change: e.Change, Me: e.Me}
	if e.Change != nil && e.Change.Group != nil {
		g := e.Change.Group
		c.Counted, c.DissolvedAt, c.Announced, c.Requests = g.Counted, g.DissolvedAt, g.Announced, g.Requests
	}
	if e.Me != nil {
		c.Rev = e.Me.Rev
		if e.Me.Group != nil {
			c.MemberCount = e.Me.Group.MemberCount
		}
	}
	row, err := json.Marshal(c)
	if err != nil {
		return nil, err
	}
	said := saidOf{Group: e.Group, User: e.User, Number: e.Number, Row: row}
	if body, err := json.Marshal(said); err != nil || len(body) <= limit {
		return body, err
	}
	said.Row = nil
	return json.Marshal(said)
}

// read reads the row into e.
func (s *saidOf) read(e *Event) error {
	var c carried
	if err := json.Unmarshal(s.Row, &c); err != nil {
		return err
	}
	e.Message, e.Change, e.Me = c.Message, c.Change, c.Me
	if e.Change != nil && e.Change.Group != nil {
		g := e.Change.Group
		g.Counted, g.DissolvedAt, g.Announced, g.Requests = c.Counted, c.DissolvedAt, c.Announced, c.Requests
	}
	if e.Me != nil {
		e.Me.Rev = c.Rev
		if e.Me.Group != nil {
			e.Me.Group.MemberCount = c.MemberCount
		}
	}
	return nil
}
