package socketio

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"sync"
)

// ErrNoAnswer: not all servers of the cluster have answered in time.
var ErrNoAnswer = errors.New("not all servers have answered")

// requests are the questions to other servers that are open, by their id.
type requests struct {
	server ServerID

	mu   sync.Mutex // guards below
	last uint64
	open map[string]func(*Command)
}

// add opens a question. Take is called for what comes in answer, on the adapter's goroutine.
func (r *requests) add(take func(*Command)) (id string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.open == nil {
		r.open = make(map[string]func(*Command))
	}
	r.last++
	id = string(r.server) + "." + strconv.FormatUint(r.last, 36)
	r.open[id] = take
	return id
}

func (r *requests) remove(id string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	delete(r.open, id)
}

// take hears an answer. One to no open question is dropped.
func (r *requests) take(c *Command) {
	r.mu.Lock()
	take := r.open[c.ID]
	r.mu.Unlock()
	if take != nil {
		take(c)
	}
}

// inquire asks all other servers that have the namespace, and returns what they answered, in the order in which they did. Those that do not before ctx
// ends are an error.
func (n *Namespace) inquire(ctx context.Context, publish func(id string) error) ([]Args, error) {
	s := n.server
	servers, err := s.cfg.Adapter.Servers(ctx, n.name)
	if err != nil {
		return nil, fmt.Errorf("count servers: %w", err)
	}
	if servers < 2 {
		return nil, nil
	}
	responses := make(chan Args, servers-1)
	answered := make(map[ServerID]bool)
	id := s.requests.add(func(c *Command) { // from one goroutine at a time, see Adapter.Open
		if c.Kind == KindResponse && !answered[c.From] && len(answered) < servers-1 {
			answered[c.From] = true
			responses <- c.Args
		}
	})
	defer s.requests.remove(id)
	if err := publish(id); err != nil {
		return nil, err
	}
	var answers []Args
	for len(answers) < servers-1 {
		select {
		case a := <-responses:
			answers = append(answers, a)
		case <-ctx.Done():
			return answers, fmt.Errorf("%w: %d of %d: %w", ErrNoAnswer, len(answers), servers-1, ctx.Err())
		}
	}
	return answers, nil
}

// errands are things to do for other servers, one after the other, in a goroutine that is lent while there are any. There
// is a bound to how many wait.
type errands struct {
	work *sync.WaitGroup

	mu      sync.Mutex // guards below
	queue   []func()
	running bool
	closed  bool
}

const maxErrands = 1024

// add queues something to do. It reports whether there was room.
func (e *errands) add(do func()) bool {
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.closed || len(e.queue) >= maxErrands {
		return false
	}
	e.queue = append(e.queue, do)
	if !e.running {
		e.running = true
		e.work.Go(e.run)
	}
	return true
}

func (e *errands) run() {
	for {
		e.mu.Lock()
		if len(e.queue) == 0 {
			e.queue, e.running = nil, false
			e.mu.Unlock()
			return
		}
		do := e.queue[0]
		e.queue[0] = nil
		e.queue = e.queue[1:]
		e.mu.Unlock()
		do()
	}
}

// close forgets what waits, and takes nothing more.
func (e *errands) close() {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.closed, e.queue = true, nil
}
