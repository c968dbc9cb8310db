package socketio

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"qun/engineio"
)

// EmitWithAck is like Emit and waits for what the sockets of the target answer, on all servers. It returns the answers in the order in which
// they came: of all, or, with an error, of those who answered before the context or Timeout ended; without either,
// Config.AckTimeout holds. A socket that disconnects, or has too many acks pending, does not answer: that is an error
// too, which is known at once for sockets of this server, and at the end for others. A target without sockets answers nothing, at once.
//
// In a handler, its own connection cannot answer, see Socket.EmitWithAck: it gets the event and is not waited for, which
// ErrWaitInHandler says.
func (b Broadcast) EmitWithAck(ctx context.Context, event string, args ...any) ([]Args, error) {
	ctx, cancel := b.limit(ctx, b.namespace.server.cfg.AckTimeout)
	defer cancel()
	v := &vote{done: make(chan struct{})}
	holder, _ := ctx.Value(turnKey{}).(*conn)
	q := b.question(holder, v.answer, v.counted)
	defer q.forget()
	var published error
	err := encodeEvent(b.namespace.server.cfg.MaxAttachments, event, args, func(p *payload) {
		p.raw = b.raw
		v.open(1)
		if b.remote() {
			published = b.askOthers(ctx, v, event, p)
		}
		q.put(event, p)
	})
	if err != nil {
		return nil, err
	}
	select {
	case <-v.done:
	case <-ctx.Done():
		err = fmt.Errorf("wait for acks of %q: %w", event, ctx.Err())
	}
	answers, missing := v.result()
	return answers, errors.Join(published, missing, err)
}

// limit is the context in which a broadcast waits.
func (b Broadcast) limit(ctx context.Context, otherwise time.Duration) (context.Context, context.CancelFunc) {
	if b.timeout > 0 {
		return context.WithTimeout(ctx, b.timeout)
	}
	if _, limited := ctx.Deadline(); !limited {
		return context.WithTimeout(ctx, otherwise)
	}
	return context.WithCancel(ctx)
}

// askOthers puts the question to the other servers, whose answers count in v.
func (b Broadcast) askOthers(ctx context.Context, v *vote, event string, p *payload) error {
	s := b.namespace.server
	servers, err := s.cfg.Adapter.Servers(ctx, b.namespace.name)
	if err != nil {
		return fmt.Errorf("count servers: %w", err)
	}
	if servers < 2 {
		return nil
	}
	counted := make(map[ServerID]bool)
	id := s.requests.add(func(c *Command) { // from one goroutine at a time, see Adapter.Open
		switch {
		case c.Kind == KindAck:
			v.answer(c.Args, nil)
		case c.Kind == KindCount && !counted[c.From]:
			counted[c.From] = true
			v.counted(c.Count)
		}
	})
	context.AfterFunc(ctx, func() { s.requests.remove(id) }) // ctx ends when EmitWithAck does
	v.open(servers - 1)
	deadline, _ := ctx.Deadline()
	return b.publishEvent(&Command{Kind: KindBroadcast, ID: id, Timeout: time.Until(deadline)}, event, p)
}

// A vote collects the answers to a question.
type vote struct {
	done chan struct{} // closed when everybody has answered, or never will

	mu      sync.Mutex // guards below
	parties int        // those that have not said yet how many they ask
	asked   int
	answers []Args
	failed  []error
	closed  bool
}

// open waits for parties to say how many they ask.
func (v *vote) open(parties int) {
	v.mu.Lock()
	defer v.mu.Unlock()
	v.parties += parties
}

// counted is what one party says.
func (v *vote) counted(asked int) {
	v.mu.Lock()
	defer v.mu.Unlock()
	v.parties--
	v.asked += asked
	v.settle()
}

// answer is what one socket says.
func (v *vote) answer(args Args, err error) {
	v.mu.Lock()
	defer v.mu.Unlock()
	if err != nil {
		v.failed = append(v.failed, err)
	} else {
		v.answers = append(v.answers, args)
	}
	v.settle()
}

// settle closes the vote when nothing more will come. v.mu is held.
func (v *vote) settle() {
	if v.parties <= 0 && len(v.answers)+len(v.failed) >= v.asked && !v.closed {
		v.closed = true
		close(v.done)
	}
}

func (v *vote) result() ([]Args, error) {
	v.mu.Lock()
	defer v.mu.Unlock()
	answers := append([]Args{}, v.answers...)
	if len(v.failed) == 0 {
		return answers, nil
	}
	return answers, fmt.Errorf("%d of %d sockets cannot answer: %w", len(v.failed), v.asked, v.failed[0])
}

// A question is an event for the sockets of a target on this server, with one id for all, and who wants to know what they answer.
type question struct {
	broadcast Broadcast
	id        uint64
	holder    *conn             // whose answer cannot be waited for
	answer    func(Args, error) // called once for each socket that was asked; must not block
	counted   func(int)         // called once, with how many were asked; must not block

	mu      sync.Mutex // guards below
	shards  int        // those that have not asked yet
	asked   int
	pending map[*Socket]struct{}
	over    bool // nobody wants to know any more
}

func (b Broadcast) question(holder *conn, answer func(Args, error), counted func(int)) *question {
	return &question{
		broadcast: b, holder: holder, answer: answer, counted: counted,
		id: b.namespace.acks.Add(1) - 1, pending: make(map[*Socket]struct{}),
	}
}

// put puts the question.
func (q *question) put(event string, p *payload) {
	n := q.broadcast.namespace
	set := n.directory.where(&q.broadcast.target)
	for i := range n.parts {
		if set.has(i) {
			q.shards++
		}
	}
	if q.shards == 0 {
		q.counted(0)
		return
	}
	n.post(set, &questionEntry{q, p.packets(nil, packetEvent, n, someAck(q.id)), n.notice(event, p)})
}

// A questionEntry asks the target's sockets of each shard.
type questionEntry struct {
	question *question
	packets  []*engineio.Packet
	notice   *notice
}

func (e *questionEntry) Run(sh *engineio.Shard) {
	q := e.question
	b := q.broadcast
	asked := 0
	b.namespace.parts[sh.Index()].each(b.namespace, sh.Index(), &b.target, func(s *Socket) {
		asked++
		if q.ask(s) {
			e.notice.tell(s)
			sh.Send(s.session, b.volatile, e.packets...)
		}
	})
	q.shardDone(asked)
}

// ask remembers that the socket is asked. It reports whether the event shall be sent.
func (q *question) ask(s *Socket) bool {
	q.mu.Lock()
	over := q.over
	q.pending[s] = struct{}{}
	q.mu.Unlock()
	if over {
		return true // and nobody listens
	}
	if s.conn == q.holder {
		q.heard(s, Args{}, ErrWaitInHandler)
		return true
	}
	if err := s.rememberAck(q.id, func(args Args, err error) { q.heard(s, args, err) }); err != nil {
		q.heard(s, Args{}, err)
		return false
	}
	return true
}

// heard passes an answer on.
func (q *question) heard(s *Socket, args Args, err error) {
	q.mu.Lock()
	_, waited := q.pending[s]
	delete(q.pending, s)
	waited = waited && !q.over
	q.mu.Unlock()
	if waited {
		q.answer(args, err)
	}
}

func (q *question) shardDone(asked int) {
	q.mu.Lock()
	q.shards--
	q.asked += asked
	last, all := q.shards == 0, q.asked
	q.mu.Unlock()
	if last {
		q.counted(all)
	}
}

// forget ends the waiting. Answers that come later are ignored.
func (q *question) forget() {
	q.mu.Lock()
	q.over = true
	pending := q.pending
	q.pending = make(map[*Socket]struct{})
	q.mu.Unlock()
	for s := range pending {
		s.forgetAck(q.id)
	}
}

// relayQuestion asks for another server, and sends the answers there.
func (b Broadcast) relayQuestion(c *Command) {
	s := b.namespace.server
	q := b.question(nil, func(args Args, err error) {
		if err == nil {
			s.reply(c, &Command{Kind: KindAck, Args: args})
		}
	}, func(asked int) { s.reply(c, &Command{Kind: KindCount, Count: asked}) })
	err := encodeEvent(s.cfg.MaxAttachments, c.Event, []any{c.Args}, func(p *payload) { q.put(c.Event, p) })
	if err != nil {
		s.cfg.Logger.Error("relay question", "from", c.From, "error", err)
		s.reply(c, &Command{Kind: KindCount})
		return
	}
	wait := c.Timeout
	orDefault(&wait, s.cfg.AckTimeout)
	stop := time.AfterFunc(min(wait, maxQuestion), q.forget)
	context.AfterFunc(s.ctx, func() { stop.Stop() })
}

// maxQuestion is the longest that another server's question is kept open.
const maxQuestion = 10 * time.Minute
