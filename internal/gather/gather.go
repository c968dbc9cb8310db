// Package gather lets those who ask at the same time be answered together: what costs about as much for fifty as for one is
// done once for all who wait.
package gather

import (
	"context"
	"errors"
	"slices"
	"sync"
	"sync/atomic"
	"time"
)

// Gather answers questions, several at a time. Who asks when nobody else does is answered at once, alone; who asks while others
// are being answered waits until that is done, and is answered together with all who wait by then. So the more ask, the less
// each of them costs, and nobody waits for company.
//
// Its methods may be called from any goroutine.
type Gather[Q, A any] struct {
	cfg Config[Q, A] // set once

	mu      sync.Mutex // guards below; never held while Answer is called
	running int        // how many calls of Answer there are
	waiting []*asker[Q, A]
}

// Config says how questions are answered.
type Config[Q, A any] struct {
	// Answer answers all questions, in their order, or none. It is called by one of those who ask. Its context ends when none
	// of them waits any more.
	Answer func(ctx context.Context, questions []Q) ([]A, error)
	AtOnce int // how many calls of it there may be at a time
	Most   int // how many questions a call may get
	// Patience is how long a call may take that is given up and made once more then, without bound: what hangs may be a
	// connection, of which the next call gets another. 0: a call is not given up.
	Patience time.Duration
}

// New makes a Gather.
func New[Q, A any](cfg Config[Q, A]) *Gather[Q, A] { return &Gather[Q, A]{cfg: cfg} }

// asker is one who asks.
type asker[Q, A any] struct {
	// Set once.
	ctx      context.Context //nolint:containedctx // of whose question it is: others answer it
	question Q
	turn     chan struct{} // closed when there is an answer, or crowd is set

	// Set before turn is closed.
	crowd  []*asker[Q, A] // who are to be answered by this one, itself the first of them
	answer A
	err    error
}

// errNone is what others hear when who answered them did not come back.
var errNone = errors.New("no answer was given")

// Ask is the answer to q. It does not wait for it longer than ctx lives.
func (g *Gather[Q, A]) Ask(ctx context.Context, q Q) (A, error) {
	one := &asker[Q, A]{ctx: ctx, question: q, turn: make(chan struct{})}
	g.mu.Lock()
	if g.running < g.cfg.AtOnce {
		g.running++
		one.crowd = []*asker[Q, A]{one}
		close(one.turn)
	} else {
		g.waiting = append(g.waiting, one)
	}
	g.mu.Unlock()
	select {
	case <-one.turn:
	case <-ctx.Done():
		if g.withdraw(one) {
			var none A
			return none, context.Cause(ctx)
		}
	}
	if one.crowd != nil {
		g.serve(one.crowd)
	}
	return one.answer, one.err
}

// withdraw takes back the question of who waits no longer, and reports whether there is nothing left to do for it: who is to
// answer others does that.
func (g *Gather[Q, A]) withdraw(one *asker[Q, A]) bool {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.waiting = slices.DeleteFunc(g.waiting, func(other *asker[Q, A]) bool { return other == one })
	return one.crowd == nil
}

// serve answers a crowd, and lets the next one be answered, whatever happens.
func (g *Gather[Q, A]) serve(crowd []*asker[Q, A]) {
	ctx, cancel := context.WithCancel(context.WithoutCancel(crowd[0].ctx))
	defer cancel()
	defer g.pass()
	var left atomic.Int64
	left.Store(int64(len(crowd)))
	questions := make([]Q, len(crowd))
	for i, one := range crowd {
		questions[i] = one.question
		stop := context.AfterFunc(one.ctx, func() {
			if left.Add(-1) == 0 {
				cancel()
			}
		})
		defer stop()
	}
	answers, err := make([]A, len(crowd)), errNone
	defer func() {
		for i, one := range crowd {
			if one.err = err; err == nil {
				one.answer = answers[i]
			}
			if i > 0 {
				close(one.turn)
			}
		}
	}()
	answers, err = g.answer(ctx, questions)
}

func (g *Gather[Q, A]) answer(ctx context.Context, questions []Q) ([]A, error) {
	if g.cfg.Patience > 0 {
		limited, cancel := context.WithTimeout(ctx, g.cfg.Patience)
		answers, err := g.cfg.Answer(limited, questions)
		late := limited.Err() != nil && ctx.Err() == nil
		cancel()
		if err == nil || !late {
			return answers, err
		}
	}
	return g.cfg.Answer(ctx, questions)
}

// pass makes the first of those who wait answer them all.
func (g *Gather[Q, A]) pass() {
	g.mu.Lock()
	defer g.mu.Unlock()
	n := min(len(g.waiting), g.cfg.Most)
	if n == 0 {
		g.running--
		return
	}
	crowd := slices.Clone(g.waiting[:n])
	g.waiting = slices.Delete(g.waiting, 0, n)
	crowd[0].crowd = crowd
	close(crowd[0].turn)
}
