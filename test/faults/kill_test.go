package faults_test

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"sync"
	"testing"
	"time"
)

// What was acknowledged survives kill -9 at any moment, once and in order, and what live clients were told is what is kept.
func TestAcknowledgedMessagesSurviveKill(t *testing.T) {
	rounds, senders := 4, 20
	if full {
		rounds, senders = 20, 50
	}
	s := startServer(t)
	l := newLedger()
	ctx, cancel := context.WithCancelCause(t.Context())
	var crowd sync.WaitGroup
	for i := range senders {
		crowd.Go(func() {
			if err := chatter(ctx, s, fmt.Sprintf("sender-%02d", i), l); err != nil && ctx.Err() == nil {
				cancel(err)
			}
		})
	}
	for round := range rounds {
		acked := awaitAcks(ctx, t, l, l.acks()+senders)
		pause(rand.N(time.Second))
		s.kill(t)
		if rand.IntN(4) == 0 { // and sometimes once more while it gets up
			s.launch(t)
			pause(rand.N(150 * time.Millisecond))
			s.kill(t)
		}
		s.start(t)
		t.Logf("round %d: %d acknowledged", round+1, acked)
	}
	awaitAcks(ctx, t, l, l.acks()+senders)
	cancel(errors.New("the test is over"))
	crowd.Wait()

	history := wholeHistory(t, s)
	for _, complaint := range l.verify(history) {
		t.Error(complaint)
	}
	t.Logf("%d messages acknowledged, %d kept, %d numbers heard live", l.acks(), len(history), len(l.told))
	s.stop(t)
}

const room = "风暴 room"

// chatter sends one message after the other until ctx ends, coming back whenever the connection is lost and repeating what was
// not acknowledged. It returns early only when the server refuses what it must not refuse.
func chatter(ctx context.Context, s *server, name string, l *ledger) error {
	me := &person{server: s, name: name}
	for n := 0; ctx.Err() == nil; {
		visit, err := me.settle(ctx, l)
		if fatal(err) {
			return fmt.Errorf("%s cannot come back: %w", name, err)
		}
		if err == nil {
			n, err = visit.talk(ctx, l, n)
			visit.leave()
			if fatal(err) {
				return fmt.Errorf("%s may not speak: %w", name, err)
			}
		}
		pause(20 * time.Millisecond)
	}
	return nil
}

// settle connects and enters the room, and from then on writes down what it hears.
func (p *person) settle(ctx context.Context, l *ledger) (*visit, error) {
	ear := l.listener(p.name)
	visit, err := p.arrive(ctx, nil, ear.write, nil)
	if err != nil {
		return nil, err
	}
	head, err := visit.enter(ctx, room)
	if err != nil {
		visit.leave()
		return nil, err
	}
	ear.entered(head)
	return visit, nil
}

func (h *listener) write(p push) {
	if p.Seq != 0 {
		h.hear(p.Seq, messageUnder(p.ClientID))
	} else {
		h.hear(p.Head, change)
	}
}

// talk sends messages from the nth on until something goes wrong, and says which is the next to be sent.
func (v *visit) talk(ctx context.Context, l *ledger, n int) (int, error) {
	for {
		p := promise{sender: v.name, clientID: fmt.Sprintf("%s:%d", v.name, n), text: fmt.Sprintf("第 %d 句 of %s", n, v.name)}
		answer, err := v.say(ctx, p.clientID, p.text)
		if err != nil {
			return n, err
		}
		p.seq = answer.row().Seq
		l.ack(p)
		n++
	}
}

// fatal holds for refusals that trying again will not change.
func fatal(err error) bool {
	r, refused := errors.AsType[*refusal](err)
	return refused && !r.retry()
}

// awaitAcks waits until so many messages have been acknowledged: a round in which nobody was heard proves nothing.
func awaitAcks(ctx context.Context, t *testing.T, l *ledger, want int) int {
	t.Helper()
	for deadline := time.Now().Add(30 * time.Second); time.Now().Before(deadline); pause(5 * time.Millisecond) {
		if got := l.acks(); got >= want {
			return got
		}
		if ctx.Err() != nil {
			t.Fatal(context.Cause(ctx))
		}
	}
	t.Fatalf("%d messages acknowledged after 30 s, want %d", l.acks(), want)
	return 0
}

// wholeHistory reads the group as somebody does who comes for the first time.
func wholeHistory(t *testing.T, s *server) []row {
	t.Helper()
	reader := &person{server: s, name: "reader"}
	visit, err := reader.arrive(t.Context(), nil, nil, nil)
	if err != nil {
		t.Fatal(err)
	}
	defer visit.leave()
	if _, err := visit.enter(t.Context(), room); err != nil {
		t.Fatal(err)
	}
	history, err := visit.history(t.Context(), 0)
	if err != nil {
		t.Fatal(err)
	}
	return history
}
