package faults_test

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"sync"
	"testing"
	"time"

	"qun/internal/store/pgtest"
)

// What was acknowledged survives kill -9 at any moment, once and in order, and what live clients were told is what is kept.
func TestAcknowledgedMessagesSurviveKill(t *testing.T) {
	storm{rounds: pick(4, 50), senders: pick(20, 50), harm: killServer}.rage(t, startServer(t))
}

// The same with PostgreSQL behind, of which sometimes the server is killed and sometimes the database.
func TestAcknowledgedMessagesSurviveKillOnPostgreSQL(t *testing.T) {
	database := pgtest.For(t, pgtest.Config{Durable: true})
	turn := 0
	harm := func(t *testing.T, s *server) {
		if turn++; turn%2 == 1 {
			killServer(t, s)
			return
		}
		if err := database.Kill(); err != nil {
			t.Fatal(err)
		}
		pause(rand.N(300 * time.Millisecond))
		if err := database.Run(); err != nil {
			t.Fatal(err)
		}
	}
	storm{rounds: pick(4, 20), senders: pick(20, 50), harm: harm}.rage(t, startServerOn(t, database.URL("postgres")))
}

// pick is the size of a short run or of the long one.
func pick[T any](short, long T) T {
	if full {
		return long
	}
	return short
}

// storm is many people who speak while again and again something is killed.
type storm struct {
	rounds, senders int
	harm            func(*testing.T, *server) // kills something and brings it back
}

func (w storm) rage(t *testing.T, s *server) {
	l := newLedger()
	ctx, cancel := context.WithCancelCause(t.Context())
	var crowd sync.WaitGroup
	for i := range w.senders {
		crowd.Go(func() {
			if err := chatter(ctx, s, fmt.Sprintf("sender-%02d", i), l); err != nil && ctx.Err() == nil {
				cancel(err)
			}
		})
	}
	for round := range w.rounds {
		acked := awaitAcks(ctx, t, l, l.acks()+w.senders)
		pause(rand.N(time.Second))
		w.harm(t, s)
		t.Logf("round %d: %d acknowledged", round+1, acked)
	}
	awaitAcks(ctx, t, l, l.acks()+w.senders)
	cancel(errors.New("the test is over"))
	crowd.Wait()

	history := wholeHistory(t, s)
	for _, complaint := range l.verify(history) {
		t.Error(complaint)
	}
	t.Logf("%d messages acknowledged, %d kept, %d numbers heard live", l.acks(), len(history), len(l.told))
	s.stop(t)
	s.check(t)
}

// killServer kills the server, and sometimes once more while it gets up.
func killServer(t *testing.T, s *server) {
	s.kill(t)
	if rand.IntN(4) == 0 {
		s.launch(t)
		pause(rand.N(150 * time.Millisecond))
		s.kill(t)
	}
	s.start(t)
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
