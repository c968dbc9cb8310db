package engineio_test

import (
	"errors"
	"fmt"
	"testing"
	"time"

	"qun/engineio"
)

// Of a hundred members every twentieth stops reading. The others get everything, in order and without waiting; those are
// closed when their outboxes are full, and until then no more is kept than the outboxes may hold.
func TestStalledMembersCostNobodyElse(t *testing.T) {
	overBoth(t, func(t *testing.T, f form) {
		const members, stalled, rounds, burst, limit = 100, 5, 60, 10, 256 << 10
		w := start(t, f, nil, engineio.Config{OutboxBytes: limit})
		var all []*engineio.Session
		arrived := make(chan error, members)
		for i := range members {
			p, s := w.connect()
			all = append(all, s)
			if i%(members/stalled) != 0 {
				go func() { arrived <- p.readRounds(rounds, burst, arrived) }()
			}
		}
		begin := time.Now()
		for round := range rounds {
			for i := range burst {
				w.broadcast(all, text(roundText(round, i)))
			}
			for range members - stalled {
				if err := receive(w, arrived, "round arrives"); err != nil {
					t.Fatal(err)
				}
			}
			if kept := w.server.Stats().QueuedBytes; kept > limit+10<<10 { // shared packets count once
				t.Fatalf("kept for stalled members: got %d bytes, want about %d at most", kept, limit)
			}
		}
		if took := time.Since(begin); f.virtual && took > 0 {
			t.Errorf("members who read waited %v for those who do not", took)
		}
		for range stalled {
			w.expectEnd(engineio.ErrSlowConsumer)
		}
		w.expectNoEnd()
	})
}

// broadcast posts one entry to each shard on which one of the sessions is.
func (w *world) broadcast(to []*engineio.Session, p *engineio.Packet) {
	for _, sh := range w.server.Shards() {
		sh.Post(run(func(sh *engineio.Shard) {
			for _, s := range to {
				if s.Shard() == sh {
					sh.Send(s, false, p)
				}
			}
		}))
	}
}

func roundText(round, i int) string { return fmt.Sprintf("%d.%d %s", round, i, repeat(1000)) }

// readRounds reads what was broadcast, and tells of every round but the last, which it returns from.
func (p *peer) readRounds(rounds, burst int, arrived chan<- error) error {
	for round := range rounds {
		if round > 0 {
			arrived <- nil
		}
		for i := range burst {
			f, err := p.frame()
			if err != nil {
				return err
			}
			if want := "4" + roundText(round, i); string(f.Payload) != want {
				return errors.New("got " + string(f.Payload[:20]) + ", want " + want[:20])
			}
		}
	}
	return nil
}
