package faults_test

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

// town is a crowd that lives in some groups, on some nodes: everybody in two of them. It is what is looked at while
// something is broken.
type town struct {
	nodes     []*server
	books     *books
	residents []*resident
	heard     float64       // the least part of what they would say that has to be acknowledged while something is broken
	slack     time.Duration // in the short form: how much more time the machine is given, for it took so long when all was well
	size

	door     chan struct{} // has places for as many as may move in at a time
	acks     atomic.Int64
	sending  atomic.Int64 // messages that wait for their answers
	hushed   atomic.Bool  // nobody speaks
	restless atomic.Bool  // everybody leaves and comes back all the time
	run      sync.WaitGroup
	end      context.CancelCauseFunc
	failed   context.Context // ends early with what somebody was refused
}

// size is how many people make how much noise.
type size struct {
	people, groups int
	rate           float64 // messages a second, of all together
	padding        int     // how long messages are beyond a line
	narrow         bool    // connections take little that is not read
}

// settle lets a crowd move in, and waits until all of it is there. A few more live by themselves: they were in a group of the
// others for a moment and left it, and may hear nothing of any.
func settle(t *testing.T, nodes []*server, name string, s size) *town {
	t.Helper()
	w := &town{nodes: nodes, books: newBooks(), size: s, door: make(chan struct{}, 100)}
	w.failed, w.end = context.WithCancelCause(t.Context())
	for i := range s.people {
		rooms := []string{fmt.Sprintf("%s %d", name, i%s.groups), fmt.Sprintf("%s %d", name, (i+1+i/s.groups%(s.groups-1))%s.groups)}
		r := w.newResident(fmt.Sprintf("resident-%04d", i), rooms...)
		r.narrow = s.narrow && i%deafOf == 0
		w.residents = append(w.residents, r)
	}
	for i, node := range nodes {
		stranger := w.newResident(fmt.Sprintf("stranger-%d", i), fmt.Sprintf("%s hermitage %d", name, i))
		stranger.token = passThrough(t, node, w.residents[0].rooms[0])
		w.residents = append(w.residents, stranger)
	}
	for _, r := range w.residents {
		w.run.Go(func() {
			if err := r.live(w.failed); err != nil {
				w.end(err)
			}
		})
	}
	t.Cleanup(w.leave)
	for began := time.Now(); ; pause(5 * time.Millisecond) {
		if !slices.ContainsFunc(w.residents, func(r *resident) bool { return !r.reached(nil) }) {
			return w
		}
		if w.failed.Err() != nil || time.Since(began) > 2*time.Minute {
			t.Fatalf("not everybody has moved in: %v", context.Cause(w.failed))
		}
	}
}

// passThrough makes a guest who enters a room, speaks and leaves for good, and gives its token.
func passThrough(t *testing.T, node *server, room string) (token string) {
	t.Helper()
	p := &person{server: node, name: "stranger"}
	v := p.mustEnter(t, room)
	defer v.leave()
	_, err := v.say(t.Context(), node.url, "I do not stay")
	if err == nil {
		err = v.ask(t.Context(), "leaveGroup", map[string]any{"groupId": v.group})
	}
	if err != nil {
		t.Fatal(err)
	}
	return p.token
}

// leave ends the crowd.
func (w *town) leave() {
	w.end(errors.New("the town is left"))
	w.run.Wait()
}

// pace is how long somebody rests between two messages.
func (w *town) pace() time.Duration {
	if w.rate == 0 {
		return time.Hour
	}
	each := time.Duration(float64(len(w.residents)) / w.rate * float64(time.Second))
	return each/2 + rand.N(each)
}

// proclaim says one more thing in each group at each node: what works again must work for everybody.
func (w *town) proclaim(t *testing.T) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	var all sync.WaitGroup
	for i, node := range w.nodes {
		herald := &person{server: node, name: fmt.Sprintf("herald-%d", i)}
		all.Go(func() {
			err := errors.New("not tried")
			for said := map[string]bool{}; err != nil && rest(ctx, 10*time.Millisecond); {
				err = w.proclaimBy(ctx, herald, said)
				if _, refused := errors.AsType[*refusal](err); err != nil && !refused {
					t.Logf("%s tries again: %v", herald.name, err)
				}
			}
			if err != nil {
				t.Errorf("nothing can be said at %s: %v", node.url, err)
			}
		})
	}
	all.Wait()
}

// proclaimBy lets a herald say something in each room in which it did not.
func (w *town) proclaimBy(ctx context.Context, herald *person, said map[string]bool) error {
	v, err := herald.arrive(ctx, nil, nil, nil)
	if err != nil {
		return err
	}
	defer v.leave()
	for _, room := range w.rooms() {
		if said[room] {
			continue
		}
		if _, err := v.enter(ctx, room); err != nil {
			return err
		}
		p := promise{sender: herald.name, clientID: herald.name + " in " + room, text: "here"}
		answer, err := v.say(ctx, p.clientID, p.text)
		if err != nil {
			return err
		}
		p.seq = answer.row().Seq
		w.books.of(v.group).ack(p)
		said[room] = true
	}
	return nil
}

// converge waits until everybody knows what is wanted, the heads of groups, and gives how long after since that was. Who takes
// longer than limit is complained of.
func (w *town) converge(t *testing.T, want map[string]int64, since time.Time, limit time.Duration) (took time.Duration) {
	t.Helper()
	waiting := slices.Clone(w.residents)
	var late []string
	for ; ; pause(5*time.Millisecond + time.Duration(len(waiting))*20*time.Microsecond) { // looking is not free
		waiting = slices.DeleteFunc(waiting, func(r *resident) bool { return r.reached(want) })
		took = time.Since(since)
		if len(waiting) == 0 || took > limit+patience || w.failed.Err() != nil {
			break
		}
		if late == nil && took > limit {
			for _, r := range waiting {
				late = append(late, r.where())
			}
		}
	}
	if late != nil {
		t.Errorf("%d of %d were not told everything within %s, the last after %s (%d never); wanted was %v:\n%s",
			len(late), len(w.residents), limit, took, len(waiting), want, strings.Join(late[:min(len(late), 5)], "\n"))
	}
	if err := context.Cause(w.failed); err != nil {
		t.Fatal(err)
	}
	return took
}

// patience is for how long a test looks on at what came too late already: when it comes at all is worth to know.
const patience = 20 * time.Second

// hush lets nobody speak any more, and waits for the last answers.
func (w *town) hush(t *testing.T) {
	t.Helper()
	w.hushed.Store(true)
	for began := time.Now(); w.sending.Load() > 0; pause(time.Millisecond) {
		if time.Since(began) > patience {
			t.Fatalf("%d messages are not answered", w.sending.Load())
		}
	}
}

// verify compares what was promised, what was told and what everybody shows with what is kept. Nobody speaks any more.
func (w *town) verify(t *testing.T, limit time.Duration) (kept int) {
	t.Helper()
	reader := &person{server: w.nodes[rand.IntN(len(w.nodes))], name: "reader"}
	visit, err := reader.arrive(t.Context(), nil, nil, nil)
	if err != nil {
		t.Fatal(err)
	}
	defer visit.leave()
	heads := map[string]int64{}
	for _, room := range w.rooms() {
		head, err := visit.enter(t.Context(), room)
		if err != nil {
			t.Fatal(err)
		}
		heads[visit.group] = head
	}
	w.converge(t, heads, time.Now(), limit)
	complaints := w.books.strays()
	for group := range heads {
		visit.group = group
		history, err := visit.history(t.Context(), 0)
		if err != nil {
			t.Fatal(err)
		}
		kept += len(history)
		complaints = append(complaints, w.books.of(group).verify(history)...)
		for _, r := range w.residents {
			complaints = append(complaints, r.compare(group, history)...)
		}
	}
	for _, complaint := range complaints[:min(len(complaints), 20)] { // one fault shows itself in a thousand places
		t.Error(complaint)
	}
	return kept
}

// rooms are all in which somebody lives.
func (w *town) rooms() []string {
	found := map[string]bool{}
	for _, r := range w.residents {
		for _, room := range r.rooms {
			found[room] = true
		}
	}
	return slices.Sorted(maps.Keys(found))
}

// books are the ledgers of a town. Their methods may be called from any goroutine.
type books struct {
	mu         sync.Mutex         // guards below
	ledgers    map[string]*ledger // by group
	refusals   map[string]int     // by code
	complaints []string
}

func newBooks() *books { return &books{ledgers: map[string]*ledger{}, refusals: map[string]int{}} }

// of is a group's ledger.
func (b *books) of(group string) *ledger {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.ledgers[group] == nil {
		b.ledgers[group] = newLedger()
	}
	return b.ledgers[group]
}

// note complains of what is of no group's ledger.
func (b *books) note(format string, args ...any) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if len(b.complaints) < 20 {
		b.complaints = append(b.complaints, fmt.Sprintf(format, args...))
	}
}

func (b *books) strays() []string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return slices.Clone(b.complaints)
}

// refused notes that somebody was asked to come again.
func (b *books) refused(code string) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.refusals[code]++
}

func (b *books) refusedSoFar() map[string]int {
	b.mu.Lock()
	defer b.mu.Unlock()
	return maps.Clone(b.refusals)
}

// acked is the greatest number that was acknowledged, by group.
func (b *books) acked() map[string]int64 {
	b.mu.Lock()
	defer b.mu.Unlock()
	top := make(map[string]int64, len(b.ledgers))
	for g, l := range b.ledgers {
		top[g] = l.top()
	}
	return top
}
