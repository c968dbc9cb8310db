package chat

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"unicode/utf8"
)

const (
	syncHeads  = 1000    // groups asked for at once
	syncRows   = 500     // rows per group
	syncTotal  = 2000    // rows in all
	syncBytes  = 1 << 20 // of JSON in all, about
	syncBehind = 1000    // who is further behind starts anew
)

// SyncQuery says what a client holds.
type SyncQuery struct {
	Epoch string          `json:"epoch,omitempty"`
	Heads map[GroupID]Seq `json:"heads"`
	Me    *Seq            `json:"me,omitempty"` // my own counter; nil: not asked
}

// Sync is what changed, of one moment.
type Sync struct {
	Epoch  string                 `json:"epoch"`
	Groups map[GroupID]*GroupSync `json:"groups"`
	Me     *MeSync                `json:"me,omitempty"`
}

// GroupSync holds the rows of a group with a rev after the asked head, each list in order of rev.
type GroupSync struct {
	Head     Seq        `json:"head"`   // up to here this answer is complete
	Latest   Seq        `json:"latest"` // the group's head
	Messages []*Message `json:"messages"`
	Members  []*Member  `json:"members"`
	Group    *Group     `json:"group,omitempty"`
	More     bool       `json:"more"`            // ask again with Head
	Reset    bool       `json:"reset,omitempty"` // forget the group's rows: Messages is the newest page
	Gone     Gone       `json:"gone,omitempty"`
}

// MeSync holds my private rows that changed after the asked number of my own counter.
type MeSync struct {
	Head     Seq             `json:"head"`
	User     *User           `json:"user,omitempty"`
	Settings json.RawMessage `json:"settings,omitempty"`
	Groups   []*GroupState   `json:"groups"`
	Left     []*Left         `json:"left"`
	Pending  []*Pending      `json:"pending,omitempty"`
	Blocks   []Block         `json:"blocks,omitempty"`
}

// Sync brings what changed since the numbers a client holds. Groups that are unknown, or were never who's to see, are
// left out.
func (s *Service) Sync(ctx context.Context, who *User, in SyncQuery) (*Sync, error) {
	if len(in.Heads) > syncHeads {
		return nil, refuseHeads(syncHeads)
	}
	var answer *Sync
	err := s.store.View(ctx, func(r Reader) error {
		var own *Mine
		if len(in.Heads) >= syncMany || in.Me != nil {
			all, err := r.Mine([]UserID{who.ID})
			if err != nil {
				return err
			}
			own = all[who.ID]
		}
		var err error
		answer, err = s.sync(r, who, own, in)
		return err
	})
	if err != nil {
		return nil, refusal(err, "sync")
	}
	return answer, nil
}

// syncMany is from how many groups on all of who's are read at once: those in which nothing changed then cost nothing.
const syncMany = 8

// sync reads what changed. own may be nil if nothing private is asked for.
func (s *Service) sync(r Reader, who *User, own *Mine, in SyncQuery) (answer *Sync, err error) {
	answer = &Sync{Epoch: s.store.Epoch()}
	q := syncing{Service: s, r: r, who: who, own: own, anew: in.Epoch != answer.Epoch, rows: syncTotal, bytes: syncBytes}
	if answer.Groups, err = q.groups(in.Heads); err != nil {
		return nil, err
	}
	if in.Me != nil {
		answer.Me, err = q.me(*in.Me)
	}
	return answer, err
}

// syncing is one Sync on its way, with what it may still hold.
type syncing struct {
	*Service
	r    Reader
	who  *User
	own  *Mine                  // nil: not read
	mine map[GroupID]*Belonging // of own, by group
	anew bool                   // the client's numbers are of another epoch

	rows, bytes int
}

func (q *syncing) groups(heads map[GroupID]Seq) (map[GroupID]*GroupSync, error) {
	if q.own != nil {
		q.mine = make(map[GroupID]*Belonging, len(q.own.Belongings))
		for i := range q.own.Belongings {
			b := &q.own.Belongings[i]
			q.mine[b.Group.ID] = b
		}
	}
	answer := make(map[GroupID]*GroupSync, len(heads))
	for _, id := range slices.Sorted(maps.Keys(heads)) {
		part, err := q.group(id, heads[id])
		if err != nil {
			return nil, fmt.Errorf("sync group %s: %w", id, err)
		}
		if part != nil {
			answer[id] = part
		}
	}
	return answer, nil
}

// group is the answer for one group; nil if it is not who's to see.
func (q *syncing) group(id GroupID, asked Seq) (*GroupSync, error) {
	g, m, err := q.find(id)
	if errors.Is(err, ErrNotFound) {
		return nil, nil
	} else if err != nil {
		return nil, err
	}
	if g.DissolvedAt != 0 || q.mayRead(g, m, q.who) != nil {
		return gone(g, m), nil
	}
	if g.Me, err = q.myView(g, m); err != nil {
		return nil, err
	}
	reset, err := q.tooFar(g, asked)
	if err != nil {
		return nil, err
	}
	if reset {
		return q.reset(g, m)
	}
	return q.changes(g, m, asked)
}

// find is a group and who's membership in it, nil if there never was one.
func (q *syncing) find(id GroupID) (*Group, *Membership, error) {
	if b := q.mine[id]; b != nil {
		group := *b.Group
		return &group, b.Membership, nil
	}
	g, err := q.r.Group(id)
	if err != nil || q.own != nil {
		return g, nil, err
	}
	m, err := membership(q.r, id, q.who.ID)
	return g, m, err
}

// gone tells who once was in g how that ended; nil to anybody else.
func gone(g *Group, m *Membership) *GroupSync {
	if m == nil {
		return nil
	}
	return &GroupSync{Messages: []*Message{}, Members: []*Member{}, Gone: left(g, m).Reason}
}

func (q *syncing) myView(g *Group, m *Membership) (*GroupMe, error) {
	if !m.Active() {
		return myView(g, m), nil
	}
	m, err := readUpTo(q.r, m, min(q.cursors.at(q.who.ID, g.ID), g.Head))
	if err != nil {
		return nil, err
	}
	return myView(g, m), nil
}

// tooFar reports whether a client at asked starts anew.
func (q *syncing) tooFar(g *Group, asked Seq) (bool, error) {
	if q.anew || asked < 0 || asked > g.Head || asked < g.Floor {
		return true, nil
	}
	if g.Head-asked <= syncBehind { // one number, at most one row
		return false, nil
	}
	n, err := q.r.CountAfter(g.ID, asked, syncBehind+1)
	return n > syncBehind, err
}

// reset answers with the newest page. When the answer is full already it says so with head 0 and more: the client
// forgets now and asks again.
func (q *syncing) reset(g *Group, m *Membership) (*GroupSync, error) {
	part := &GroupSync{Latest: g.Head, Messages: []*Message{}, Members: []*Member{}, Group: g, Reset: true}
	if q.rows < pageSize || q.bytes <= 0 {
		part.More = true
		return part, nil
	}
	page, err := newestPage(visibleTo(q.r, g, m), g.ID, pageSize)
	if err != nil {
		return nil, err
	}
	if err := mark(q.r, q.who.ID, page.Messages); err != nil {
		return nil, err
	}
	for _, m := range page.Messages {
		q.spend(wireSize(m))
	}
	part.Head, part.Messages = g.Head, page.Messages
	return part, nil
}

// changes answers with rows in order of rev, across kinds, as far as there is place.
func (q *syncing) changes(g *Group, m *Membership, asked Seq) (*GroupSync, error) {
	part := &GroupSync{Head: asked, Latest: g.Head, Messages: []*Message{}, Members: []*Member{}}
	if asked == g.Head {
		return part, nil
	}
	limit := min(q.rows, syncRows)
	rows, err := q.changed(g, m, asked, limit+1)
	if err != nil {
		return nil, err
	}
	for i, row := range rows {
		if i == limit || q.bytes < row.size && q.bytes < syncBytes {
			part.More = true
			return part, mark(q.r, q.who.ID, part.Messages)
		}
		q.spend(row.size)
		row.put(part)
		part.Head = row.rev
	}
	part.Head = g.Head
	return part, mark(q.r, q.who.ID, part.Messages)
}

func (q *syncing) spend(size int) {
	q.rows--
	q.bytes -= size
}

// changedRow is a row of any kind.
type changedRow struct {
	rev  Seq
	size int
	put  func(*GroupSync)
}

// changed are the first rows after asked, in order of rev. Each kind is asked for limit of them, so the first limit of
// all are among them. A message that is not who's to read takes its place, and is not put.
func (q *syncing) changed(g *Group, member *Membership, asked Seq, limit int) ([]changedRow, error) {
	messages, err := q.r.MessagesAfter(g.ID, asked, limit)
	if err != nil {
		return nil, err
	}
	members, err := q.r.MembersAfter(g.ID, asked, limit)
	if err != nil {
		return nil, err
	}
	rows := make([]changedRow, 0, len(messages)+len(members)+1)
	first := firstSeq(g, member)
	for _, m := range messages {
		if m.Seq < first {
			rows = append(rows, changedRow{m.Rev, 0, func(*GroupSync) {}})
			continue
		}
		rows = append(rows, changedRow{m.Rev, wireSize(m), func(p *GroupSync) { p.Messages = append(p.Messages, m) }})
	}
	for _, m := range members {
		rows = append(rows, changedRow{m.Rev, rowSize, func(p *GroupSync) { p.Members = append(p.Members, m) }})
	}
	if g.Rev > asked {
		rows = append(rows, changedRow{g.Rev, rowSize, func(p *GroupSync) { p.Group = g }})
	}
	slices.SortFunc(rows, func(a, b changedRow) int { return cmp.Compare(a.rev, b.rev) })
	return rows[:min(limit, len(rows))], nil
}

// rowSize is what a row weighs in JSON without its long texts, generously.
const rowSize = 600

// idSize is what an id weighs in a list.
const idSize = 40

// wireSize is about what m weighs in JSON.
func wireSize(m *Message) int {
	size := rowSize + len(m.Room) + len(m.NickName) + idSize*len(m.Mentions) + rowSize*len(m.Files)
	if p := m.Preview; p != nil {
		size += 2*rowSize + len(p.URL) + 6*(len(p.Title)+len(p.Description))
	}
	for _, r := range m.Reactions {
		size += idSize * (2 + len(r.UserIDs))
	}
	for _, r := range m.Text {
		switch {
		case r < 0x20 || r == '<' || r == '>' || r == '&' || r == '\u2028' || r == '\u2029':
			size += 6
		case r == '"' || r == '\\':
			size += 2
		default:
			size += utf8.RuneLen(r)
		}
	}
	return size
}

// me is what changed in private since a number of who's own counter; everything, if that number is not of it.
func (q *syncing) me(since Seq) (*MeSync, error) {
	answer := &MeSync{Groups: []*GroupState{}, Left: []*Left{}}
	answer.Head = q.own.Head
	if q.anew || since < 0 || since > q.own.Head {
		since = 0
	}
	if q.own.Rev > since {
		answer.User = q.own.User
	}
	if q.own.SettingsRev > since || since == 0 { // of who forgets everything, what was never set, too
		answer.Settings = q.own.Settings
	}
	for _, b := range q.own.Belongings {
		if b.Membership.UserRev <= since {
			continue
		}
		change := MembershipEvent(b.Group, b.Membership).Me
		if change.Left != nil {
			answer.Left = append(answer.Left, change.Left)
			continue
		}
		var err error
		if change.Group.Me, err = q.myView(b.Group, b.Membership); err != nil {
			return nil, err
		}
		answer.Groups = append(answer.Groups, change.Group)
	}
	for _, request := range q.own.Requests {
		if request.UserRev > since {
			answer.Pending = append(answer.Pending, request.pending())
		}
	}
	for _, b := range q.own.Blocks {
		if b.UserRev > since {
			answer.Blocks = append(answer.Blocks, b)
		}
	}
	return answer, nil
}
