package faults_test

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"strings"
	"sync"
	"time"
)

// resident is a person who lives in some groups of a town: it speaks at the town's pace, listens, and whenever it loses its
// connection comes back to any node by what the protocol gives, knowing what it knew.
type resident struct {
	person
	town  *town
	rooms []string
	homes []string // their groups

	mu      sync.Mutex // guards below
	here    bool       // connected, and told what it missed
	opening bool       // on the way there: pushes are held
	held    []push
	views   map[string]*view // by group
	visit   *visit           // the present one; nil: away
	ears    chan struct{}    // closed while it reads what it is sent
}

// view is what a resident knows of a group.
type view struct {
	ear  *listener
	head int64
	from int64            // it knows all messages from here on
	rows map[int64]string // clientIds, by seq
}

func (w *town) newResident(name string, rooms ...string) *resident {
	return &resident{person: person{name: name}, town: w, rooms: rooms, views: map[string]*view{}, ears: closed()}
}

func closed() chan struct{} {
	c := make(chan struct{})
	close(c)
	return c
}

// comeTime bounds the way to being greeted, as clients do by default: a node may take connections and say nothing.
const comeTime = 20 * time.Second

// live is a resident's life until ctx ends. It ends early only when it is refused what may not be refused.
func (r *resident) live(ctx context.Context) error {
	for n := 0; ctx.Err() == nil; rest(ctx, 50*time.Millisecond+rand.N(200*time.Millisecond)) {
		visit, err := r.come(ctx)
		if err == nil {
			n, err = r.talk(ctx, visit, n)
			r.hangUp(visit)
		}
		if fatal(err) && ctx.Err() == nil {
			return fmt.Errorf("%s: %w", r.name, err)
		}
	}
	return nil
}

// rest waits, and reports whether ctx goes on.
func rest(ctx context.Context, d time.Duration) bool {
	select {
	case <-ctx.Done():
		return false
	case <-time.After(d):
		return true
	}
}

// come goes to any node and learns there what was missed.
func (r *resident) come(ctx context.Context) (*visit, error) {
	r.server = r.town.nodes[rand.IntN(len(r.town.nodes))]
	r.mu.Lock()
	r.opening, r.held = true, nil
	heads := r.heads()
	r.mu.Unlock()
	if len(r.homes) == 0 {
		return r.settleDown(ctx)
	}
	r.narrow = false // who has to catch up takes what it gets
	ctx, cancel := context.WithTimeout(ctx, comeTime)
	defer cancel()
	var told greeting
	v, err := r.arrive(ctx, map[string]any{"epoch": r.epoch, "heads": heads}, r.hear, &told)
	if err != nil {
		return nil, err
	}
	if err := r.catchUp(ctx, v, told.Sync.Groups); err != nil {
		v.leave()
		return nil, err
	}
	r.arrived(v)
	return v, nil
}

// settleDown enters the rooms for the first time, and becomes a member of each by a word. Nothing is broken yet, but there is a
// crowd at the door.
func (r *resident) settleDown(ctx context.Context) (*visit, error) {
	r.town.door <- struct{}{}
	defer func() { <-r.town.door }()
	v, err := r.arrive(ctx, nil, r.hear, nil)
	if err != nil {
		return nil, err
	}
	if err := r.moveIn(ctx, v); err != nil {
		r.town.end(fmt.Errorf("%s cannot move in: %w", r.name, err))
		v.leave()
		return nil, err
	}
	r.arrived(v)
	return v, nil
}

func (r *resident) moveIn(ctx context.Context, v *visit) error {
	for _, room := range r.rooms {
		var head int64
		err := insist(ctx, func() (err error) {
			head, err = v.enter(ctx, room)
			return err
		})
		if err != nil {
			return err
		}
		r.homes = append(r.homes, v.group)
		r.mu.Lock()
		r.views[v.group] = &view{head: head, from: head + 1, rows: map[int64]string{}}
		r.mu.Unlock()
		r.begin(v.group, head)
	}
	for i := range r.homes {
		if err := insist(ctx, func() error { return r.say(ctx, v, -1-i) }); err != nil {
			return err
		}
	}
	return nil
}

// insist does what may be refused for the moment, until it is not.
func insist(ctx context.Context, do func() error) error {
	for {
		err := do()
		if r, refused := errors.AsType[*refusal](err); !refused || !r.retry() || !rest(ctx, 200*time.Millisecond) {
			return err
		}
	}
}

// heads are the numbers that r holds; the lock is held.
func (r *resident) heads() map[string]int64 {
	heads := make(map[string]int64, len(r.views))
	for g, v := range r.views {
		heads[g] = v.head
	}
	return heads
}

// begin starts to listen to a group that was at head when it had been entered: all that follows must be heard.
func (r *resident) begin(group string, head int64) {
	ear := r.town.books.of(group).listener(r.name)
	ear.entered(head)
	r.mu.Lock()
	defer r.mu.Unlock()
	r.views[group].ear = ear
}

// catchUp takes what was missed, and asks on while there is more.
func (r *resident) catchUp(ctx context.Context, v *visit, parts map[string]groupSync) error {
	for _, group := range r.homes {
		first := true
		for part := parts[group]; ; first = false {
			if part.Gone != "" || part.Latest == 0 {
				r.town.books.note("%s is told of its group %s: %+v", r.name, group, part)
				return fmt.Errorf("%s has lost its home", r.name)
			}
			r.learn(group, part)
			if first {
				r.begin(group, part.Latest)
			}
			if !part.More {
				break
			}
			var next struct{ Groups map[string]groupSync }
			if err := v.ask(ctx, "sync", map[string]any{"epoch": r.epoch, "heads": map[string]int64{group: part.Head}}, &next); err != nil {
				return err
			}
			part = next.Groups[group]
		}
	}
	return nil
}

func (r *resident) learn(group string, part groupSync) {
	r.mu.Lock()
	defer r.mu.Unlock()
	v := r.views[group]
	if part.Reset {
		v.rows, v.from = map[int64]string{}, part.Head+1
		if len(part.Messages) > 0 {
			v.from = part.Messages[0].Seq
		}
	}
	for _, row := range part.Messages {
		v.rows[row.Seq] = row.ClientID
	}
	v.head = max(v.head, part.Head)
}

// arrived takes what was held meanwhile.
func (r *resident) arrived(v *visit) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.opening, r.here, r.visit = false, true, v
	for _, p := range r.held {
		r.take(p)
	}
	r.held = nil
}

// hangUp ends a visit.
func (r *resident) hangUp(v *visit) {
	r.mu.Lock()
	r.here, r.visit = false, nil
	r.mu.Unlock()
	v.leave()
}

// hear takes a push, unless r reads nothing for now.
func (r *resident) hear(p push) {
	<-r.listening()
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.opening {
		r.held = append(r.held, p)
		return
	}
	r.take(p)
}

func (r *resident) listening() chan struct{} {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.ears
}

// take merges a push; the lock is held.
func (r *resident) take(p push) {
	v := r.views[p.GroupID]
	if v == nil {
		r.town.books.note("%s is told of %s (%+v), and is no member", r.name, p.GroupID, p)
		return
	}
	v.ear.write(p)
	if number := max(p.Seq, p.Head); number == v.head+1 {
		v.head = number
	}
	if p.Seq >= v.from {
		v.rows[p.Seq] = p.ClientID
	}
}

// talk sends messages from the nth on until the visit ends, and says which is the next to be sent.
func (r *resident) talk(ctx context.Context, v *visit, n int) (int, error) {
	leaving := make(<-chan time.Time)
	if r.town.restless.Load() {
		leaving = time.After(100*time.Millisecond + rand.N(300*time.Millisecond))
	}
	for {
		select {
		case <-ctx.Done():
			return n, nil
		case <-v.client.Done():
			return n, v.client.Err()
		case <-leaving:
			return n, nil
		case <-time.After(r.town.pace()):
		}
		if r.town.hushed.Load() {
			continue
		}
		err := r.say(ctx, v, n)
		if code := codeOf(err); code != "" && !fatal(err) {
			r.town.books.refused(code) // come again
			continue
		}
		if err != nil {
			return n, err
		}
		n++
	}
}

// say sends the nth message, into one home after the other, and notes that it was acknowledged.
func (r *resident) say(ctx context.Context, v *visit, n int) error {
	v.group = r.homes[max(n, -1-n)%len(r.homes)]
	p := promise{sender: r.name, clientID: fmt.Sprintf("%s:%d", r.name, n)}
	p.text = "line " + p.clientID + strings.Repeat(" …", r.town.padding)
	r.town.sending.Add(1)
	defer r.town.sending.Add(-1)
	answer, err := v.say(ctx, p.clientID, p.text)
	if err != nil {
		return err
	}
	p.seq = answer.row().Seq
	r.town.books.of(v.group).ack(p)
	r.town.acks.Add(1)
	return nil
}

func codeOf(err error) string {
	if r, refused := errors.AsType[*refusal](err); refused {
		return r.Code
	}
	return ""
}

// reached reports whether r is here and knows its homes up to the numbers that are wanted.
func (r *resident) reached(want map[string]int64) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	for g, v := range r.views {
		if v.head < want[g] {
			return false
		}
	}
	return r.here
}

// where is r, for who wonders.
func (r *resident) where() string {
	r.mu.Lock()
	defer r.mu.Unlock()
	return fmt.Sprintf("%s here=%v at %s knows %v", r.name, r.here, r.server.url, r.heads())
}

// compare finds out in what r's view differs from a history, oldest first.
func (r *resident) compare(group string, history []row) (complaints []string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	v, kept := r.views[group], 0
	if v == nil {
		return nil
	}
	for _, row := range history {
		if row.Seq < v.from {
			continue
		}
		kept++
		if shown, ok := v.rows[row.Seq]; !ok || shown != row.ClientID {
			complaints = append(complaints, fmt.Sprintf("%s shows %q as message %d, kept is %q", r.name, shown, row.Seq, row.ClientID))
		}
	}
	if len(v.rows) != kept && len(complaints) == 0 {
		complaints = append(complaints, fmt.Sprintf("%s shows %d messages from %d on, kept are %d", r.name, len(v.rows), v.from, kept))
	}
	return complaints[:min(len(complaints), 3)]
}

// deafen stops reading, until the returned function is called.
func (r *resident) deafen() (open func()) {
	ears := make(chan struct{})
	r.mu.Lock()
	defer r.mu.Unlock()
	r.ears = ears
	return sync.OnceFunc(func() { close(ears) })
}

// drop ends the present connection without a word.
func (r *resident) drop() {
	r.mu.Lock()
	v := r.visit
	r.mu.Unlock()
	if v != nil {
		v.client.Close()
	}
}
