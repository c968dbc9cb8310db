package chat_test

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"math/rand/v2"
	"os"
	"reflect"
	"slices"
	"strconv"
	"sync"
	"testing"

	"qun/internal/chat"
)

// TestModel plays random histories: members and guests enter, send, mention, send again, edit, recall, react, are put out,
// read, miss pushes while they are away, come back by sync; the server restarts. After each of them every client's view must
// equal what was acknowledged, the numbers that came live must be dense and in order, and unread and mentions must equal
// counts by hand. QUN_MODEL_ROUNDS says how many histories are played, if a few are not enough.
func TestModel(t *testing.T) {
	rounds := 3
	if set := os.Getenv("QUN_MODEL_ROUNDS"); set != "" {
		var err error
		if rounds, err = strconv.Atoi(set); err != nil {
			t.Fatal(err)
		}
	}
	for seed := range uint64(rounds) {
		t.Run(fmt.Sprint("seed ", seed), func(t *testing.T) { // a test of its own, so that each house is closed before the next
			if faults := play(t, seed, nil); len(faults) > 0 {
				t.Error(errors.Join(faults...))
			}
		})
	}
}

// TestModelNoticesFaults plants one fault on the way from the announcer to the clients, or into the counts, and expects
// the model to notice it.
func TestModelNoticesFaults(t *testing.T) {
	for name, fault := range map[string]*fault{
		"a lost push":              {events: func(e chat.Event, _ chat.Event) []chat.Event { return nil }},
		"a doubled push":           {events: func(e chat.Event, _ chat.Event) []chat.Event { return []chat.Event{e, e} }},
		"two swapped pushes":       {events: func(e, before chat.Event) []chat.Event { return []chat.Event{e, before} }, hold: true},
		"a push of another group":  {events: func(e chat.Event, _ chat.Event) []chat.Event { e.Group += "x"; return []chat.Event{e} }},
		"another text in the push": {events: func(e chat.Event, _ chat.Event) []chat.Event { return []chat.Event{altered(e)} }},
		"a frame to a non-member":  {leaks: true},
		"a miscounted unread":      {reader: func(r chat.Reader) chat.Reader { return miscounting{r} }},
		"a message sync forgets":   {reader: func(r chat.Reader) chat.Reader { return forgetful{r} }},
	} {
		t.Run(name, func(t *testing.T) {
			if len(play(t, 1, fault)) == 0 {
				t.Error("the model noticed nothing")
			}
		})
	}
}

// fault is what goes wrong, on purpose.
type fault struct {
	events func(e, held chat.Event) []chat.Event // instead of every 30th message; held is the one before it, with hold
	hold   bool
	leaks  bool // everybody hears of every group
	reader func(chat.Reader) chat.Reader
}

func altered(e chat.Event) chat.Event {
	m := *e.Message
	m.Text += "?"
	e.Message = &m
	return e
}

type miscounting struct{ chat.Reader }

func (r miscounting) Group(id chat.GroupID) (*chat.Group, error) {
	g, err := r.Reader.Group(id)
	if err == nil && g.Counted > 20 {
		g.Counted++
	}
	return g, err
}

type forgetful struct{ chat.Reader }

func (r forgetful) MessagesAfter(g chat.GroupID, since chat.Seq, limit int) ([]*chat.Message, error) {
	messages, err := r.Reader.MessagesAfter(g, since, limit)
	if len(messages) > 1 {
		messages = messages[1:]
	}
	return messages, err
}

// faultyStore lets a fault into everything read.
type faultyStore struct {
	chat.Store
	fault *fault
}

func (s faultyStore) View(ctx context.Context, read func(chat.Reader) error) error {
	return s.Store.View(ctx, func(r chat.Reader) error { return read(s.fault.reader(r)) })
}

// model is the world as it should be.
type model struct {
	*house
	random *rand.Rand
	fault  *fault

	people  []*person
	rooms   []string
	groups  []chat.GroupID
	said    map[chat.GroupID][]*chat.Message // as acknowledged
	granted []request

	mu     sync.Mutex // guards below, and the clients of all people
	faults []error
	passed int // messages through the router, for the fault
	held   *chat.Event
}

// person is a device: a client of a user, who may have several.
type person struct {
	user *chat.User
	is   map[chat.GroupID]bool // a member; of all devices of the user
	in   map[chat.GroupID]bool // entered
	away bool                  // hears nothing

	head map[chat.GroupID]chat.Seq
	from map[chat.GroupID]chat.Seq // where what the client holds of a group begins
	rows map[chat.GroupID]map[chat.Seq]*chat.Message
}

// request is one that was granted.
type request struct {
	by   *person
	in   chat.NewMessage
	seq  chat.Seq
	text string
}

// play plays one history and returns what was wrong.
func play(t *testing.T, seed uint64, fault *fault) []error {
	m := &model{
		house: newHouse(t, noLimits()), random: rand.New(rand.NewPCG(seed, 99)), fault: fault,
		rooms: []string{"一", "two", "🏠"}, said: map[chat.GroupID][]*chat.Message{},
	}
	m.start()
	for i := range 6 {
		u := m.guest(fmt.Sprint("guest ", i))
		if i%2 == 0 {
			u = m.member(fmt.Sprint("member-", i+2))
		}
		m.people = append(m.people, device(u, map[chat.GroupID]bool{}))
	}
	for _, p := range m.people[:2] { // a member and a guest have another device
		m.people = append(m.people, device(p.user, p.is))
	}
	for n := 0; n < 120 && !m.caught(); n++ {
		m.step(m.people[m.random.IntN(len(m.people))])
	}
	for _, p := range m.people {
		m.comeBack(p)
	}
	m.settle()
	m.check()
	return m.faults
}

func device(u *chat.User, is map[chat.GroupID]bool) *person {
	return &person{
		user: u, is: is, in: map[chat.GroupID]bool{},
		head: map[chat.GroupID]chat.Seq{}, from: map[chat.GroupID]chat.Seq{}, rows: map[chat.GroupID]map[chat.Seq]*chat.Message{},
	}
}

// start puts the model between the service and the house: the model routes pushes to clients.
func (m *model) start() {
	var s chat.Store = m.house.store
	if m.fault != nil && m.fault.reader != nil {
		s = faultyStore{s, m.fault}
	}
	m.must(m.Service.Close(m.ctx))
	m.Service = chat.New(s, m, m.cfg)
}

func (m *model) wrong(format string, args ...any) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.note(format, args...)
}

// caught reports whether a planted fault is noticed already.
func (m *model) caught() bool {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.fault != nil && len(m.faults) > 0
}

func (m *model) note(format string, args ...any) {
	if len(m.faults) < 5 {
		m.faults = append(m.faults, fmt.Errorf(format, args...))
	}
}

func (m *model) step(p *person) {
	g, entered := m.someGroup(p)
	switch n := m.random.IntN(25); {
	case n == 24:
		m.kick(p, g)
	case n >= 20:
		m.change(p, g)
	case n < 3 || !entered && n < 17:
		m.letIn(p, m.rooms[m.random.IntN(len(m.rooms))])
	case n < 9:
		m.say(p, g)
	case n < 12:
		m.burst()
	case n < 14:
		m.sayAgain()
	case n < 16:
		m.read(p, g)
	case n < 17:
		p.setAway(m, true)
	case n < 19:
		m.comeBack(p)
	default:
		m.restart()
	}
}

// someGroup is a group p has entered.
func (m *model) someGroup(p *person) (chat.GroupID, bool) {
	groups := slices.Sorted(maps.Keys(p.in))
	if len(groups) == 0 {
		return "", false
	}
	return groups[m.random.IntN(len(groups))], true
}

// letIn enters as the protocol says: into the room first, then the snapshot; pushes may come before it.
func (m *model) letIn(p *person, room string) {
	entered, err := m.Enter(m.ctx, p.user, chat.Entry{Room: room})
	m.must(err)
	g := entered.Group.ID
	if p.in[g] {
		return
	}
	if !slices.Contains(m.groups, g) {
		m.groups = append(m.groups, g)
	}
	snap, err := m.Snapshot(m.ctx, p.user, g)
	m.must(err)
	m.mu.Lock()
	defer m.mu.Unlock()
	p.in[g], p.head[g] = true, snap.Head
	p.begin(g, snap.Messages, snap.Before)
	for _, row := range snap.Messages {
		p.merge(row)
	}
	p.is[g] = p.is[g] || !p.user.Guest
}

// begin forgets a group's rows: what the client holds begins with a page.
func (p *person) begin(g chat.GroupID, page []*chat.Message, before bool) {
	p.rows[g], p.from[g] = map[chat.Seq]*chat.Message{}, 0
	if before {
		p.from[g] = page[0].Seq
	}
}

func (m *model) say(p *person, g chat.GroupID) {
	in := chat.NewMessage{Group: g, Entered: true, Text: fmt.Sprint("text ", m.random.Uint64()), ClientID: fmt.Sprint(m.random.Uint64())}
	if m.random.IntN(2) == 0 {
		in.Mentions = m.someone()
	}
	sent, err := m.SendMessage(m.ctx, p.user, in)
	m.must(err)
	m.acknowledged(p, in, sent)
}

func (m *model) acknowledged(p *person, in chat.NewMessage, sent *chat.Sent) {
	if sent.Duplicate || sent.Message.Text != in.Text || sent.Message.UserID != p.user.ID {
		m.wrong("%+v was acknowledged as %+v", in, sent.Message)
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	m.said[in.Group] = append(m.said[in.Group], asSeenByAll(sent.Message))
	m.granted = append(m.granted, request{p, in, sent.Message.Seq, in.Text})
	p.is[in.Group] = true
}

// someone is whom a message mentions: members and others.
func (m *model) someone() (ids []chat.UserID) {
	for _, p := range m.people {
		if m.random.IntN(3) == 0 {
			ids = append(ids, p.user.ID)
		}
	}
	return ids
}

// change edits, recalls or reacts to something said, twice: the second time changes nothing.
func (m *model) change(p *person, g chat.GroupID) {
	if len(m.said[g]) == 0 || !p.is[g] {
		return
	}
	at := m.random.IntN(len(m.said[g]))
	row := m.said[g][at]
	act := func() (*chat.Message, error) { return m.React(m.ctx, p.user, g, row.Seq, "👍", true) }
	switch n := m.random.IntN(4); {
	case row.RecalledAt != 0 || n == 0:
		on := row.RecalledAt == 0 && m.random.IntN(2) == 0
		act = func() (*chat.Message, error) { return m.React(m.ctx, p.user, g, row.Seq, "❤️", on) }
	case n < 3 && row.UserID == p.user.ID:
		edit := chat.Edit{Group: g, Seq: row.Seq, Text: fmt.Sprint("edited ", m.random.Uint64()), Mentions: m.someone()}
		act = func() (*chat.Message, error) { return m.EditMessage(m.ctx, p.user, edit) }
	case row.UserID == p.user.ID:
		act = func() (*chat.Message, error) {
			recalled, err := m.RecallMessage(m.ctx, p.user, g, row.Seq)
			if err != nil {
				return nil, err
			}
			return recalled.Message, nil
		}
	}
	changed, err := act()
	m.must(err)
	again, err := act()
	m.must(err)
	if again.Rev != changed.Rev {
		m.wrong("the same again is number %d after %d", again.Rev, changed.Rev)
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	m.said[g][at] = asSeenByAll(changed)
	for i := range m.granted {
		if m.granted[i].in.Group == g && m.granted[i].seq == row.Seq {
			m.granted[i].text = changed.Text
		}
	}
}

// asSeenByAll is a row without what one reader alone sees.
func asSeenByAll(m *chat.Message) *chat.Message {
	seen := *m
	seen.Reactions = slices.Clone(m.Reactions)
	for i := range seen.Reactions {
		seen.Reactions[i].Mine = false
	}
	return &seen
}

// kick puts a member out of a group that p runs. It comes back as anybody comes in; what is said meanwhile is not for it.
func (m *model) kick(p *person, g chat.GroupID) {
	q := m.people[m.random.IntN(len(m.people))]
	if !p.in[g] || q.user.ID == p.user.ID || q.user.Guest || !q.in[g] {
		return
	}
	group, err := m.Group(m.ctx, p.user, g)
	m.must(err)
	if group.Me == nil || group.Me.Role != chat.RoleOwner {
		return
	}
	_, err = m.Kick(m.ctx, p.user, chat.Removal{Group: g, User: q.user.ID})
	m.must(err)
	m.mu.Lock()
	for _, d := range m.people {
		if d.user.ID == q.user.ID {
			delete(d.in, g)
			delete(d.is, g)
			delete(d.head, g)
			delete(d.rows, g)
		}
	}
	m.mu.Unlock()
	in := chat.NewMessage{Group: g, Entered: true, Text: "from outside", ClientID: fmt.Sprint(m.random.Uint64())}
	if _, err := m.SendMessage(m.ctx, q.user, in); err == nil {
		m.wrong("%s spoke in a group it was put out of", q.user.NickName)
	}
}

// burst lets everybody speak at once, everywhere: the server decides the order.
func (m *model) burst() {
	var all sync.WaitGroup
	for _, p := range m.people {
		for _, g := range slices.Sorted(maps.Keys(p.in)) {
			in := chat.NewMessage{Group: g, Entered: true, Text: fmt.Sprint("burst ", m.random.Uint64()), ClientID: fmt.Sprint(m.random.Uint64())}
			all.Go(func() {
				sent, err := m.SendMessage(m.ctx, p.user, in)
				if err != nil {
					m.wrong("send: %w", err)
					return
				}
				m.acknowledged(p, in, sent)
			})
		}
	}
	all.Wait()
}

// sayAgain repeats what was granted before, as a client does that lost the acknowledgement.
func (m *model) sayAgain() {
	if len(m.granted) == 0 {
		return
	}
	before := m.granted[m.random.IntN(len(m.granted))]
	sent, err := m.SendMessage(m.ctx, before.by.user, before.in)
	if err != nil || !sent.Duplicate || sent.Message.Seq != before.seq || sent.Message.Text != before.text {
		m.wrong("%+v again: got %+v, %v", before.in, sent, err)
	}
	before.in.Text += "!"
	if _, err := m.SendMessage(m.ctx, before.by.user, before.in); code(err) != chat.CodeConflict {
		m.wrong("another text under the same clientId: got %v", err)
	}
}

func (m *model) read(p *person, g chat.GroupID) {
	state, err := m.ReadUpTo(m.ctx, p.user, g, chat.Seq(m.random.IntN(int(p.head[g])+3)))
	m.must(err)
	m.checkUnread(p, g, state.ReadSeq, state.Unread, state.Mentioned)
}

// checkUnread counts by hand what others said after the cursor, and where they mention p.
func (m *model) checkUnread(p *person, g chat.GroupID, readSeq chat.Seq, unread, mentioned int64) {
	naive, calls := int64(0), int64(0)
	for _, row := range m.said[g] {
		if p.is[g] && row.UserID != p.user.ID && row.Seq > readSeq {
			naive++
			if slices.Contains(row.Mentions, p.user.ID) && row.RecalledAt == 0 {
				calls++
			}
		}
	}
	if unread != naive || mentioned != calls {
		m.wrong("%s has %d unread and %d mentions after %d, counted are %d and %d", p.user.NickName, unread, mentioned, readSeq, naive, calls)
	}
}

func (p *person) setAway(m *model, away bool) {
	m.mu.Lock()
	defer m.mu.Unlock()
	p.away = away
}

// comeBack resumes by sync: first it hears again, then it asks for what it missed.
func (m *model) comeBack(p *person) {
	m.settle()
	p.setAway(m, false)
	for more := len(p.in) > 0; more; {
		answer, err := m.Sync(m.ctx, p.user, chat.SyncQuery{Epoch: m.Epoch(), Heads: maps.Clone(p.head)})
		m.must(err)
		more = false
		m.mu.Lock()
		for g, part := range answer.Groups {
			if part.Reset {
				p.begin(g, part.Messages, true)
			}
			for _, row := range part.Messages {
				p.merge(row)
			}
			p.head[g] = part.Head
			more = more || part.More
		}
		m.mu.Unlock()
	}
}

func (p *person) merge(row *chat.Message) {
	if row.Seq < p.from[row.GroupID] { // outside of what the client holds
		return
	}
	row = asSeenByAll(row)
	if have := p.rows[row.GroupID][row.Seq]; have == nil || have.Rev < row.Rev {
		p.rows[row.GroupID][row.Seq] = row
	}
}

// restart closes everything and opens it again; clients lose nothing but what is pushed meanwhile, which is nothing.
func (m *model) restart() {
	m.settle()
	m.house.close()
	m.house.open()
	m.start()
}

// settle waits until everything durable is announced.
func (m *model) settle() {
	for _, g := range m.groups {
		m.house.setGroup(g, func(g *chat.Group) {}) // a number of its own, to wait for
		row, err := m.Heads(m.ctx, []chat.GroupID{g})
		m.must(err)
		m.waitFor(g, row[g])
	}
}

func (m *model) waitFor(g chat.GroupID, head chat.Seq) {
	if !m.await(g, head) {
		m.wrong("number %d of %s is never announced", head, g)
	}
}

// Notify is what the announcer calls: the router to the clients.
func (m *model) Notify(e chat.Event) {
	m.mu.Lock()
	routed := []chat.Event{e}
	if m.fault != nil && m.fault.events != nil && e.Message != nil {
		routed = m.sabotage(e)
	}
	for _, e := range routed {
		if e.Group != "" && !slices.Contains(m.groups, e.Group) && len(m.groups) == len(m.rooms) {
			m.note("a push of a group that is not there: %s", e.Group)
		}
		for _, p := range m.people {
			if p.in[e.Group] || m.fault != nil && m.fault.leaks && e.Group != "" {
				p.hear(m, e)
			}
		}
	}
	m.mu.Unlock()
	m.house.Notify(e)
}

func (m *model) sabotage(e chat.Event) []chat.Event {
	m.passed++
	switch {
	case m.held != nil && m.held.Group == e.Group:
		held := *m.held
		m.held = nil
		return m.fault.events(e, held)
	case m.passed < 30 || m.held != nil || m.passed%30 != 0:
		return []chat.Event{e}
	case m.fault.hold:
		m.held = &e
		return nil
	}
	return m.fault.events(e, e)
}

// hear is the client of the protocol: at most the head is old news, head+1 applies, more is a gap. Here nothing is lost
// on the way, so a gap, and old news, are faults.
func (p *person) hear(m *model, e chat.Event) {
	if !p.in[e.Group] {
		m.note("%s heard of a group it is not in", p.user.NickName)
		return
	}
	if p.away {
		return
	}
	if e.Number != p.head[e.Group]+1 {
		m.note("%s heard %d of a group after %d", p.user.NickName, e.Number, p.head[e.Group])
	}
	p.head[e.Group] = max(p.head[e.Group], e.Number)
	if e.Message != nil {
		p.merge(e.Message)
	}
	if e.Change != nil && e.Change.Message != nil {
		p.merge(e.Change.Message)
	}
}

// check compares every client's view with what was acknowledged.
func (m *model) check() {
	for _, p := range m.people {
		for g := range p.in {
			m.checkView(p, g)
			group, err := m.Group(m.ctx, p.user, g)
			m.must(err)
			m.checkUnread(p, g, group.Me.ReadSeq, group.Me.Unread, group.Me.Mentioned)
		}
		all, err := m.Overview(m.ctx, p.user)
		m.must(err)
		for _, c := range all.Groups {
			m.checkUnread(p, c.ID, c.Me.ReadSeq, c.Me.Unread, c.Me.Mentioned)
		}
	}
}

// checkView expects all that was said since the client's first page, in the acknowledged order, and nothing else.
func (m *model) checkView(p *person, g chat.GroupID) {
	rows := p.rows[g]
	seqs := slices.Sorted(maps.Keys(rows))
	if len(seqs) == 0 {
		return
	}
	said := map[chat.Seq]*chat.Message{}
	for _, row := range m.said[g] {
		said[row.Seq] = row
		if got := rows[row.Seq]; row.Seq >= seqs[0] && !reflect.DeepEqual(got, row) {
			m.wrong("%s does not see message %d of %s as it was acknowledged, but %+v", p.user.NickName, row.Seq, g, got)
		}
	}
	if len(said) != len(m.said[g]) {
		m.wrong("two messages of %s were acknowledged under one number", g)
	}
	for _, seq := range seqs {
		if rows[seq].Kind == chat.MessageText && said[seq] == nil {
			m.wrong("%s sees message %d of %s, which nobody sent", p.user.NickName, seq, g)
		}
	}
}
