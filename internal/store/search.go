package store

import (
	"cmp"
	"errors"
	"fmt"
	"math"
	"slices"

	"qun/internal/chat"
)

// spoken is what a search looks at of a message.
type spoken struct {
	moment
	rev  chat.Seq
	user int64  // 0: the server itself
	text string // "" if it is not to be found: recalled, or not said by anybody
}

// moment is a message's place in the order of what is found.
type moment struct {
	at    chat.Time
	group int64
	seq   chat.Seq
}

func (m moment) compare(o moment) int {
	return cmp.Or(cmp.Compare(m.at, o.at), cmp.Compare(m.group, o.group), cmp.Compare(m.seq, o.seq))
}

const spokenColumns = `m.sent_at, m.group_key, m.seq, m.rev, COALESCE(m.user_key, 0),
	CASE WHEN m.kind IN ('text', 'file') AND m.recalled_at = 0 THEN m.text ELSE '' END`

func scanSpoken(s scanner) (m spoken, err error) {
	err = s.Scan(&m.at, &m.group, &m.seq, &m.rev, &m.user, &m.text)
	return m, err
}

// Searchable says where a user may look: see chat.SearchReader.
func (r *reader) Searchable(u chat.UserID) ([]chat.Belonging, error) {
	return collect(r.ctx, r.session, func(s scanner) (chat.Belonging, error) {
		g, m := new(chat.Group), new(chat.Membership)
		err := s.Scan(&g.ID, &g.Kind, &g.Joining, &g.History, &g.Floor, &g.Head, &m.Role, &m.State, &m.FromSeq)
		return chat.Belonging{Group: g, Membership: m}, err
	}, `SELECT g.id, g.kind, g.joining, g.history, g.floor, g.head, b.role, b.state, b.from_seq
		FROM memberships b JOIN groups g ON g.key = b.group_key
		WHERE b.user_key = (SELECT key FROM users WHERE id = $1) AND b.state = $2 AND g.dissolved_at = 0`, u, chat.MemberActive)
}

// Search finds messages: see chat.SearchReader.
func (r *reader) Search(q chat.Search) (page []*chat.Message, next *chat.SearchPlace, err error) {
	page = []*chat.Message{}
	if q.Words.Empty() || len(q.Where) == 0 {
		return page, nil, nil
	}
	s, err := r.searching(&q)
	if errors.Is(err, chat.ErrNotFound) {
		return page, nil, nil
	}
	if err == nil {
		err = s.search()
	}
	if err == nil {
		page, err = r.messagesAt(s.found)
	}
	if err != nil {
		return nil, nil, fmt.Errorf("search: %w", err)
	}
	return page, s.next(), nil
}

// messagesAt are messages, the newest first.
func (r *reader) messagesAt(places []moment) ([]*chat.Message, error) {
	pairs, err := r.dialect.listPairs(places)
	if err != nil {
		return nil, err
	}
	return r.messages(`SELECT `+messageColumns+` FROM (`+r.dialect.pairs+`) AS named CROSS JOIN messages m JOIN groups g ON g.key = m.group_key
		LEFT JOIN users u ON u.key = m.user_key WHERE m.group_key = named.group_key AND m.seq = named.seq
		ORDER BY m.sent_at DESC, m.group_key DESC, m.seq DESC`, pairs...)
}

// searching is a search on its way.
type searching struct {
	*reader
	q      *chat.Search
	user   int64 // who must have sent it; 0: anybody
	groups map[int64]*searched
	before moment
	found  []moment  // sorted and cut to a page once search is done
	down   chat.Time // what is later than that was looked at, all of it
	more   bool      // and there may be something before
}

// searched is a group that is searched.
type searched struct {
	counters
	first chat.Seq
	upTo  chat.Seq // how far the index follows it
}

// messages is how many messages of these groups the index has, or had.
func messages(groups map[int64]*searched) (n int) {
	for _, g := range groups {
		n += int(max(0, g.upTo-g.floor))
	}
	return n
}

// searching begins a search; chat.ErrNotFound says that nothing can be found.
func (r *reader) searching(q *chat.Search) (*searching, error) {
	s := &searching{reader: r, q: q, groups: make(map[int64]*searched, len(q.Where)), before: moment{at: math.MaxInt64}}
	if q.From != "" {
		if err := r.row(`SELECT key FROM users WHERE id = $1`, []any{q.From}, &s.user); err != nil {
			return nil, err
		}
	}
	if q.Before != nil {
		s.before = moment{at: q.Before.At, seq: q.Before.Seq}
		err := r.row(`SELECT key FROM groups WHERE id = $1`, []any{q.Before.Group}, &s.before.group)
		if err != nil && !errors.Is(err, chat.ErrNotFound) {
			return nil, err
		}
	}
	return s, s.readGroups()
}

// readGroups reads where the groups are, and how far the index follows them.
func (s *searching) readGroups() error {
	first := make(map[chat.GroupID]chat.Seq, len(s.q.Where))
	ids := make([]chat.GroupID, len(s.q.Where))
	for i, w := range s.q.Where {
		first[w.Group], ids[i] = w.First, w.Group
	}
	list, err := s.dialect.list(texts(ids))
	if err != nil {
		return err
	}
	groups, err := collect(s.ctx, s.session, scanCounters, `SELECT key, id, head, floor FROM groups WHERE id IN (`+s.dialect.elements+`)`, list)
	if err != nil {
		return err
	}
	if len(groups) == 0 {
		return chat.ErrNotFound
	}
	known, err := s.index.progress(s.reader, keysOf(groups))
	if err != nil {
		return fmt.Errorf("read how far the index is: %w", err)
	}
	for _, g := range groups {
		s.groups[g.key] = &searched{g, first[g.id], known[g.key].rev}
	}
	return nil
}

func keysOf(groups []counters) []int64 {
	keys := make([]int64, len(groups))
	for i, g := range groups {
		keys[i] = g.key
	}
	return keys
}

// search reads through what the index does not have yet, asks it for the rest, and sorts what was found.
func (s *searching) search() error {
	for _, g := range s.groups {
		if g.upTo < g.head {
			if err := s.readTail(g); err != nil {
				return err
			}
		}
	}
	upTo := s.before.at
	if s.before == (moment{at: upTo}) { // nothing of that moment itself
		upTo--
	}
	var err error
	s.down, s.more, err = s.index.walk(s.reader, s.groups, needles{s.q.Words.Needles(), s.user}, upTo, s.q.Limit+10, s.take)
	if err != nil {
		return fmt.Errorf("ask the search index: %w", err)
	}
	s.sort()
	if s.more { // of the moment at which it ended not all was looked at
		s.found = slices.DeleteFunc(s.found, func(m moment) bool { return m.at <= s.down })
	}
	if len(s.found) > s.q.Limit {
		s.found, s.down, s.more = s.found[:s.q.Limit], 0, true
	}
	return nil
}

func (s *searching) sort() { slices.SortFunc(s.found, func(a, b moment) int { return b.compare(a) }) }

// readTail reads what is new in a group, or changed, since the index looked at it. The signs keep the planner from going
// through the whole group for a few that changed.
func (s *searching) readTail(g *searched) error {
	for _, where := range []string{
		`m.group_key = $1 AND m.seq > $2 AND m.seq >= $3`,
		`m.group_key = $1 AND m.rev > m.seq AND m.rev > $2 AND +m.seq <= $2 AND +m.seq >= $3`,
	} {
		rows, err := collect(s.ctx, s.session, scanSpoken, `SELECT `+spokenColumns+` FROM messages m WHERE `+where, g.key, g.upTo, g.first)
		if err != nil {
			return fmt.Errorf("read what the index does not have: %w", err)
		}
		for _, m := range rows {
			s.look(&m)
		}
	}
	return nil
}

// take reads messages that the index named, the text as it is now: that decides. More than that is wanted unless a page is
// full of what is later than down.
func (s *searching) take(named []moment, down chat.Time) (more bool, err error) {
	pairs, err := s.dialect.listPairs(named)
	if err != nil {
		return false, err
	}
	rows, err := collect(s.ctx, s.session, scanSpoken, `SELECT `+spokenColumns+` FROM (`+s.dialect.pairs+`) AS named
		CROSS JOIN messages m WHERE m.group_key = named.group_key AND m.seq = named.seq`, pairs...)
	if err != nil {
		return false, err
	}
	for _, m := range rows {
		if g := s.groups[m.group]; m.rev <= g.upTo && m.seq >= g.first { // else it was looked at in the tail
			s.look(&m)
		}
	}
	s.sort()
	full := len(s.found) > s.q.Limit && s.found[s.q.Limit].at > down
	return !full, nil
}

// look keeps a message that is what is looked for.
func (s *searching) look(m *spoken) {
	if s.user != 0 && m.user != s.user || m.moment.compare(s.before) >= 0 {
		return
	}
	if _, found := s.q.Words.Find(m.text); found {
		s.found = append(s.found, m.moment)
	}
}

// next is where the next page begins; nil: this was the last.
func (s *searching) next() *chat.SearchPlace {
	switch {
	case !s.more:
		return nil
	case s.down > 0 || len(s.found) == 0:
		return &chat.SearchPlace{At: s.down + 1}
	}
	last := s.found[len(s.found)-1]
	return &chat.SearchPlace{At: last.at, Group: s.groups[last.group].id, Seq: last.seq}
}
