package faults_test

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"sync"
	"testing"
	"time"

	"qun/internal/redistest"
	"qun/internal/store/pgtest"
)

// Three nodes share a database, and again and again one of them is killed. Its people go to another one. What was
// acknowledged is kept, once; all nodes tell one order, without a gap, whoever said it where.
func TestNodesAreKilledUnderLoad(t *testing.T) {
	database := pgtest.For(t, pgtest.Config{Durable: true})
	nodes := make([]*server, 3)
	for i := range nodes {
		nodes[i] = startServerOn(t, database.URL("postgres"))
	}
	l := newLedger()
	ctx, cancel := context.WithCancelCause(t.Context())
	var crowd sync.WaitGroup
	senders := pick(12, 60)
	for i := range senders {
		crowd.Go(func() {
			if err := wander(ctx, nodes, fmt.Sprintf("sender-%02d", i), l); err != nil && ctx.Err() == nil {
				cancel(err)
			}
		})
	}
	for round := range pick(2, 30) {
		acked := awaitAcks(ctx, t, l, l.acks()+senders)
		pause(rand.N(time.Second))
		victim := nodes[rand.IntN(len(nodes))]
		victim.kill(t)
		awaitAcks(ctx, t, l, l.acks()+senders) // the others go on
		victim.start(t)
		t.Logf("round %d: %d acknowledged", round+1, acked)
	}
	awaitAcks(ctx, t, l, l.acks()+senders)
	cancel(errors.New("the test is over"))
	crowd.Wait()

	for i, node := range nodes {
		history := wholeHistory(t, node)
		t.Logf("node %d: %d messages acknowledged, %d kept, %d numbers heard live", i, l.acks(), len(history), len(l.told))
		if i > 0 {
			continue
		}
		for _, complaint := range l.verify(history) {
			t.Error(complaint)
		}
	}
	for _, node := range nodes {
		node.stop(t)
	}
	nodes[0].check(t)
}

// Redis carries what two nodes tell each other, and is killed: messages are acknowledged all the same, and heard at the other
// node within two seconds.
func TestNodesDoWithoutRedis(t *testing.T) {
	database, redis := pgtest.For(t, pgtest.Config{}), redistest.For(t)
	nodes := make([]*server, 2)
	for i := range nodes {
		nodes[i] = startServerOn(t, database.URL("postgres"), "--redis", redis.URL())
	}
	heard := make(chan push, 1000)
	listener := &person{server: nodes[1], name: "listener"}
	ear, err := listener.arrive(t.Context(), nil, func(p push) { heard <- p }, nil)
	if err != nil {
		t.Fatal(err)
	}
	defer ear.leave()
	if _, err := ear.enter(t.Context(), room); err != nil {
		t.Fatal(err)
	}
	sender := (&person{server: nodes[0], name: "sender"}).mustEnter(t, room)
	defer sender.leave()
	say := func(clientID string) time.Duration {
		t.Helper()
		if _, err := sender.say(t.Context(), clientID, clientID); err != nil {
			t.Fatalf("%s: %v", clientID, err)
		}
		for start := time.Now(); ; {
			select {
			case p := <-heard:
				if p.ClientID == clientID {
					return time.Since(start)
				}
			case <-time.After(5 * time.Second):
				t.Fatalf("%s is never heard", clientID)
			}
		}
	}
	for i := range 5 {
		t.Logf("with Redis: %s", say(fmt.Sprint("with ", i)))
	}
	if err := redis.Kill(); err != nil {
		t.Fatal(err)
	}
	for i := range 5 {
		took := say(fmt.Sprint("without ", i))
		t.Logf("without: %s", took)
		if took > 2*time.Second {
			t.Errorf("heard after %s, want 2 s at most", took)
		}
	}
	if err := redis.Run(); err != nil {
		t.Fatal(err)
	}
	for i := 0; ; i++ {
		if took := say(fmt.Sprint("again ", i)); took < 100*time.Millisecond {
			return
		}
		if i > 20 {
			t.Fatal("Redis is back, and nothing goes faster")
		}
	}
}

// wander is chatter at several nodes: whoever loses one, and who has said enough, goes to another.
func wander(ctx context.Context, nodes []*server, name string, l *ledger) error {
	me := &person{name: name}
	for n := 0; ctx.Err() == nil; {
		me.server = nodes[rand.IntN(len(nodes))]
		visit, err := me.settle(ctx, l)
		if fatal(err) {
			return fmt.Errorf("%s cannot come back: %w", name, err)
		}
		if err == nil {
			stay, leave := context.WithTimeout(ctx, time.Second+rand.N(2*time.Second))
			n, err = visit.talk(stay, l, n)
			leave()
			visit.leave()
			if fatal(err) {
				return fmt.Errorf("%s may not speak: %w", name, err)
			}
		}
		pause(20 * time.Millisecond)
	}
	return nil
}
