package engineio

import (
	"runtime"
	"runtime/debug"
	"sync"
	"sync/atomic"
	"time"
)

// An Entry is work for the turn of a Shard. Run is called once; it must not block. A panic in it is logged.
type Entry interface {
	Run(*Shard)
}

// A Shard serves a share of the sessions. Everything that happens to them, sends, closes, transport switches and the
// entries that the layer above posts, goes through its inbox and takes effect in the order in which a goroutine
// posted it. Whoever runs a turn of the shard takes all entries that wait, lets each append to the outboxes of its
// sessions, and then writes every touched session once: the more has come together, the more packets share a write.
type Shard struct {
	server *Server
	index  int
	bell   chan struct{}
	crew   *crew

	waiting atomic.Bool // the inbox is not empty; a hint that spares a look

	mu      sync.Mutex // guards below; held for a moment only
	inbox   []entry
	running bool // somebody runs a turn, and owns the fields further below
	rung    bool // the bell has rung and the worker has not yet answered
	stopped bool

	// Owned by whoever runs the turn.
	spare   []entry
	touched []*Session
	scratch []byte
	queues  [][]*Packet
	slow    map[*Session]struct{} // sessions with something left in their outbox
	wheel   wheel

	counts shardCounts

	poller atomic.Pointer[poller] // of its sockets; made with the first of them, under Server.mu
}

// An entry is what an inbox holds: a packet for a session, which is the common case and costs no allocation, or else an Entry.
type entry struct {
	session  *Session
	packet   *Packet
	volatile bool
	run      Entry
}

const (
	scratchSize   = 64 << 10 // the most that is joined to one write
	spareEntries  = 8 << 10  // a larger inbox is not kept for the next turn
	writesPerLook = 4        // see flush
	spareQueues   = 4 << 10  // as many sessions may be touched in a turn without an allocation
)

func newShard(s *Server, index int) *Shard {
	sh := &Shard{server: s, index: index, bell: make(chan struct{}, 1), slow: make(map[*Session]struct{})}
	sh.crew = newCrew(sh)
	sh.wheel.init(s.cfg, func() { sh.Post(entryFunc((*Shard).tick)) })
	return sh
}

// Index is the position of the shard in Server.Shards.
func (sh *Shard) Index() int { return sh.index }

// Post queues e behind everything that was posted before. It never blocks and may be called from anywhere, from an
// Entry too.
func (sh *Shard) Post(e Entry) { sh.post(entry{run: e}) }

// Send queues packets for one of the shard's sessions, as a unit. It may be called only by an Entry of this shard, and
// only for a session of this shard. It does nothing if the session has ended; volatile packets are dropped if the
// peer is not ready for them, and a session whose outbox would grow over its limit is closed.
func (sh *Shard) Send(s *Session, volatile bool, packets ...*Packet) {
	if s.state != stateOpen {
		return
	}
	if volatile && !s.ready() {
		sh.counts.dropped.Add(uint64(len(packets)))
		return
	}
	cost := 0
	for _, p := range packets {
		cost += p.cost()
	}
	if s.full(cost) {
		s.flush() // what the peer has not been offered yet does not count against it
	}
	switch {
	case s.state != stateOpen:
		return
	case s.full(cost):
		s.end(ErrSlowConsumer, 0)
		return
	}
	for _, p := range packets {
		s.out.append(p, sh)
	}
	sh.touch(s)
}

func (sh *Shard) post(e entry) {
	sh.mu.Lock()
	sh.inbox = append(sh.inbox, e)
	sh.waiting.Store(true)
	stopped, ring := sh.stopped, sh.mustRing()
	sh.mu.Unlock()
	if ring {
		sh.bell <- struct{}{} // never waits: rung says that the bell is silent
	}
	if stopped {
		sh.turnNow()
	}
}

// mustRing says whether the worker has to be woken: something waits, nobody runs a turn that will see it, and the bell has
// not rung. Who is told so must ring. It is called under the lock.
func (sh *Shard) mustRing() bool {
	if sh.running || sh.rung || sh.stopped || len(sh.inbox) == 0 {
		return false
	}
	sh.rung = true
	return true
}

// work runs turns whenever the bell rings, until the shard is stopped. It yields first: what is ready to run may have
// more to post, and then it leaves in the same writes.
func (sh *Shard) work() {
	for range sh.bell {
		sh.mu.Lock()
		sh.rung = false
		stopped := sh.stopped
		sh.mu.Unlock()
		runtime.Gosched()
		for sh.turn() {
		}
		if stopped {
			return
		}
	}
}

// turnNow runs one turn in the calling goroutine if the shard is idle, which saves waking the worker. When the worker has
// stopped, it runs all.
func (sh *Shard) turnNow() {
	if !sh.waiting.Load() {
		return
	}
	for sh.turn() {
		sh.mu.Lock()
		stopped, ring := sh.stopped, sh.mustRing()
		sh.mu.Unlock()
		if ring {
			sh.bell <- struct{}{}
		}
		if !stopped {
			return
		}
	}
}

// turn takes what waits, carries it out, and writes. It reports whether more has come meanwhile.
func (sh *Shard) turn() (more bool) {
	sh.mu.Lock()
	if sh.running || len(sh.inbox) == 0 {
		sh.mu.Unlock()
		return false
	}
	sh.running = true
	batch := sh.takeInbox()
	sh.mu.Unlock()

	sh.carryOutAll(batch)
	sh.flush()

	sh.mu.Lock()
	sh.running = false
	more = len(sh.inbox) > 0
	sh.mu.Unlock()
	return more
}

// takeInbox is called under the lock.
func (sh *Shard) takeInbox() []entry {
	batch := sh.inbox
	sh.inbox, sh.spare = sh.spare, nil
	sh.waiting.Store(false)
	return batch
}

func (sh *Shard) carryOutAll(batch []entry) {
	for i := range batch {
		sh.carryOut(&batch[i])
	}
	if cap(batch) <= spareEntries {
		clear(batch)
		sh.spare = batch[:0]
	}
}

func (sh *Shard) carryOut(e *entry) {
	if e.run != nil {
		sh.guard(e.run)
		return
	}
	sh.Send(e.session, e.volatile, e.packet)
}

// guard runs an Entry so that a panic in it costs that Entry only: the turn may be lent from anybody, and has others waiting.
func (sh *Shard) guard(e Entry) {
	defer func() {
		if v := recover(); v != nil {
			sh.server.cfg.Logger.Error("entry panicked", "panic", v, "stack", string(debug.Stack()))
		}
	}()
	e.Run(sh)
}

// touch remembers that the session has something to write at the end of this turn.
func (sh *Shard) touch(s *Session) {
	if !s.touched {
		s.touched = true
		sh.touched = append(sh.touched, s)
	}
}

// flush writes every touched session once. Writing can touch more sessions: those that end because of it. It takes time, and
// what comes meanwhile goes into the writes that are still ahead; who had been written by then is written again, last.
func (sh *Shard) flush() {
	ahead := len(sh.touched)
	for i := 0; i < len(sh.touched); i++ {
		if i%writesPerLook == writesPerLook-1 && i < ahead {
			sh.look()
		}
		s := sh.touched[i]
		s.touched = false
		s.flush()
		s.settle()
	}
	clear(sh.touched)
	sh.touched = sh.touched[:0]
}

// look takes what sockets have to say, and lets it be handled, in the middle of a turn.
func (sh *Shard) look() {
	if p := sh.poller.Load(); p != nil && p.look() {
		runtime.Gosched()
	}
	if !sh.waiting.Load() {
		return
	}
	sh.mu.Lock()
	batch := sh.takeInbox()
	sh.mu.Unlock()
	sh.carryOutAll(batch)
}

// tick moves the wheel, and looks after the sessions whose peers are slow.
func (sh *Shard) tick() {
	sh.wheel.advance()
	now := sh.wheel.time()
	for s := range sh.slow {
		s.checkAge(now)
	}
}

func (sh *Shard) joinBuffer() []byte {
	if sh.scratch == nil {
		sh.scratch = make([]byte, 0, scratchSize)
	}
	return sh.scratch
}

func (sh *Shard) spareQueue() []*Packet {
	if n := len(sh.queues); n > 0 {
		q := sh.queues[n-1]
		sh.queues = sh.queues[:n-1]
		return q
	}
	return make([]*Packet, 0, 4)
}

func (sh *Shard) recycleQueue(q []*Packet) {
	if len(sh.queues) < spareQueues && cap(q) <= 64 {
		clear(q)
		sh.queues = append(sh.queues, q[:0])
	}
}

// stop ends the worker. What is posted afterwards is carried out by who posts it.
func (sh *Shard) stop() {
	sh.mu.Lock()
	sh.stopped = true
	ring := !sh.rung
	sh.rung = true
	sh.mu.Unlock()
	sh.wheel.stop()
	sh.crew.dismiss()
	if p := sh.sockets(); p != nil {
		p.close()
	}
	if ring {
		sh.bell <- struct{}{}
	}
}

// sockets is the shard's poller, or nil where goroutines wait for sockets, or where it is too late.
func (sh *Shard) sockets() *poller {
	s := sh.server
	s.mu.Lock()
	defer s.mu.Unlock()
	p := sh.poller.Load()
	if p == nil && !s.down && !s.cfg.parked {
		if p = newPoller(s); p != nil {
			sh.poller.Store(p)
			s.workers.Go(p.run)
		}
	}
	return p
}

// An entryFunc is an Entry that is a function.
type entryFunc func(*Shard)

func (f entryFunc) Run(sh *Shard) { f(sh) }

// shardCounts are the shard's part of Stats.
type shardCounts struct {
	packetsIn, bytesIn                    atomic.Uint64
	packetsOut, bytesOut, writes, dropped atomic.Uint64
	slow                                  atomic.Int64
}

// now is the time since the server was made.
func (s *Server) now() time.Duration { return time.Since(s.started) }
